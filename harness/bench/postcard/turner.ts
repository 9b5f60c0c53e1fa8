/** A contender's process: it repeats a case as often as it is told and answers with the CPU time that took. */
import { fileURLToPath } from 'node:url';
import { compileCache } from '../../labs/compile-cache.ts';
import { Program } from '../children.ts';
import type { SetName } from './cases.ts';

const TURNS = fileURLToPath(new URL('programs/codec-turns.ts', import.meta.url));
/** To load a library, make the data and check that all of it comes back. */
const READY_MILLIS = 60_000;
const TURN_MILLIS = 60_000;
/** Half of a start is to strip types from modules, of everybody alike. */
const ENVIRONMENT = compileCache(fileURLToPath(new URL('../../..', import.meta.url)));
/** A first turn may be nothing but compiling: the count of the next may not rest on it. */
const GROWTH_MAX = 8;

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

export class Turner {
  readonly #program: Program;
  /** Bytes of each case, where the process tells them. */
  readonly bytes: Readonly<Record<string, number>>;

  private constructor(program: Program, bytes: Readonly<Record<string, number>>) {
    this.#program = program;
    this.bytes = bytes;
  }

  /** @throws Error when it ends first, or a value does not come back as it was */
  static async start(start: Start): Promise<Turner> {
    const program = new Program(commandOf(start), ENVIRONMENT);
    try {
      const [, , sizes = '{}'] = await program.said(/^ready( (.*))?\n/, READY_MILLIS);
      return new Turner(program, JSON.parse(sizes));
    } catch (error) {
      await program.stop();
      throw new Error(`${start.id} of ${start.set}: ${(error as Error).message}`);
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

  /** Repeats a case until it is as fast as it gets. @returns how often it goes into a turn of that length */
  async warmUp(name: string, warmNanos: number, turnNanos: number): Promise<number> {
    let count = 1;
    for (let spent = 0; ; ) {
      const nanos = Math.max(1000, await this.turn(name, count));
      spent += nanos;
      const wanted = Math.max(1, Math.round((count * turnNanos) / nanos));
      if (spent >= warmNanos && wanted <= count * GROWTH_MAX) return wanted;
      count = Math.min(wanted, count * GROWTH_MAX);
    }
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}
