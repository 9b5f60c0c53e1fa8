import { backoffStep } from '../../reference-impl/backoff/schedule.ts';
import type { EventOf, TraceEvent } from '../trace/trace.ts';
import type { FaultsCollector, Outage } from './faults.ts';
import { type Fit, fitWaits } from './fit.ts';
import { HERD_FLEET_MIN, herdLimit } from './herd.ts';
import type { FactsCollector, ScheduleFacts } from './run-facts.ts';
import { BIN_MICROS } from './series.ts';

/** One wait before an attempt to come back. */
export type BackoffPoint = {
  readonly t: number;
  /** 0: the first after a loss. */
  readonly attempt: number;
  readonly waitMicros: number;
  /** What the client said it would wait. */
  readonly saidMicros: number;
  /** The declared step, jitter not yet taken off. */
  readonly stepMicros: number;
  readonly inside: boolean;
};

/** How a fleet came back after one absence of the relay. */
export type Herd = {
  readonly fault: number;
  readonly goneMicros: number;
  /** undefined: the relay never came back. */
  readonly readyMicros: number | undefined;
  /** Attempts per 100 ms since the relay went; index 0 is the first 100 ms. */
  readonly attempts: readonly number[];
  /** Largest share of the fleet attempting within any 100 ms once the relay is ready, 0 to 1. */
  readonly busiestShare: number;
  /** The same if every attempt had come when its client said it would. */
  readonly plannedShare: number;
};

export type Fleet = {
  readonly name: string;
  readonly size: number;
  readonly schedule: ScheduleFacts;
  /** Every point outside the envelope, and at most `POINTS_MAX` inside (evenly thinned). */
  readonly points: readonly BackoffPoint[];
  readonly attempts: number;
  readonly outside: number;
  readonly fit: Fit;
  /**
   * How much longer than they said the most punctual tenth of the waits took, as a ratio. A busy machine makes some waits longer;
   * a client that keeps another schedule than it tells makes all of them longer.
   */
  readonly oversleep: number;
  readonly herds: readonly Herd[];
  /** Limit of `busiestShare`: a goal, or the 99.9th percentile of the declared schedule's own simulation; undefined: not judged. */
  readonly herdLimit: number | undefined;
};

const POINTS_MAX = 1_200;
const OUTSIDE_MAX = 2_000;
/** At most this many bins of a herd are kept: a minute. */
const HERD_BINS_MAX = 600;
/** A real timer fires late, a stamp follows what it dates by a moment: neither is the schedule's doing. */
export const EARLY_SLACK_MICROS = 5_000;
/** See `EARLY_SLACK_MICROS`; late is harmless to a relay, so this is generous. */
export const LATE_SLACK_MICROS = 100_000;

type Draft = {
  readonly schedule: ScheduleFacts;
  readonly points: BackoffPoint[];
  readonly dials: number[];
  /** When each of them was to come, by what its client had said. */
  readonly planned: number[];
  keptMicros: number;
  resetMicros: number;
};

/** A path is gone; the next attempt has this number. */
type Loss = Pick<EventOf<'client.lost'>, 't' | 'who' | 'attempt' | 'waitMillis'>;

type Dialler = {
  readonly fleet: string;
  lost: Loss | undefined;
  registeredAt: number | undefined;
  /** Number of the wait before the last connection; -1: it never waited. */
  lastAttempt: number;
};

/** Waits are measured from a loss to the next dial of the same client: what was done, not what it says. */
export class ComebackCollector {
  readonly #facts: FactsCollector;
  readonly #fleets = new Map<string, Draft>();
  readonly #diallers = new Map<string, Dialler>();

  constructor(facts: FactsCollector) {
    this.#facts = facts;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'client.dialing':
      case 'agent.dialing':
        this.#dialing(event);
        return;
      case 'client.lost':
      case 'agent.lost':
        this.#lost(event);
        return;
      case 'agent.greeted':
      case 'client.registered': {
        const dialler = this.#dialler(event.who);
        if (dialler !== undefined) dialler.registeredAt ??= event.t;
        return;
      }
    }
  }

  #dialler(who: string): Dialler | undefined {
    const known = this.#diallers.get(who);
    if (known !== undefined) return known;
    const fleet = this.#facts.clientByWho.get(who)?.fleet ?? this.#facts.agents.get(who)?.fleet;
    if (fleet === undefined || !this.#facts.schedules.has(fleet)) return undefined;
    const dialler = { fleet, lost: undefined, registeredAt: undefined, lastAttempt: -1 };
    this.#diallers.set(who, dialler);
    return dialler;
  }

  #fleet(name: string): Draft | undefined {
    const known = this.#fleets.get(name);
    if (known !== undefined) return known;
    const schedule = this.#facts.schedules.get(name);
    if (schedule === undefined) return undefined;
    const draft = {
      schedule,
      points: [],
      dials: [],
      planned: [],
      keptMicros: 0,
      resetMicros: Number.POSITIVE_INFINITY,
    };
    this.#fleets.set(name, draft);
    return draft;
  }

  #lost(event: Loss): void {
    const dialler = this.#dialler(event.who);
    if (dialler === undefined) return;
    const draft = this.#fleet(dialler.fleet);
    if (draft !== undefined && dialler.registeredAt !== undefined && dialler.lastAttempt >= 0) {
      const lived = event.t - dialler.registeredAt;
      if (event.attempt === 0) draft.resetMicros = Math.min(draft.resetMicros, lived);
      else draft.keptMicros = Math.max(draft.keptMicros, lived);
    }
    dialler.registeredAt = undefined;
    dialler.lost = event;
  }

  #dialing(event: Pick<EventOf<'client.dialing'>, 't' | 'who'>): void {
    const dialler = this.#dialler(event.who);
    if (dialler === undefined) return;
    const draft = this.#fleet(dialler.fleet);
    if (draft === undefined) return;
    const { lost } = dialler;
    draft.dials.push(event.t);
    draft.planned.push(lost === undefined ? event.t : lost.t + lost.waitMillis * 1_000);
    dialler.lost = undefined;
    if (lost === undefined) return;
    dialler.lastAttempt = lost.attempt;
    draft.points.push(pointOf(draft.schedule, lost, event.t));
  }

  fleets(faults: Pick<FaultsCollector, 'outagesOf'>): readonly Fleet[] {
    return [...this.#facts.schedules.values()].map((schedule) => {
      const outages = faults.outagesOf(schedule.server);
      const draft = this.#fleet(schedule.fleet);
      const points = draft?.points ?? [];
      const fit = fitWaits(points);
      const reset = draft?.resetMicros ?? Number.POSITIVE_INFINITY;
      const kept = draft?.keptMicros ?? 0;
      return {
        name: schedule.fleet,
        size: schedule.size,
        schedule,
        points: thin(points),
        attempts: points.length,
        outside: points.reduce((sum, point) => sum + (point.inside ? 0 : 1), 0),
        fit: {
          ...fit,
          resetMillis: Number.isFinite(reset) ? reset / 1_000 : undefined,
          keptMillis: kept > 0 ? kept / 1_000 : undefined,
        },
        oversleep: oversleepOf(points),
        herds: outages.map((outage) => herdOf(outage, draft ?? { dials: [], planned: [] }, schedule.size)),
        herdLimit: this.#limit(schedule, outages),
      };
    });
  }

  /** Goals `herd-share/<fleet>` or `herd-share`: share of the fleet within 100 ms. Else what chance alone makes of the schedule. */
  #limit(schedule: ScheduleFacts, outages: readonly Outage[]): number | undefined {
    const goal = this.#facts.goals.get(`herd-share/${schedule.fleet}`) ?? this.#facts.goals.get('herd-share');
    const outage = outages.find(({ toMicros }) => toMicros !== undefined);
    if (goal !== undefined || outage === undefined) return goal;
    if (schedule.size < HERD_FLEET_MIN || schedule.jitter === 0) return undefined;
    const away = ((outage.toMicros ?? outage.fromMicros) - outage.fromMicros) / 1_000;
    return herdLimit({ ...schedule, triesMax: Number.POSITIVE_INFINITY }, schedule.size, away);
  }
}

const pointOf = (schedule: ScheduleFacts, lost: Loss, dialedAt: number): BackoffPoint => {
  const step = backoffStep({ ...schedule, triesMax: Number.POSITIVE_INFINITY }, lost.attempt) * 1_000;
  const waitMicros = dialedAt - lost.t;
  const low = step * (1 - schedule.jitter) - EARLY_SLACK_MICROS;
  return {
    t: dialedAt,
    attempt: lost.attempt,
    waitMicros,
    saidMicros: lost.waitMillis * 1_000,
    stepMicros: step,
    inside: waitMicros >= low && waitMicros <= step + LATE_SLACK_MICROS,
  };
};

const oversleepOf = (points: readonly BackoffPoint[]): number => {
  const ratios = points
    .filter(({ saidMicros }) => saidMicros > 0)
    .map(({ waitMicros, saidMicros }) => waitMicros / saidMicros)
    .sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 10)] ?? 1;
};

const thin = (points: readonly BackoffPoint[]): readonly BackoffPoint[] => {
  const every = Math.max(1, Math.ceil(points.length / POINTS_MAX));
  let inside = 0;
  let outside = 0;
  return points.filter((point) => (point.inside ? inside++ % every === 0 : outside++ < OUTSIDE_MAX));
};

/** The most of these (in order) that lie within any 100 ms from then on. */
const busiestOf = (times: readonly number[], from: number): number => {
  let busiest = 0;
  let oldest = 0;
  times.forEach((t, index) => {
    if (t < from) {
      oldest = index + 1;
      return;
    }
    while ((times[oldest] ?? t) <= t - BIN_MICROS) oldest++;
    busiest = Math.max(busiest, index - oldest + 1);
  });
  return busiest;
};

const herdOf = (outage: Outage, draft: Pick<Draft, 'dials' | 'planned'>, size: number): Herd => {
  const { dials, planned } = draft;
  const attempts: number[] = [];
  for (const t of dials) {
    const bin = Math.floor((t - outage.fromMicros) / BIN_MICROS);
    if (bin < 0 || bin >= HERD_BINS_MAX) continue;
    while (attempts.length <= bin) attempts.push(0);
    attempts[bin] = (attempts[bin] ?? 0) + 1;
  }
  const ready = outage.toMicros ?? Number.POSITIVE_INFINITY;
  const share = (times: readonly number[]): number => (size > 0 ? busiestOf(times, ready) / size : 0);
  return {
    fault: outage.fault,
    goneMicros: outage.fromMicros,
    readyMicros: outage.toMicros,
    attempts,
    busiestShare: share(dials),
    plannedShare: share(planned.toSorted((a, b) => a - b)),
  };
};
