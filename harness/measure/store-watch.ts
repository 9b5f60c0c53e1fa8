/** From rows of a store to words of the trace: which points of which agent lie there, in the order in which they were stored. */
import type { StoreEvent } from '../trace/measurement-words.ts';
import { PointCode, plainMetric } from './point-code.ts';

/** One stored point, as whoever reads the store finds it. */
export type StoredPoint = {
  /** The name of the client it came from, as the server noted it. */
  readonly client: string;
  /** Its consumer: the agent that made it, if it codes its points. */
  readonly consumer: string;
  readonly metric: string;
  /** undefined: no number up to 2^53. */
  readonly value: number | undefined;
  /** Of its timestamp, within the second. */
  readonly micros: number;
};

/** One series of one client: everything about its points that does not change from point to point. */
type Series = {
  readonly client: string;
  /** Of a client that codes, and under the name of that client. */
  readonly code: PointCode | undefined;
  readonly why: string;
};

type Told = {
  /** The range that grows; `to` below `from`: none. */
  from: number;
  to: number;
  foreign: number;
  example: string;
  count: number;
  counted: boolean;
};

/** Takes stored points in the order of the store; `take` hands out what that is in words. */
export class StoreWatch {
  readonly #coded: ReadonlySet<string>;
  readonly #series = new Map<string, Series>();
  readonly #told = new Map<string, Told>();
  #events: StoreEvent[] = [];

  /** @param coded names of the agents that code their points; of all others points are counted */
  constructor(coded: ReadonlySet<string>) {
    this.#coded = coded;
  }

  push(point: StoredPoint): void {
    const series = this.#seriesOf(point);
    const told = this.#toldOf(series.client);
    const { value, micros, metric } = point;
    if (!this.#coded.has(series.client)) {
      told.count++;
      told.counted = true;
    } else if (series.code === undefined) this.#foreign(told, series.why);
    else if (value === undefined || !Number.isSafeInteger(value) || value < 0)
      this.#foreign(told, `${metric} = ${value}: no number of a point`);
    else if (series.code.micros(value) !== micros)
      this.#foreign(told, `${metric} = ${value} with ${micros} us: not what the agent wrote`);
    else this.#add(series.client, told, value);
  }

  #seriesOf({ client, consumer, metric, value }: StoredPoint): Series {
    const key = `${client}\0${consumer}\0${metric}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const own = consumer === client;
    const series = {
      client,
      code: own && this.#coded.has(client) ? new PointCode(client, plainMetric(metric, client)) : undefined,
      why: `${metric} of ${consumer}, stored for ${client}`,
    };
    this.#series.set(key, series);
    this.#events.push({ type: 'store.series', agent: client, metric, point: value ?? -1 });
    return series;
  }

  #toldOf(client: string): Told {
    const known = this.#told.get(client);
    if (known !== undefined) return known;
    const told = { from: 0, to: -1, foreign: 0, example: '', count: 0, counted: false };
    this.#told.set(client, told);
    return told;
  }

  #foreign(told: Told, example: string): void {
    if (told.foreign++ === 0) told.example = example;
  }

  #add(agent: string, told: Told, point: number): void {
    if (told.to >= told.from && point === told.to + 1) {
      told.to = point;
      return;
    }
    this.#close(agent, told);
    told.from = point;
    told.to = point;
  }

  #close(agent: string, told: Told): void {
    const { from, to } = told;
    if (to < from) return;
    this.#events.push({ type: 'store.range', agent, from, to });
    told.from = 0;
    told.to = -1;
  }

  /** Everything since the last time; ranges that go on later are cut here. */
  take(): readonly StoreEvent[] {
    for (const [agent, told] of this.#told) {
      this.#close(agent, told);
      const { foreign, example, count, counted } = told;
      if (foreign > 0) this.#events.push({ type: 'store.foreign', agent, points: foreign, example });
      if (counted) this.#events.push({ type: 'store.count', agent, points: count });
      told.foreign = 0;
      told.counted = false;
    }
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
