import type { Millis } from '../../machine/machine.ts';
import type { Point } from '../../measurement-relay/messages.ts';
import type { Clock } from './clock.ts';
import type { Source } from './element.ts';

export type SourceState = 'running' | 'paused' | 'stopped';

/** Nobody can poll faster: what is asked for below is taken as this. */
export const PERIOD_MILLIS_MIN = 1;

export type SourceHooks = {
  readonly clock: Clock;
  /** Resolves when the pipeline has room again. */
  readonly hand: (points: readonly Point[]) => Promise<void>;
  /** A poll failed; `repeated`: the one before it too. */
  readonly failed: (source: Source, error: unknown, repeated: boolean) => void;
  /** It works again. */
  readonly recovered: (source: Source) => void;
};

/**
 * A managed source and its period. Polls lie on a grid from its start on: a poll that takes too long, or that the pipeline holds
 * back, costs the polls it overlaps and shifts nothing. A pause lets the grid go on, without polls.
 */
export class SourceLine {
  readonly source: Source;
  readonly #hooks: SourceHooks;
  #state: SourceState = 'running';
  #periodMillis: Millis;
  #next: Millis = 0;
  #cancel: (() => void) | undefined;
  #polling: Promise<void> | undefined;
  #stop: Promise<void> | undefined;
  #held: Point[] = [];
  #flushed: Millis = 0;
  #failing = false;
  #polls = 0;
  #missed = 0;
  #failures = 0;
  #points = 0;

  constructor(source: Source, hooks: SourceHooks) {
    this.source = source;
    this.#hooks = hooks;
    this.#periodMillis = Math.max(PERIOD_MILLIS_MIN, source.periodMillis);
  }

  get state(): SourceState {
    return this.#state;
  }

  get periodMillis(): Millis {
    return this.#periodMillis;
  }

  get stats(): {
    readonly polls: number;
    readonly missed: number;
    readonly failures: number;
    readonly points: number;
  } {
    return { polls: this.#polls, missed: this.#missed, failures: this.#failures, points: this.#points };
  }

  /** The first poll is now. */
  start(): void {
    this.#next = this.#hooks.clock.now();
    this.#flushed = this.#next;
    this.#arm();
  }

  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#disarm();
    void this.#after(() => this.#flush());
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#skip(this.#hooks.clock.now());
    this.#arm();
  }

  setPeriod(millis: Millis): void {
    this.#periodMillis = Math.max(PERIOD_MILLIS_MIN, millis);
    this.#next = this.#hooks.clock.now() + this.#periodMillis;
    if (this.#state === 'running') this.#arm();
  }

  /** A poll now, besides those of the period, handed on at once. Nothing when it is paused or stopped. */
  async trigger(): Promise<void> {
    if (this.#state !== 'running') return;
    await this.#after(async () => {
      await this.#poll();
      await this.#flush();
    });
  }

  /** For good: what it holds is handed on, then it is closed. */
  stop(): Promise<void> {
    this.#stop ??= this.#end();
    return this.#stop;
  }

  async #end(): Promise<void> {
    this.#state = 'stopped';
    this.#disarm();
    await this.#after(() => this.#flush());
    await this.source.close();
  }

  #arm(): void {
    this.#disarm();
    this.#cancel = this.#hooks.clock.wake(this.#next, () => this.#due());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #due(): void {
    const now = this.#hooks.clock.now();
    if (this.#polling === undefined) void this.#after(() => this.#pollAndFlush());
    else this.#missed++;
    this.#next += this.#periodMillis;
    this.#missed += this.#skip(now);
    this.#arm();
  }

  /** Moves the next poll behind this time. @returns how many were left out */
  #skip(now: Millis): number {
    if (this.#next > now) return 0;
    const left = Math.floor((now - this.#next) / this.#periodMillis) + 1;
    this.#next += left * this.#periodMillis;
    return left;
  }

  /** One thing at a time: runs this after what runs now. */
  #after(task: () => Promise<void>): Promise<void> {
    const mine = (this.#polling ?? Promise.resolve()).then(task).finally(() => {
      if (this.#polling === mine) this.#polling = undefined;
    });
    this.#polling = mine;
    return mine;
  }

  async #pollAndFlush(): Promise<void> {
    await this.#poll();
    const now = this.#hooks.clock.now();
    // a period that does not divide the flush interval evenly flushes at the last poll within it
    if (now - this.#flushed + this.#periodMillis > (this.source.flushMillis ?? 0)) await this.#flush();
  }

  async #poll(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#polls++;
    let points: readonly Point[];
    try {
      points = await this.source.poll(this.#hooks.clock.timestamp());
    } catch (error) {
      this.#failures++;
      this.#hooks.failed(this.source, error, this.#failing);
      this.#failing = true;
      return;
    }
    if (this.#failing) this.#hooks.recovered(this.source);
    this.#failing = false;
    this.#points += points.length;
    for (const point of points) this.#held.push(point);
  }

  async #flush(): Promise<void> {
    this.#flushed = this.#hooks.clock.now();
    if (this.#held.length === 0) return;
    const points = this.#held;
    this.#held = [];
    await this.#hooks.hand(points);
  }
}
