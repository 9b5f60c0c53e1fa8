import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connNames, NodeDriver, type NodeDriverOptions } from '../drivers/node.ts';
import { randomId } from './random-id.ts';
import type { RelayLimits } from './relay/limits.ts';
import type { PortRange } from './relay/port-lease.ts';
import { RelayMachine } from './relay/relay-machine.ts';
import type { RelayCommand, RelayReport } from './relay/relay-report.ts';

/** Waits for a promise, but not for ever. */
export const within = async <T>(millis: number, what: string, promise: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not within ${millis} ms: ${what}`)), millis);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** Looks until something holds, with a deadline: for what a relay knows but does not say. */
export const eventually = async (what: string, holds: () => boolean, millis = 5_000): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = setInterval(() => holds() && resolve(), 5);
  try {
    await within(millis, what, promise);
  } finally {
    clearInterval(look);
  }
};

/** Bytes that tell where they belong. */
export const patterned = (length: number, key: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * key) & 255;
  return bytes;
};

/** One end of a raw connection, half-close kept. Everything it hears is held until it is asked for. */
export class Peer {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #waiting = new Set<() => void>();
  /** How their half ended: undefined while it is open. */
  end: 'fin' | 'rst' | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.#wake();
    });
    socket.on('end', () => this.#over('fin'));
    socket.on('error', () => this.#over('rst'));
    socket.on('close', () => this.#over('rst'));
  }

  static async dial(port: number, host = '127.0.0.1'): Promise<Peer> {
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
    const peer = new Peer(socket);
    await within(5_000, `connect to ${port}`, once(socket, 'connect'));
    return peer;
  }

  /** Dials and sends at once. */
  static async say(port: number, text: string): Promise<Peer> {
    const peer = await Peer.dial(port);
    peer.socket.write(Buffer.from(text, 'latin1'));
    return peer;
  }

  get heard(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Takes one line that was heard, or will be. */
  async line(): Promise<string> {
    await this.until('a line', () => this.heard.includes(10));
    const all = this.heard;
    const at = all.indexOf(10);
    this.#chunks.splice(0, this.#chunks.length, all.subarray(at + 1));
    return all.subarray(0, at).toString('latin1');
  }

  async bytes(count: number): Promise<Buffer> {
    await this.until(`${count} bytes`, () => this.heard.length >= count);
    return this.heard;
  }

  /** Resolves with how their half ended. */
  async over(millis = 10_000): Promise<'fin' | 'rst'> {
    await this.until('the end', () => this.end !== undefined, millis);
    return this.end as 'fin' | 'rst';
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  async until(what: string, holds: () => boolean, millis = 10_000): Promise<void> {
    while (!holds()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await within(millis, `${what} (heard ${this.heard.length} bytes, end ${this.end})`, promise);
    }
  }

  #over(how: 'fin' | 'rst'): void {
    this.end ??= how;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** A service on a port of its own; hands every connection over. */
export const openService = async (serve: (peer: Peer) => void): Promise<{ port: number; server: Server }> => {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => serve(new Peer(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
};

export type LiveRelay = {
  readonly port: number;
  readonly machine: RelayMachine;
  readonly driver: NodeDriver<RelayReport, RelayCommand>;
  readonly reports: readonly RelayReport[];
};

/** A relay over real sockets in this process. */
export const openRelay = async (
  limits: Partial<RelayLimits> = {},
  publicPorts?: PortRange,
  options: Pick<NodeDriverOptions<RelayReport>, 'yamux'> = {},
): Promise<LiveRelay> => {
  const name = connNames();
  const machine = new RelayMachine({ port: 0, limits, newId: randomId, name, publicPorts });
  const { promise, resolve } = Promise.withResolvers<number>();
  const reports: RelayReport[] = [];
  const driver = new NodeDriver<RelayReport, RelayCommand>(machine, {
    ...options,
    name,
    report: (event) => {
      reports.push(event);
      if (event.type === 'relay.listening') resolve(event.port);
    },
  });
  driver.start();
  return { port: await within(5_000, 'relay is listening', promise), machine, driver, reports };
};

/** Whether nobody listens on this port of loopback. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/** Ports in a row that nobody uses, below those that the system gives to dials: other tests' connections take those at any time. */
export const freeRange = async (length: number): Promise<PortRange> => {
  for (let from = 12_000 + ((process.pid * 37) % 18_000); from < 32_000; from += length) {
    const ports = Array.from({ length }, (_, i) => from + i);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return { from, to: from + length - 1 };
  }
  throw new Error(`no ${length} free ports in a row below 32000`);
};
