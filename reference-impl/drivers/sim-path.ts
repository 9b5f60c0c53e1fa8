import type { Conn, Millis } from '../machine/machine.ts';
import { DIALING, type End, STALLED } from './sim-end.ts';
import { type Agenda, EXPIRE, PROBED, RETRY } from './sim-event.ts';
import type { Place, SimHost } from './sim-host.ts';

/** How long the simulated kernels keep trying. */
export type Patience = {
  /** A dial into a black hole. Linux with six SYN retries: 127 s. */
  readonly connectTimeoutMillis: Millis;
  /** Sent bytes without an acknowledgement. Linux with tcp_retries2 = 15: 924.6 s. */
  readonly retransmitTimeoutMillis: Millis;
  /** From the first unanswered keepalive probe to the verdict. libuv: ten probes, one a second. */
  readonly keepaliveProbesMillis: Millis;
};

const SYN_RETRY_MILLIS = 1_000;
const CHUNK_RETRY_MILLIS = 200;
const RETRY_MILLIS_MAX = 120_000;

/** The first retransmission not before `from`: after 1, 3, 7, ... times `stepMillis`, each pause at most two minutes. */
export const nextRetry = (since: Millis, from: Millis, stepMillis: Millis): Millis => {
  let at = since + stepMillis;
  for (let step = stepMillis; at < from; ) {
    step = step * 2 < RETRY_MILLIS_MAX ? step * 2 : RETRY_MILLIS_MAX;
    at += step;
  }
  return at;
};

/** The first keepalive probe not before `from`; probes go out whenever nothing was heard for `idleMillis`. */
export const nextProbe = (heardAt: Millis, from: Millis, idleMillis: Millis): Millis => {
  const silences = from <= heardAt ? 1 : Math.ceil((from - heardAt) / idleMillis);
  return heardAt + silences * idleMillis;
};

/** What an end has sent into the dark: it goes again when the light is back, or the kernel gives up. */
export type Stall = {
  readonly end: End;
  readonly since: Millis;
  readonly until: Millis;
  readonly dial: boolean;
  chunks: number;
  bytes: number;
  retryAt: Millis;
};

/** The ways between hosts: latency, rate, cuts, hosts that vanished. Idle connections cost nothing here. */
export class SimPaths {
  readonly #agenda: Agenda;
  readonly #patience: Patience;
  readonly #ends: readonly (End | undefined)[];
  readonly #stalls = new Map<Conn, Stall>();
  /** How many places are cut and hosts have vanished: while there are none, nobody looks. */
  #dark = 0;

  constructor(agenda: Agenda, patience: Patience, ends: readonly (End | undefined)[]) {
    this.#agenda = agenda;
    this.#patience = patience;
    this.#ends = ends;
  }

  /** One way, without the time a rate takes. */
  latency(from: SimHost, to: SimHost): Millis {
    if (from.place === to.place) return 0;
    const borders = (from.place.border?.latencyMillis ?? 0) + (to.place.border?.latencyMillis ?? 0);
    const sum = from.latencyMillis + to.latencyMillis + borders;
    return sum < 1 ? 1 : sum;
  }

  /** When `bytes` sent now by this end are with the other host: never before what it sent earlier. */
  arrival(now: Millis, end: End, bytes: number): Millis {
    const from = end.host;
    const to = end.far;
    let at = now;
    if (from.place !== to.place) {
      if (from.bytesPerMillis !== Number.POSITIVE_INFINITY) {
        at = (from.outFreeAt > at ? from.outFreeAt : at) + bytes / from.bytesPerMillis;
        from.outFreeAt = at;
      }
      const sum = from.latencyMillis + to.latencyMillis;
      at += sum < 1 ? 1 : sum;
      const out = from.place.border;
      if (out !== undefined) at = out.through(at, 'out', bytes);
      const into = to.place.border;
      if (into !== undefined) at = into.through(at, 'in', bytes);
      if (to.bytesPerMillis !== Number.POSITIVE_INFINITY) {
        at = (to.inFreeAt > at ? to.inFreeAt : at) + bytes / to.bytesPerMillis;
        to.inFreeAt = at;
      }
      at = Math.floor(at);
    }
    if (at > end.lastArrival) end.lastArrival = at;
    return end.lastArrival;
  }

  /** Since when nothing passes between two hosts; -1: it does. */
  deadSince(from: SimHost, to: SimHost): Millis {
    if (this.#dark === 0 || from === to) return -1;
    let since = to.vanishedAt;
    if (from.place !== to.place) {
      for (const at of [from.place.cutAt, to.place.cutAt])
        if (at >= 0 && (since < 0 || at < since)) since = at;
    }
    return since;
  }

  /** Sent into the dark, or behind something that was. */
  hold(now: Millis, conn: Conn, end: End, chunks: number, bytes: number): void {
    const stall = this.#stalls.get(conn);
    if (stall !== undefined) {
      stall.chunks += chunks;
      stall.bytes += bytes;
      return;
    }
    const dial = (end.state & DIALING) !== 0;
    const patience = dial ? this.#patience.connectTimeoutMillis : this.#patience.retransmitTimeoutMillis;
    end.state |= STALLED;
    this.#stalls.set(conn, { end, since: now, until: now + patience, dial, chunks, bytes, retryAt: -1 });
    this.#agenda.post(now + patience, EXPIRE, conn);
  }

  /** Takes what RETRY is to send again; undefined: not now (it is dark again) or not any more. */
  takeRetry(now: Millis, conn: Conn): Stall | undefined {
    const stall = this.#stalls.get(conn);
    if (stall === undefined || stall.retryAt !== now) return undefined;
    stall.retryAt = -1;
    if (this.deadSince(stall.end.host, stall.end.far) >= 0) return undefined;
    this.forget(conn);
    return stall;
  }

  /** Whether EXPIRE is for what waits now: then it is given up and taken. */
  takeExpired(now: Millis, conn: Conn): Stall | undefined {
    const stall = this.#stalls.get(conn);
    if (stall === undefined || stall.until > now) return undefined;
    this.forget(conn);
    return stall;
  }

  forget(conn: Conn): void {
    const stall = this.#stalls.get(conn);
    if (stall === undefined) return;
    stall.end.state &= ~STALLED;
    this.#stalls.delete(conn);
  }

  /** Payload held for hosts of this place, or sent by them: the receipt of a cut. */
  stalledBytes(place: Place): number {
    let bytes = 0;
    for (const { end, bytes: held } of this.#stalls.values())
      if (end.host.place === place || end.far.place === place) bytes += held;
    return bytes;
  }

  cut(now: Millis, place: Place): void {
    if (place.cutAt >= 0) return;
    place.cutAt = now;
    this.#dark++;
    this.#watchKeepalives(now, (end) => end.host.place !== end.far.place && touches(end, place));
  }

  restore(now: Millis, place: Place): void {
    if (place.cutAt < 0) return;
    place.cutAt = -1;
    this.#dark--;
    this.#retryStalls(now);
  }

  vanish(now: Millis, host: SimHost): void {
    if (host.vanishedAt >= 0) return;
    host.vanishedAt = now;
    this.#dark++;
    this.#watchKeepalives(now, (end) => end.far === host);
  }

  /** The host's kernel answers again; it knows no connection of before, so whoever probes one hears RST. */
  reappear(now: Millis, host: SimHost): void {
    if (host.vanishedAt < 0) return;
    host.vanishedAt = -1;
    this.#dark--;
    this.#retryStalls(now);
    for (const [conn, end] of this.#ends.entries()) {
      if (end?.far !== host || end.keepaliveMillis === 0) continue;
      this.#agenda.post(nextProbe(end.heardAt, now, end.keepaliveMillis), PROBED, conn);
    }
  }

  /** Keepalive was asked for just now: if its path is dead already it is judged, else it costs nothing. */
  keepaliveSet(now: Millis, conn: Conn, end: End): void {
    if (end.keepaliveMillis === 0) return;
    if (this.deadSince(end.host, end.far) >= 0) this.#agenda.post(this.#probedAt(now, end), PROBED, conn);
    else if ((end.state & DIALING) === 0 && this.#ends[conn ^ 1] === undefined)
      this.#agenda.post(nextProbe(end.heardAt, now, end.keepaliveMillis), PROBED, conn);
  }

  /**
   * What keepalive has found out: `timeout`, `reset` (a kernel that does not know the connection), or undefined: it is alive,
   * or not yet time, or bytes wait for an acknowledgement (then TCP sends no probes and retransmission decides).
   */
  judgeKeepalive(now: Millis, conn: Conn, end: End): 'timeout' | 'reset' | undefined {
    if (end.keepaliveMillis === 0 || (end.state & (STALLED | DIALING)) !== 0) return undefined;
    const since = this.deadSince(end.host, end.far);
    if (since < 0) return this.#ends[conn ^ 1] === undefined ? 'reset' : undefined;
    const due = this.#probedAt(since, end);
    if (due <= now) return 'timeout';
    this.#agenda.post(due, PROBED, conn);
    return undefined;
  }

  #probedAt(since: Millis, end: End): Millis {
    return nextProbe(end.heardAt, since, end.keepaliveMillis) + this.#patience.keepaliveProbesMillis;
  }

  #watchKeepalives(now: Millis, concerned: (end: End) => boolean): void {
    for (const [conn, end] of this.#ends.entries())
      if (end !== undefined && end.keepaliveMillis > 0 && concerned(end))
        this.#agenda.post(this.#probedAt(now, end), PROBED, conn);
  }

  #retryStalls(now: Millis): void {
    for (const [conn, stall] of this.#stalls) {
      if (stall.retryAt >= 0 || this.deadSince(stall.end.host, stall.end.far) >= 0) continue;
      const step = stall.dial ? SYN_RETRY_MILLIS : CHUNK_RETRY_MILLIS;
      stall.retryAt = nextRetry(stall.since, now, step);
      this.#agenda.post(stall.retryAt, RETRY, conn);
    }
  }
}

const touches = (end: End, place: Place): boolean => end.host.place === place || end.far.place === place;
