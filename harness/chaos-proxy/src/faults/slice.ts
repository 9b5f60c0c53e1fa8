import type { Millis } from '../machine.ts';
import type { Family, FaultCommon, Next, Piece, Place, Stage } from './fault.ts';
import { split } from './fault.ts';

/** The stream leaves in slices of `size` bytes, give or take `variation`, `delayUs` apart. */
export type SliceFault = FaultCommon & {
  readonly kind: 'slice';
  readonly size: number;
  readonly variation?: number;
  /** Microseconds between two slices that were ready together. */
  readonly delayUs?: number;
};

class SliceStage implements Stage {
  readonly #fault: SliceFault;
  readonly #place: Place;
  #border = -1;
  #last: Millis = Number.NEGATIVE_INFINITY;
  constructor(fault: SliceFault, place: Place) {
    this.#fault = fault;
    this.#place = place;
  }

  push(piece: Piece, next: Next): void {
    const { conn, direction, receipt } = this.#place;
    if (this.#border < 0) this.#border = this.#after(piece.offset);
    let rest = piece;
    while (rest.bytes.length > 0) {
      const fresh = rest.offset === this.#border;
      if (fresh) {
        this.#border = this.#after(rest.offset);
        this.#last += (this.#fault.delayUs ?? 1000) / 1000;
        receipt.note('sliced', conn, direction, 1, 'count');
      }
      const [head, tail] = split(rest, Math.min(this.#border - rest.offset, rest.bytes.length));
      this.#last = Math.max(this.#last, head.at);
      receipt.delay(head.bytes.length, this.#last - piece.at);
      next({ ...head, at: this.#last, edge: fresh ? 'apart' : head.edge, by: receipt });
      rest = tail;
    }
  }

  #after(offset: number): number {
    const { size, variation = 0 } = this.#fault;
    return offset + size - variation + this.#place.random.below(2 * variation + 1, offset);
  }
}

export const SLICE: Family<SliceFault> = {
  kind: 'slice',
  note: 'the stream leaves in small writes with pauses between them',
  proof: 'cuts between slices',
  attributes: [
    { name: 'size', type: 'bytes', standard: 'required', least: 1, note: 'bytes of a slice' },
    { name: 'variation', type: 'bytes', standard: '0', note: 'a slice is size ± variation' },
    { name: 'delayUs', type: 'micros', standard: '1000', note: 'pause between slices' },
  ],
  example: 'slice:size=64,variation=16,delayUs=2ms',
  triggers: 'any',
  directed: true,
  check: (fault) => ((fault.variation ?? 0) >= fault.size ? 'a variation below size' : undefined),
  begin: (fault) => ({ stage: (place) => new SliceStage(fault, place) }),
};
