import { type Millis, soonest } from '../machine/machine.ts';
import { Timeouts } from '../machine/timeouts.ts';

/** What is looked at: two ends that are spliced. */
export type Tunnel = {
  /** One of its ends is still open. */
  alive(): boolean;
  /** A number that changes whenever payload or a FIN came from one of its ends, or payload left to one. */
  moved(): number;
  /** Both ends are reset; their `closed` says `timeout`. */
  timeOut(now: Millis): void;
};

type Watched = {
  readonly tunnel: Tunnel;
  readonly lookMillis: Millis;
  /** Looks in a row that found nothing new. */
  quiet: number;
  readonly quietMax: number;
  moved: number;
};

/** A tunnel is looked at so often in its idle time, so it ends up to this part of it late. */
const LOOKS = 4;
const LOOK_MILLIS_MAX = 10_000;

/**
 * Ends splices that carry nothing. The way of the bytes knows nothing of it: counters are compared a few times an idle time,
 * from one queue for all tunnels. Looks are counted rather than time, so a process that slept reads what waits before it
 * judges. Never too early; late by a quarter of the idle time or 10 s at most. Sans-IO and shared by both drivers.
 */
export class SpliceIdle {
  readonly #byLook = new Map<Millis, Timeouts<Watched>>();

  /** @param idleMillis undefined or 0: never */
  watch(now: Millis, idleMillis: Millis | undefined, tunnel: Tunnel): void {
    if (idleMillis === undefined || !(idleMillis > 0)) return;
    const lookMillis = Math.min(Math.max(1, Math.floor(idleMillis / LOOKS)), LOOK_MILLIS_MAX);
    const quietMax = Math.ceil(idleMillis / lookMillis);
    this.#set(now, { tunnel, lookMillis, quiet: 0, quietMax, moved: tunnel.moved() });
  }

  /** When the next look is due. */
  next(): Millis | undefined {
    let next: Millis | undefined;
    for (const [lookMillis, looks] of this.#byLook) {
      const due = looks.next();
      if (due === undefined) this.#byLook.delete(lookMillis);
      else next = soonest(next, due);
    }
    return next;
  }

  /** Performs the looks that are due. */
  look(now: Millis): void {
    for (const looks of this.#byLook.values()) {
      for (const watched of looks.expired(now)) this.#lookAt(now, watched);
    }
  }

  #lookAt(now: Millis, watched: Watched): void {
    const { tunnel } = watched;
    if (!tunnel.alive()) return;
    const moved = tunnel.moved();
    if (moved === watched.moved) watched.quiet++;
    else {
      watched.moved = moved;
      watched.quiet = 0;
    }
    if (watched.quiet >= watched.quietMax) tunnel.timeOut(now);
    else this.#set(now, watched);
  }

  #set(now: Millis, watched: Watched): void {
    const { lookMillis } = watched;
    this.#byLook.getOrInsertComputed(lookMillis, () => new Timeouts(lookMillis)).set(now, watched);
  }
}
