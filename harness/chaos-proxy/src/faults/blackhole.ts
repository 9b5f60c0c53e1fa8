import type { Family, FaultCommon, Piece, Place, Stage } from './fault.ts';

/** A hole in the wire: bytes are taken and thrown away, and in the end the connection is closed. */
export type BlackholeFault = FaultCommon & {
  readonly kind: 'blackhole';
  /** From when the fault begins for a connection; without it the connection stays open until the fault is removed. */
  readonly closeMs?: number;
};

class BlackholeStage implements Stage {
  readonly closesWhenRemoved = true;
  readonly #fault: BlackholeFault;
  readonly #place: Place;
  constructor(fault: BlackholeFault, place: Place) {
    this.#fault = fault;
    this.#place = place;
  }

  began(): void {
    if (this.#fault.closeMs !== undefined) this.#place.close(this.#fault.closeMs);
  }

  push(piece: Piece): void {
    const { conn, direction, receipt } = this.#place;
    receipt.note('dropped', conn, direction, piece.bytes.length, 'bytes');
  }
}

export const BLACKHOLE: Family<BlackholeFault> = {
  kind: 'blackhole',
  note: 'bytes are thrown away; both ends get FIN in the end, also when the fault is removed, since the stream has a hole',
  proof: 'bytes dropped, connections closed',
  attributes: [
    {
      name: 'closeMs',
      type: 'millis',
      standard: 'never',
      note: 'when both ends get FIN, from its beginning',
    },
  ],
  example: 'blackhole:closeMs=3s,direction=up',
  triggers: 'any',
  directed: true,
  check: (fault) => (fault.forMillis === undefined ? undefined : 'closeMs instead of forMillis'),
  begin: (fault) => ({ stage: (place) => new BlackholeStage(fault, place) }),
};
