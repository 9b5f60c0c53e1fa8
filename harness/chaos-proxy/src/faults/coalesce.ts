import type { Millis } from '../machine.ts';
import type { Family, FaultCommon, Next, Piece, Place, Stage } from './fault.ts';

/** Bytes are held for a window and leave in one write, as behind Nagle's rule or a lazy middlebox. */
export type CoalesceFault = FaultCommon & {
  readonly kind: 'coalesce';
  readonly windowMs: number;
};

class CoalesceStage implements Stage {
  readonly #fault: CoalesceFault;
  readonly #place: Place;
  #until: Millis = Number.NEGATIVE_INFINITY;
  constructor(fault: CoalesceFault, place: Place) {
    this.#fault = fault;
    this.#place = place;
  }

  push(piece: Piece, next: Next): void {
    const { conn, direction, receipt } = this.#place;
    const opens = piece.at >= this.#until;
    if (opens) this.#until = piece.at + this.#fault.windowMs;
    receipt.delay(piece.bytes.length, this.#until - piece.at);
    receipt.note('coalesced', conn, direction, piece.bytes.length, 'bytes');
    next({ ...piece, at: this.#until, edge: opens ? 'apart' : 'together', by: receipt });
  }
}

export const COALESCE: Family<CoalesceFault> = {
  kind: 'coalesce',
  note: 'bytes are held for a window and leave in one write',
  proof: 'bytes held',
  attributes: [
    {
      name: 'windowMs',
      type: 'millis',
      standard: 'required',
      note: 'how long a window stays open, from its first byte',
    },
  ],
  example: 'coalesce:windowMs=20',
  triggers: 'any',
  directed: true,
  begin: (fault) => ({ stage: (place) => new CoalesceStage(fault, place), latencyMillis: fault.windowMs }),
};
