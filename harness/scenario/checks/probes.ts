/** Tunnels opened, and literal bytes said, to prove one clause each. */

import { clauseOf } from '../../conformance/clauses/registry.ts';
import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding, Stretch } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';
import { ScriptWaits, STUCK_CLAUSES } from './script-waits.ts';

/** How long a script waits for one step (harness/agents/script.ts). */
const STEP_MICROS = 10_000_000;

/** A port that is closed says so at once; a probe that ran out of time before proves nothing. */
const REFUSAL_MICROS = 1_000_000;

class Probes implements Judging {
  readonly #analysis: Analysis;
  readonly #declared: EventOf<'probe.declared'>[] = [];
  readonly #done = new Map<number, EventOf<'tunnel.done'>>();
  readonly #served = new Set<number>();
  readonly #connected = new Map<number, EventOf<'tunnel.connected'>>();
  readonly #saw: EventOf<'script.saw'>[] = [];
  readonly #stuck: EventOf<'script.stuck'>[] = [];
  /** Where each client is registered, or was before it left in order. */
  readonly #ports = new Map<string, number>();
  /** Clients by the port they hold now. */
  readonly #holders = new Map<number, string>();
  /** Probes whose port proves nothing: it was never the client's, or is somebody else's by now. */
  readonly #moot = new Set<number>();
  readonly #dialled = new Map<number, string>();
  readonly #waits = new ScriptWaits();

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  /** The relay was not there while this script waited: its silence says nothing. */
  #away(event: EventOf<'script.stuck'>): boolean {
    return this.#analysis.faults.outages.some(
      ({ fromMicros, toMicros }) => fromMicros <= event.t && (toMicros ?? event.t) >= event.t - STEP_MICROS,
    );
  }

  event(event: TraceEvent): void {
    this.#waits.event(event);
    switch (event.type) {
      case 'probe.declared':
        this.#declared.push(event);
        return;
      case 'tunnel.opened':
        if (event.side === 'service') this.#served.add(event.tunnel);
        else this.#dialled.set(event.tunnel, event.client);
        return;
      case 'tunnel.connected':
        this.#connected.set(event.tunnel, event);
        if (this.#takenOver(event.tunnel)) this.#moot.add(event.tunnel);
        return;
      case 'tunnel.done':
        if (event.side !== 'user') return;
        this.#done.set(event.tunnel, event);
        if (this.#takenOver(event.tunnel)) this.#moot.add(event.tunnel);
        return;
      case 'script.saw':
        this.#saw.push(event);
        return;
      case 'script.stuck':
        this.#stuck.push(event);
        return;
      case 'client.registered':
        this.#ports.set(event.who, event.port);
        this.#holders.set(event.port, event.who);
        return;
      case 'client.lost':
        // A client that was lost and then left had no port to give back.
        this.#release(event.who);
        this.#ports.delete(event.who);
        return;
      case 'client.stopped':
        this.#release(event.who);
        return;
    }
  }

  #release(who: string): void {
    const port = this.#ports.get(who);
    if (port !== undefined && this.#holders.get(port) === who) this.#holders.delete(port);
  }

  #takenOver(tunnel: number): boolean {
    const client = this.#dialled.get(tunnel);
    const port = client === undefined ? undefined : this.#ports.get(client);
    const holder = port === undefined ? undefined : this.#holders.get(port);
    return client !== undefined && !isScript(client) && (port === undefined || (holder ?? client) !== client);
  }

  findings(): readonly Finding[] {
    const tallies = new Map<string, Tally>();
    const tally = (clause: string): Tally => {
      const known = tallies.get(clause) ?? new Tally(clause, clauseOf(clause).requires);
      tallies.set(clause, known);
      return known;
    };
    for (const probe of this.#declared) this.#tunnel(probe, tally(probe.clause));
    for (const saw of this.#saw) {
      if (saw.what === 'open' || saw.what === 'bytes')
        tally(saw.name).bad(
          `the connection is still ${saw.what}`,
          [proof(saw, 'waited for its end in vain')],
          [],
          saw.what === 'open' ? waited(saw.t, END_MICROS) : undefined,
        );
      else tally(saw.name).good();
    }
    const found = [...tallies.values()].map((one) =>
      one.finding(
        (n) => `${count(n, 'probe')} answered as they should be`,
        (b, n) => `${b} of ${count(n, 'probe')} not: ${clauseOf(one.clause).title}`,
        'not probed',
      ),
    );
    return [
      ...found,
      ...this.#stuck.map((event) => stuck(event, this.#away(event), this.#waits.clauseOf(event))),
    ];
  }

  #tunnel(probe: EventOf<'probe.declared'>, tally: Tally): void {
    const done = this.#done.get(probe.tunnel);
    const connected = this.#connected.get(probe.tunnel);
    const shown = [connected, done]
      .filter((event) => event !== undefined)
      .map((event) => proof(event, told(event), event === (done ?? connected)));
    if (probe.expects === 'served') {
      // How the tunnel ends is the matter of other clauses.
      if (this.#served.has(probe.tunnel)) tally.good();
      else {
        const until = done?.t ?? this.#analysis.endMicros;
        const late =
          done !== undefined && done.gotEnd !== 'timeout'
            ? undefined
            : waited(until, until - (connected?.t ?? until - END_MICROS));
        tally.bad(`${done?.received ?? 0} bytes, then ${done?.gotEnd ?? 'nothing'}`, shown, [], late);
      }
      return;
    }
    const kept = connected !== undefined && this.#analysis.endMicros - connected.t > REFUSAL_MICROS;
    if (this.#moot.has(probe.tunnel) || (done === undefined && !kept)) return;
    if (done?.gotEnd === 'refused' || (done?.gotEnd === 'rst' && done.received === 0)) tally.good();
    else
      tally.bad(connected === undefined ? (done?.gotEnd ?? 'nothing') : 'the port still takes users', shown);
  }
}

const told = (event: EventOf<'tunnel.connected'> | EventOf<'tunnel.done'>): string =>
  event.type === 'tunnel.connected'
    ? `tunnel ${event.tunnel}: the dial is answered`
    : `tunnel ${event.tunnel}: ${event.received} bytes, then ${event.gotEnd}`;

/** How long a script waits for an end, at least, and for a line or a connection. */
const END_MICROS = 5_000_000;
const STUCK_MICROS = 10_000_000;

const waited = (toMicros: number, micros: number): Stretch => ({ fromMicros: toMicros - micros, toMicros });

const isScript = (who: string): boolean => who.startsWith('users/');

/** A script that could not go on says what it waited for. */
const stuck = (event: EventOf<'script.stuck'>, away: boolean, clause: string): Finding => ({
  clause,
  verdict: away ? 'inconclusive' : 'fail',
  blame: away ? 'harness' : 'target',
  summary: `${event.who} waited in vain for ${event.waitingFor === 'line' ? 'a line' : event.waitingFor}${away ? ' while the relay was away' : ''}`,
  expected: `step ${event.step + 1} of the script (${event.waitingFor}) within 10 s`,
  got: 'nothing',
  exercised: 1,
  broken: away ? 0 : 1,
  evidence: [proof(event, `stuck at ${event.waitingFor}`)],
  ladder: [],
  late: [waited(event.t, STUCK_MICROS)],
});

export const probes: Check = {
  name: 'probes',
  clauses: [
    'PORT-CTRL-5',
    'PORT-CTRL-6',
    'PORT-POOL-5',
    'PORT-POOL-6',
    'PORT-EVENT-3',
    'PORT-EVENT-4',
    'PORT-EVENT-5',
    ...STUCK_CLAUSES,
  ],
  start: (analysis) => new Probes(analysis),
};
