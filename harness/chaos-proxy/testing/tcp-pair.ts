import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const DEADLINE_MILLIS = 20_000;

/** Rejects when `promise` does not settle in time: a test waits for events, never for time to pass. */
export const within = async <T>(promise: Promise<T>, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in time`)), DEADLINE_MILLIS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** One end of a TCP connection that writes down everything it sees. */
export class End {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  /** What came, in order: `data`, `fin`, `rst`, `close`. */
  readonly log: string[] = [];
  readonly closed: Promise<void>;
  readonly ended: Promise<void>;
  received = 0;
  #wanted: { readonly bytes: number; readonly resolve: () => void } | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (this.log.at(-1) !== 'data') this.log.push('data');
      this.#chunks.push(chunk);
      this.received += chunk.length;
      if (this.#wanted !== undefined && this.received >= this.#wanted.bytes) this.#wanted.resolve();
    });
    this.ended = new Promise((resolve) => {
      socket.on('end', () => {
        this.log.push('fin');
        resolve();
      });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.log.push(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'rst' : String(error.code));
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.log.push('close');
        resolve();
      });
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Resolves once this many bytes came in all. */
  has(bytes: number): Promise<void> {
    if (this.received >= bytes) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wanted = { bytes, resolve };
    });
  }
}

/** A TCP service whose accepted ends a test takes one by one. */
export class Service {
  readonly server: Server;
  readonly #ends: End[] = [];
  #waiting: ((end: End) => void) | undefined;

  private constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket) => {
      const end = new End(socket);
      if (this.#waiting === undefined) this.#ends.push(end);
      else this.#waiting(end);
      this.#waiting = undefined;
    });
  }

  static async start(): Promise<Service> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Service(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  accepted(): Promise<End> {
    const end = this.#ends.shift();
    if (end !== undefined) return Promise.resolve(end);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Dials `port` (the service itself or a proxy before it): both ends of one connection. */
  async pair(port: number): Promise<{ readonly user: End; readonly service: End }> {
    const user = dial(port);
    return { user, service: await within(this.accepted(), 'connection at the service') };
  }

  close(): void {
    this.server.close();
  }
}

/** Dials a port of this machine. */
export const dial = (port: number): End =>
  new End(connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }));
