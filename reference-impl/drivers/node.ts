/** The node driver: one machine over real sockets and real time. Contract: machine/machine.ts. */
import type { Socket } from 'node:net';
import type {
  CommandInput,
  Conn,
  Listener,
  Machine,
  Millis,
  NameConn,
  NetInput,
  NetMachine,
  NetOutput,
} from '../machine/machine.ts';
import { Fifo } from './fifo.ts';
import { NodeAlarm } from './node-alarm.ts';
import { probeOnread } from './node-handle.ts';
import { NodeListeners } from './node-listeners.ts';
import { NodeSessions, type SessionChoices } from './node-sessions.ts';
import { type ConnCommand, NodeSockets } from './node-sockets.ts';
import { spliceSockets, tunnelOf } from './splice.ts';
import { SpliceIdle, type Tunnel } from './splice-idle.ts';
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
  readonly yamux?: SessionChoices;
};

/** Names 1, 2, 3, ...: one well for a driver and its machine. */
export const connNames = (): NameConn => {
  let last = 0;
  return () => ++last;
};

/**
 * Runs one machine. Inputs are handed over one at a time in the order they happened, never from within an output. `report` and
 * `watch` are called in between and may call any method but must not throw.
 */
export class NodeDriver<Report, Command = never> {
  readonly #machine: Machine<NetInput | CommandInput<Command>, NetOutput<Report>>;
  readonly #options: NodeDriverOptions<Report>;
  readonly #listeners: NodeListeners;
  readonly #sockets: NodeSockets;
  readonly #sessions: NodeSessions;
  readonly #alarm: NodeAlarm;
  readonly #idleAlarm: NodeAlarm;
  readonly #idleSplices = new SpliceIdle();
  readonly #queue = new Fifo<NetInput | CommandInput<Command>>();
  readonly #clock: () => Millis;
  #idle: (() => void)[] = [];
  #fast = false;
  #busy = false;
  #destroyed = false;
  #started = false;
  #last: Millis = 0;

  constructor(machine: NetMachine<Report, Command>, options: NodeDriverOptions<Report>) {
    this.#machine = machine;
    this.#options = options;
    const epoch = performance.now();
    this.#clock = options.clock ?? (() => performance.now() - epoch);
    this.#alarm = new NodeAlarm(this.#now, () => this.#feed({ type: 'deadline' }));
    const lookAtSplices = (): void => {
      this.#idleSplices.look(this.#now());
      this.#idleAlarm.set(this.#idleSplices.next());
    };
    // their sockets hold the process already
    this.#idleAlarm = new NodeAlarm(this.#now, lookAtSplices, false);
    const input = (happened: NetInput) => this.#feed(happened);
    const { watch, name, yamux } = options;
    this.#listeners = new NodeListeners(options.bind ?? '127.0.0.1', {
      input,
      accepted: (listener, socket) => this.#accepted(listener, socket),
      note: (text) => options.note?.(text),
      closed: () => this.#settle(),
    });
    this.#sockets = new NodeSockets({
      watch,
      input,
      now: this.#now,
      gone: () => this.#settle(),
      sessionGone: (end) => this.#sessions.gone(end),
    });
    this.#sessions = new NodeSessions({
      watch,
      name,
      yamux,
      input,
      now: this.#now,
      fast: () => this.#fast,
      ready: () => {
        if (!this.#busy) this.#drain();
      },
      dismiss: (end) => {
        end.silent = true;
        this.#sockets.linger(end);
      },
    });
  }

  /** Connections and streams that are not over, dials and lingering ones included. */
  get connections(): number {
    return this.#sockets.size + this.#sessions.streams;
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
    this.#idleAlarm.set(undefined);
    this.#listeners.closeAll();
    this.#sessions.destroy();
    this.#sockets.destroy();
    this.#settle();
  }

  /** Resolves when there is no connection and no listener (the machine may still wait for a deadline). */
  whenIdle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    this.#settle();
    return promise;
  }

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
      while (!this.#destroyed) {
        const input = this.#queue.shift();
        if (input !== undefined) {
          this.#deliver(input);
          continue;
        }
        const spoken = this.#sessions.take();
        if (spoken === undefined) break;
        this.#deliver(spoken);
        this.#sessions.taken(spoken);
      }
    } finally {
      this.#busy = false;
    }
    if (this.#destroyed) return;
    this.#alarm.set(this.#machine.deadline());
    this.#settle();
  }

  #deliver(input: NetInput | CommandInput<Command>): void {
    const now = this.#now();
    for (const output of this.#machine.handle(now, input)) {
      if (this.#destroyed) return;
      this.#perform(output, now);
    }
  }

  /** @param now when the machine decided it: performing an output may ask the clock again (a session that is reset does) */
  #perform(output: NetOutput<Report>, now: Millis): void {
    switch (output.type) {
      case 'report':
        this.#options.report(output.event, now);
        return;
      case 'listen':
        this.#listeners.listen(output.listener, output.host, output.port);
        return;
      case 'unlisten':
        this.#listeners.unlisten(output.listener);
        return;
      case 'connect':
        this.#sockets.dial(output.conn, output.to, output.from);
        return;
      case 'open':
        this.#sessions.open(output);
        return;
      case 'splice':
        this.#splice(output.a, output.b, output.idleMillis);
        return;
      case 'mux': {
        const end = this.#sockets.live(output.conn);
        if (end !== undefined && end.taker === undefined) this.#sessions.mux(end, output);
        return;
      }
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

  #performOn(output: ConnCommand): void {
    if (this.#sessions.isStream(output.conn)) {
      this.#sessions.performOnStream(output);
      return;
    }
    const end = this.#sockets.live(output.conn);
    if (end === undefined || this.#sessions.performOnSession(output)) return;
    // a splice is the driver's; only its owner's reset breaks it
    const spliced = end.taker !== undefined && !this.#sessions.has(output.conn);
    if (!spliced || output.type === 'reset') this.#sockets.perform(end, output);
  }

  #splice(a: Conn, b: Conn, idleMillis: Millis | undefined): void {
    const [first, second] = [this.#sockets.live(a), this.#sockets.live(b)];
    // a connection that is spliced already, or a session, cannot be spliced
    if (first?.taker !== undefined || second?.taker !== undefined) return;
    let tunnel: Tunnel | undefined;
    if (first !== undefined && second !== undefined) {
      spliceSockets(first, second, this.#fast);
      if (idleMillis !== undefined) tunnel = tunnelOf(first, second);
    } else tunnel = this.#sessions.splice(a, b, first, second);
    if (tunnel === undefined) return;
    this.#idleSplices.watch(this.#last, idleMillis, tunnel);
    this.#idleAlarm.set(this.#idleSplices.next());
  }

  #accepted(listener: Listener, socket: Socket): void {
    const conn = this.#options.name();
    const from = this.#sockets.accept(conn, socket);
    this.#feed({ type: 'accepted', conn, listener, from });
  }

  #settle(): void {
    if (this.#idle.length === 0 || this.connections > 0 || this.#listeners.open > 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}
