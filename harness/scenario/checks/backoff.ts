/** What clients did between a loss and their next attempt, against the schedule they declare. */
import type { Finding } from '../../verdict/verdict.ts';
import type { Analysis } from '../analysis.ts';
import type { EventOf, TraceEvent } from '../trace.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

class BackoffJudge implements Judging {
  readonly #analysis: Analysis;
  readonly #registered = new Map<string, number>();
  readonly #attempt = new Map<string, number>();
  readonly #reset = new Tally(
    'BACKOFF-2',
    'attempt 0 after a healthy registration, else one more than before',
  );

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    if (event.type === 'client.registered') this.#registered.set(event.who, event.t);
    else if (event.type === 'client.lost') this.#lost(event);
  }

  #lost(event: EventOf<'client.lost'>): void {
    const fleet = this.#analysis.facts.clientByWho.get(event.who)?.fleet;
    const schedule = fleet === undefined ? undefined : this.#analysis.facts.schedules.get(fleet);
    if (schedule === undefined) return;
    const before = this.#attempt.get(event.who);
    const since = this.#registered.get(event.who);
    this.#registered.delete(event.who);
    this.#attempt.set(event.who, event.attempt);
    if (before === undefined) return;
    const lived = since === undefined ? -1 : (event.t - since) / 1000;
    // Near the healthy time either is right: the client's own clock decides, not the trace's.
    if (Math.abs(lived - schedule.healthyMillis) < 50) return;
    const expected = lived >= schedule.healthyMillis ? 0 : before + 1;
    if (event.attempt === expected) this.#reset.good();
    else
      this.#reset.bad(`attempt ${event.attempt} after a registration of ${Math.round(lived)} ms`, [
        proof(event, `attempt ${event.attempt}, expected ${expected}`),
      ]);
  }

  findings(): readonly Finding[] {
    const fleets = this.#analysis.comeback.fleets(this.#analysis.faults.outages);
    const attempts = fleets.reduce((sum, fleet) => sum + fleet.attempts, 0);
    const outside = fleets.reduce((sum, fleet) => sum + fleet.outside, 0);
    const [worst] = fleets.flatMap((fleet) => fleet.points.filter(({ inside }) => !inside));
    const waits: Finding = {
      clause: 'BACKOFF-1',
      verdict: attempts === 0 ? 'not-applicable' : outside === 0 ? 'pass' : 'fail',
      // The clients of a scenario are the lab's own: a wrong wait is not the relay's doing.
      blame: outside === 0 ? undefined : 'harness',
      summary:
        attempts === 0
          ? 'no client was lost'
          : outside === 0
            ? `${count(attempts, 'wait')} inside the envelope of the declared schedule`
            : `${outside} of ${count(attempts, 'wait')} outside the envelope of the declared schedule`,
      expected: fleets
        .map(
          ({ name, schedule: s }) =>
            `${name}: ${s.baseMillis} ms x ${s.factor}, cap ${s.capMillis} ms, jitter ${s.jitter}`,
        )
        .join('; '),
      got:
        worst === undefined
          ? 'as expected'
          : `${Math.round(worst.waitMicros / 1000)} ms at attempt ${worst.attempt} (step ${worst.stepMicros / 1000} ms)`,
      exercised: attempts,
      broken: outside,
      evidence:
        worst === undefined
          ? []
          : [
              {
                t: worst.t,
                who: 'clients',
                text: 'dialled outside its envelope',
                hex: undefined,
                here: true,
              },
            ],
      ladder: [],
    };
    const reset = this.#reset.finding(
      (n) => `${count(n, 'loss')} counted by the reset rule`.replace('losss', 'losses'),
      (b, n) => `${b} of ${n} losses counted against the reset rule`,
      'no client was lost twice',
    );
    return [waits, reset.verdict === 'fail' ? { ...reset, blame: 'harness' } : reset];
  }
}

export const backoff: Check = {
  name: 'backoff',
  clauses: ['BACKOFF-1', 'BACKOFF-2'],
  start: (analysis) => new BackoffJudge(analysis),
};
