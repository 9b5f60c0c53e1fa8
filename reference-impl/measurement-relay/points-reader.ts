import { WireError } from '../machine/wire-error.ts';
import { COUNT, POINT, type WirePoint } from './messages.ts';

/** The shortest point: an id, two parts of a time, a U64, four empty strings, no attributes. */
const POINT_BYTES_MIN = 10;

/** Who takes points. */
export type PointTaker = {
  /** Takes a point without the codec. @returns where it ends; -1: it was not taken, the codec has to read it */
  quick(bytes: Uint8Array, view: DataView, at: number): number;
  /** @param at where it stands, up to `end` */
  take(point: WirePoint, bytes: Uint8Array, view: DataView, at: number, end: number): void;
};

/** Reads the `buf` of a message in parts, so that a long one never stands in memory as a whole. */
export class PointsReader {
  readonly #body: Uint8Array;
  #at: number;
  #left: number;

  /** @param at where the count stands @throws PostcardError, WireError: more points than the bytes can hold */
  constructor(body: Uint8Array, at: number) {
    const { value, end } = COUNT.decodePrefix(body, at);
    const room = Math.floor((body.length - end) / POINT_BYTES_MIN);
    if (value > room)
      throw new WireError({
        code: 'UNDECODABLE',
        fault: 'remote',
        at,
        expected: `at most ${room} points in ${body.length - end} bytes`,
        got: `a count of ${value}`,
        hint: 'whether the sender was cut off while it encoded',
      });
    this.#body = body;
    this.#at = end;
    this.#left = Number(value);
  }

  /** Points that were not read. */
  get left(): number {
    return this.#left;
  }

  /** Bytes behind the last point, once all are read. */
  get trailing(): number {
    return this.#body.length - this.#at;
  }

  /** Reads points until they took so many bytes, or to the end. @returns the bytes they took @throws PostcardError */
  read(bytesMax: number, taker: PointTaker): number {
    const body = this.#body;
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    const from = this.#at;
    while (this.#left > 0 && this.#at - from < bytesMax) {
      const quick = taker.quick(body, view, this.#at);
      if (quick >= 0) this.#at = quick;
      else {
        const { value, end } = POINT.decodePrefix(body, this.#at);
        taker.take(value, body, view, this.#at, end);
        this.#at = end;
      }
      this.#left--;
    }
    return this.#at - from;
  }
}
