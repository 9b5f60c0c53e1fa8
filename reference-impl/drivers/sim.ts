/**
 * The simulator: every machine of a world under one clock, one queue and one seed, with no real time, no sockets and no
 * chance in it. Same machines, same commands: the same events to the bit, whatever the process, locale or heap.
 */
import type { Conn, Millis, NameConn, NetInput, NetMachine } from '../machine/machine.ts';
import type { YamuxOptions } from '../yamux/options.ts';
import { YamuxSession } from '../yamux/session.ts';
import { Buckets } from './queue.ts';
import type { Border } from './sim-border.ts';
import * as event from './sim-event.ts';
import { type AnyMachine, type HostLink, Place, SimHost } from './sim-host.ts';
import { SimMachines } from './sim-machines.ts';
import { type NewSession, SimMux } from './sim-mux.ts';
import type { Patience } from './sim-path.ts';
import { SimTcp } from './sim-tcp.ts';
import type { WireWatch } from './watch.ts';

export type SimOptions = Partial<Patience> & {
  /** For the random streams of the machines (`rngFor(sim.seed, name)`); the simulator itself draws nothing. */
  readonly seed: number;
  /** How its yamux sessions behave; keepalive is the machine's word. */
  readonly yamux?: Pick<YamuxOptions, 'windowBytes' | 'streamsMax' | 'pongMillis'>;
};

export type SimHostOptions<Report> = {
  /** Default: a place of its own. Hosts of one place reach each other in no time and whatever is cut. */
  readonly place?: string;
  readonly report?: (event: Report, now: Millis) => void;
  readonly watch?: WireWatch;
  /** Default: no latency but the 1 ms between places, no limit. */
  readonly link?: HostLink;
  /** A second address of the host: others may dial it by this too. */
  readonly bind?: string;
};

/** What an auditor may read of a host. All zero: nothing was leaked. */
export type SimBooks = {
  /** Open connection ends, dials included. */
  readonly conns: number;
  readonly listeners: number;
  /** Streams of its yamux sessions. */
  readonly streams: number;
  /** Payload it has not sent or not read yet. */
  readonly heldBytes: number;
};

const START: NetInput = Object.freeze({ type: 'start' });
const KIND_MASK = (1 << event.EVENT_BITS) - 1;

export class Sim {
  readonly seed: number;
  /** How many events have been performed. */
  events = 0;
  readonly #queue = new Buckets();
  readonly #hosts: (SimHost | undefined)[] = [];
  readonly #byAddress = new Map<string, SimHost>();
  readonly #places = new Map<string, Place>();
  readonly #machines: SimMachines;
  readonly #tcp: SimTcp;
  readonly #mux: SimMux;
  readonly #calls: ((() => void) | undefined)[] = [];
  readonly #freeCalls: number[] = [];
  #running = false;

  constructor(options: SimOptions) {
    this.seed = options.seed;
    const post = (at: Millis, kind: event.EventKind, target: number): void =>
      this.#queue.push(at, (target << event.EVENT_BITS) | kind);
    this.#machines = new SimMachines(
      post,
      () => this.#tcp,
      () => this.#mux,
    );
    const agenda: event.Agenda = { post, feed: (now, host, input) => this.#machines.feed(now, host, input) };
    const session: NewSession = (role) => new YamuxSession({ ...options.yamux, role, keepaliveMillis: 0 });
    this.#mux = new SimMux(agenda, session, this.name, () => this.#tcp);
    const patience = {
      connectTimeoutMillis: options.connectTimeoutMillis ?? 127_000,
      retransmitTimeoutMillis: options.retransmitTimeoutMillis ?? 924_600,
      keepaliveProbesMillis: options.keepaliveProbesMillis ?? 10_000,
    };
    this.#tcp = new SimTcp(agenda, patience, this.#mux, (address) => this.#byAddress.get(address));
  }

  /** Whole milliseconds since the beginning of the world. */
  get now(): Millis {
    return this.#queue.now;
  }

  /** The well of connection numbers that every machine of this world draws from. */
  readonly name: NameConn = (): Conn => this.#tcp.name();

  /**
   * Puts a machine into the world; its `start` is the next thing it hears.
   * @param host unique; others dial it by this name
   * @throws Error when the name or `bind` is taken
   */
  add<Report, Command>(
    host: string,
    machine: NetMachine<Report, Command>,
    options: SimHostOptions<Report> = {},
  ): SimHost {
    const added = new SimHost(
      this.#hosts.length,
      host,
      this.#place(options.place ?? host),
      machine as AnyMachine,
      {
        link: options.link,
        bind: options.bind,
        watch: options.watch,
        report: options.report as ((event: unknown, now: Millis) => void) | undefined,
      },
    );
    for (const address of addressesOf(added))
      if (this.#byAddress.has(address)) throw new Error(`two hosts called ${address} in one simulation`);
    this.#hosts.push(added);
    for (const address of addressesOf(added)) this.#byAddress.set(address, added);
    this.#machines.feedLater(this.now, added, START);
    return added;
  }

  /** Everything that passes the border of a place from now on is asked of this. @throws Error when it has one already */
  border(place: string, border: Border): void {
    const bordered = this.#place(place);
    if (bordered.border !== undefined) throw new Error(`place ${place} has a border already`);
    bordered.border = border;
  }

  /** Gives a host's machine the input `command`, at this instant but after what is due before. */
  tell<Command>(host: string, command: Command): void {
    this.#machines.feedLater(this.now, this.host(host), { type: 'command', command });
  }

  /** Gives a host's machine the input `stop`. It goes on existing: `remove` it when it is done. */
  stop(host: string): void {
    this.#machines.feedLater(this.now, this.host(host), { type: 'stop' });
  }

  /** The machine dies at once. `reset`: its kernel answers RST from now on; `silent`: nobody answers any more. */
  crash(host: string, how: 'reset' | 'silent'): void {
    const died = this.host(host);
    this.#mux.drop(died);
    this.#tcp.drop(this.now, died, how === 'reset');
    died.unlistenAll();
    died.alive = false;
    died.armedAt = -1;
    if (how === 'silent') this.#tcp.paths.vanish(this.now, died);
  }

  /** A new machine on a crashed host; one that still runs is crashed (`reset`) first. */
  restart<Report, Command>(host: string, machine: NetMachine<Report, Command>): void {
    const back = this.host(host);
    if (back.alive) this.crash(host, 'reset');
    this.#tcp.paths.reappear(this.now, back);
    back.machine = machine as AnyMachine;
    back.alive = true;
    this.#machines.feedLater(this.now, back, START);
  }

  /** Crashes (`reset`) the host and forgets its name: dials to it are unreachable. */
  remove(host: string): void {
    const gone = this.host(host);
    this.crash(host, 'reset');
    this.#tcp.paths.reappear(this.now, gone);
    for (const address of addressesOf(gone)) this.#byAddress.delete(address);
    this.#hosts[gone.index] = undefined;
  }

  /**
   * Nothing passes the border of a place until `restore`: what is sent waits and is sent again after it, on TCP's schedule
   * (0.2, 0.6, 1.4, ... s after it was sent first); dials, acknowledgements and keepalives run into their timeouts.
   */
  cut(place: string): void {
    this.#tcp.paths.cut(this.now, this.#place(place));
  }

  restore(place: string): void {
    this.#tcp.paths.restore(this.now, this.#place(place));
  }

  /** Payload that a cut of this place holds at the moment. */
  stalledBytes(place: string): number {
    return this.#tcp.paths.stalledBytes(this.#place(place));
  }

  /** @throws Error when there is none of this name */
  host(name: string): SimHost {
    const host = this.#byAddress.get(name);
    if (host === undefined) throw new Error(`no host ${name} in this simulation`);
    return host;
  }

  audit(host: string): SimBooks {
    const audited = this.host(host);
    return {
      conns: audited.conns,
      listeners: audited.listeners,
      streams: this.#mux.streamsOf(audited),
      heldBytes: this.#tcp.heldBytes(audited),
    };
  }

  /** Calls at a time (now, if that is past; the next whole millisecond), in the order of asking among equal times. */
  at(time: Millis, call: () => void): void {
    const slot = this.#freeCalls.pop() ?? this.#calls.length;
    this.#calls[slot] = call;
    const at = time > this.now ? Math.ceil(time) : this.now;
    this.#queue.push(at, (slot << event.EVENT_BITS) | event.CALL);
  }

  after(millis: Millis, call: () => void): void {
    this.at(this.now + millis, call);
  }

  /** Performs everything that is due up to and including this time, and leaves the clock there. */
  run(untilMillis: Millis): void {
    this.runUntil(() => false, untilMillis);
  }

  /**
   * Performs events until the predicate holds (it is asked before the first and after each), or time is up.
   * @returns whether it holds; if not, the clock is at the limit
   */
  runUntil(predicate: () => boolean, limitMillis: Millis): boolean {
    if (this.#running) throw new Error('the simulation runs already: use at() or after() from inside it');
    this.#running = true;
    try {
      if (predicate()) return true;
      for (
        let at = this.#queue.nextTime();
        at !== undefined && at <= limitMillis;
        at = this.#queue.nextTime()
      ) {
        const next = this.#queue.pop();
        this.events++;
        this.#step(at, next & KIND_MASK, next >>> event.EVENT_BITS);
        if (predicate()) return true;
      }
      if (Number.isFinite(limitMillis)) this.#queue.advance(Math.floor(limitMillis));
      return false;
    } finally {
      this.#running = false;
    }
  }

  #place(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = new Place(name);
      this.#places.set(name, place);
    }
    return place;
  }

  #step(now: Millis, kind: event.EventKind, target: number): void {
    const tcp = this.#tcp;
    switch (kind) {
      case event.WAKE:
        this.#machines.wake(now, this.#hosts[target]);
        break;
      case event.CALL:
        this.#call(target);
        break;
      case event.SYN:
        tcp.synArrived(now, target);
        break;
      case event.SYN_ACK:
        tcp.connected(now, target);
        break;
      case event.REFUSED:
        tcp.close(now, target, 'refused');
        break;
      case event.UNREACHABLE:
        tcp.close(now, target, 'unreachable');
        break;
      case event.CHUNK:
        tcp.flow.chunkArrived(now, target);
        break;
      case event.RST:
        tcp.close(now, target, 'reset');
        break;
      case event.FINISHED:
        tcp.finished(now, target);
        break;
      case event.FLUSHED:
        tcp.flow.flushed(now, target);
        break;
      case event.DRAIN:
        tcp.drain(now, target);
        break;
      case event.WINDOW_OPEN:
        tcp.flow.windowOpened(now, target);
        break;
      case event.RETRY:
        tcp.retry(now, target);
        break;
      case event.EXPIRE:
        tcp.expire(now, target);
        break;
      case event.PROBED:
        tcp.probed(now, target);
        break;
      case event.LINGERED:
        tcp.lingered(now, target);
        break;
      case event.MUX_TURN:
        this.#mux.turn(now, target);
        break;
      case event.MUX_WAKE:
        this.#mux.wake(now, target);
        break;
      case event.LOOK:
        tcp.splices.look(now);
        break;
      case event.INPUT:
        this.#machines.inputDue(now);
        break;
    }
  }

  #call(slot: number): void {
    const call = this.#calls[slot];
    this.#calls[slot] = undefined;
    this.#freeCalls.push(slot);
    call?.();
  }
}

const addressesOf = (host: SimHost): readonly string[] =>
  host.bind === undefined || host.bind === host.name ? [host.name] : [host.name, host.bind];
