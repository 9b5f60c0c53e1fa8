import { Backoff } from '../../backoff/schedule.ts';
import {
  type CommandInput,
  type Conn,
  type Millis,
  type NetInput,
  type NetMachine,
  NOTHING,
} from '../../machine/machine.ts';
import type { RelayMode } from '../relay/relay-report.ts';
import { CLIENT_BOUNDS, type ClientConfig } from './client-config.ts';
import type { ClientCommand, ClientOutput, ClientReport, LostWhy } from './client-report.ts';
import { ServiceTunnels } from './service-tunnels.ts';

type Input = NetInput | CommandInput<ClientCommand>;
type State = 'idle' | 'waiting' | 'dialling' | 'asked' | 'registered' | 'stopping' | 'over';

/**
 * What the three relay clients share: the connection that registers, the way back by a backoff schedule when it is lost, the
 * joining of tunnels to the service, the orderly stop. A mode says what it asks for and what it does with the answer.
 */
export abstract class RelayClient implements NetMachine<ClientReport, ClientCommand> {
  protected readonly config: ClientConfig;
  /** Made with the first tunnel. */
  #tunnels: ServiceTunnels | undefined;
  readonly #backoff: Backoff;
  #state: State = 'idle';
  #control: Conn | undefined;
  /** In `waiting`: the next dial; in `dialling` and `asked`: when we lose patience; in `stopping`: the end of the drain. */
  #wakeAt: Millis | undefined;

  constructor(config: ClientConfig) {
    this.config = config;
    this.#backoff = new Backoff(config.schedule, config.rng);
  }

  deadline(): Millis | undefined {
    // asked after every input of every client of a simulated world
    let first = this.#wakeAt;
    const tunnel = this.#tunnels?.next();
    if (tunnel !== undefined && (first === undefined || tunnel < first)) first = tunnel;
    const mode = this.modeNext();
    return mode !== undefined && (first === undefined || mode < first) ? mode : first;
  }

  handle(now: Millis, input: Input): readonly ClientOutput[] {
    const out: ClientOutput[] = [];
    this.#take(now, input, out);
    if (this.#state === 'stopping' && this.#tunnelsOver() && this.#control === undefined && this.idle()) {
      this.#state = 'over';
      this.#wakeAt = undefined;
      out.push({ type: 'report', event: { type: 'client.stopped' } });
    }
    return out.length === 0 ? NOTHING : out;
  }

  /** What is sent to register: control lines, the same for every registration. */
  protected abstract request(): Uint8Array;
  /** Bytes on the connection that registers, from the answer on. */
  protected abstract answer(now: Millis, conn: Conn, bytes: Uint8Array, out: ClientOutput[]): void;
  /** Anything about a connection that neither registers nor belongs to a tunnel. */
  protected abstract other(now: Millis, input: Input, out: ClientOutput[]): void;
  /** The registration is over: forget its connections; `reset` those that are open. Tunnels go on. */
  protected abstract forget(out: ClientOutput[]): void;
  /** The owner wants us gone: no more users. Close what waits. */
  protected abstract leave(now: Millis, control: Conn | undefined, out: ClientOutput[]): void;
  /** The control connection's FIN. */
  protected abstract controlEnded(now: Millis, conn: Conn, out: ClientOutput[]): void;
  /** Nothing of the mode's own is open. */
  protected abstract idle(): boolean;
  protected abstract modeNext(): Millis | undefined;
  protected abstract modeExpire(now: Millis, out: ClientOutput[]): void;

  protected get tunnels(): ServiceTunnels {
    this.#tunnels ??= new ServiceTunnels(this.config);
    return this.#tunnels;
  }

  protected get control(): Conn | undefined {
    return this.#control;
  }

  protected get registered(): boolean {
    return this.#state === 'registered';
  }

  /** The relay has given us a port. */
  protected announce(now: Millis, port: number, mode: RelayMode, out: ClientOutput[]): void {
    this.#state = 'registered';
    this.#wakeAt = undefined;
    this.#backoff.succeeded(now);
    out.push({ type: 'report', event: { type: 'client.registered', port, mode } });
  }

  /** From here on the registering connection is the mode's own (a pool's first member). */
  protected release(): void {
    this.#control = undefined;
  }

  /** The registration is gone, or could not be had: once, then again by the schedule. */
  protected lose(now: Millis, why: LostWhy, out: ClientOutput[]): void {
    if (this.#state === 'stopping' || this.#state === 'over') return;
    if (this.#control !== undefined) out.push({ type: 'reset', conn: this.#control });
    this.#control = undefined;
    this.forget(out);
    const waitMillis = this.#backoff.failed(now);
    if (waitMillis === undefined) {
      this.#state = 'over';
      this.#wakeAt = undefined;
      out.push({ type: 'report', event: { type: 'client.gaveUp', attempts: this.#backoff.attempt } });
      return;
    }
    this.#state = 'waiting';
    this.#wakeAt = now + waitMillis;
    const attempt = this.#backoff.attempt - 1;
    out.push({ type: 'report', event: { type: 'client.lost', why, waitMillis, attempt } });
  }

  /** Dials the relay; `keepalive` is asked for when it is connected. */
  protected dialRelay(out: ClientOutput[]): Conn {
    const conn = this.config.name();
    out.push({ type: 'connect', conn, to: this.config.relay, from: undefined });
    return conn;
  }

  protected keepalive(conn: Conn, out: ClientOutput[]): void {
    const idleMillis = this.config.keepaliveMillis;
    if (idleMillis > 0) out.push({ type: 'keepalive', conn, idleMillis });
  }

  #take(now: Millis, input: Input, out: ClientOutput[]): void {
    switch (input.type) {
      case 'start':
        this.#state = 'waiting';
        this.#wakeAt = now + this.config.startAfterMillis;
        if (this.config.startAfterMillis === 0) this.#dial(now, out);
        return;
      case 'stop':
        this.#stop(now, out);
        return;
      case 'deadline':
        this.#expire(now, out);
        return;
      case 'command':
        if (input.command.type === 'service') this.tunnels.service = input.command.service;
        else if (this.#state !== 'idle' && this.#state !== 'waiting') this.lose(now, 'dropped', out);
        return;
      case 'connected':
        if (input.conn === this.#control) this.#ask(now, input.conn, out);
        else if (this.#tunnels?.connected(input.conn, out) !== true) this.other(now, input, out);
        return;
      case 'bytes':
        if (input.conn === this.#control) this.#answered(now, input.conn, input.bytes, out);
        else if (this.#tunnels?.bytes(input.conn, input.bytes, out) !== true) this.other(now, input, out);
        return;
      case 'ended':
        if (input.conn === this.#control) this.#ended(now, input.conn, out);
        else if (this.#tunnels?.owns(input.conn) !== true) this.other(now, input, out);
        return;
      case 'closed':
        if (input.conn === this.#control) {
          this.#control = undefined;
          this.lose(now, input.why, out);
        } else if (this.#tunnels?.closed(now, input.conn, out) !== true) this.other(now, input, out);
        return;
      case 'stream':
      case 'flushed':
        this.other(now, input, out);
        return;
      case 'listening':
      case 'unlistened':
      case 'accepted':
        return;
    }
  }

  #tunnelsOver(): boolean {
    return this.#tunnels === undefined || this.#tunnels.size === 0;
  }

  #dial(now: Millis, out: ClientOutput[]): void {
    this.#state = 'dialling';
    this.#wakeAt = now + this.config.dialMillis;
    out.push({ type: 'report', event: { type: 'client.dialing', attempt: this.#backoff.attempt } });
    this.#control = this.dialRelay(out);
  }

  #ask(now: Millis, conn: Conn, out: ClientOutput[]): void {
    if (this.#state !== 'dialling') return;
    this.#state = 'asked';
    this.#wakeAt = now + this.config.dialMillis;
    this.keepalive(conn, out);
    out.push({ type: 'send', conn, bytes: this.request() });
  }

  #answered(now: Millis, conn: Conn, bytes: Uint8Array, out: ClientOutput[]): void {
    if (this.#state === 'asked' || this.#state === 'registered') this.answer(now, conn, bytes, out);
  }

  #ended(now: Millis, conn: Conn, out: ClientOutput[]): void {
    if (this.#state === 'registered') this.controlEnded(now, conn, out);
    else if (this.#state !== 'stopping') this.lose(now, 'end', out);
  }

  #expire(now: Millis, out: ClientOutput[]): void {
    this.#tunnels?.expire(now, out);
    if (this.#wakeAt !== undefined && this.#wakeAt <= now) {
      if (this.#state === 'waiting') this.#dial(now, out);
      else if (this.#state === 'stopping') this.#resetAll(out);
      else this.lose(now, 'timeout', out);
    }
    this.modeExpire(now, out);
  }

  #stop(now: Millis, out: ClientOutput[]): void {
    if (this.#state === 'over') {
      out.push({ type: 'report', event: { type: 'client.stopped' } });
      return;
    }
    if (this.#state === 'stopping') {
      this.#resetAll(out);
      return;
    }
    const registered = this.#state === 'registered';
    this.#state = 'stopping';
    this.#wakeAt = now + CLIENT_BOUNDS.drainMillis;
    if (!registered && this.#control !== undefined) {
      out.push({ type: 'reset', conn: this.#control });
      this.#control = undefined;
    }
    this.leave(now, this.#control, out);
  }

  #resetAll(out: ClientOutput[]): void {
    this.#wakeAt = undefined;
    if (this.#control !== undefined) out.push({ type: 'reset', conn: this.#control });
    this.#control = undefined;
    this.#tunnels?.resetAll(out);
    this.forget(out);
  }
}

const PORT_LINE = /^[1-9][0-9]{0,4}$/;

/** A port as the relay writes it: decimal, no sign, no padding. @returns undefined when it is none */
export const portOf = (text: string): number | undefined => {
  const port = PORT_LINE.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65_535 ? port : undefined;
};
