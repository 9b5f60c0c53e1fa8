/**
 * How fast this machine answers anybody at all, measured all the time: a child that echoes. Where even the canary is late, a
 * silent target proves nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';

const EVERY_MILLIS = 50;
/** Kept: the longest a case may look back. */
const KEPT_MILLIS = 120_000;

const ECHO = 'process.stdin.on("data", (b) => process.stdout.write(b))';

type Beat = { readonly at: number; readonly tookMillis: number };

export class Canary {
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  readonly #beats: Beat[] = [];
  /** When the beat was sent that has not come back yet. */
  #sent: number | undefined;

  constructor() {
    this.#child = spawn(process.execPath, ['-e', ECHO], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.on('data', () => this.#back());
    this.#timer = setInterval(() => this.#send(), EVERY_MILLIS);
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

  stop(): void {
    clearInterval(this.#timer);
    this.#child.kill('SIGKILL');
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
