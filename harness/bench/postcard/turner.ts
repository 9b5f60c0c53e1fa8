/** A contender's process: it repeats a case as often as it is told and answers with the CPU time that took. */
import { fileURLToPath } from 'node:url';
import { compileCache } from '../../labs/compile-cache.ts';
import { Program } from '../children.ts';
import { median } from '../statistics.ts';
import type { SetName } from './cases.ts';

const TURNS = fileURLToPath(new URL('programs/codec-turns.ts', import.meta.url));
/** To load a library and make the data, or to check that it comes back. */
const READY_MILLIS = 60_000;
const TURN_MILLIS = 60_000;
/** Half of a start is to strip types from modules, of everybody alike. */
const ENVIRONMENT = compileCache(fileURLToPath(new URL('../../..', import.meta.url)));
/** A first turn may be nothing but compiling: the count of the next may not rest on it. */
const GROWTH_MAX = 8;
/** By which a repetition is judged. */
const LAST_TURNS = 3;

/** What is started: one of the formats of this folder, or a foreign program that speaks the same lines. */
export type Start = {
  readonly set: SetName;
  readonly id: string;
  readonly points?: number;
  /** MiB of V8's young generation per half; its default when absent. */
  readonly semiSpace?: number;
  /** Instead of our process. */
  readonly command?: readonly string[];
};

const commandOf = ({ set, id, points = 0, semiSpace, command }: Start): readonly string[] =>
  command ?? [
    process.execPath,
    // helper threads of the collector spin while they wait for a core: on a busy machine that is half of what is measured
    '--single-threaded-gc',
    '--expose-gc',
    // nothing is collected between turns, where nobody counts it
    ...['--no-minor-gc-task', '--no-incremental-marking-task', '--no-memory-reducer'],
    ...(semiSpace === undefined ? [] : [`--max-semi-space-size=${semiSpace}`]),
    ...[TURNS, set, id, String(points)],
  ];

const ofIts = ({ id, set }: Start, error: unknown): Error =>
  new Error(`${id} of ${set}: ${(error as Error).message}`);

/** What a repetition takes when it is as fast as it gets, and how many go into a turn. */
export type Repetition = { readonly nanos: number; readonly count: number };

export class Turner {
  readonly #start: Start;
  readonly #program: Program;
  /** Bytes of each case, where the process tells them. */
  readonly bytes: Readonly<Record<string, number>>;

  private constructor(start: Start, program: Program, bytes: Readonly<Record<string, number>>) {
    this.#start = start;
    this.#program = program;
    this.bytes = bytes;
  }

  /** @throws Error when it ends first, or a small value does not come back as it was */
  static async start(start: Start): Promise<Turner> {
    const program = new Program(commandOf(start), ENVIRONMENT);
    try {
      const [, , sizes = '{}'] = await program.said(/^ready( (.*))?\n/, READY_MILLIS);
      return new Turner(start, program, JSON.parse(sizes));
    } catch (error) {
      await program.stop();
      throw ofIts(start, error);
    }
  }

  /** Reads back what it was timed with. A foreign program has types of its own. @throws Error when a value is not as it was */
  async check(): Promise<void> {
    if (this.#start.command !== undefined) return;
    this.#program.tell('check');
    try {
      await this.#program.said(/^same\n/, READY_MILLIS);
    } catch (error) {
      throw ofIts(this.#start, error);
    }
  }

  /** Repeats a case. @returns nanoseconds of CPU, of all its threads */
  async turn(name: string, count: number): Promise<number> {
    this.#program.tell(`${name} ${count}`);
    const [, nanos] = await this.#program.said(/^(\d+)\n/, TURN_MILLIS);
    return Number(nanos);
  }

  /**
   * As turn, after as many repetitions that do not count: caches and predictors forget while other processes run, and a turn of two
   * milliseconds that begins without them measures that, a third of it.
   */
  async warmTurn(name: string, count: number): Promise<number> {
    // in one write: the process does not sleep between
    this.#program.tell(`${name} ${count}\n${name} ${count}`);
    const [, nanos] = await this.#program.said(/^\d+\n(\d+)\n/, TURN_MILLIS);
    return Number(nanos);
  }

  /** Repeats a case until it is as fast as it gets. @param from how often in the first turn */
  async warmUp(name: string, warmNanos: number, turnNanos: number, from = 1): Promise<Repetition> {
    let count = from;
    const taken: number[] = [];
    for (let spent = 0; ; ) {
      const nanos = Math.max(1000, await this.turn(name, count));
      spent += nanos;
      taken.push(nanos / count);
      const wanted = Math.max(1, Math.round((count * turnNanos) / nanos));
      if (spent >= warmNanos && wanted <= count * GROWTH_MAX) break;
      count = Math.min(wanted, count * GROWTH_MAX);
    }
    // one turn alone may have collected garbage, or compiled
    const nanos = median(taken.slice(-LAST_TURNS));
    return { nanos, count: Math.max(1, Math.round(turnNanos / nanos)) };
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}
