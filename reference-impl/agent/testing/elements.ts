import type { Batch, Point } from '../../measurement-relay/messages.ts';
import type { Output, Source } from '../pipeline/element.ts';
import { measured, u64 } from '../sources/measured.ts';

/** A point of metric 0 that can be told from others by its value. */
export const numbered = (value: number, metric = 0): Point =>
  measured({ secs: 1_000, nanos: 0 }, metric, u64(value));

export const valuesOf = (batches: readonly Batch[]): readonly number[] =>
  batches.flatMap(({ points }) => points.map(({ value }) => Number(value.value)));

/** A source whose polls give 1, 2, 3, ...; `fail` lets one fail. */
export class CountingSource implements Source {
  readonly kind = 'managed';
  readonly name: string;
  readonly periodMillis: number;
  readonly flushMillis: number;
  fail = false;
  polls = 0;
  calls: string[] = [];

  constructor(name: string, periodMillis: number, flushMillis = 0) {
    this.name = name;
    this.periodMillis = periodMillis;
    this.flushMillis = flushMillis;
  }

  async open(): Promise<void> {
    this.calls.push('open');
  }

  poll(): readonly Point[] {
    this.polls++;
    if (this.fail) throw new Error('broken');
    return [numbered(this.polls)];
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }
}

/** An output that remembers; `hold` keeps a write from ending until `release`. */
export class RememberingOutput implements Output {
  readonly name: string;
  readonly written: Batch[] = [];
  readonly calls: string[] = [];
  readonly #log: string[];
  #gate: PromiseWithResolvers<void> | undefined;
  failure: Error | undefined;
  openFailure: Error | undefined;
  writing = 0;
  finishes = 0;

  /** @param log of several elements, to see their order */
  constructor(name: string, log: string[] = []) {
    this.name = name;
    this.#log = log;
  }

  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  async open(): Promise<void> {
    this.#call('open');
    if (this.openFailure !== undefined) throw this.openFailure;
  }

  finish(): void {
    this.finishes++;
  }

  async write(batch: Batch): Promise<void> {
    this.writing++;
    if (this.writing > 1) throw new Error('two writes at a time');
    await this.#gate?.promise;
    this.writing--;
    if (this.failure !== undefined) throw this.failure;
    this.written.push(batch);
  }

  async flush(): Promise<void> {
    this.#call('flush');
  }

  async close(): Promise<void> {
    this.#call('close');
  }

  #call(what: string): void {
    this.calls.push(what);
    this.#log.push(`${this.name} ${what}`);
  }
}
