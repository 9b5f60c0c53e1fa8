/** What measurement clients do after a failure, against the retries they are configured with. */

import type { Analysis } from '../../measure/analysis.ts';
import type { BackoffPoint, Fleet } from '../../measure/comeback.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';
import { fitsAnother, judgeWaits } from './waits.ts';

/**
 * Agents are few, so the usual share of their waits is less than one. So many may be excused by a busy machine; the others have to
 * show what the schedule is.
 */
const EXCUSED_SHARE_MAX = 0.5;
/** A dial, a greeting and what a busy machine makes of them. */
const PATIENCE_MICROS = 8_000_000;

type Client = {
  /** Of the last failure; undefined: connected, or never failed. */
  lost: EventOf<'agent.lost'> | undefined;
  /** The handshake was answered since the last failure, or nothing has failed yet. */
  fresh: boolean;
  gaveUp: boolean;
};

const declared = ({ name, schedule: s }: Fleet): string =>
  `${name}: ${s.baseMillis} ms, doubled up to ${s.capMillis} ms, ${s.triesMax ?? 'any number of'} times`;

class Retries implements Judging {
  readonly #analysis: Analysis;
  readonly #clients = new Map<string, Client>();
  readonly #counted = new Tally(
    'MEAS-RETRY-2',
    'counted from 0 after each success, given up after max_times',
  );
  readonly #back = new Tally('MEAS-BACK-1', 'connected again once the server is there and a wait has passed');

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'agent.lost':
        return this.#lost(event);
      case 'agent.greeted': {
        const client = this.#client(event.who);
        if (client.lost !== undefined) this.#back.good();
        client.lost = undefined;
        client.fresh = true;
        return;
      }
      case 'agent.gaveUp':
        this.#client(event.who).gaveUp = true;
        return;
    }
  }

  #client(who: string): Client {
    const known = this.#clients.get(who) ?? { lost: undefined, fresh: true, gaveUp: false };
    this.#clients.set(who, known);
    return known;
  }

  #lost(event: EventOf<'agent.lost'>): void {
    const client = this.#client(event.who);
    const expected = client.fresh ? 0 : (client.lost?.attempt ?? -1) + 1;
    const tries = this.#triesOf(event.who);
    const last = tries !== undefined && expected >= tries;
    if (event.attempt !== expected)
      this.#counted.bad(`attempt ${event.attempt}`, [
        proof(event, `attempt ${event.attempt}, expected ${expected}`),
      ]);
    else if (last !== event.waitMillis < 0)
      this.#counted.bad(last ? 'one retry more than configured' : 'given up too early', [
        proof(event, `${expected} retries were used of ${tries ?? 'any number'}`),
      ]);
    else this.#counted.good();
    client.lost = event;
    client.fresh = false;
  }

  #triesOf(who: string): number | undefined {
    const { facts } = this.#analysis;
    const fleet = facts.agents.get(who)?.fleet;
    return fleet === undefined ? undefined : facts.schedules.get(fleet)?.triesMax;
  }

  /** Whoever is away at the end, though its server was there long enough for a wait and a dial. */
  #away(): void {
    const { facts, faults, endMicros } = this.#analysis;
    for (const [who, { lost, gaveUp }] of this.#clients) {
      if (lost === undefined || gaveUp) continue;
      const agent = facts.agents.get(who);
      const schedule = agent === undefined ? undefined : facts.schedules.get(agent.fleet);
      if (agent === undefined || schedule === undefined) continue;
      const there = faults.outagesOf(schedule.server).at(-1);
      const path = faults.rows().filter(({ site }) => site === agent.site);
      const from = Math.max(
        lost.t,
        there === undefined ? 0 : (there.toMicros ?? endMicros),
        ...path.map(({ endedMicros, beganMicros }) => endedMicros ?? beganMicros),
      );
      if (endMicros - from < schedule.capMillis * 1_000 + PATIENCE_MICROS) continue;
      this.#back.bad(`${who} is still away`, [proof(lost, `lost: ${lost.why}`)]);
    }
  }

  #waits(): Finding {
    const { comeback, faults, facts } = this.#analysis;
    const fleets = comeback
      .fleets(faults)
      .filter(({ name }) => [...facts.agents.values()].some(({ fleet }) => fleet === name));
    const { attempts, outside, late, worst, verdict } = judgeWaits(
      fleets,
      this.#analysis,
      fitsAnother,
      EXCUSED_SHARE_MAX,
    );
    const [wrong, many] = [verdict === 'fail', verdict === 'inconclusive'];
    const noise = late === 0 ? '' : `, ${late} of them late by the machine's doing`;
    const shown = wrong || many ? worst : undefined;
    return {
      clause: 'MEAS-RETRY-1',
      verdict,
      blame: wrong ? 'target' : many ? 'environment' : undefined,
      summary:
        attempts === 0
          ? 'no agent had to try again'
          : shown === undefined
            ? `${count(attempts, 'wait')} of agents keep their configured schedule${noise}`
            : `${outside.length} of ${count(attempts, 'wait')} of agents are not the configured ones`,
      expected: fleets.map(declared).join('; '),
      got: shown === undefined ? 'as expected' : waitText(shown),
      exercised: attempts,
      broken: wrong ? outside.length : 0,
      evidence:
        shown === undefined
          ? []
          : [{ t: shown.t, who: 'agents', text: waitText(shown), hex: undefined, here: true }],
      ladder: [],
    };
  }

  findings(): readonly Finding[] {
    this.#away();
    return [
      this.#waits(),
      this.#counted.finding(
        (n) => `${count(n, 'failure')} counted as configured`,
        (broken, of) => `${broken} of ${of} failures counted otherwise than configured`,
        'no agent failed',
      ),
      this.#back.finding(
        (n) => `agents came back ${count(n, 'time')}`,
        (broken, of) => `${broken} of ${of} did not come back`,
        'no agent was away',
      ),
    ];
  }
}

const waitText = ({ attempt, waitMicros, stepMicros }: BackoffPoint): string =>
  `${Math.round(waitMicros / 1000)} ms before retry ${attempt + 1} (configured: ${stepMicros / 1000} ms)`;

export const measurementRetries: Check = {
  name: 'measurement-retries',
  clauses: ['MEAS-RETRY-1', 'MEAS-RETRY-2', 'MEAS-BACK-1'],
  start: (analysis) => new Retries(analysis),
};
