/** Reads the store of a measurement server from beside it, and tells what lies there: not what the server says, what is so. */
import { type StoredPoint, StoreWatch } from '../measure/store-watch.ts';
import type { Happening } from '../trace/trace.ts';

const LOOK_MILLIS = 250;

/** Stored points in the order in which they came to lie there. */
export interface StoreRows {
  /** What lies there already is not of this run. */
  begin(): void;
  /** It can be read while it grows; else it is read once, when it is to be read to its end. */
  readonly live: boolean;
  /** The next ones, at most some ten thousand; none: it has been read to its end, or is not there yet. */
  next(): Promise<readonly StoredPoint[]>;
  close(): Promise<void>;
}

/** Looks four times a second, at points it has not seen. */
export class StoreReader {
  readonly #rows: StoreRows;
  readonly #say: (event: Happening) => void;
  readonly #watch: StoreWatch;
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  /** One that is read once has been. */
  #done = false;
  #read = 0;
  /** One look after the other. */
  #looking: Promise<void> = Promise.resolve();

  constructor(rows: StoreRows, coded: readonly string[], say: (event: Happening) => void) {
    this.#rows = rows;
    this.#say = say;
    this.#watch = new StoreWatch(new Set(coded));
  }

  start(): void {
    this.#rows.begin();
    if (this.#rows.live) this.#arm();
    this.#say({ type: 'host.ready', port: 0 });
  }

  #arm(): void {
    if (this.#over) return;
    this.#timer = setTimeout(() => {
      this.#look().then(
        () => this.#arm(),
        (error: Error) => this.#say({ type: 'host.crashed', reason: `cannot be read: ${error.message}` }),
      );
    }, LOOK_MILLIS);
  }

  #look(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      for (let rows = await this.#rows.next(); rows.length > 0; rows = await this.#rows.next()) {
        for (const row of rows) this.#watch.push(row);
        this.#read += rows.length;
      }
      for (const event of this.#watch.take()) this.#say(event);
    });
    return this.#looking;
  }

  /** Reads what there is by now, to its end, and says so. @throws what the database says */
  async read(): Promise<void> {
    if (this.#done) return;
    this.#done = !this.#rows.live;
    await this.#look();
    this.#say({ type: 'store.read', points: this.#read });
  }

  async stop(): Promise<void> {
    this.#over = true;
    clearTimeout(this.#timer);
    await this.#looking.catch(() => {});
    await this.#rows.close();
  }
}

/** The client a point came from, out of its attributes; '' if none is noted. */
export const clientIn = (attributes: unknown): string => {
  const client: unknown = (attributes as { readonly relay_client?: unknown }).relay_client;
  return typeof client === 'string' ? client : '';
};
