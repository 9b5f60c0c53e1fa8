import type { Listener, Machine, Millis, NetInput, NetOutput } from '../machine/machine.ts';
import type { Border } from './sim-border.ts';
import type { WireWatch } from './watch.ts';

/** A machine as the simulator holds it, whatever it reports and may be told. */
export type AnyMachine = Machine<
  NetInput | { readonly type: 'command'; readonly command: unknown },
  NetOutput<unknown>
>;

/** A host's line out of its place; it is not used between hosts of one place. */
export type HostLink = {
  /** One way; the latencies of both hosts' lines add up, and are never less than 1 ms in all. */
  readonly latencyMillis: Millis;
  /** Of either direction, shared by all connections of the host. Infinity: no limit. */
  readonly bytesPerMillis: number;
};

/** Where hosts are that reach each other at once and whatever is cut. */
export class Place {
  readonly name: string;
  /** Since when nothing passes its border; -1: it does. */
  cutAt: Millis = -1;
  /** What everything passes that goes in or out. */
  border: Border | undefined;

  constructor(name: string) {
    this.name = name;
  }
}

const PORT_FIRST = 10_000;
const PORT_LAST = 65_535;

/** One machine in the simulated world. To be looked at; the simulator changes it. */
export class SimHost {
  readonly index: number;
  readonly name: string;
  readonly place: Place;
  readonly bind: string | undefined;
  readonly latencyMillis: Millis;
  readonly bytesPerMillis: number;
  readonly report: ((event: unknown, now: Millis) => void) | undefined;
  readonly watch: WireWatch | undefined;
  machine: AnyMachine;
  /** A machine runs here. */
  alive = true;
  /** Since when not even a kernel answers; -1: one does. */
  vanishedAt: Millis = -1;
  /** Open connection ends, dials included. */
  conns = 0;
  /** When the alarm rings that is set; -1: none is. */
  armedAt: Millis = -1;
  /** A later alarm that was set before an earlier one was wanted, and will ring as well; -1: none is known. */
  laterAt: Millis = -1;
  /** How often in a row it wanted to be woken at the very instant it was woken. */
  spins = 0;
  /** When the line is free again, with fractions of a millisecond: a rate is exact over time. */
  outFreeAt = 0;
  inFreeAt = 0;
  #byPort: Map<number, Listener> | undefined;
  #byListener: Map<Listener, number> | undefined;
  #portNext = PORT_FIRST;

  constructor(index: number, name: string, place: Place, machine: AnyMachine, options: HostOptions) {
    this.index = index;
    this.name = name;
    this.place = place;
    this.machine = machine;
    this.bind = options.bind;
    this.latencyMillis = options.link?.latencyMillis ?? 0;
    this.bytesPerMillis = options.link?.bytesPerMillis ?? Number.POSITIVE_INFINITY;
    this.report = options.report;
    this.watch = options.watch;
  }

  get listeners(): number {
    return this.#byPort?.size ?? 0;
  }

  listenerOn(port: number): Listener | undefined {
    return this.#byPort?.get(port);
  }

  /**
   * @param port 0: the next free one of 10,000 to 65,535, upwards from the one given last and once round, so that a port
   *   given back is not given again at once
   * @returns the port, or why not
   */
  listen(listener: Listener, port: number): number | 'in use' | 'denied' | 'exhausted' {
    if (this.#byListener?.has(listener) === true)
      throw new Error(`${this.name} listens twice as listener ${listener}: a listener's number is used once`);
    if (!(port >= 0 && port <= PORT_LAST)) return 'denied';
    const given = port === 0 ? this.#freePort() : port;
    if (given === undefined) return 'exhausted';
    if (this.#byPort?.has(given) === true) return 'in use';
    this.#byPort ??= new Map();
    this.#byListener ??= new Map();
    this.#byPort.set(given, listener);
    this.#byListener.set(listener, given);
    return given;
  }

  unlisten(listener: Listener): void {
    const port = this.#byListener?.get(listener);
    if (port === undefined) return;
    this.#byListener?.delete(listener);
    this.#byPort?.delete(port);
  }

  unlistenAll(): void {
    this.#byPort = undefined;
    this.#byListener = undefined;
  }

  #freePort(): number | undefined {
    for (let tries = PORT_LAST - PORT_FIRST + 1; tries > 0; tries--) {
      const port = this.#portNext;
      this.#portNext = port === PORT_LAST ? PORT_FIRST : port + 1;
      if (this.#byPort?.has(port) !== true) return port;
    }
    return undefined;
  }
}

export type HostOptions = {
  readonly link?: HostLink | undefined;
  readonly bind?: string | undefined;
  readonly report?: ((event: unknown, now: Millis) => void) | undefined;
  readonly watch?: WireWatch | undefined;
};
