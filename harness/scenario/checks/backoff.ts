/** What clients did between a loss and their next attempt, against the schedule they declare. */

import type { Analysis } from '../../measure/analysis.ts';
import type { Fleet } from '../../measure/comeback.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';
import { fitsAnother, judgeWaits } from './waits.ts';

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

  #waits(fleets: readonly Fleet[]): Finding {
    const { attempts, outside, late, worst, verdict } = judgeWaits(fleets, this.#analysis, misfit);
    const [wrong, slow] = [verdict === 'fail', verdict === 'inconclusive'];
    const noise = late === 0 ? '' : `, ${late} of them late by the machine's doing`;
    const summary =
      attempts === 0
        ? 'no client was lost'
        : verdict === 'pass'
          ? `${count(attempts, 'wait')} keep the declared schedule${noise}`
          : `${outside.length} of ${count(attempts, 'wait')} outside the envelope of the declared schedule`;
    return {
      clause: 'BACKOFF-1',
      verdict,
      // The clients of a scenario are the lab's own: a wrong wait is not the relay's doing.
      blame: wrong ? 'harness' : slow ? 'environment' : undefined,
      summary,
      expected: fleets.map(declared).join('; '),
      got:
        worst === undefined || !(wrong || slow)
          ? 'as expected'
          : `${Math.round(worst.waitMicros / 1000)} ms at attempt ${worst.attempt} (step ${worst.stepMicros / 1000} ms)`,
      exercised: attempts,
      broken: wrong ? outside.length : 0,
      evidence:
        worst === undefined || !(wrong || slow)
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
  }

  findings(): readonly Finding[] {
    const { comeback, faults } = this.#analysis;
    const fleets = comeback.fleets(faults).filter(({ schedule }) => schedule.server === 'relay');
    const reset = this.#reset.finding(
      (n) => `${count(n, 'loss')} counted by the reset rule`.replace('losss', 'losses'),
      (b, n) => `${b} of ${n} losses counted against the reset rule`,
      'no client was lost twice',
    );
    return [this.#waits(fleets), reset.verdict === 'fail' ? { ...reset, blame: 'harness' } : reset];
  }
}

const declared = ({ name, schedule: s }: Fleet): string =>
  `${name}: ${s.baseMillis} ms x ${s.factor}, cap ${s.capMillis} ms, jitter ${s.jitter}`;

/** A client that even at its most punctual waits longer than it says, by this ratio, keeps another schedule than it tells. */
const OVERSLEEP_MAX = 1.05;
const ROUNDING_MICROS = 1_000;

/** What a client says it will wait is drawn by its schedule, whatever the machine makes of it then. */
const saidOutside = ({ points, schedule }: Fleet): boolean =>
  points.some(
    ({ saidMicros, stepMicros }) =>
      saidMicros > stepMicros + ROUNDING_MICROS ||
      saidMicros < stepMicros * (1 - schedule.jitter) - ROUNDING_MICROS,
  );

/** Whether the waits as a whole tell of another schedule than the declared one, also those that the machine left alone. */
const misfit = (fleet: Fleet): boolean =>
  fitsAnother(fleet) && (fleet.oversleep > OVERSLEEP_MAX || saidOutside(fleet));

export const backoff: Check = {
  name: 'backoff',
  clauses: ['BACKOFF-1', 'BACKOFF-2'],
  start: (analysis) => new BackoffJudge(analysis),
};
