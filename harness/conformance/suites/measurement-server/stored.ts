/** What the target has stored, as a case looks at it. */
import type { CaseContext } from '../../case.ts';
import { PointsFile, type StoredPoint } from './points-file.ts';

const LOOK_MILLIS = 40;
/** A store may be slower than an answer, and no clause says how fast it is. */
const STORING = 3;
/** After the awaited points came: time for one too many to show. */
const SETTLE_MILLIS = 150;

/** Files that cases look at now, and how many do. */
const FOLLOWED = new Map<string, { readonly file: PointsFile; cases: number }>();

const followed = (path: string, it: CaseContext): PointsFile => {
  const entry = FOLLOWED.get(path) ?? { file: new PointsFile(path), cases: 0 };
  entry.cases++;
  FOLLOWED.set(path, entry);
  it.cleanup(() => {
    if (--entry.cases === 0) FOLLOWED.delete(path);
  });
  return entry.file;
};

/** What stood in the file before the case began is seen too: metrics have names of their own. */
export class Stored {
  readonly #it: CaseContext;
  readonly #file: PointsFile;

  constructor(it: CaseContext, path: string) {
    this.#it = it;
    this.#file = followed(path, it);
  }

  /** The points of a metric so far; its name with or without the unit behind it. */
  of(name: string, unit = ''): readonly StoredPoint[] {
    this.#file.read();
    return [
      ...(this.#file.points.get(name) ?? []),
      ...(unit === '' ? [] : (this.#file.points.get(`${name}_${unit}`) ?? [])),
    ];
  }

  /** Names of metrics that begin so. */
  names(prefix: string): readonly string[] {
    this.#file.read();
    return [...this.#file.points.keys()].filter((name) => name.startsWith(prefix));
  }

  /** So many points of a metric, and not one more. @throws Broken */
  async exactly(count: number, name: string, unit = ''): Promise<readonly StoredPoint[]> {
    await this.until(
      `${count} points of ${name} in the store`,
      () => this.of(name, unit).length >= count,
      () => `${this.of(name, unit).length}${this.#likely(name)}`,
    );
    await this.#it.wait(SETTLE_MILLIS);
    const found = this.of(name, unit);
    if (found.length > count) this.#it.broken(`${count} points of ${name} in the store`, `${found.length}`);
    return found;
  }

  /** @throws Broken when it does not come true in time */
  async until(expected: string, holds: () => boolean, got: () => string, millis?: number): Promise<void> {
    const patience = millis ?? STORING * this.#it.patienceMillis;
    const began = performance.now();
    while (!holds()) {
      const passed = performance.now() - began;
      if (passed > patience) {
        this.#it.blameMachine(passed, expected);
        this.#it.broken(expected, `${got()} after ${patience} ms`);
      }
      await this.#it.wait(LOOK_MILLIS);
    }
  }

  /** A column that is named otherwise is the likeliest reason for nothing. */
  #likely(name: string): string {
    const others = this.names(name).filter((other) => other !== name);
    if (others.length > 0) return `, and some of ${others.join(', ')}`;
    return this.#file.trouble === '' ? '' : `: ${this.#file.trouble}`;
  }
}
