import type { Millis } from '../machine.ts';
import type { Family, FaultCommon, Next, Piece, Place, Stage } from './fault.ts';
import { split } from './fault.ts';

/** Bytes leave no faster than `rate`. */
export type BandwidthFault = FaultCommon & {
  readonly kind: 'bandwidth';
  /** Bytes per second. */
  readonly rate: number;
  /** Bytes that may pass at once after a pause. */
  readonly burst?: number;
  /** `conn`: each connection has the rate to itself; `link`: all share it, each direction for itself. */
  readonly scope?: 'conn' | 'link';
};

/**
 * A wire that is busy until its last byte has left. It counts whole bytes from the moment it became busy and looks at
 * whole milliseconds, so that the time of a byte does not depend on the pieces it came in.
 */
class Wire {
  readonly #bytesPerMilli: number;
  readonly #burstMillis: Millis;
  #busySince: Millis = Number.NEGATIVE_INFINITY;
  #bytes = 0;
  constructor(fault: BandwidthFault) {
    this.#bytesPerMilli = fault.rate / 1000;
    this.#burstMillis = (fault.burst ?? 0) / this.#bytesPerMilli;
  }

  /** Takes as many of `length` bytes as leave in the same millisecond. */
  take(at: Millis, length: number): { readonly bytes: number; readonly at: Millis } {
    const start = at - this.#burstMillis;
    if (this.#busySince + this.#bytes / this.#bytesPerMilli < start) {
      this.#busySince = start;
      this.#bytes = 0;
    }
    const first = this.#leaves(this.#bytes + 1, at);
    let bytes = Math.floor((first - this.#busySince) * this.#bytesPerMilli) - this.#bytes;
    while (bytes > 1 && this.#leaves(this.#bytes + bytes, at) > first) bytes--;
    while (bytes < length && this.#leaves(this.#bytes + bytes + 1, at) <= first) bytes++;
    bytes = Math.min(Math.max(1, bytes), length);
    this.#bytes += bytes;
    return { bytes, at: first };
  }

  #leaves(count: number, at: Millis): Millis {
    return Math.max(at, Math.ceil(this.#busySince + count / this.#bytesPerMilli));
  }
}

class BandwidthStage implements Stage {
  readonly #wire: Wire;
  readonly #place: Place;
  constructor(wire: Wire, place: Place) {
    this.#wire = wire;
    this.#place = place;
  }

  push(piece: Piece, next: Next): void {
    const { conn, direction, receipt } = this.#place;
    let rest = piece;
    while (rest.bytes.length > 0) {
      const taken = this.#wire.take(piece.at, rest.bytes.length);
      const [head, tail] = split(rest, taken.bytes);
      receipt.delay(taken.bytes, taken.at - piece.at);
      if (taken.at > piece.at) receipt.note('shaped', conn, direction, taken.bytes, 'bytes');
      next({ ...head, at: taken.at, by: receipt });
      rest = tail;
    }
  }
}

export const BANDWIDTH: Family<BandwidthFault> = {
  kind: 'bandwidth',
  note: 'bytes leave no faster than a rate, per connection or for the whole link',
  proof: 'bytes that had to wait',
  attributes: [
    { name: 'rate', type: 'rate', standard: 'required', least: 1, note: 'bytes per second, or 12Mbit' },
    { name: 'burst', type: 'bytes', standard: '0', note: 'bytes that may pass at once after a pause' },
    {
      name: 'scope',
      type: 'word',
      standard: 'conn',
      words: ['conn', 'link'],
      note: 'who shares the rate',
    },
  ],
  example: 'bandwidth:rate=12Mbit,scope=link',
  triggers: 'any',
  directed: true,
  begin: (fault) => {
    const shared = { up: new Wire(fault), down: new Wire(fault) };
    return {
      stage: (place) =>
        new BandwidthStage(fault.scope === 'link' ? shared[place.direction] : new Wire(fault), place),
      bytesPerSecond: fault.rate,
    };
  },
};
