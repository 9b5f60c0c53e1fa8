import type { Batch } from '../../measurement-relay/messages.ts';
import type { Output } from './element.ts';

type Waiting = { readonly batch: Batch; readonly taken: (taken: boolean) => void };

export type OutputState = 'running' | 'paused' | 'stopping' | 'stopped' | 'failed';

/**
 * An output and the batches that wait for it. It writes one after the other while it runs; paused it only collects; `stop` first
 * writes what waits, also after a pause. A write that fails is the end of it: what waits is given back as not taken.
 */
export class OutputLine {
  readonly output: Output;
  readonly #buffersMax: number;
  readonly #roomy: () => void;
  readonly #failed: (output: Output, error: unknown, wasLeaving: boolean) => void;
  readonly #waiting: Waiting[] = [];
  #state: OutputState = 'running';
  #writing: Promise<void> | undefined;
  #stop: Promise<void> | undefined;
  #isFinishing = false;
  #batches = 0;
  #points = 0;

  /**
   * @param roomy there is room again, or the line ended
   * @param failed called once; `wasLeaving`: it had been stopped, and was bringing out what waited
   */
  constructor(
    output: Output,
    buffersMax: number,
    {
      roomy,
      failed,
    }: {
      readonly roomy: () => void;
      readonly failed: (output: Output, error: unknown, wasLeaving: boolean) => void;
    },
  ) {
    this.output = output;
    this.#buffersMax = buffersMax;
    this.#roomy = roomy;
    this.#failed = failed;
  }

  get state(): OutputState {
    return this.#state;
  }

  /** Whether it takes batches, now or after a pause. */
  get alive(): boolean {
    return this.#state === 'running' || this.#state === 'paused';
  }

  get full(): boolean {
    return this.alive && this.#waiting.length >= this.#buffersMax;
  }

  get stats(): { readonly waiting: number; readonly batches: number; readonly points: number } {
    return { waiting: this.#waiting.length, batches: this.#batches, points: this.#points };
  }

  /** @returns resolves with true once it is written, with false when it never will be */
  offer(batch: Batch): Promise<boolean> {
    if (!this.alive) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ batch, taken: resolve });
    this.#write();
    return promise;
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#write();
  }

  /** Tells the output that its end has begun. It still takes what sources have in hand. */
  finish(): void {
    if (!this.alive || this.#isFinishing) return;
    this.#isFinishing = true;
    this.output.finish?.();
  }

  /** For good. Resolves when everything is written, flushed and closed, or the output failed. */
  stop(): Promise<void> {
    this.#stop ??= this.#end();
    return this.#stop;
  }

  /** Brings out what the output holds, if it runs. */
  async flush(): Promise<void> {
    if (this.#state === 'running') await this.output.flush();
  }

  #write(): void {
    if (this.#writing !== undefined) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const next = this.#state === 'running' || this.#state === 'stopping' ? this.#waiting[0] : undefined;
      if (next === undefined) return;
      try {
        await this.output.write(next.batch);
      } catch (error) {
        this.#fail(error);
        return;
      }
      this.#waiting.shift();
      this.#batches++;
      this.#points += next.batch.points.length;
      next.taken(true);
      this.#roomy();
    }
  }

  async #end(): Promise<void> {
    if (this.alive) {
      this.finish();
      this.#state = 'stopping';
      // a write in flight goes on with what waits
      while (this.#waiting.length > 0 && this.#state === 'stopping') {
        this.#write();
        await this.#writing;
      }
      await this.#writing;
      try {
        if (this.#state === 'stopping') await this.output.flush();
      } catch (error) {
        this.#fail(error);
      }
    }
    try {
      await this.output.close();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#state === 'stopping') this.#state = 'stopped';
    this.#roomy();
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed') return;
    const wasLeaving = this.#state === 'stopping';
    this.#state = 'failed';
    for (const { taken } of this.#waiting.splice(0)) taken(false);
    this.#failed(this.output, error, wasLeaving);
    this.#roomy();
  }
}
