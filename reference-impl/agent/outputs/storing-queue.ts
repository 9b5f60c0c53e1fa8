import { Backoff, type Schedule } from '../../backoff/schedule.ts';
import type { Millis } from '../../machine/machine.ts';
import { type Rng, rngFor } from '../../machine/rng.ts';
import { AgentError, reasonOf } from '../agent-error.ts';
import type { Clock } from '../pipeline/clock.ts';
import type { Log } from '../plugin.ts';

/** What a batch weighs in the queue. */
export type Weighed = { readonly points: number; readonly bytes: number };

/** The database will never take this, however often it is asked: it is dropped, counted and logged. All else is tried again. */
export class Unstorable extends Error {
  override readonly name: string = 'Unstorable';
}

/** The database asks to be left alone for a while. */
export class AskedToWait extends Error {
  override readonly name: string = 'AskedToWait';
  readonly waitMillis: Millis;

  constructor(waitMillis: Millis, message: string) {
    super(message);
    this.waitMillis = waitMillis;
  }
}

export type QueueConfig = {
  /** The queue is full with so many points or bytes; a single larger batch is let in when it is empty. */
  readonly pointsMax: number;
  readonly bytesMax: number;
  /** Points of one transaction or request; a single larger batch is one by itself. */
  readonly groupPoints: number;
  /** How long points wait for others to share a transaction with, unless somebody waits for them to be stored. */
  readonly lingerMillis: Millis;
  readonly retry: Schedule;
  /** How long the end waits for a database that does not take what is left. */
  readonly endMillis: Millis;
};

export type StoringQueueOptions<Item> = QueueConfig & {
  /** Of the output, for logs: `postgres/out`. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Stores all of them or none. @throws Unstorable when it never will; anything else: it is tried again */
  readonly store: (items: readonly Item[]) => Promise<void>;
  readonly rng?: Rng;
};

type Entry<Item> = { readonly item: Item; readonly settled: PromiseWithResolvers<void> };

/** At most one line about a full queue in this time. */
const TELL_MILLIS = 10_000;

export type QueueState = {
  readonly points: number;
  readonly bytes: number;
  /** Somebody waits for room. */
  readonly full: boolean;
  readonly storedPoints: number;
  readonly refusedPoints: number;
  readonly retries: number;
};

/**
 * Between a pipeline and a database: gathers batches into transactions, tries again by the schedule for as long as it takes, and
 * is bounded, so that a database that is slow or away pushes back on whoever measures instead of filling our memory.
 */
export class StoringQueue<Item extends Weighed> {
  readonly #options: StoringQueueOptions<Item>;
  readonly #backoff: Backoff;
  readonly #entries: Entry<Item>[] = [];
  readonly #waiting = new Set<() => void>();
  #points = 0;
  #bytes = 0;
  #storedPoints = 0;
  #refusedPoints = 0;
  #retries = 0;
  /** Somebody waits for all to be stored: nothing lingers. */
  #urgent = 0;
  #working: Promise<void> | undefined;
  #lock: Promise<unknown> = Promise.resolve();
  #unarm: (() => void) | undefined;
  #stopped: AgentError | undefined;
  #toldFull = Number.NEGATIVE_INFINITY;
  #wake: (() => void) | undefined;

  constructor(options: StoringQueueOptions<Item>) {
    this.#options = options;
    this.#backoff = new Backoff(options.retry, options.rng ?? rngFor(process.pid, options.name));
  }

  get state(): QueueState {
    return {
      points: this.#points,
      bytes: this.#bytes,
      full: this.#waiting.size > 0,
      storedPoints: this.#storedPoints,
      refusedPoints: this.#refusedPoints,
      retries: this.#retries,
    };
  }

  /**
   * @param until `taken`: resolves when it is in the queue; `stored`: when the database has it (or never will: see `Unstorable`)
   * @throws AgentError OUTPUT_CLOSED when the queue ends first
   */
  async put(item: Item, until: 'taken' | 'stored'): Promise<void> {
    if (!this.#hasRoom(item)) await this.#roomFor(item);
    if (this.#stopped !== undefined) throw this.#stopped;
    const entry = { item, settled: Promise.withResolvers<void>() };
    // nobody need listen
    entry.settled.promise.catch(() => {});
    this.#entries.push(entry);
    this.#points += item.points;
    this.#bytes += item.bytes;
    if (until === 'taken') {
      this.#kick();
      return;
    }
    await this.#hurry(entry.settled.promise);
  }

  /** Resolves when all that is in the queue now is stored. @throws AgentError OUTPUT_STUCK when that takes longer than `endMillis` */
  async flush(): Promise<void> {
    const last = this.#entries.at(-1);
    if (last === undefined) return;
    const { clock, endMillis } = this.#options;
    const late = Promise.withResolvers<never>();
    const cancel = clock.wake(clock.now() + endMillis, () => late.reject(this.#stuck()));
    try {
      await this.#hurry(Promise.race([last.settled.promise, late.promise]));
    } finally {
      cancel();
    }
  }

  /** Does something with the database while nothing is being stored. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#lock.then(work);
    this.#lock = result.catch(() => {});
    return result;
  }

  /** Ends at once: what was not stored is lost, which `flush` before it prevents. Whoever waits is told with OUTPUT_CLOSED. */
  async close(): Promise<void> {
    const { name } = this.#options;
    this.#stopped ??= new AgentError({
      code: 'OUTPUT_CLOSED',
      where: name,
      expected: 'all points stored before the end',
      got: `${this.#points} points that were not`,
      hint: 'look above for what the database said',
    });
    this.#unarm?.();
    this.#wake?.();
    for (const wake of this.#waiting) wake();
    await this.#working;
    for (const { settled } of this.#entries.splice(0)) settled.reject(this.#stopped);
    await this.#lock;
  }

  #stuck(): AgentError {
    const { name, endMillis } = this.#options;
    return new AgentError({
      code: 'OUTPUT_STUCK',
      where: name,
      expected: `the database to take what is left within ${endMillis} ms`,
      got: `${this.#points} points that it has not taken`,
      hint: 'look above for what it said; end_timeout makes the wait longer',
    });
  }

  #hasRoom({ points, bytes }: Weighed): boolean {
    if (this.#stopped !== undefined || this.#entries.length === 0) return true;
    const { pointsMax, bytesMax } = this.#options;
    return this.#points + points <= pointsMax && this.#bytes + bytes <= bytesMax;
  }

  async #roomFor(item: Weighed): Promise<void> {
    const { clock, log, name } = this.#options;
    const since = clock.now();
    const tell = since - this.#toldFull >= TELL_MILLIS;
    if (tell) {
      this.#toldFull = since;
      log.warn(
        { points: this.#points, bytes: this.#bytes },
        `${name}: the queue is full; whoever measures waits for the database`,
      );
    }
    while (!this.#hasRoom(item)) {
      await this.#hurry(
        new Promise<void>((resolve) => {
          const wake = (): void => {
            this.#waiting.delete(wake);
            resolve();
          };
          this.#waiting.add(wake);
        }),
      );
    }
    if (tell) log.info({ millis: Math.round(clock.now() - since) }, `${name}: the queue has room again`);
  }

  async #hurry(until: Promise<void>): Promise<void> {
    this.#urgent++;
    this.#kick();
    try {
      await until;
    } finally {
      this.#urgent--;
    }
  }

  #kick(): void {
    if (this.#working !== undefined || this.#stopped !== undefined) return;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#worthStoring) this.#kick();
      else if (this.#entries.length > 0) this.#linger();
    });
  }

  get #worthStoring(): boolean {
    return this.#entries.length > 0 && (this.#urgent > 0 || this.#points >= this.#options.groupPoints);
  }

  /** Rings when the oldest has waited long enough. */
  #linger(): void {
    if (this.#unarm !== undefined || this.#stopped !== undefined) return;
    const { clock, lingerMillis } = this.#options;
    this.#unarm = clock.wake(clock.now() + lingerMillis, () => {
      this.#unarm = undefined;
      void this.#hurry(this.#entries.at(-1)?.settled.promise ?? Promise.resolve()).catch(() => {});
    });
  }

  async #work(): Promise<void> {
    // so that `working` is set before anything ends
    await undefined;
    while (this.#worthStoring && this.#stopped === undefined) {
      const group = this.#group();
      if (!(await this.#persist(group))) return;
      for (const { item, settled } of this.#entries.splice(0, group.length)) {
        this.#points -= item.points;
        this.#bytes -= item.bytes;
        settled.resolve();
      }
      for (const wake of this.#waiting) wake();
    }
  }

  #group(): readonly Item[] {
    let points = 0;
    let count = 0;
    for (const { item } of this.#entries) {
      points += item.points;
      if (count > 0 && points > this.#options.groupPoints) break;
      count++;
    }
    return this.#entries.slice(0, count).map(({ item }) => item);
  }

  /** @returns false: it ends before they are stored */
  async #persist(items: readonly Item[]): Promise<boolean> {
    const { store, log, name, clock } = this.#options;
    const points = items.reduce((sum, item) => sum + item.points, 0);
    for (;;) {
      try {
        await this.exclusively(() => store(items));
        this.#backoff.succeeded(clock.now());
        this.#storedPoints += points;
        return true;
      } catch (error) {
        if (error instanceof Unstorable) {
          this.#refusedPoints += points;
          log.error({ points }, `${name}: points were refused and are dropped: ${reasonOf(error)}`);
          return true;
        }
        if (this.#stopped !== undefined) return false;
        await this.#pause(error);
        if (this.#stopped !== undefined) return false;
      }
    }
  }

  async #pause(error: unknown): Promise<void> {
    const { clock, log, name, retry } = this.#options;
    const wait = this.#backoff.failed(clock.now()) ?? retry.capMillis;
    const waitMillis = error instanceof AskedToWait ? Math.max(wait, error.waitMillis) : wait;
    this.#retries++;
    log.warn(
      { waitMillis, points: this.#points },
      `${name}: not stored, will be tried again: ${reasonOf(error)}`,
    );
    await new Promise<void>((resolve) => {
      const cancel = clock.wake(clock.now() + waitMillis, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
