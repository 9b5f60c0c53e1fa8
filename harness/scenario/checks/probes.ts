/** Tunnels opened, and literal bytes said, to prove one clause each. */

import { clauseOf } from '../../conformance/clauses/registry.ts';
import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

/** How long a script waits for one step (harness/agents/script.ts). */
const STEP_MICROS = 10_000_000;

class Probes implements Judging {
  readonly #analysis: Analysis;
  readonly #declared: EventOf<'probe.declared'>[] = [];
  readonly #done = new Map<number, EventOf<'tunnel.done'>>();
  readonly #served = new Set<number>();
  readonly #connected = new Map<number, EventOf<'tunnel.connected'>>();
  readonly #saw: EventOf<'script.saw'>[] = [];
  readonly #stuck: EventOf<'script.stuck'>[] = [];

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
    if (event.type === 'probe.declared') this.#declared.push(event);
    else if (event.type === 'tunnel.done' && event.side === 'user') this.#done.set(event.tunnel, event);
    else if (event.type === 'tunnel.opened' && event.side === 'service') this.#served.add(event.tunnel);
    else if (event.type === 'tunnel.connected') this.#connected.set(event.tunnel, event);
    else if (event.type === 'script.saw') this.#saw.push(event);
    else if (event.type === 'script.stuck') this.#stuck.push(event);
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
        tally(saw.name).bad(`the connection is still ${saw.what}`, [
          proof(saw, 'waited for its end in vain'),
        ]);
      else tally(saw.name).good();
    }
    const found = [...tallies.values()].map((one) =>
      one.finding(
        (n) => `${count(n, 'probe')} answered as they should be`,
        (b, n) => `${b} of ${count(n, 'probe')} not: ${clauseOf(one.clause).title}`,
        'not probed',
      ),
    );
    return [...found, ...this.#stuck.map((event) => stuck(event, this.#away(event)))];
  }

  #tunnel(probe: EventOf<'probe.declared'>, tally: Tally): void {
    const done = this.#done.get(probe.tunnel);
    const connected = this.#connected.get(probe.tunnel);
    const shown = [connected, done]
      .filter((event) => event !== undefined)
      .map((event) => proof(event, `${event.type} of tunnel ${probe.tunnel}`));
    if (probe.expects === 'served') {
      if (this.#served.has(probe.tunnel) && done?.gotEnd === 'fin') tally.good();
      else tally.bad(`${done?.received ?? 0} bytes, then ${done?.gotEnd ?? 'nothing'}`, shown);
    } else if (done?.gotEnd === 'refused' || (done?.gotEnd === 'rst' && done.received === 0)) tally.good();
    else
      tally.bad(connected === undefined ? (done?.gotEnd ?? 'nothing') : 'the port still takes users', shown);
  }
}

/** A script that could not go on says what it waited for; which clause that concerns is in its own file. */
const stuck = (event: EventOf<'script.stuck'>, away: boolean): Finding => ({
  clause: event.waitingFor === 'line' ? 'PORT-CTRL-2' : 'PORT-LIVE-1',
  verdict: away ? 'inconclusive' : 'fail',
  blame: 'target',
  summary: `${event.who} waited in vain for ${event.waitingFor === 'line' ? 'a line' : event.waitingFor}${away ? ' while the relay was away' : ''}`,
  expected: `step ${event.step + 1} of the script (${event.waitingFor}) within 10 s`,
  got: 'nothing',
  exercised: 1,
  broken: away ? 0 : 1,
  evidence: [proof(event, `stuck at ${event.waitingFor}`)],
  ladder: [],
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
  ],
  start: (analysis) => new Probes(analysis),
};
