import type { EventOf, TraceEvent } from '../trace/trace.ts';

/** A run that was told of in part and counted as a whole, or one island of it. */
export type CrowdFacts = {
  readonly islands: number;
  readonly sites: number;
  readonly clients: number;
  /** Clients with lines of their own. */
  readonly told: number;
  /** Sites with a NAT and a link as hosts, in all islands. */
  readonly wholeSites: number;
  /** Clients with a port at the end, and the most there were at once. */
  readonly upAtEnd: number;
  readonly upMost: number;
  /** How often a client that had a port lost it, orderly stops not counted. */
  readonly losses: number;
  /** Clients that were stopped in order. */
  readonly stopped: number;
  /** Attempts that came to nothing. */
  readonly refused: number;
  /** From the end of an outage until the last client had a port again, to the second, rounded up; -1: there was none. */
  readonly backSeconds: number;
};

/** Level at the end of each second. */
type Second = { up: number; stopped: number; returns: number };

/** Adds up the `total.second` rows of one world. */
export class CrowdCollector {
  #declared: EventOf<'crowd.declared'> | undefined;
  #island: EventOf<'island.began'> | undefined;
  #told = 0;
  readonly #totals = new Map<string, number>();
  readonly #seconds: Second[] = [];
  #upMost = 0;

  event(event: TraceEvent): void {
    if (event.type === 'crowd.declared') this.#declared = event;
    else if (event.type === 'island.began') this.#island = event;
    else if (event.type === 'client.declared') {
      if (event.mode !== 'forwarder') this.#told++;
    } else if (event.type === 'total.second') this.#count(event);
  }

  /** Whether this run is one of which most is counted. */
  get isCrowd(): boolean {
    return this.#declared !== undefined;
  }

  /** Clients of this world. */
  get clients(): number {
    return this.#island?.clients ?? this.#declared?.clients ?? 0;
  }

  /** Clients with a port when the last whole second was over; undefined: the run is told of as a whole. */
  get up(): number | undefined {
    return this.isCrowd ? this.#level() : undefined;
  }

  total(event: string): number {
    return this.#totals.get(event) ?? 0;
  }

  /** Clients without a port at the end of this second that were not stopped; undefined: the trace does not go so far. */
  awayAfter(second: number): number | undefined {
    const row = this.#seconds[second];
    return row === undefined ? undefined : this.clients - row.stopped - row.up;
  }

  /** The last second in which a client got a port; undefined: none did from this one on. */
  lastReturn(fromSecond: number): number | undefined {
    const last = this.#seconds.findLastIndex(({ returns }) => returns > 0);
    return last < fromSecond ? undefined : last;
  }

  /** @param outageEnds in microseconds */
  facts(outageEnds: readonly number[]): CrowdFacts | undefined {
    const declared = this.#declared;
    if (declared === undefined) return undefined;
    const stopped = this.total('client.stopped');
    const losses = this.total('client.down') - stopped;
    const ended = Math.max(-1, ...outageEnds);
    const last = ended < 0 ? undefined : this.lastReturn(Math.floor(ended / 1_000_000));
    return {
      islands: 1,
      sites: this.#island?.sites ?? declared.sites,
      clients: this.clients,
      told: this.#told,
      wholeSites: declared.wholeSites,
      upAtEnd: this.#level(),
      upMost: this.#upMost,
      losses,
      stopped,
      refused: this.total('client.lost') - losses,
      backSeconds: last === undefined ? -1 : Math.ceil(last + 1 - ended / 1_000_000),
    };
  }

  #level(): number {
    return this.#seconds.at(-1)?.up ?? 0;
  }

  #count({ event, second, count }: EventOf<'total.second'>): void {
    this.#totals.set(event, this.total(event) + count);
    while (this.#seconds.length <= second) {
      const before = this.#seconds.at(-1);
      this.#seconds.push({ up: before?.up ?? 0, stopped: before?.stopped ?? 0, returns: 0 });
    }
    const row = this.#seconds[second] as Second;
    if (event === 'client.up') {
      row.up += count;
      row.returns += count;
      // rows come in the order of names, so `down` of the same second is in already
      this.#upMost = Math.max(this.#upMost, row.up);
    } else if (event === 'client.down') row.up -= count;
    else if (event === 'client.stopped') row.stopped += count;
  }
}

/** Both together. */
export const crowdSum = (a: CrowdFacts | undefined, b: CrowdFacts | undefined): CrowdFacts | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    islands: a.islands + b.islands,
    sites: a.sites + b.sites,
    clients: a.clients + b.clients,
    told: a.told + b.told,
    wholeSites: a.wholeSites + b.wholeSites,
    upAtEnd: a.upAtEnd + b.upAtEnd,
    upMost: a.upMost + b.upMost,
    losses: a.losses + b.losses,
    stopped: a.stopped + b.stopped,
    refused: a.refused + b.refused,
    backSeconds: Math.max(a.backSeconds, b.backSeconds),
  };
};
