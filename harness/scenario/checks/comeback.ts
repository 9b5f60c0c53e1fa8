/** Everybody comes back in time, and not all at once. */

import type { Analysis } from '../../measure/analysis.ts';
import { HERD_FLEET_MIN, herdLimit } from '../../measure/herd.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof } from './check.ts';

/** More than this share of the time it took without processor time to spare: its lateness tells nothing. */
const STARVED_SHARE = 0.5;
/** The same for a herd: of the time from the outage to the end of the longest wait. */
const STARVED_HERD_SHARE = 0.1;

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

class Comeback implements Judging {
  readonly #analysis: Analysis;
  readonly #away = new Map<string, EventOf<'client.lost'>>();
  readonly #late: {
    readonly lost: EventOf<'client.lost'>;
    readonly micros: number;
    readonly backAt: number;
  }[] = [];
  /** Clients with a declared schedule that were registered at some time. */
  readonly #known = new Set<string>();
  #back = 0;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    if (event.type === 'client.lost') {
      // Whoever was never there has not lost its path, and without a declared schedule there is no "in time".
      if (this.#known.has(event.who) && !this.#away.has(event.who)) this.#away.set(event.who, event);
    } else if (event.type === 'client.registered') {
      const lost = this.#away.get(event.who);
      this.#away.delete(event.who);
      if (this.#declares(event.who)) this.#known.add(event.who);
      if (lost === undefined) return;
      this.#back++;
      const allowed = this.#allowedMicros(lost, event.t);
      if (event.t - allowed.from > allowed.micros)
        this.#late.push({ lost, micros: event.t - allowed.from, backAt: event.t });
    } else if (event.type === 'client.stopped') this.#away.delete(event.who);
  }

  #declares(who: string): boolean {
    const fleet = this.#analysis.facts.clientByWho.get(who)?.fleet;
    return fleet !== undefined && this.#analysis.facts.schedules.has(fleet);
  }

  /** From when the path was there again, and how long it may take from then on. */
  #allowedMicros(
    lost: EventOf<'client.lost'>,
    backAt: number,
  ): { readonly from: number; readonly micros: number } {
    const goal = this.#analysis.facts.goals.get('back-millis') ?? 30_000;
    let from = lost.t;
    for (const { fromMicros, toMicros } of this.#analysis.faults.outages)
      if (fromMicros <= backAt && (toMicros ?? backAt) > from) from = toMicros ?? backAt;
    const site = this.#analysis.facts.clientByWho.get(lost.who)?.site;
    for (const fault of this.#analysis.faults.rows())
      if (
        fault.site !== '' &&
        site !== undefined &&
        lost.who.startsWith(`${fault.site}/`) &&
        fault.beganMicros <= backAt
      )
        from = Math.max(from, Math.min(backAt, fault.endedMicros ?? backAt));
    return { from, micros: goal * 1000 };
  }

  findings(): readonly Finding[] {
    return [this.#everybody(), ...this.#herds()];
  }

  #everybody(): Finding {
    const goal = this.#analysis.facts.goals.get('back-millis') ?? 30_000;
    // Lost so shortly before the end that its time is not over: nothing can be said of it.
    const away = [...this.#away.values()].filter(
      (lost) =>
        this.#analysis.endMicros - this.#allowedMicros(lost, this.#analysis.endMicros).from > goal * 1000,
    );
    const exercised = this.#back + away.length;
    const broken = this.#late.length + away.length;
    const [late] = this.#late;
    // A machine without time to spare makes everybody late; who never comes back does so on any machine.
    const starved =
      away.length === 0 &&
      this.#late.every(
        ({ micros, backAt }) => this.#analysis.busy.share(backAt - micros, backAt) > STARVED_SHARE,
      );
    const [gone] = away;
    const first = gone ?? late?.lost;
    return {
      clause: 'BACK-1',
      verdict: exercised === 0 ? 'not-applicable' : broken === 0 ? 'pass' : starved ? 'inconclusive' : 'fail',
      blame: broken === 0 ? undefined : starved ? 'environment' : 'target',
      summary:
        exercised === 0
          ? 'no client was lost'
          : broken === 0
            ? `clients came back ${this.#back} times, each in time`
            : `${count(away.length, 'client')} never came back, ${this.#late.length} came back late`,
      expected: `registered again within ${goal} ms of the path being there`,
      got:
        gone !== undefined
          ? `${gone.who} is still away`
          : late !== undefined
            ? `${late.lost.who} after ${Math.round(late.micros / 1000)} ms`
            : 'as expected',
      exercised,
      broken,
      evidence: first === undefined ? [] : [proof(first, `lost: ${first.why}`)],
      ladder: [],
    };
  }

  #herds(): readonly Finding[] {
    const { comeback, faults } = this.#analysis;
    return comeback.fleets(faults).flatMap((fleet): readonly Finding[] => {
      const { schedule, size, name } = fleet;
      const base = { clause: 'HERD-1', part: name, ladder: [], evidence: [] };
      const judged = fleet.herds.filter((herd) => herd.readyMicros !== undefined && herd.attempts.length > 0);
      if (size < HERD_FLEET_MIN || schedule.jitter === 0 || judged.length === 0) {
        const why =
          size < HERD_FLEET_MIN
            ? `${name}: fewer than ${HERD_FLEET_MIN} clients`
            : judged.length === 0
              ? `the ${schedule.server === 'relay' ? 'relay' : `${schedule.server} server`} was never away`
              : `${name} declares no jitter`;
        return [
          {
            ...base,
            verdict: 'not-applicable',
            blame: undefined,
            summary: why,
            expected: '',
            got: '',
            exercised: 0,
            broken: 0,
          },
        ];
      }
      return judged.map((herd): Finding => {
        const away = ((herd.readyMicros ?? 0) - herd.goneMicros) / 1000;
        const limit = herdLimit({ ...schedule, triesMax: Number.POSITIVE_INFINITY }, size, away);
        const good = herd.busiestShare <= limit;
        // Late timers of a busy machine go off together. What counts then is what the clients had drawn.
        const until = (herd.readyMicros ?? 0) + schedule.capMillis * 1_000;
        const starved = this.#analysis.busy.share(herd.goneMicros, until) > STARVED_HERD_SHARE;
        const planned = !good && starved && herd.plannedShare <= limit;
        const summary = good
          ? `the busiest 100 ms after the outage held ${percent(herd.busiestShare)} of ${name} (limit ${percent(limit)})`
          : `${percent(herd.busiestShare)} of ${name} tried within 100 ms after the outage (limit ${percent(limit)})`;
        const expected = `at most ${percent(limit)}: the declared schedule's own 99.9th percentile`;
        return {
          ...base,
          part: `${name} after ${herd.goneMicros}`,
          verdict: good ? 'pass' : planned ? 'inconclusive' : 'fail',
          blame: good ? undefined : planned ? 'environment' : 'harness',
          summary,
          expected,
          got: percent(herd.busiestShare),
          exercised: size,
          broken: good || planned ? 0 : 1,
        };
      });
    });
  }
}

export const comeback: Check = {
  name: 'comeback',
  clauses: ['BACK-1', 'HERD-1'],
  start: (analysis) => new Comeback(analysis),
};
