/** What every case has at hand, made of one run's parts. The contexts of servers and clients add to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Rng, rngFor } from '../../../reference-impl/machine/rng.ts';
import type { CaseContext } from '../case.ts';
import { Broken, type Closing, NotApplicable, type Strain, Unclear } from '../outcome.ts';
import type { Capabilities } from '../targets/capabilities.ts';
import type { Patience } from '../wire/wire-end.ts';
import { WireLog } from '../wire/wire-log.ts';
import type { Canary } from './canary.ts';
import type { OpenPath } from './path.ts';

/** What a target may take for something that no clause puts a number on. */
export const PATIENCE_MILLIS = 5_000;
/** Where the canary was this late, the machine is too slow to blame anybody for silence. */
const LATE_MILLIS = 400;
/** Where somebody waited for a processor for more of the time than this, lateness is nobody's. The case gets another look, alone. */
const STALLED_SHARE = 0.5;

export type Surroundings = {
  readonly capabilities: Capabilities;
  readonly canary: Canary;
  readonly seed: number;
  /** Who the target must be, where that was said. */
  readonly targetKey?: Uint8Array | undefined;
  /** Added to the patience: what the path itself may take. */
  readonly pathMillis: number;
};

/** The part of a context that the engine reads afterwards. */
export class BaseContext implements CaseContext {
  readonly rng: Rng;
  readonly capabilities: Capabilities;
  readonly patienceMillis: number;
  readonly log = new WireLog();
  readonly observations: string[] = [];
  /** Paths that were opened for this case, each until its end. */
  readonly paths: OpenPath[] = [];
  closing: Closing = 'not judged';
  readonly #canary: Canary;
  readonly #tasks: (() => Promise<void> | void)[] = [];

  constructor(id: string, { capabilities, canary, seed, pathMillis }: Surroundings) {
    this.rng = rngFor(seed, id);
    this.capabilities = capabilities;
    this.patienceMillis = Math.round(PATIENCE_MILLIS * Math.max(1, capabilities.timeScale) + pathMillis);
    this.#canary = canary;
  }

  step(text: string): void {
    this.log.note(text);
  }

  observe(text: string): void {
    this.observations.push(text);
  }

  closed(how: Closing): void {
    this.closing = how;
  }

  broken(expected: string, got: string): never {
    this.log.markLast();
    throw new Broken(expected, got);
  }

  unclear(why: string): never {
    throw new Unclear(why);
  }

  /** A path of this case: its receipts are observations, and closed with it. */
  over(path: OpenPath): OpenPath {
    this.paths.push(path);
    this.cleanup(() => path.close());
    return path;
  }

  /** @throws NotApplicable */
  lacks(capability: string): never {
    throw new NotApplicable(`the target declares that it has no ${capability}`);
  }

  /** @throws NotApplicable on any other path */
  onlyDirect(path: string): void {
    if (path !== 'direct')
      throw new NotApplicable('its volume or its timers would measure the link, not the target');
  }

  async wait(millis: number): Promise<void> {
    await delay(millis);
  }

  cleanup(task: () => Promise<void> | void): void {
    this.#tasks.push(task);
  }

  blameMachine(sinceMillis: number, awaited: string): void {
    const strain = this.strain(sinceMillis);
    if (strain?.slow === true)
      throw new Unclear(`the machine was too slow to tell: awaiting ${awaited}, ${strain.words}`);
  }

  blameLoad(sinceMillis: number, awaited: string): void {
    const strain = this.strain(sinceMillis);
    if (strain !== undefined)
      throw new Unclear(
        `the machine was too ${strain.slow ? 'slow' : 'busy'} to tell: awaiting ${awaited}, ${strain.words}`,
      );
  }

  /** What this machine lacked in the last `sinceMillis`; undefined when it was well. */
  strain(sinceMillis: number): Strain | undefined {
    const worst = Math.round(this.#canary.worstMillis(sinceMillis));
    if (worst > LATE_MILLIS) return { slow: true, words: `an echo on this machine took ${worst} ms` };
    const stalled = this.#canary.stalledShare(sinceMillis);
    if (stalled <= STALLED_SHARE) return undefined;
    const share = Math.round(stalled * 100);
    return { slow: false, words: `somebody waited for a processor for ${share} % of the time` };
  }

  get patience(): Patience {
    return {
      millis: this.patienceMillis,
      blameMachine: (since, awaited) => this.blameMachine(since, awaited),
    };
  }

  /** Ends what the case left open. */
  async dispose(): Promise<void> {
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) await task();
  }
}
