/** The node driver: one machine over real sockets and real time. Contract: machine/machine.ts; start here, then node-end.ts. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type {
  Address,
  CommandInput,
  Conn,
  Machine,
  Millis,
  NameConn,
  NetInput,
  NetMachine,
  NetOutput,
} from '../machine/machine.ts';
import { Timeouts } from '../machine/timeouts.ts';
import type { YamuxOptions } from '../yamux/options.ts';
import { YamuxSession } from '../yamux/session.ts';
import { Fifo } from './fifo.ts';
import { LINGER_MILLIS } from './linger.ts';
import { MuxBinding } from './mux.ts';
import { Carrier } from './mux-node.ts';
import type { MuxCommand } from './mux-vocabulary.ts';
import { NodeAlarm } from './node-alarm.ts';
import { TcpEnd } from './node-end.ts';
import { probeOnread } from './node-handle.ts';
import { keepAlive } from './node-keepalive.ts';
import { NodeListeners } from './node-listeners.ts';
import { whyOf } from './node-why.ts';
import { spliceSockets } from './splice.ts';
import { Joint, socketSide, streamSide } from './splice-mux.ts';
import type { WireWatch } from './watch.ts';

export type NodeDriverOptions<Report> = {
  /** The well the machine names its dials from: accepted ends and streams are named out of the same one. */
  readonly name: NameConn;
  readonly report: (event: Report, now: Millis) => void;
  /** Where `listen` without a host binds. Default 127.0.0.1. */
  readonly bind?: string;
  /** Bulk tunnels read into reused buffers (needs one private touch of Node, probed once). Default true. */
  readonly fastSplice?: boolean;
  /** Milliseconds that never go back; default: since construction. Fractions are cut off. */
  readonly clock?: () => Millis;
  readonly watch?: WireWatch;
  /** Something the operator may want to know: an accept that failed, fast splice not to be had. */
  readonly note?: (text: string) => void;
  /** How its yamux sessions behave; keepalive is the machine's word. */
  readonly yamux?: Pick<YamuxOptions, 'windowBytes' | 'streamsMax' | 'pongMillis'>;
};

/** Names 1, 2, 3, ...: one well for a driver and its machine. */
export const connNames = (): NameConn => {
  let last = 0;
  return () => ++last;
};

export class NodeDriver<Report, Command = never> {
  readonly #machine: Machine<NetInput | CommandInput<Command>, NetOutput<Report>>;
  readonly #options: NodeDriverOptions<Report>;
  readonly #listeners: NodeListeners;
  readonly #alarm: NodeAlarm;
  readonly #ends = new Map<Conn, TcpEnd>();
  readonly #carriers = new Map<Conn, Carrier>();
  readonly #streams = new Map<Conn, Carrier>();
  /** Splices with a stream in them, under both ends. */
  readonly #joints = new Map<Conn, Joint>();
  readonly #queue = new Fifo<NetInput | CommandInput<Command>>();
  readonly #ready = new Set<Carrier>();
  readonly #lingering = new Timeouts<TcpEnd>(LINGER_MILLIS);
  readonly #lingerAlarm: NodeAlarm;
  #flushing: TcpEnd[] = [];
  #idle: (() => void)[] = [];
  #fast = false;
  #busy = false;
  #destroyed = false;
  #started = false;
  #last: Millis = 0;
  readonly #clock: () => Millis;

  constructor(machine: NetMachine<Report, Command>, options: NodeDriverOptions<Report>) {
    this.#machine = machine;
    this.#options = options;
    const epoch = performance.now();
    this.#clock = options.clock ?? (() => performance.now() - epoch);
    this.#alarm = new NodeAlarm(this.#now, () => this.#feed({ type: 'deadline' }));
    this.#lingerAlarm = new NodeAlarm(this.#now, () => this.#stopLingering());
    this.#listeners = new NodeListeners(options.bind ?? '127.0.0.1', {
      input: (input) => this.#feed(input),
      accepted: (listener, socket) => this.#accepted(listener, socket),
      note: (text) => options.note?.(text),
      closed: () => this.#settle(),
    });
  }

  /** Connections and streams that are not over, dials and lingering ones included. */
  get connections(): number {
    return this.#ends.size + this.#streams.size;
  }

  /** Feeds `start`. Once. */
  start(): void {
    if (this.#started) throw new Error('NodeDriver: started twice; a driver runs its machine once');
    this.#started = true;
    if (this.#options.fastSplice !== false) {
      void probeOnread().then((failure) => {
        this.#fast = failure === undefined;
        if (failure !== undefined) this.#options.note?.(`fast splice is not to be had: ${failure}`);
      });
    }
    this.#feed({ type: 'start' });
  }

  /** Feeds `stop`: the machine finishes what it can. */
  stop(): void {
    this.#feed({ type: 'stop' });
  }

  tell(command: Command): void {
    this.#feed({ type: 'command', command });
  }

  /** Resets every connection, closes every listener; the machine hears nothing any more. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#queue.clear();
    this.#alarm.set(undefined);
    this.#lingerAlarm.set(undefined);
    this.#listeners.closeAll();
    for (const carrier of this.#carriers.values()) carrier.stop();
    this.#carriers.clear();
    this.#streams.clear();
    this.#joints.clear();
    this.#ready.clear();
    for (const end of this.#ends.values()) {
      end.silent = true;
      end.taker = undefined;
      end.reset('reset');
    }
    this.#settle();
  }

  /** Resolves when there is no connection and no listener (the machine may still wait for a deadline). */
  whenIdle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    this.#settle();
    return promise;
  }

  // ---- inputs

  readonly #now = (): Millis => {
    const now = Math.floor(this.#clock());
    if (now > this.#last) this.#last = now;
    return this.#last;
  };

  #feed(input: NetInput | CommandInput<Command>): void {
    if (this.#destroyed) return;
    this.#queue.push(input);
    if (!this.#busy) this.#drain();
  }

  /** One input at a time, whatever its outputs bring about. */
  #drain(): void {
    this.#busy = true;
    try {
      for (;;) {
        const input = this.#queue.shift();
        if (input !== undefined) this.#deliver(input);
        else if (!this.#takeFromCarrier()) break;
      }
    } finally {
      this.#busy = false;
    }
    if (!this.#destroyed) this.#alarm.set(this.#machine.deadline());
  }

  /** @returns false when no session has anything to say */
  #takeFromCarrier(): boolean {
    for (const carrier of this.#ready) {
      const input = carrier.binding.next();
      if (input !== undefined) {
        this.#fromCarrier(carrier, input);
        return true;
      }
      this.#ready.delete(carrier);
    }
    return false;
  }

  #fromCarrier(carrier: Carrier, input: NetInput): void {
    if (input.type === 'stream') {
      this.#streams.set(input.conn, carrier);
      this.#options.watch?.opened(input.conn, `session ${input.session}`, 'stream');
    }
    const joint = 'conn' in input ? this.#joints.get(input.conn) : undefined;
    if (joint !== undefined) {
      joint.input(input);
      if (input.type !== 'closed') return;
    }
    this.#watchInput(input);
    if (input.type === 'closed') {
      this.#streams.delete(input.conn);
      this.#joints.delete(input.conn);
      if (this.#carriers.delete(input.conn)) carrier.stop();
    }
    this.#deliver(input);
    if (input.type === 'bytes') carrier.do({ type: 'consumed', conn: input.conn, bytes: input.bytes.length });
    if (input.type === 'closed') this.#settle();
  }

  #watchInput(input: NetInput): void {
    const { watch } = this.#options;
    if (watch === undefined) return;
    if (input.type === 'bytes') watch.bytes(input.conn, 'in', input.bytes);
    else if (input.type === 'ended' && this.#streams.has(input.conn)) watch.ended(input.conn, 'in');
    else if (input.type === 'closed') watch.closed(input.conn, input.why, input.received, input.sent);
  }

  #deliver(input: NetInput | CommandInput<Command>): void {
    for (const output of this.#machine.handle(this.#now(), input)) {
      if (this.#destroyed) return;
      this.#perform(output);
    }
  }

  // ---- outputs

  #perform(output: NetOutput<Report>): void {
    switch (output.type) {
      case 'report':
        this.#options.report(output.event, this.#last);
        return;
      case 'listen':
        this.#listeners.listen(output.listener, output.host, output.port);
        return;
      case 'unlisten':
        this.#listeners.unlisten(output.listener);
        return;
      case 'connect':
        this.#connect(output.conn, output.to, output.from);
        return;
      case 'open':
        this.#open(output);
        return;
      case 'splice':
        this.#splice(output.a, output.b);
        return;
      case 'mux':
        this.#mux(output);
        return;
      case 'send':
      case 'flush':
      case 'end':
      case 'reset':
      case 'close':
      case 'pause':
      case 'resume':
      case 'keepalive':
        this.#performOn(output);
        return;
      default:
        output satisfies never;
    }
  }

  #performOn(output: Exclude<MuxCommand, { readonly type: 'open' }>): void {
    const stream = this.#streams.get(output.conn);
    if (stream !== undefined) {
      this.#performOnStream(stream, output);
      return;
    }
    const end = this.#live(output.conn);
    if (end === undefined) return;
    const carrier = this.#carriers.get(output.conn);
    if (carrier !== undefined && output.type !== 'pause' && output.type !== 'resume') {
      if (output.type === 'reset') this.#options.watch?.reset(output.conn);
      carrier.do({ type: 'output', output });
      if (output.type === 'reset') this.#carriers.delete(output.conn);
      return;
    }
    // a splice is the driver's; only its owner's reset breaks it
    if (end.taker !== undefined && carrier === undefined && output.type !== 'reset') return;
    this.#performOnSocket(end, output);
  }

  #performOnSocket(end: TcpEnd, output: Exclude<MuxCommand, { readonly type: 'open' }>): void {
    switch (output.type) {
      case 'send':
        end.send(output.bytes);
        return;
      case 'flush':
        this.#flush(end);
        return;
      case 'end':
        end.end();
        return;
      case 'reset':
        this.#options.watch?.reset(end.conn);
        end.silent = true;
        end.taker?.failed(end, 'reset');
        end.taker = undefined;
        end.reset('reset');
        return;
      case 'close':
        this.#linger(end);
        return;
      case 'pause':
        end.paused = true;
        end.socket.pause();
        return;
      case 'resume':
        end.paused = false;
        end.socket.resume();
        return;
      case 'keepalive':
        keepAlive(end.socket, output.idleMillis);
        return;
    }
  }

  #performOnStream(carrier: Carrier, output: Exclude<MuxCommand, { readonly type: 'open' }>): void {
    const { conn } = output;
    const joint = this.#joints.get(conn);
    if (joint !== undefined && output.type !== 'reset') return;
    const { watch } = this.#options;
    if (watch !== undefined) {
      if (output.type === 'send') watch.bytes(conn, 'out', output.bytes);
      else if (output.type === 'end' || output.type === 'close') watch.ended(conn, 'out');
      else if (output.type === 'reset') watch.reset(conn);
    }
    if (output.type === 'reset') {
      this.#streams.delete(conn);
      this.#joints.delete(conn);
      joint?.broken(conn);
    }
    carrier.do({ type: 'output', output });
    if (output.type === 'reset') this.#settle();
  }

  /** A connection the machine can still speak about. */
  #live(conn: Conn): TcpEnd | undefined {
    const end = this.#ends.get(conn);
    return end === undefined || end.silent ? undefined : end;
  }

  #connect(conn: Conn, to: Address, from: Address | undefined): void {
    const where: TcpNetConnectOpts = { host: to.host, port: to.port, allowHalfOpen: true, noDelay: true };
    if (from !== undefined) {
      where.localAddress = from.host;
      if (from.port > 0) where.localPort = from.port;
    }
    this.#options.watch?.opened(conn, `${to.host}:${to.port}`, 'dialled');
    try {
      this.#ends.set(conn, new TcpEnd(conn, this, connect(where), false));
    } catch (error) {
      const why = whyOf(error);
      this.#options.watch?.closed(conn, why, 0, 0);
      this.#feed({ type: 'closed', conn, why, received: 0, sent: 0 });
    }
  }

  #accepted(listener: number, socket: Socket): void {
    if (this.#destroyed) {
      socket.resetAndDestroy();
      return;
    }
    const conn = this.#options.name();
    this.#ends.set(conn, new TcpEnd(conn, this, socket, true));
    const from = { host: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    this.#options.watch?.opened(conn, `${from.host}:${from.port}`, 'accepted');
    this.#feed({ type: 'accepted', conn, listener, from });
  }

  #open(output: Extract<MuxCommand, { readonly type: 'open' }>): void {
    const { conn, session } = output;
    this.#options.watch?.opened(conn, `session ${session}`, 'stream');
    const carrier = this.#carriers.get(session);
    if (carrier === undefined) {
      this.#options.watch?.closed(conn, 'refused', 0, 0);
      this.#feed({ type: 'closed', conn, why: 'refused', received: 0, sent: 0 });
      return;
    }
    this.#streams.set(conn, carrier);
    carrier.do({ type: 'output', output });
  }

  #mux(output: Extract<NetOutput<Report>, { readonly type: 'mux' }>): void {
    const { conn, role, early } = output;
    const end = this.#live(conn);
    if (end === undefined || end.taker !== undefined) return;
    const { name, yamux } = this.#options;
    const session = new YamuxSession({ ...yamux, role, keepaliveMillis: 0 });
    const received = end.received - end.socket.readableLength - (early?.length ?? 0);
    const binding = new MuxBinding({ session, carrier: conn, name, received, sent: end.sent });
    const carrier = new Carrier(end, binding, {
      clock: this.#now,
      ready: (spoken) => {
        this.#ready.add(spoken);
        if (!this.#busy) this.#drain();
      },
      dismiss: (over) => {
        over.silent = true;
        this.#linger(over);
      },
    });
    this.#carriers.set(conn, carrier);
    if (early !== undefined && early.length > 0) carrier.do({ type: 'bytes', bytes: early });
    if (end.peerEnded) carrier.do({ type: 'ended' });
  }

  #splice(a: Conn, b: Conn): void {
    const [first, second] = [this.#live(a), this.#live(b)];
    if (first !== undefined && second !== undefined) {
      if (this.#carriers.has(a) || this.#carriers.has(b) || first.taker || second.taker) return;
      spliceSockets(first, second, this.#fast);
      return;
    }
    const [streamA, streamB] = [this.#streams.get(a), this.#streams.get(b)];
    const sideA = first ? socketSide(first) : streamA && streamSide(a, streamA);
    const sideB = second ? socketSide(second) : streamB && streamSide(b, streamB);
    if (sideA === undefined || sideB === undefined) {
      sideA?.cut();
      sideB?.cut();
      return;
    }
    const joint = new Joint(sideA, sideB);
    if (first !== undefined) first.taker = joint;
    if (second !== undefined) second.taker = joint;
    if (streamA !== undefined) this.#joints.set(a, joint);
    if (streamB !== undefined) this.#joints.set(b, joint);
    joint.start({
      a: first?.peerEnded ?? streamA?.binding.peerEnded(a) ?? false,
      b: second?.peerEnded ?? streamB?.binding.peerEnded(b) ?? false,
    });
  }

  // ---- flush, close, end

  #flush(end: TcpEnd): void {
    const { socket } = end;
    if (socket.writableLength === 0 && !socket.connecting) {
      // a turn later: a source that is flushed at once must not starve the sockets
      if (this.#flushing.push(end) === 1) setImmediate(this.#answerFlushes);
    } else if (socket.writableEnded) {
      socket.once('finish', () => this.#flushed(end));
    } else {
      socket.write('', (error) => error ?? this.#flushed(end));
    }
  }

  readonly #answerFlushes = (): void => {
    const flushing = this.#flushing;
    this.#flushing = [];
    for (const end of flushing) this.#flushed(end);
  };

  #flushed(end: TcpEnd): void {
    if (this.#live(end.conn) === end && end.taker === undefined && end.lingering === undefined)
      this.#feed({ type: 'flushed', conn: end.conn });
  }

  #linger(end: TcpEnd): void {
    end.drop();
    this.#lingering.set(this.#now(), end);
    this.#lingerAlarm.set(this.#lingering.next());
  }

  #stopLingering(): void {
    for (const end of this.#lingering.expired(this.#now())) end.socket.destroy();
    this.#lingerAlarm.set(this.#lingering.next());
  }

  /** @internal for `TcpEnd` */
  get watch(): WireWatch | undefined {
    return this.#options.watch;
  }

  /** @internal for `TcpEnd` */
  input(input: NetInput): void {
    this.#feed(input);
  }

  /** @internal for `TcpEnd` */
  gone(end: TcpEnd): void {
    const { conn } = end;
    this.#ends.delete(conn);
    if (end.lingering !== undefined) {
      this.#lingering.cancel(end);
      this.#lingerAlarm.set(this.#lingering.next());
    }
    const carrier = this.#carriers.get(conn);
    if (carrier !== undefined) {
      carrier.closed(end.why);
    } else if (!end.silent) {
      end.silent = true;
      const { why, received, sent } = end;
      this.#options.watch?.closed(conn, why, received, sent);
      this.#feed({ type: 'closed', conn, why, received, sent });
    }
    this.#settle();
  }

  #settle(): void {
    if (this.#idle.length === 0 || this.connections > 0 || this.#listeners.open > 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}

/** An IPv4 peer of a dual-stack listener, as everybody writes it. */
const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
