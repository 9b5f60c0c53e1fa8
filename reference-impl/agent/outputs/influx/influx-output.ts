import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Batch } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import type { Clock } from '../../pipeline/clock.ts';
import type { Output } from '../../pipeline/element.ts';
import type { Log } from '../../plugin.ts';
import {
  AskedToWait,
  type QueueConfig,
  type QueueState,
  StoringQueue,
  Unstorable,
  type Weighed,
} from '../storing-queue.ts';
import { type LineOptions, LineProtocol } from './line-protocol.ts';

export type InfluxConfig = QueueConfig &
  LineOptions & {
    /** Where lines are posted, with all its parameters. */
    readonly url: string;
    /** The header Authorization, if any. */
    readonly authorization: string | undefined;
    readonly gzip: boolean;
    readonly requestMillis: number;
  };

type Item = Weighed & { readonly lines: Buffer };

const ANSWER_CHARS_MAX = 300;
/** Nobody is let ask for a longer wait. */
const WAIT_MILLIS_MAX = 300_000;
/** Lines that cannot be read, do not fit what is there, or are too many: the same again would be refused again. */
const REFUSED: readonly number[] = [400, 413, 422];

/** Seconds or a date. @returns undefined for neither */
export const retryAfterMillis = (header: string | null, nowMillis: number): number | undefined => {
  if (header === null) return undefined;
  const millis = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMillis;
  return Number.isNaN(millis) ? undefined : Math.min(WAIT_MILLIS_MAX, Math.max(0, millis));
};

/** Why a request failed below HTTP: `fetch` keeps it one level down. */
const failed = (error: unknown): Error => {
  const { cause, message } = error as Error;
  return new Error(cause instanceof Error ? `${message}: ${cause.message || cause.name}` : message);
};

/**
 * Measurements as line protocol over HTTP, to InfluxDB 1 and 2 and what speaks like them. A line is told apart by series and time,
 * so one that is sent again changes nothing. What the server refuses is dropped and told; all else is tried again.
 */
export class InfluxOutput implements Output {
  readonly name = 'influx/out';
  readonly #config: InfluxConfig;
  readonly #log: Log;
  readonly #queue: StoringQueue<Item>;
  readonly #lines: LineProtocol;
  readonly #ended = new AbortController();
  #left = 0;
  #refused = 0;

  constructor(config: InfluxConfig, registry: MetricRegistry, log: Log, clock: Clock) {
    this.#config = config;
    this.#log = log;
    this.#lines = new LineProtocol(config, registry);
    const store = (items: readonly Item[]): Promise<void> => this.#store(items);
    this.#queue = new StoringQueue({ ...config, name: this.name, clock, log, store });
  }

  get state(): QueueState {
    const { state } = this.#queue;
    return { ...state, refusedPoints: state.refusedPoints + this.#refused };
  }

  /** Nothing to do: a server that is away is waited for when there is something to send. */
  async open(): Promise<void> {}

  async write({ points, origin }: Batch): Promise<void> {
    const { lines, left } = this.#lines.of(points);
    if (left > 0 && this.#left === 0)
      this.#log.error(
        `${this.name}: points are left out that are no number, or after the year 2262: InfluxDB knows neither`,
      );
    this.#left += left;
    if (lines === '') return;
    const bytes = Buffer.from(lines);
    const item = { points: points.length - left, bytes: bytes.length, lines: bytes };
    await this.#queue.put(item, origin === undefined ? 'taken' : 'stored');
  }

  flush(): Promise<void> {
    return this.#queue.flush();
  }

  async close(): Promise<void> {
    const closed = this.#queue.close();
    this.#ended.abort(new Error('the output is closed'));
    await closed;
  }

  /** What is refused as a whole is sent batch by batch, so that only the batch that is wrong is lost. */
  async #store(items: readonly Item[]): Promise<void> {
    try {
      await this.#post(Buffer.concat(items.map(({ lines }) => lines)));
    } catch (error) {
      if (!(error instanceof Unstorable) || items.length === 1) throw error;
      for (const item of items) await this.#storeOne(item);
    }
  }

  async #storeOne(item: Item): Promise<void> {
    try {
      await this.#post(item.lines);
    } catch (error) {
      if (!(error instanceof Unstorable)) throw error;
      this.#refused += item.points;
      this.#log.error(
        { points: item.points },
        `${this.name}: points were refused and are dropped: ${error.message}`,
      );
    }
  }

  async #post(lines: Buffer): Promise<void> {
    const { url, authorization, requestMillis } = this.#config;
    const packed = this.#config.gzip;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method: 'POST',
        body: packed ? await promisify(gzip)(lines) : lines,
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          ...(packed ? { 'content-encoding': 'gzip' } : {}),
          ...(authorization === undefined ? {} : { authorization }),
        },
        redirect: 'manual',
        signal: AbortSignal.any([this.#ended.signal, AbortSignal.timeout(requestMillis)]),
      });
      text = (await response.text()).slice(0, ANSWER_CHARS_MAX).trim();
    } catch (error) {
      throw failed(error);
    }
    const { status, headers, ok } = response;
    if (ok) return;
    const said = `HTTP ${status} ${text}`;
    if (REFUSED.includes(status)) throw new Unstorable(said);
    const waitMillis = retryAfterMillis(headers.get('retry-after'), Date.now());
    throw waitMillis === undefined ? new Error(said) : new AskedToWait(waitMillis, said);
  }
}
