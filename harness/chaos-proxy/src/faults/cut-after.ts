import type { CutHow, Family, FaultCommon, Next, Piece, Place, Stage } from './fault.ts';
import { split } from './fault.ts';
import { MarkerScan } from './marker.ts';

/** The connection is cut right behind a byte: everything before it arrives, nothing after it. */
export type CutAfterFault = FaultCommon & {
  readonly kind: 'cutAfter';
  /** Bytes of the direction that still pass, counted from where the fault begins. */
  readonly bytes?: number;
  /** Or: up to the end of these bytes. */
  readonly marker?: string;
  readonly occurrence?: number;
  readonly how: CutHow;
};

class CutAfterStage implements Stage {
  readonly #fault: CutAfterFault;
  readonly #place: Place;
  readonly #scan: MarkerScan | undefined;
  #at = Number.POSITIVE_INFINITY;
  #cut = false;
  constructor(fault: CutAfterFault, place: Place) {
    this.#fault = fault;
    this.#place = place;
    if (fault.marker !== undefined) this.#scan = new MarkerScan(fault.marker, fault.occurrence ?? 1);
  }

  began(_since: number, offset: number): void {
    if (this.#fault.bytes !== undefined) this.#at = offset + this.#fault.bytes;
  }

  push(piece: Piece, next: Next): void {
    const { conn, direction, receipt } = this.#place;
    let tail = piece;
    if (!this.#cut) {
      const found = this.#scan?.find(piece.bytes);
      if (found !== undefined) this.#at = piece.offset + found;
      if (piece.offset + piece.bytes.length < this.#at) {
        next(piece);
        return;
      }
      let head: Piece;
      // The limit may have been lowered below what has passed.
      [head, tail] = split(piece, Math.max(0, this.#at - piece.offset));
      if (head.bytes.length > 0) next(head);
      this.#cut = true;
      this.#place.cut(this.#fault.how);
    }
    // Whether a peer got to write more before it heard RST is its own timing and proves nothing.
    if (this.#fault.how !== 'rst') receipt.note('dropped', conn, direction, tail.bytes.length, 'bytes');
  }
}

export const CUT_AFTER: Family<CutAfterFault> = {
  kind: 'cutAfter',
  note: 'the connection is cut right behind a byte: by FIN (that direction), or both ends by close (FIN), RST or silence',
  proof: 'cuts, and bytes dropped behind them',
  attributes: [
    { name: 'bytes', type: 'bytes', standard: 'or marker', note: 'bytes that still pass' },
    {
      name: 'marker',
      type: 'bytestring',
      standard: 'or bytes',
      note: 'cut behind these bytes: text, or hex:0d0a',
    },
    { name: 'occurrence', type: 'count', standard: '1', least: 1, note: 'which occurrence of the marker' },
    {
      name: 'how',
      type: 'word',
      standard: 'required',
      words: ['fin', 'rst', 'close', 'silent'],
      note: 'fin | rst | close | silent (both ends hear nothing until keepalive)',
    },
  ],
  example: 'cutAfter:bytes=4096,how=rst,direction=down',
  triggers: 'any',
  directed: true,
  check: (fault) =>
    (fault.bytes === undefined) === (fault.marker === undefined)
      ? 'either bytes or marker'
      : fault.occurrence !== undefined && fault.marker === undefined
        ? 'occurrence only together with marker'
        : undefined,
  begin: (fault) => ({ stage: (place) => new CutAfterStage(fault, place) }),
};
