import { PostcardError } from 'postcard-ts';
import { COUNT, MESSAGE_HEAD, POINT_TAIL, type Point, VARIANT } from './messages.ts';
import type { SpooledBatch } from './spool.ts';

/** Longest body of a batch: what a server that acknowledges takes in one piece. */
const BATCH_BODY_BYTES_MAX = 4 * 1024 * 1024;
const HEAD_ROOM = 8_192;
/** Encoded points in one batch. A poll beyond it is the only one that is split. */
export const BATCH_BYTES_MAX = BATCH_BODY_BYTES_MAX - HEAD_ROOM;
const BUFFER_BYTES_MIN = 64 * 1024;

export type PointsTaker = {
  /** @returns the id on the wire; undefined: the point cannot be sent, and the taker has counted it */
  wireId(point: Point): number | undefined;
  unencodable(detail: string): void;
  tooLong(bytes: number): void;
  /** Encoded points, in memory of their own. */
  part(bytes: Uint8Array, points: number): void;
};

/** Encodes points one behind the other. Its buffer grows to the longest poll. */
export class PointsWriter {
  #buffer = new Uint8Array(BUFFER_BYTES_MIN);

  write(points: readonly Point[], taker: PointsTaker): void {
    let at = 0;
    let count = 0;
    for (const point of points) {
      const id = taker.wireId(point);
      if (id === undefined) continue;
      const end = this.#point(id, point, at, taker);
      if (end === undefined) continue;
      if (end - at > BATCH_BYTES_MAX) {
        taker.tooLong(end - at);
        continue;
      }
      if (end > BATCH_BYTES_MAX) {
        taker.part(this.#buffer.slice(0, at), count);
        this.#buffer.copyWithin(0, at, end);
        at = end - at;
        count = 1;
        continue;
      }
      at = end;
      count++;
    }
    if (count > 0) taker.part(this.#buffer.slice(0, at), count);
  }

  /** @returns the offset behind the point */
  #point(id: number, point: Point, at: number, taker: PointsTaker): number | undefined {
    for (;;) {
      try {
        return POINT_TAIL.encodeInto(point, this.#buffer, COUNT.encodeInto(id, this.#buffer, at));
      } catch (error) {
        if (!(error instanceof PostcardError)) throw error;
        if (error.kind !== 'SerializeBufferFull') {
          taker.unencodable(error.message);
          return undefined;
        }
        if (this.#buffer.length - at > BATCH_BODY_BYTES_MAX) {
          taker.tooLong(this.#buffer.length - at);
          return undefined;
        }
        const grown = new Uint8Array(2 * this.#buffer.length);
        grown.set(this.#buffer);
        this.#buffer = grown;
      }
    }
  }
}

/** A batch as a frame: SendBatch with its number where the server acknowledges, else SendMeasurements. */
export const batchFrame = (sender: string, batch: SpooledBatch, acknowledged: boolean): Uint8Array => {
  const head = new Uint8Array(HEAD_ROOM + 3 * sender.length);
  const variant = acknowledged ? VARIANT.SendBatch : VARIANT.SendMeasurements;
  let at = MESSAGE_HEAD.encodeInto({ sender, variant }, head, 4);
  if (acknowledged) at = COUNT.encodeInto(batch.number, head, at);
  at = COUNT.encodeInto(batch.points, head, at);
  const frame = new Uint8Array(at + batch.bytes);
  new DataView(frame.buffer).setUint32(0, frame.length - 4);
  frame.set(head.subarray(4, at), 4);
  for (const part of batch.parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
};
