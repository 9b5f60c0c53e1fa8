/**
 * How fast this machine answers anybody at all, measured all the time: a child that echoes. Where even the canary is late, a
 * silent target proves nothing. And how long somebody ready to run had no processor: the scheduler favours a child that does
 * next to nothing, so it is in time where a target that works is not.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const EVERY_MILLIS = 50;
/** Kept: the longest a case may look back. */
const KEPT_MILLIS = 120_000;

const ECHO = 'process.stdin.on("data", (b) => process.stdout.write(b))';

/** Linux's account of that, in microseconds since the start of the machine; undefined where there is none. */
const stallMicros = (): number | undefined => {
  try {
    const total = /^some .*total=(\d+)/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1];
    return total === undefined ? undefined : Number(total);
  } catch {
    return undefined;
  }
};

type Stall = { readonly at: number; readonly micros: number };
type Beat = { readonly at: number; readonly tookMillis: number };

export class Canary {
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  readonly #beats: Beat[] = [];
  readonly #stalls: Stall[] = [];
  /** When the beat was sent that has not come back yet. */
  #sent: number | undefined;

  constructor() {
    this.#child = spawn(process.execPath, ['-e', ECHO], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.on('data', () => this.#back());
    this.#note();
    this.#timer = setInterval(() => {
      this.#note();
      this.#send();
    }, EVERY_MILLIS);
    this.#timer.unref();
  }

  /** The slowest answer of the last `millis`, one that is still awaited included. */
  worstMillis(millis: number): number {
    const now = performance.now();
    let worst = this.#sent === undefined ? 0 : now - this.#sent;
    for (const { at, tookMillis } of this.#beats)
      if (at >= now - millis && tookMillis > worst) worst = tookMillis;
    return worst;
  }

  /** In how much of the last `millis` somebody waited for a processor, as a share; 0 where that is not known. */
  stalledShare(millis: number): number {
    this.#note();
    const last = this.#stalls.at(-1);
    if (last === undefined) return 0;
    const from = this.#stalls.findLast(({ at }) => at <= last.at - millis) ?? (this.#stalls[0] as Stall);
    return last.at > from.at ? (last.micros - from.micros) / 1_000 / (last.at - from.at) : 0;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#child.kill('SIGKILL');
  }

  #note(): void {
    const micros = stallMicros();
    if (micros === undefined) return;
    const at = performance.now();
    this.#stalls.push({ at, micros });
    while (this.#stalls[0] !== undefined && this.#stalls[0].at < at - KEPT_MILLIS) this.#stalls.shift();
  }

  #send(): void {
    if (this.#sent !== undefined) return;
    this.#sent = performance.now();
    this.#child.stdin?.write('.');
  }

  #back(): void {
    if (this.#sent === undefined) return;
    const at = performance.now();
    this.#beats.push({ at, tookMillis: at - this.#sent });
    this.#sent = undefined;
    while (this.#beats[0] !== undefined && this.#beats[0].at < at - KEPT_MILLIS) this.#beats.shift();
  }
}
