/**
 * The cases of one server profile against one target on one path. Cases that cannot disturb each other run side by side; when
 * the target dies meanwhile, every case that was under way is run again by itself, so that the blame falls on the right one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Case, ServerContext, ServerProfile } from '../case.ts';
import { Broken, type CaseResult } from '../outcome.ts';
import type { RunningServer, ServerTarget } from '../targets/target.ts';
import type { Surroundings } from './context.ts';
import { isWorthAnotherLook, type Judged, judgeCase, secondLook } from './judge-case.ts';
import { openPath, type PathSpec, pathMillis, pathName } from './path.ts';
import { LiveServerContext } from './server-context.ts';

export type ServerRun = {
  readonly profile: ServerProfile;
  /** Those selected, in order. */
  readonly cases: readonly Case<ServerContext>[];
  readonly target: ServerTarget;
  readonly surroundings: Omit<Surroundings, 'pathMillis'>;
  readonly path: PathSpec;
  /** Cases at a time. */
  readonly jobs: number;
  readonly rerunOf: (id: string, path: string) => string;
  readonly done: (result: CaseResult) => void;
  readonly signal: AbortSignal;
};

const lacking = (item: Case<ServerContext>, { surroundings }: ServerRun): string | undefined =>
  item.needs.find((need) => !surroundings.capabilities.has(need));

/** How long a process that is about to be gone has to say why. */
const LAST_WORDS_MILLIS = 1_000;
const LOOK_MILLIS = 20;
const AFTERMATH_MILLIS = 50;

/** A refused connection is seen before the exit that caused it: whoever does not listen is waited for, to hear its last words. */
const isAlive = async (server: RunningServer): Promise<boolean> => {
  if (await server.alive()) return true;
  const began = performance.now();
  while (server.died === undefined && performance.now() - began < LAST_WORDS_MILLIS) await delay(LOOK_MILLIS);
  return false;
};

class Runner {
  readonly #run: ServerRun;
  readonly #results = new Map<string, CaseResult>();
  /** By the name of a case: how often it was begun. */
  readonly #looks = new Map<string, number>();
  #server: RunningServer;
  #reviving: Promise<void> | undefined;
  /** A target did not come up: nothing more is begun, and this is thrown when all that was under way is over. */
  #failure: { readonly error: unknown } | undefined;

  constructor(run: ServerRun, server: RunningServer) {
    this.#run = run;
    this.#server = server;
  }

  async all(): Promise<readonly CaseResult[]> {
    const { cases, jobs, target } = this.#run;
    const own = target.restartable ? cases.filter((item) => item.alone === 'target') : [];
    const together = cases.filter((item) => item.alone === undefined && item.statistical === undefined);
    const alone = cases.filter((item) => !together.includes(item) && !own.includes(item));
    const again = new Map<Case<ServerContext>, CaseResult | undefined>();
    const queue = [...together];
    const lane = async (): Promise<void> => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        if (this.#isOver) return;
        const server = this.#server;
        const result = await this.#one(item);
        if (this.#isOver) return;
        const lives = result.verdict === 'pass' ? server.died === undefined : await isAlive(server);
        if (lives && isWorthAnotherLook(result)) again.set(item, result);
        else if (lives && this.#server === server) this.#keep(item, result);
        else {
          again.set(item, undefined);
          if (this.#server === server) await this.#revive();
        }
      }
    };
    // to its end, whatever fails: a lane that goes on would start a target again that nobody stops
    await Promise.all(
      [...Array.from({ length: Math.max(1, jobs) }, lane), ...own.map((item) => this.#withItsOwn(item))].map(
        (work) =>
          work.catch((error) => {
            this.#failure ??= { error };
          }),
      ),
    );
    if (this.#failure !== undefined) throw this.#failure.error;
    for (const item of alone) again.set(item, undefined);
    for (const [item, first] of again) {
      if (this.#run.signal.aborted) break;
      await this.#byItself(item, first);
    }
    return cases.flatMap((item) => this.#results.get(item.name) ?? []);
  }

  get #isOver(): boolean {
    return this.#run.signal.aborted || this.#failure !== undefined;
  }

  /** A target of its own: what this case does to it, or reads of it, is nobody else's. */
  async #withItsOwn(item: Case<ServerContext>): Promise<void> {
    if (this.#isOver) return;
    const runner = new Runner(this.#run, await this.#run.target.start());
    try {
      await runner.#byItself(item);
    } finally {
      await runner.stop();
    }
    const result = runner.#results.get(item.name);
    if (result !== undefined) this.#results.set(item.name, result);
  }

  /**
   * Statistical ones as often as they ask for; a target that died in it fails it, with its last words.
   * @param first what was seen when something else may have been why; without it, such a thing gets another look here
   */
  async #byItself(item: Case<ServerContext>, first?: CaseResult): Promise<void> {
    const { runs, atLeast } = item.statistical ?? { runs: 1, atLeast: 1 };
    let passed = 0;
    let worst: CaseResult | undefined;
    for (let i = 0; i < runs && passed < atLeast; i++) {
      if (this.#server.died !== undefined) await this.#revive();
      const server = this.#server;
      const result = await this.#one(item);
      // what the case left open was reset at its end: a target that falls over that falls over this case
      await delay(AFTERMATH_MILLIS);
      if (this.#server === server && !(await isAlive(server))) {
        const died = server.died ?? 'it takes no more connections';
        this.#keep(item, {
          ...result,
          ...{ verdict: 'fail', blame: 'target', expected: 'a target that goes on' },
          got: `it ended: ${died}${server.output() === '' ? '' : `\n${server.output()}`}`,
        });
        await this.#revive();
        return;
      }
      if (result.verdict === 'pass') passed++;
      if (worst === undefined || result.verdict === 'fail') worst = result;
      if (passed >= atLeast)
        worst = { ...result, got: runs === 1 ? result.got : `held in ${passed} of ${i + 1} runs` };
    }
    if (worst === undefined) return;
    if (first !== undefined) this.#keep(item, secondLook(first, worst));
    else if (isWorthAnotherLook(worst) && !this.#run.signal.aborted) await this.#byItself(item, worst);
    else this.#keep(item, worst);
  }

  #keep(item: Case<ServerContext>, result: CaseResult): void {
    if (this.#run.signal.aborted) return;
    this.#results.set(item.name, result);
    this.#run.done(result);
  }

  async #one(item: Case<ServerContext>): Promise<CaseResult> {
    const { profile, path, surroundings, rerunOf } = this.#run;
    const id = `${profile.name}/${item.name}`;
    const name = pathName(path);
    const judged: Judged = {
      ...{ id, title: item.title, clause: item.clause, limitMillis: item.limitMillis },
      ...{ path: name, rerun: rerunOf(id, name) },
    };
    const around = { ...surroundings, pathMillis: pathMillis(path) };
    const opened = await openPath(path, this.#server.address, surroundings.seed);
    const look = (this.#looks.get(item.name) ?? 0) + 1;
    this.#looks.set(item.name, look);
    const context = new LiveServerContext(
      // a look of its own: the target still has what the one before named and stored
      look === 1 ? id : `${id}, look ${look}`,
      around,
      opened.address,
      () => this.#server,
      () => this.#revive(),
    );
    context.over(opened);
    const lacks = lacking(item, this.#run);
    return judgeCase(
      judged,
      context,
      async () => {
        if (lacks !== undefined) return context.lacks(lacks);
        if (item.directOnly === true) context.onlyDirect(name);
        await item.run(context);
        if (!(await isAlive(this.#server)))
          throw new Broken('a target that goes on', this.#server.died ?? 'it takes no more connections');
      },
      this.#run.signal,
    );
  }

  /** Once, however many cases saw it die. */
  #revive(): Promise<void> {
    this.#reviving ??= (async () => {
      await this.#server.stop().catch(() => undefined);
      this.#server = await this.#run.target.start();
    })().finally(() => {
      this.#reviving = undefined;
    });
    return this.#reviving;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/** @throws TargetError when the target does not come up at all, or not again */
export const runServerCases = async (run: ServerRun): Promise<readonly CaseResult[]> => {
  const runner = new Runner(run, await run.target.start());
  try {
    return await runner.all();
  } finally {
    await runner.stop();
  }
};
