import type { Address, Conn, Millis, NetOutput, Why } from '../machine/machine.ts';
import { LINGER_MILLIS } from './linger.ts';
import {
  CARRIER,
  DEAD,
  DIALING,
  End,
  FIN,
  FIN_SEEN,
  FIN_SENT,
  HELD,
  LINGERING,
  PAUSED,
  STALLED,
} from './sim-end.ts';
import { type Agenda, DRAIN, REFUSED, RST, SYN, SYN_ACK, TARGETS_MAX, UNREACHABLE } from './sim-event.ts';
import { SimFlow, type Streams } from './sim-flow.ts';
import type { SimHost } from './sim-host.ts';
import { type Patience, SimPaths } from './sim-path.ts';
import { SimSplices, type SplicedEnds } from './sim-splices.ts';

/** What the life of connections asks of the yamux sessions that ride on them. */
export type Sessions = Streams & {
  carrierClosed(now: Millis, carrier: Conn, why: Why): void;
  /** The driver resets a stream because its splice is over; its `closed` follows. */
  sever(now: Millis, stream: Conn, why: Why): void;
  /** See `Tunnel.moved`. */
  movedBy(stream: Conn): number;
  splice(now: Millis, stream: Conn, other: Conn): void;
};

type Splice = Extract<NetOutput<never>, { readonly type: 'splice' }>;

const EPHEMERAL_FIRST = 32_768;
const EPHEMERAL_COUNT = 28_232;
const ephemeral = (conn: Conn): number => EPHEMERAL_FIRST + ((conn >>> 1) % EPHEMERAL_COUNT);

/** The connections of all hosts, from the dial to `closed`. TCP by connection, not by packet: see TCP.md. */
export class SimTcp implements SplicedEnds {
  readonly #agenda: Agenda;
  readonly #hostOf: (address: string) => SimHost | undefined;
  readonly #ends: (End | undefined)[] = [];
  readonly #sessions: Sessions;
  readonly paths: SimPaths;
  readonly flow: SimFlow;
  readonly splices: SimSplices;

  constructor(
    agenda: Agenda,
    patience: Patience,
    sessions: Sessions,
    hostOf: (address: string) => SimHost | undefined,
  ) {
    this.#agenda = agenda;
    this.#hostOf = hostOf;
    this.#sessions = sessions;
    this.paths = new SimPaths(agenda, patience, this.#ends);
    this.flow = new SimFlow(agenda, this.paths, this.#ends, sessions);
    this.splices = new SimSplices(agenda, this);
  }

  /** A number never given before, for a dial, an opened or an accepted stream; the accepted end of a dial is its number + 1. */
  name(): Conn {
    const conn = this.#ends.length;
    if (conn + 1 >= TARGETS_MAX)
      throw new Error(`more than ${TARGETS_MAX / 2} connections in one simulation`);
    this.#ends.push(undefined, undefined);
    return conn;
  }

  /** The open end, if it is one of this host's. @throws Error when it is another host's: a machine mixed up its numbers */
  endOf(host: SimHost, conn: Conn): End | undefined {
    const end = this.#ends[conn];
    if (end !== undefined && end.host !== host)
      throw new Error(`${host.name} speaks about connection ${conn} of ${end.host.name}`);
    return end;
  }

  connect(now: Millis, host: SimHost, conn: Conn, to: Address, from: Address | undefined): void {
    if ((conn & 1) !== 0 || conn >= this.#ends.length || this.#ends[conn] !== undefined)
      throw new Error(`${host.name} dials as connection ${conn}, which NameConn has not just named`);
    host.watch?.opened(conn, `${to.host}:${to.port}`, 'dialled');
    const far = this.#hostOf(to.host);
    const end = new End(host, far ?? host, now);
    end.state = DIALING;
    end.dial = { port: to.port, from };
    this.#ends[conn] = end;
    host.conns++;
    if (far === undefined) this.#agenda.post(now, UNREACHABLE, conn);
    else if (far.place !== host.place && !this.#passes(now, conn, end)) return;
    else if (this.paths.deadSince(host, far) >= 0) this.paths.hold(now, conn, end, 0, 0);
    else this.#agenda.post(this.paths.arrival(now, end, 0), SYN, conn);
  }

  /** Asks the borders about a dial. @returns false: it does not get through, and what is to be heard of it is on its way */
  #passes(now: Millis, conn: Conn, end: End): boolean {
    const { host, far, dial } = end;
    // nobody behind a border has a way in of his own
    if (far.place.border !== undefined) {
      this.#agenda.post(now, UNREACHABLE, conn);
      return false;
    }
    const border = host.place.border;
    if (border === undefined || dial === undefined) return true;
    // In an outage this is what most dials of a large world meet: no port, no SYN, only the answer. (A host that is back while the
    // SYN is under way would have taken it.)
    if (!far.alive && this.paths.deadSince(host, far) < 0) {
      this.#agenda.post(now + 2 * this.paths.latency(host, far), REFUSED, conn);
      return false;
    }
    const seen = border.out({ host: dial.from?.host ?? host.name, port: dial.from?.port || ephemeral(conn) });
    if (typeof seen === 'object') {
      end.dial = { port: dial.port, from: seen };
      end.publicPort = seen.port;
      return true;
    }
    if (seen === 'silent') this.paths.hold(now, conn, end, 0, 0);
    else this.#agenda.post(now, seen === 'refused' ? REFUSED : UNREACHABLE, conn);
    return false;
  }

  /** A dial has reached the other host. */
  synArrived(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    const dial = end?.dial;
    if (end === undefined || dial === undefined) return;
    const { host, far } = end;
    if (this.paths.deadSince(host, far) >= 0) {
      this.paths.hold(now, conn, end, 0, 0);
      return;
    }
    const listener = far.alive ? far.listenerOn(dial.port) : undefined;
    if (listener === undefined) {
      this.#agenda.post(now + this.paths.latency(far, host), REFUSED, conn);
      return;
    }
    const accepted = new End(far, host, now);
    this.#ends[conn + 1] = accepted;
    far.conns++;
    this.#agenda.post(this.paths.arrival(now, accepted, 0), SYN_ACK, conn);
    const port = dial.from?.port || ephemeral(conn);
    const from = { host: dial.from?.host ?? host.name, port };
    far.watch?.opened(conn + 1, `${from.host}:${from.port}`, 'accepted');
    this.#agenda.feed(now, far, { type: 'accepted', conn: conn + 1, listener, from });
  }

  connected(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined || end.dial === undefined || (end.state & DEAD) !== 0) return;
    end.state &= ~DIALING;
    end.dial = undefined;
    end.heardAt = now;
    end.host.watch?.connected(conn);
    this.flow.pump(now, conn, end);
    // given to a splice or a session while it was dialled: the machine has handed it over already
    if (end.splice < 0 && (end.state & (CARRIER | LINGERING)) === 0)
      this.#agenda.feed(now, end.host, { type: 'connected', conn });
  }

  /** Retransmission, or the dial, has waited long enough. */
  expire(now: Millis, conn: Conn): void {
    const stall = this.paths.takeExpired(now, conn);
    if (stall !== undefined && this.#ends[conn] === stall.end) this.#timeOut(now, conn, stall.end);
  }

  probed(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined || (end.state & DEAD) !== 0) return;
    const found = this.paths.judgeKeepalive(now, conn, end);
    if (found === 'timeout') this.#timeOut(now, conn, end);
    else if (found === 'reset') this.close(now, conn, 'reset');
  }

  retry(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined || end.dial === undefined) this.flow.retry(now, conn);
    else if (this.paths.takeRetry(now, conn) !== undefined)
      this.#agenda.post(this.paths.arrival(now, end, 0), SYN, conn);
  }

  /** After `close` the peer had its time, or sends without end. */
  lingered(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined || (end.state & (LINGERING | DEAD)) !== LINGERING) return;
    this.#sendReset(now, conn, end);
    this.close(now, conn, 'end');
  }

  finished(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end !== undefined && (end.state & (FIN_SENT | FIN_SEEN)) === (FIN_SENT | FIN_SEEN))
      this.close(now, conn, 'end');
  }

  drain(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end !== undefined) this.flow.drain(now, conn, end);
  }

  /** The machine's own RST: nothing more is heard of this connection. */
  reset(now: Millis, conn: Conn, end: End): void {
    if ((end.state & DEAD) !== 0) return;
    end.host.watch?.reset(conn);
    this.#sendReset(now, conn, end);
    this.#free(conn, end);
    if (end.splice >= 0) this.sever(now, end.splice);
  }

  /** RST because the other side of a splice is gone; `closed` follows as an event. */
  sever(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined) {
      this.#sessions.sever(now, conn, 'reset');
      return;
    }
    if ((end.state & DEAD) !== 0) return;
    this.#sendReset(now, conn, end);
    end.state |= DEAD;
    end.splice = -1;
    this.#agenda.post(now, RST, conn);
  }

  pause(end: End): void {
    if (end.splice < 0 && (end.state & LINGERING) === 0) end.state |= PAUSED;
  }

  resume(now: Millis, conn: Conn, end: End): void {
    if ((end.state & PAUSED) === 0) return;
    end.state &= ~PAUSED;
    if (end.arrived > 0) this.#agenda.post(now, DRAIN, conn);
  }

  linger(now: Millis, conn: Conn, end: End): void {
    if (end.splice < 0) this.flow.linger(now, conn, end, LINGER_MILLIS);
  }

  keepalive(now: Millis, conn: Conn, end: End, idleMillis: Millis): void {
    end.keepaliveMillis = idleMillis;
    this.paths.keepaliveSet(now, conn, end);
  }

  /**
   * A session's keepalive behind a border: pings that are always answered would be most of a large world's events, so silence is
   * judged when a path goes dark, as that of any connection.
   * @returns false: there is no border on the way, the session must ping
   */
  quiet(now: Millis, conn: Conn, end: End, idleMillis: Millis): boolean {
    if (end.host.place.border === undefined && end.far.place.border === undefined) return false;
    this.keepalive(now, conn, end, idleMillis);
    return true;
  }

  splice(now: Millis, host: SimHost, { a, b, idleMillis }: Splice): void {
    const endA = this.endOf(host, a);
    const endB = this.endOf(host, b);
    const [hasA, hasB] = [this.isOpen(a), this.isOpen(b)];
    if (!hasA || !hasB) {
      if (hasA) this.sever(now, a);
      if (hasB) this.sever(now, b);
      return;
    }
    this.#spliceOne(now, a, endA, b);
    this.#spliceOne(now, b, endB, a);
    this.splices.watch(now, a, b, idleMillis);
  }

  isOpen(conn: Conn): boolean {
    const end = this.#ends[conn];
    return end === undefined ? this.#sessions.has(conn) : (end.state & DEAD) === 0;
  }

  movedBy(conn: Conn): number {
    const end = this.#ends[conn];
    if (end === undefined) return this.#sessions.movedBy(conn);
    // a byte on the way counts 2 - 1, one that was read more than it can wait elsewhere
    return 3 * end.received + 2 * end.sent - end.inFlightBytes + ((end.state & FIN_SEEN) === 0 ? 0 : 1);
  }

  timeOutBoth(now: Millis, a: Conn, b: Conn): void {
    const both = [a, b].map((conn) => [conn, this.#ends[conn]] as const);
    for (const [, end] of both) if (end !== undefined) end.splice = -1;
    for (const [conn, end] of both) {
      if (end === undefined) this.#sessions.sever(now, conn, 'timeout');
      else if (this.#ends[conn] === end && (end.state & DEAD) === 0) this.#timeOut(now, conn, end);
    }
  }

  /** The last word: frees the end, tells its machine or session, and resets the other side of a splice unless all was in order. */
  close(now: Millis, conn: Conn, why: Why): void {
    const end = this.#ends[conn];
    if (end === undefined) return;
    const { splice, host, received, sent } = end;
    this.#free(conn, end, why === 'end');
    if ((end.state & CARRIER) !== 0) {
      this.#sessions.carrierClosed(now, conn, why);
      return;
    }
    host.watch?.closed(conn, why, received, sent);
    this.#agenda.feed(now, host, { type: 'closed', conn, why, received, sent });
    if (splice >= 0 && why !== 'end') this.sever(now, splice);
  }

  /** Forgets all ends of a host that died. @param answers its kernel still lives and sends RST */
  drop(now: Millis, host: SimHost, answers: boolean): void {
    for (let conn = this.#ends.length - 1; conn >= 0 && host.conns > 0; conn--) {
      const end = this.#ends[conn];
      if (end?.host !== host) continue;
      if (answers && (end.state & DEAD) === 0) this.#sendReset(now, conn, end);
      this.#free(conn, end);
    }
  }

  heldBytes(host: SimHost): number {
    let bytes = 0;
    let left = host.conns;
    for (let conn = this.#ends.length - 1; conn >= 0 && left > 0; conn--) {
      const end = this.#ends[conn];
      if (end?.host !== host) continue;
      bytes += end.heldBytes;
      left--;
    }
    return bytes;
  }

  #spliceOne(now: Millis, conn: Conn, end: End | undefined, other: Conn): void {
    if (end === undefined) {
      this.#sessions.splice(now, conn, other);
      return;
    }
    end.splice = other;
    end.state &= ~(PAUSED | HELD);
    // an end seen before the splice is owed to the other side
    if ((end.state & FIN_SEEN) !== 0) this.flow.forward(now, other, FIN);
    else this.#agenda.post(now, DRAIN, conn);
  }

  #timeOut(now: Millis, conn: Conn, end: End): void {
    this.#sendReset(now, conn, end);
    this.close(now, conn, 'timeout');
  }

  #sendReset(now: Millis, conn: Conn, end: End): void {
    if ((end.state & STALLED) !== 0) this.paths.forget(conn);
    if (this.#ends[conn ^ 1] === undefined || this.paths.deadSince(end.host, end.far) >= 0) return;
    this.#agenda.post(this.paths.arrival(now, end, 0), RST, conn ^ 1);
  }

  /** @param lingers what was sent still goes on its way: an orderly end */
  #free(conn: Conn, end: End, lingers = false): void {
    this.#ends[conn] = undefined;
    end.host.conns--;
    if (end.publicPort > 0) end.host.place.border?.over(end.publicPort);
    if (!lingers && (end.state & STALLED) !== 0) this.paths.forget(conn);
  }
}
