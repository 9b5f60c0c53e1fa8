import type { Conn, Millis } from '../machine/machine.ts';
import { type Agenda, LOOK } from './sim-event.ts';
import { SpliceIdle } from './splice-idle.ts';

/** What the idle times of splices ask about their ends and streams. */
export type SplicedEnds = {
  isOpen(conn: Conn): boolean;
  /** See `Tunnel.moved`, of one end or stream. */
  movedBy(conn: Conn): number;
  timeOutBoth(now: Millis, a: Conn, b: Conn): void;
};

/** The idle times of all splices of the world. */
export class SimSplices {
  readonly #agenda: Agenda;
  readonly #ends: SplicedEnds;
  readonly #idle = new SpliceIdle();
  #armedAt: Millis = -1;

  constructor(agenda: Agenda, ends: SplicedEnds) {
    this.#agenda = agenda;
    this.#ends = ends;
  }

  /** @param idleMillis undefined or 0: never */
  watch(now: Millis, a: Conn, b: Conn, idleMillis: Millis | undefined): void {
    if (idleMillis === undefined) return;
    const ends = this.#ends;
    this.#idle.watch(now, idleMillis, {
      alive: () => ends.isOpen(a) || ends.isOpen(b),
      moved: () => ends.movedBy(a) + ends.movedBy(b),
      timeOut: (at) => ends.timeOutBoth(at, a, b),
    });
    this.#arm(now);
  }

  look(now: Millis): void {
    if (this.#armedAt !== now) return;
    this.#armedAt = -1;
    this.#idle.look(now);
    this.#arm(now);
  }

  #arm(now: Millis): void {
    const due = this.#idle.next();
    if (due === undefined) return;
    const at = due > now ? Math.ceil(due) : now;
    if (this.#armedAt >= 0 && this.#armedAt <= at) return;
    this.#armedAt = at;
    this.#agenda.post(at, LOOK, 0);
  }
}
