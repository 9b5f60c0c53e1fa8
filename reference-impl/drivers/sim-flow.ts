import type { Conn, Millis } from '../machine/machine.ts';
import { LINGER_BYTES } from './linger.ts';
import {
  CARRIER,
  DEAD,
  DIALING,
  ENDING,
  type End,
  FIN,
  FIN_SEEN,
  FIN_SENT,
  FLUSH,
  HELD,
  LINGERING,
  OPENING,
  PAUSED,
  pushArriving,
  pushUnsent,
  STALLED,
  shiftArrived,
  shiftUnsent,
  WINDOW_BYTES,
} from './sim-end.ts';
import { type Agenda, CHUNK, DRAIN, FINISHED, FLUSHED, LINGERED, RST, WINDOW_OPEN } from './sim-event.ts';
import type { SimPaths } from './sim-path.ts';

/** What the flow of bytes asks of the yamux sessions that ride on it. */
export type Streams = {
  has(conn: Conn): boolean;
  /** A stream holds so much unsent payload that its splice stops reading. */
  isBlocked(conn: Conn): boolean;
  send(now: Millis, conn: Conn, bytes: Uint8Array): void;
  end(now: Millis, conn: Conn): void;
  /** The other side of a stream's splice can take bytes again. */
  released(now: Millis, conn: Conn): void;
  carrierBytes(now: Millis, carrier: Conn, bytes: Uint8Array): void;
  carrierEnded(now: Millis, carrier: Conn): void;
  /** Nothing unsent is left on the carrier. */
  carrierRoom(now: Millis, carrier: Conn): void;
};

/** Bytes and FINs from one end to the other: windows, back-pressure, half-close, splices. */
export class SimFlow {
  readonly #agenda: Agenda;
  readonly #paths: SimPaths;
  readonly #ends: readonly (End | undefined)[];
  readonly #streams: Streams;

  constructor(agenda: Agenda, paths: SimPaths, ends: readonly (End | undefined)[], streams: Streams) {
    this.#agenda = agenda;
    this.#paths = paths;
    this.#ends = ends;
    this.#streams = streams;
  }

  send(now: Millis, conn: Conn, end: End, bytes: Uint8Array): void {
    if ((end.state & (ENDING | DEAD)) !== 0 || bytes.length === 0) return;
    if (end.splice < 0 && (end.state & CARRIER) === 0) end.host.watch?.bytes(conn, 'out', bytes);
    const room = WINDOW_BYTES - end.inFlightBytes;
    if (end.unsentHead === undefined && (end.state & DIALING) === 0 && bytes.length <= room) {
      this.#transmit(now, conn, end, bytes);
      return;
    }
    pushUnsent(end, bytes);
    if ((end.state & DIALING) === 0) this.pump(now, conn, end);
  }

  /** FIN after what was sent. */
  end(now: Millis, conn: Conn, end: End): void {
    if ((end.state & (ENDING | DEAD)) !== 0) return;
    end.state |= ENDING;
    if (end.splice < 0 && (end.state & CARRIER) === 0) end.host.watch?.ended(conn, 'out');
    if (end.unsentHead === undefined && (end.state & DIALING) === 0) this.#transmit(now, conn, end, FIN);
    else pushUnsent(end, FIN);
  }

  flush(now: Millis, conn: Conn, end: End): void {
    if (end.unsentHead === undefined && (end.state & DIALING) === 0) this.#transmit(now, conn, end, FLUSH);
    else pushUnsent(end, FLUSH);
  }

  /** What still comes is read and dropped, so that our FIN is not followed by a RST. */
  linger(now: Millis, conn: Conn, end: End, lingerMillis: Millis): void {
    if ((end.state & LINGERING) !== 0) return;
    end.state = (end.state | LINGERING) & ~PAUSED;
    this.end(now, conn, end);
    this.#agenda.post(now + lingerMillis, LINGERED, conn);
    this.#agenda.post(now, DRAIN, conn);
  }

  /** Sends of what is unsent as much as the window takes. */
  pump(now: Millis, conn: Conn, end: End): void {
    while (end.unsentHead !== undefined) {
      const room = WINDOW_BYTES - end.inFlightBytes;
      if (room <= 0 && end.unsentHead.bytes.length > 0) return;
      this.#transmit(now, conn, end, shiftUnsent(end, room));
    }
    if (end.splice >= 0) this.released(now, end.splice);
    if ((end.state & CARRIER) !== 0) this.#streams.carrierRoom(now, conn);
  }

  /** The other side of this end's or stream's splice can take bytes again. */
  released(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined) {
      this.#streams.released(now, conn);
    } else if ((end.state & HELD) !== 0) {
      end.state &= ~HELD;
      this.#agenda.post(now, DRAIN, conn);
    }
  }

  /** Whether bytes for this end or stream would only pile up. */
  isBlocked(conn: Conn): boolean {
    const end = this.#ends[conn];
    return end === undefined
      ? this.#streams.isBlocked(conn)
      : end.unsentHead !== undefined || (end.state & DIALING) !== 0;
  }

  /** Sends on an end or a stream; nothing if it is gone. */
  forward(now: Millis, conn: Conn, bytes: Uint8Array): void {
    const end = this.#ends[conn];
    if (bytes === FIN) {
      if (end !== undefined) this.end(now, conn, end);
      else this.#streams.end(now, conn);
    } else if (end !== undefined) this.send(now, conn, end, bytes);
    else this.#streams.send(now, conn, bytes);
  }

  chunkArrived(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined) return;
    end.arrived++;
    end.heardAt = now;
    const peer = this.#ends[conn ^ 1];
    if (peer !== undefined) peer.heardAt = now;
    this.drain(now, conn, end);
  }

  /** Reads what has arrived, until nobody wants it. */
  drain(now: Millis, conn: Conn, end: End): void {
    while (end.arrived > 0 && (end.state & (PAUSED | DEAD)) === 0) {
      if (end.splice >= 0 && this.isBlocked(end.splice)) {
        end.state |= HELD;
        return;
      }
      const bytes = shiftArrived(end);
      if (bytes === FIN) {
        this.#finArrived(now, conn, end);
        return;
      }
      end.received += bytes.length;
      this.#openWindow(now, conn, bytes.length);
      if (end.splice >= 0) this.forward(now, end.splice, bytes);
      else if ((end.state & LINGERING) !== 0) {
        end.lingeredBytes += bytes.length;
        if (end.lingeredBytes > LINGER_BYTES) this.#agenda.post(now, LINGERED, conn);
      } else if ((end.state & CARRIER) !== 0) this.#streams.carrierBytes(now, conn, bytes);
      else {
        end.host.watch?.bytes(conn, 'in', bytes);
        this.#agenda.feed(now, end.host, { type: 'bytes', conn, bytes });
      }
      if (this.#ends[conn] !== end) return;
    }
  }

  flushed(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined || end.splice >= 0 || (end.state & (DEAD | CARRIER | LINGERING)) !== 0) return;
    this.#agenda.feed(now, end.host, { type: 'flushed', conn });
  }

  windowOpened(now: Millis, conn: Conn): void {
    const end = this.#ends[conn];
    if (end === undefined || (end.state & DEAD) !== 0) return;
    end.state &= ~OPENING;
    if ((end.state & STALLED) !== 0) return;
    // the news of the open window is lost in the dark as well: the sender's probe of it is what waits
    if (this.#paths.deadSince(end.host, end.far) >= 0) this.#paths.hold(now, conn, end, 0, 0);
    else this.pump(now, conn, end);
  }

  retry(now: Millis, conn: Conn): void {
    const stall = this.#paths.takeRetry(now, conn);
    if (stall === undefined) return;
    const { end } = stall;
    const open = this.#ends[conn] === end;
    if (this.#ends[conn ^ 1] === undefined) {
      if (open) this.#agenda.post(now + 2 * this.#paths.latency(end.host, end.far), RST, conn);
      return;
    }
    const at = this.#paths.arrival(now, end, stall.bytes);
    for (let i = 0; i < stall.chunks; i++) this.#agenda.post(at, CHUNK, conn ^ 1);
    if (open) this.pump(now, conn, end);
  }

  #transmit(now: Millis, conn: Conn, end: End, bytes: Uint8Array): void {
    if (bytes === FLUSH) {
      const far = end.host.place !== end.far.place;
      const free = far && end.host.outFreeAt > now ? Math.ceil(end.host.outFreeAt) : now;
      this.#agenda.post(free, FLUSHED, conn);
      return;
    }
    if (bytes === FIN) {
      end.state |= FIN_SENT;
      if ((end.state & FIN_SEEN) !== 0) this.#agenda.post(now, FINISHED, conn);
    }
    end.sent += bytes.length;
    end.inFlightBytes += bytes.length;
    const peer = this.#ends[conn ^ 1];
    if (peer !== undefined) pushArriving(peer, { bytes, next: undefined });
    if ((end.state & STALLED) !== 0 || this.#paths.deadSince(end.host, end.far) >= 0) {
      this.#paths.hold(now, conn, end, peer === undefined ? 0 : 1, bytes.length);
    } else if (peer === undefined) {
      this.#agenda.post(now + 2 * this.#paths.latency(end.host, end.far), RST, conn);
    } else {
      this.#agenda.post(this.#paths.arrival(now, end, bytes.length), CHUNK, conn ^ 1);
    }
  }

  /** The reader of `conn` has taken bytes: if that unblocks the sender it hears of it one way later. */
  #openWindow(now: Millis, conn: Conn, bytes: number): void {
    const sender = this.#ends[conn ^ 1];
    if (sender === undefined) return;
    sender.inFlightBytes -= bytes;
    if (sender.unsentHead === undefined || (sender.state & OPENING) !== 0) return;
    sender.state |= OPENING;
    this.#agenda.post(now + this.#paths.latency(sender.far, sender.host), WINDOW_OPEN, conn ^ 1);
  }

  #finArrived(now: Millis, conn: Conn, end: End): void {
    const finished = (end.state & FIN_SENT) !== 0;
    end.state |= FIN_SEEN;
    if (end.splice < 0 && (end.state & (CARRIER | LINGERING)) === 0) end.host.watch?.ended(conn, 'in');
    if (end.splice >= 0) this.forward(now, end.splice, FIN);
    else if ((end.state & (CARRIER | LINGERING)) === CARRIER) this.#streams.carrierEnded(now, conn);
    else if ((end.state & LINGERING) === 0) this.#agenda.feed(now, end.host, { type: 'ended', conn });
    if (finished) this.#agenda.post(now, FINISHED, conn);
  }
}
