import type { FaultCommon, Next, Piece, Place, Stage } from './faults/fault.ts';
import { split } from './faults/fault.ts';
import { MarkerScan } from './faults/marker.ts';
import type { Millis } from './machine.ts';

/** What is already behind a direction when a fault is placed on it; what is past does not trigger. */
export type Past = {
  /** When the fault was put on the link. */
  readonly addedAt: Millis;
  readonly offset: number;
  readonly accepted: boolean;
  readonly connected: boolean;
  readonly ended: boolean;
  /** Where the fault began that this one comes in place of, if it acts. */
  readonly beganAt?: number | undefined;
};

/** One fault on one direction of one connection: decides whether its stage acts on what passes. */
export class Placement {
  readonly place: Place;
  readonly #stage: Stage;
  readonly #forMillis: Millis;
  readonly #scan: MarkerScan | undefined;
  #state: 'waiting' | 'acting' | 'over' = 'waiting';
  /** The moment or the offset it waits for. */
  #since = Number.POSITIVE_INFINITY;
  #point = Number.POSITIVE_INFINITY;
  #event: 'connect' | 'fin' | undefined;
  /** A gate that a byte set off does not hold the bytes before it. */
  gateFrom = 0;
  #until = Number.POSITIVE_INFINITY;
  #beganAt: number | undefined;

  constructor(fault: FaultCommon, stage: Stage, place: Place, past: Past) {
    this.place = place;
    this.#stage = stage;
    this.#forMillis = fault.forMillis ?? Number.POSITIVE_INFINITY;
    const when = fault.when;
    this.#beganAt = past.beganAt;
    if (past.beganAt !== undefined) this.#since = place.clock.now;
    else if (when === undefined) this.#since = past.addedAt;
    else if ('afterMillis' in when) this.#since = past.addedAt + when.afterMillis;
    else if ('byte' in when) this.#wait(when.byte, past.offset);
    else if ('marker' in when) this.#scan = new MarkerScan(when.marker, when.occurrence ?? 1);
    else if (when.event === 'accept' && !past.accepted) this.#since = place.clock.now;
    else if (when.event === 'firstByte') this.#wait(0, past.offset);
    else if (when.event === 'connect' && !past.connected) this.#event = 'connect';
    else if (when.event === 'fin' && !past.ended) this.#event = 'fin';
    else this.#state = 'over';
  }

  /** When `poll` has something to do by itself. */
  get wakesAt(): Millis {
    return this.#state === 'waiting' ? this.#since : Number.POSITIVE_INFINITY;
  }
  /** It will never touch a byte again. */
  get over(): boolean {
    return this.#expired();
  }

  /** Begins if its moment has come. */
  poll(offset: number): void {
    if (this.#state === 'waiting' && this.place.clock.now >= this.#since) this.#begin(this.#since, offset);
  }

  happened(event: 'connect' | 'fin', offset: number): void {
    if (this.#state !== 'waiting' || this.#event !== event) return;
    if (event === 'fin') this.gateFrom = offset;
    this.#begin(this.place.clock.now, offset);
  }

  /** It was taken off the link. @returns whether the connection cannot go on without it */
  remove(): boolean {
    const closes = this.#state === 'acting' && this.#stage.closesWhenRemoved === true;
    this.#state = 'over';
    return closes;
  }

  /** Where in the direction it began; undefined: it does not act. */
  get beganAt(): number | undefined {
    return this.#state === 'acting' ? this.#beganAt : undefined;
  }

  push(piece: Piece, next: Next): void {
    this.poll(piece.offset);
    if (this.#state !== 'waiting') {
      this.#act(piece, next);
      return;
    }
    const found = this.#scan?.find(piece.bytes);
    if (found !== undefined) this.#point = piece.offset + found;
    if (piece.offset + piece.bytes.length < this.#point) {
      next(piece);
      return;
    }
    const [head, tail] = split(piece, this.#point - piece.offset);
    if (head.bytes.length > 0) next(head);
    this.gateFrom = this.#point;
    this.#begin(this.place.clock.now, this.#point);
    if (tail.bytes.length > 0) this.#act(tail, next);
  }

  fin(at: Millis, offset: number): Millis {
    this.poll(offset);
    return this.#expired() || this.#state === 'waiting' ? at : (this.#stage.fin?.(at) ?? at);
  }

  /** Nothing leaves before; 0: the way is clear. */
  gate(offset: number): Millis {
    if (this.#stage.gate === undefined) return 0;
    this.poll(offset);
    if (this.#expired() || this.#state === 'waiting') return 0;
    return Math.min(this.#stage.gate(), this.#until);
  }

  #act(piece: Piece, next: Next): void {
    if (this.#stage.push === undefined || this.#expired()) next(piece);
    else this.#stage.push(piece, next);
  }

  #wait(point: number, offset: number): void {
    if (point < offset) this.#state = 'over';
    else this.#point = point;
  }

  #begin(since: Millis, offset: number): void {
    this.#state = 'acting';
    this.#beganAt ??= offset;
    this.#until = since + this.#forMillis;
    if (!this.#expired()) this.#stage.began?.(since, this.#beganAt);
  }

  #expired(): boolean {
    if (this.#state === 'acting' && this.place.clock.now >= this.#until) this.#state = 'over';
    return this.#state === 'over';
  }
}
