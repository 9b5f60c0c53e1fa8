/** What a run says while it goes on: a table redrawn in place on a terminal, plain lines everywhere else. */
import { colourWanted, type Paint, utf8Wanted } from '../report/paint.ts';
import { Progress, TABLE_COLUMNS_MIN } from '../report/progress.ts';
import type { TraceEvent } from '../trace/trace.ts';

const FRAME_MILLIS = 100;
const HEARTBEAT_MILLIS = 1_000;

export type Stream = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;

/** Draws on a terminal of at least 72 columns (not in CI, not with TERM=dumb); prints plain lines everywhere else. */
export class Screen {
  readonly paint: Paint;
  readonly #out: Stream;
  readonly #progress: Progress;
  readonly #tty: boolean;
  readonly #startedAt = performance.now();
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Virtual time runs ahead of the clock: what counts is the last event. */
  #lastMicros = 0;

  constructor(out: Stream, env: NodeJS.ProcessEnv) {
    this.#out = out;
    this.#tty =
      out.isTTY === true &&
      (out.columns ?? 0) >= TABLE_COLUMNS_MIN &&
      env.CI === undefined &&
      env.TERM !== 'dumb';
    this.paint = { colour: colourWanted(env, out.isTTY === true), utf8: utf8Wanted(env) };
    this.#progress = new Progress({ ...this.paint, form: this.#tty ? 'tty' : 'lines' });
    this.#timer = setInterval(() => this.#tick(), this.#tty ? FRAME_MILLIS : HEARTBEAT_MILLIS);
    this.#timer.unref();
  }

  get columns(): number {
    return this.#out.columns ?? 80;
  }

  get isTty(): boolean {
    return this.#tty;
  }

  event(event: TraceEvent): void {
    if (event.t > this.#lastMicros) this.#lastMicros = event.t;
    const lines = this.#progress.event(event);
    if (lines.length > 0) this.say(lines);
  }

  /** Lines that stay, above the table. */
  say(lines: readonly string[]): void {
    if (this.#tty) this.#erase();
    this.#out.write(`${lines.join('\n')}\n`);
  }

  #tick(): void {
    const now = Math.max(this.#lastMicros, 0);
    if (!this.#tty) {
      const elapsed = Math.round((performance.now() - this.#startedAt) * 1000);
      for (const line of this.#progress.heartbeat(Math.max(now, elapsed))) this.#out.write(`${line}\n`);
      return;
    }
    const frame = this.#progress.frame(now, this.columns);
    this.#erase();
    if (frame.length === 0) return;
    this.#out.write(`${frame.join('\n')}\n`);
    this.#drawn = frame.length;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#erase();
  }
}
