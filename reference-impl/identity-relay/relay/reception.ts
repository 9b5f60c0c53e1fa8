/**
 * Who may shake hands: so many at once, so many of one address, the others wait, those of the least busy address first. Where all
 * places are taken, whoever was silent longest at the busiest address makes room. So no crowd of mute connections keeps others out.
 */
import type { Millis } from '../../machine/machine.ts';
import type { RelayLimits } from './limits.ts';
import type { Peer } from './peer.ts';

/** All handshakes and waiting connections of one address, oldest first. */
type Desk = { readonly running: Set<Peer>; readonly silent: Set<Peer>; readonly waiting: Set<Peer> };

export class Reception {
  readonly #limits: RelayLimits;
  readonly #desks = new Map<string, Desk>();
  #running = 0;
  #waiting = 0;

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  arrive(peer: Peer): void {
    let desk = this.#desks.get(peer.address);
    if (desk === undefined) {
      desk = { running: new Set(), silent: new Set(), waiting: new Set() };
      this.#desks.set(peer.address, desk);
    }
    desk.waiting.add(peer);
    this.#waiting++;
  }

  /**
   * Whose turn it is, if there is room or somebody has to make it.
   * @returns `next` may begin at once; `instead`: who is to be turned away for it, already forgotten here
   */
  admit(now: Millis): { readonly next: Peer; readonly instead: Peer | undefined } | undefined {
    if (this.#waiting === 0) return undefined;
    const desk = this.#leastBusy();
    const next = first(desk?.waiting);
    if (desk === undefined || next === undefined) return undefined;
    let instead: Peer | undefined;
    if (
      desk.running.size >= this.#limits.handshakesPerAddressMax ||
      this.#running >= this.#limits.handshakesMax
    ) {
      instead = this.#mute(now, desk);
      if (instead === undefined) return undefined;
      this.leave(instead);
    }
    desk.waiting.delete(next);
    this.#waiting--;
    // its desk may have been emptied for it
    this.#desks.set(next.address, desk);
    desk.running.add(next);
    desk.silent.add(next);
    this.#running++;
    return { next, instead };
  }

  /** It has said something that makes sense. */
  spoke(peer: Peer): void {
    this.#desks.get(peer.address)?.silent.delete(peer);
  }

  /** Its handshake is over, or it is gone. */
  leave(peer: Peer): void {
    const desk = this.#desks.get(peer.address);
    if (desk === undefined) return;
    if (desk.running.delete(peer)) this.#running--;
    if (desk.waiting.delete(peer)) this.#waiting--;
    desk.silent.delete(peer);
    if (desk.running.size === 0 && desk.waiting.size === 0) this.#desks.delete(peer.address);
  }

  /** When somebody silent may have to make room, if anybody waits for it. */
  roomAt(now: Millis): Millis | undefined {
    if (this.#waiting === 0) return undefined;
    let soonest: Millis | undefined;
    for (const { silent } of this.#desks.values()) {
      const at = (first(silent)?.since ?? Number.NaN) + this.#limits.roomAfterMillis;
      if (at > now && (soonest === undefined || at < soonest)) soonest = at;
    }
    return soonest;
  }

  #leastBusy(): Desk | undefined {
    let best: Desk | undefined;
    for (const desk of this.#desks.values())
      if (desk.waiting.size > 0 && (best === undefined || desk.running.size < best.running.size)) best = desk;
    return best;
  }

  /** The longest silent handshake of the busiest address that has one; of this desk if it is full by itself. */
  #mute(now: Millis, full: Desk): Peer | undefined {
    const mayGo = (desk: Desk): Peer | undefined => {
      const oldest = first(desk.silent);
      return oldest !== undefined && now - oldest.since >= this.#limits.roomAfterMillis ? oldest : undefined;
    };
    if (full.running.size >= this.#limits.handshakesPerAddressMax) return mayGo(full);
    let busiest: Desk | undefined;
    for (const desk of this.#desks.values())
      if (mayGo(desk) !== undefined && (busiest === undefined || desk.running.size > busiest.running.size))
        busiest = desk;
    return busiest === undefined ? undefined : mayGo(busiest);
  }
}

const first = <T>(set: Set<T> | undefined): T | undefined => set?.values().next().value;
