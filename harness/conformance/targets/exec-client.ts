/** A target that dials: a program that each case starts for itself, with the addresses of that case in its command line. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Holdings, RunningClient } from '../case.ts';
import { Broken } from '../outcome.ts';
import { holdingsOf } from './exec-server.ts';
import { TargetError } from './target.ts';

const OUTPUT_CHARS = 64 * 1024;
const EXIT_MILLIS = 10_000;

/** `{name}` in every word of a command by what `given` has. @throws TargetError for one that nobody gives */
export const filledIn = (
  words: readonly string[],
  given: Readonly<Record<string, string>>,
): readonly string[] =>
  words.map((word) =>
    word.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = given[name];
      if (value === undefined)
        throw new TargetError(
          `the command has ${whole}; this profile fills in ${Object.keys(given)
            .map((known) => `{${known}}`)
            .join(', ')}`,
        );
      return value;
    }),
  );

export class ExecClient implements RunningClient {
  readonly #child: ChildProcess;
  readonly #over: Promise<number | string>;
  #output = '';
  #running = true;

  /** @param words program and arguments, nothing in them to fill in */
  constructor(words: readonly string[]) {
    const [program, ...args] = words;
    this.#child = spawn(program as string, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_CHARS);
      });
    this.#over = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#gone(error.message, resolve));
      this.#child.once('exit', (code, signal) => this.#gone(signal ?? code ?? -1, resolve));
    });
  }

  get running(): boolean {
    return this.#running;
  }

  get stdin(): ChildProcess['stdin'] {
    return this.#child.stdin;
  }

  get stdout(): ChildProcess['stdout'] {
    return this.#child.stdout;
  }

  output(): string {
    return this.#output;
  }

  async exit(millis = EXIT_MILLIS): Promise<number | string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new Broken(
            `the program ends within ${millis} ms`,
            `it still runs; it said: ${this.#output.slice(-400)}`,
          ),
        );
      }, millis);
    });
    return Promise.race([this.#over, late]).finally(() => clearTimeout(timer));
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined || !this.#running) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // the group is gone already
    }
  }

  holdings(): Promise<Holdings | undefined> {
    return holdingsOf(this.#running ? this.#child.pid : undefined);
  }

  /** The end of a case: nothing of the group outlives it. */
  async end(): Promise<void> {
    this.signal('SIGKILL');
    await this.#over;
  }

  #gone(how: number | string, resolve: (how: number | string) => void): void {
    this.#running = false;
    resolve(how);
  }
}
