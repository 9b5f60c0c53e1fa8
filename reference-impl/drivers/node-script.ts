/** For tests of the node driver: scripted machines whose inputs can be awaited, and plain sockets that remember what they saw. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Conn, NameConn, NetInput } from '../machine/machine.ts';
import { connNames, NodeDriver, type NodeDriverOptions } from './node.ts';
import { type Answer, type Does, Script } from './sim-script.ts';

/** Long enough for a busy machine, short enough to fail a test in time. */
const PATIENCE_MILLIS = 10_000;

/** Rejects with what was waited for when it does not come. */
export const within = async <Value>(what: string, promise: Promise<Value>, millis = PATIENCE_MILLIS) => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${millis} ms for ${what}`)), millis);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

type Of<Type extends NetInput['type']> = Extract<NetInput, { readonly type: Type }>;

/** A script under a node driver of its own. */
export class NodeScript {
  readonly script: Script;
  readonly driver: NodeDriver<string, Does>;
  readonly name: NameConn;
  readonly reports: string[] = [];
  readonly notes: string[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(
    answer: (name: NameConn) => Answer,
    options: Partial<NodeDriverOptions<string>> = {},
    name = connNames(),
  ) {
    this.name = name;
    this.script = new Script(answer(name));
    const { script } = this;
    const machine = {
      handle: (...input: Parameters<Script['handle']>) => {
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
        return script.handle(...input);
      },
      deadline: () => script.deadline(),
    };
    this.driver = new NodeDriver<string, Does>(machine, {
      name,
      report: (event) => this.reports.push(event),
      note: (text) => this.notes.push(text),
      ...options,
    });
    this.driver.start();
  }

  /** The inputs of one type, in order; about one connection if it is given. */
  all<Type extends NetInput['type']>(type: Type, conn?: Conn): Of<Type>[] {
    return this.script.heard
      .map(({ input }) => input)
      .filter((input): input is Of<Type> => input.type === type)
      .filter((input) => conn === undefined || ('conn' in input && input.conn === conn));
  }

  /** Waits until `found` answers something. */
  async until<Value>(what: string, found: () => Value | undefined): Promise<Value> {
    const search = async (): Promise<Value> => {
      for (;;) {
        const value = found();
        if (value !== undefined) return value;
        await this.#changed.promise;
      }
    };
    try {
      return await within(what, search());
    } catch (error) {
      throw new Error(`${String(error)}; heard: ${this.script.lines.join(' | ')}`);
    }
  }

  /** Waits for the `nth` input of a type, about one connection if it is given. */
  hears<Type extends NetInput['type']>(type: Type, conn?: Conn, nth = 0): Promise<Of<Type>> {
    return this.until(`${type} ${conn ?? ''}`, () => this.all(type, conn)[nth]);
  }

  async port(): Promise<number> {
    return (await this.hears('listening')).port;
  }

  do(...outputs: Does): void {
    this.driver.tell(outputs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.driver.destroy();
    await within('an idle driver', this.driver.whenIdle());
  }
}

/** A plain socket of the outside world and what it saw. */
export class Peer {
  readonly socket: Socket;
  received = 0;
  text = '';
  readonly ended: Promise<void>;
  /** How it ended: `end`, or Node's error code. */
  readonly closed: Promise<string>;
  #code = 'end';
  #more = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    this.ended = new Promise((resolve) => socket.once('end', resolve));
    this.closed = new Promise((resolve) => socket.once('close', () => resolve(this.#code)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#code = error.code ?? 'error';
    });
    socket.on('data', (bytes) => {
      this.received += bytes.length;
      if (this.text.length < 1_000) this.text += bytes.toString('latin1');
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    });
  }

  /** Waits for so many bytes in all. @throws Error when it closes before */
  async gets(bytes: number): Promise<void> {
    const read = async () => {
      while (this.received < bytes) {
        const closed = await Promise.race([this.#more.promise, this.closed]);
        if (closed !== undefined && this.received < bytes)
          throw new Error(`closed (${closed}) after ${this.received} of ${bytes} bytes`);
      }
    };
    await within(`${bytes} bytes (${this.received} came)`, read());
  }
}

/** Dials from the outside world. An RST can be quicker than the news of the connection. */
export const dial = async (port: number): Promise<Peer> => {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const peer = new Peer(socket);
  const connected = new Promise((resolve) => socket.once('connect', resolve));
  await within('a connection', Promise.race([connected, peer.closed]));
  return peer;
};

/** A listener of the outside world. */
export class Outside {
  readonly #server: Server;
  readonly port: number;
  readonly #peers: Peer[] = [];
  #came = Promise.withResolvers<void>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', (socket) => {
      this.#peers.push(new Peer(socket));
      this.#came.resolve();
      this.#came = Promise.withResolvers();
    });
  }

  static async open(): Promise<Outside> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await within('a listener', new Promise((resolve) => server.once('listening', resolve)));
    return new Outside(server);
  }

  /** The oldest connection not yet taken. */
  async accept(): Promise<Peer> {
    const taking = async () => {
      for (;;) {
        const peer = this.#peers.shift();
        if (peer !== undefined) return peer;
        await this.#came.promise;
      }
    };
    return within('a caller', taking());
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const { socket } of this.#peers) socket.destroy();
  }
}

/** A port nobody listens on. */
export const deadPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await within('a listener', new Promise((resolve) => server.once('listening', resolve)));
  const { port } = server.address() as { port: number };
  server.close();
  await within('its end', new Promise((resolve) => server.once('close', resolve)));
  return port;
};

/** Bytes that differ by position and seed. */
export const pattern = (length: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) + seed) & 255;
  return bytes;
};

/** Listens on start and answers further inputs by `more`. */
export const listening =
  (more: Answer = () => undefined): ((name: NameConn) => Answer) =>
  () =>
  (input, now) =>
    input.type === 'start' ? [{ type: 'listen', listener: 1, port: 0, host: undefined }] : more(input, now);
