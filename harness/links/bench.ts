/** A link on loopback with a small source and a small sink, which write down everything they see and when. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type ChaosProxy, createChaosProxy, type Fault } from 'chaos-proxy';

/** How a half of a connection ended for the end that reads it. */
export type Ending = 'none' | 'fin' | 'rst';
export type Way = 'up' | 'down';
export type Arrival = { readonly at: number; readonly bytes: Buffer };

/** The directions a fault acts in. */
export const waysOf = ({ direction = 'both' }: Fault): readonly Way[] =>
  direction === 'both' ? ['up', 'down'] : [direction];

/** One end of one connection. Times are of `performance.now()`. */
export class BenchEnd {
  readonly arrivals: Arrival[] = [];
  received = 0;
  ending: Ending = 'none';
  endedAt = Number.NaN;
  /** When it was connected or accepted. */
  openedAt = Number.NaN;
  readonly #socket: Socket;

  constructor(socket: Socket, changed: () => void) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const ended = (how: Ending): void => {
      if (this.ending === 'none') this.endedAt = performance.now();
      if (this.ending !== 'rst') this.ending = how;
      changed();
    };
    if (socket.connecting)
      socket.once('connect', () => {
        this.openedAt = performance.now();
        changed();
      });
    else this.openedAt = performance.now();
    socket
      .on('data', (bytes: Buffer) => {
        this.arrivals.push({ at: performance.now(), bytes });
        this.received += bytes.length;
        changed();
      })
      .on('end', () => ended('fin'))
      .on('error', () => ended('rst'));
  }

  /** Writes at once. @returns when */
  write(bytes: Uint8Array): number {
    const now = performance.now();
    if (this.#socket.writable) this.#socket.write(bytes);
    return now;
  }

  /** Ends its own half. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.arrivals.map(({ bytes }) => bytes));
  }
}

/** Both ends of one connection through the link. */
export type Pair = { readonly client: BenchEnd; readonly server: BenchEnd };

/** The end that sends in a direction, and the one that receives. */
export const endsOf = (
  { client, server }: Pair,
  way: Way,
): { readonly from: BenchEnd; readonly to: BenchEnd } =>
  way === 'up' ? { from: client, to: server } : { from: server, to: client };

const PAIR_MILLIS = 3_000;

type Waiter = { readonly test: () => boolean; readonly done: (seen: boolean) => void };

export class Bench {
  readonly proxy: ChaosProxy;
  /** Ends at the service, in the order of their arrival. */
  readonly accepted: BenchEnd[];
  readonly #server: Server;
  readonly #dialled: BenchEnd[] = [];
  readonly #waiters: Set<Waiter>;

  private constructor(server: Server, proxy: ChaosProxy, accepted: BenchEnd[], waiters: Set<Waiter>) {
    this.#server = server;
    this.proxy = proxy;
    this.accepted = accepted;
    this.#waiters = waiters;
  }

  /** @param seed decides what faults draw, so that a self-test repeats */
  static async open(faults: readonly Fault[], seed: number): Promise<Bench> {
    const accepted: BenchEnd[] = [];
    const waiters = new Set<Waiter>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(new BenchEnd(socket, () => tell(waiters)));
      tell(waiters);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const proxy = await createChaosProxy({ upstream: { host: '127.0.0.1', port }, faults, seed });
    return new Bench(server, proxy, accepted, waiters);
  }

  dial(): BenchEnd {
    const socket = connect({ host: '127.0.0.1', port: this.proxy.port, allowHalfOpen: true });
    const end = new BenchEnd(socket, () => tell(this.#waiters));
    this.#dialled.push(end);
    return end;
  }

  /** Dials once. @throws Error when the service hears nothing of it in three seconds */
  async pair(): Promise<Pair> {
    const before = this.accepted.length;
    const client = this.dial();
    await this.until(() => this.accepted.length > before, PAIR_MILLIS);
    const server = this.accepted[before];
    if (server === undefined) throw new Error('a connection did not get through the link');
    return { client, server };
  }

  async pairs(count: number): Promise<readonly Pair[]> {
    const pairs: Pair[] = [];
    for (let n = 0; n < count; n++) pairs.push(await this.pair());
    return pairs;
  }

  /** Waits until it is so, at most this long. @returns whether it came true */
  until(test: () => boolean, millis: number): Promise<boolean> {
    if (test()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        test,
        done: (seen) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(seen);
        },
      };
      const timer = setTimeout(() => waiter.done(test()), millis);
      this.#waiters.add(waiter);
    });
  }

  /** What the receipts of the link's faults say of one effect. */
  booked(effect: string): number {
    return this.proxy.receipts().reduce((sum, { numbers }) => sum + (numbers[effect] ?? 0), 0);
  }

  async close(): Promise<void> {
    for (const end of [...this.#dialled, ...this.accepted]) end.destroy();
    for (const waiter of this.#waiters) waiter.done(false);
    await this.proxy.close();
    this.#server.close();
  }
}

const tell = (waiters: Set<Waiter>): void => {
  for (const waiter of waiters) if (waiter.test()) waiter.done(true);
};
