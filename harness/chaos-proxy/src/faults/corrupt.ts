import type { Family, FaultCommon, Next, Piece, Place, Stage } from './fault.ts';

/** Protocol abuse: bits of the stream are flipped, which TCP itself would never let through. */
export type CorruptFault = FaultCommon & {
  readonly kind: 'corrupt';
  /** Share of 1,460-byte stretches that get one flipped bit. */
  readonly ratio?: number;
  /** Or: one flipped bit in the byte at this offset of the direction. */
  readonly atByte?: number;
};

const STRETCH_BYTES = 1460;

class CorruptStage implements Stage {
  readonly #fault: CorruptFault;
  readonly #place: Place;
  constructor(fault: CorruptFault, place: Place) {
    this.#fault = fault;
    this.#place = place;
  }

  push(piece: Piece, next: Next): void {
    const { conn, direction, random, receipt } = this.#place;
    const end = piece.offset + piece.bytes.length;
    let bytes = piece.bytes;
    const flip = (offset: number): void => {
      if (offset < piece.offset || offset >= end) return;
      // A copy: the bytes may be the driver's own buffer.
      if (bytes === piece.bytes) bytes = piece.bytes.slice();
      const at = offset - piece.offset;
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8, offset, 2));
      receipt.note('corrupted', conn, direction, 1, 'count');
    };
    const { ratio, atByte } = this.#fault;
    if (atByte !== undefined) flip(atByte);
    if (ratio !== undefined)
      for (let start = piece.offset - (piece.offset % STRETCH_BYTES); start < end; start += STRETCH_BYTES)
        if (random.unit(start, 0) < ratio) flip(start + random.below(STRETCH_BYTES, start, 1));
    next(bytes === piece.bytes ? piece : { ...piece, bytes });
  }
}

export const CORRUPT: Family<CorruptFault> = {
  kind: 'corrupt',
  note: 'protocol abuse: bits are flipped, which TCP itself would never let through',
  proof: 'bits flipped',
  attributes: [
    {
      name: 'ratio',
      type: 'ratio',
      standard: 'or atByte',
      note: 'share of 1,460-byte stretches that get one flipped bit',
    },
    { name: 'atByte', type: 'bytes', standard: 'or ratio', note: 'the byte at this offset gets one' },
  ],
  example: 'corrupt:atByte=17,direction=up',
  triggers: 'any',
  directed: true,
  check: (fault) =>
    (fault.ratio === undefined) === (fault.atByte === undefined) ? 'either ratio or atByte' : undefined,
  begin: (fault) => ({ stage: (place) => new CorruptStage(fault, place) }),
};
