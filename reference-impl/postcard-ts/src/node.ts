/** What needs Node: its streams. Everything else of this package runs in browsers too. */
import { Transform, type TransformCallback } from 'node:stream';
import type { Codec } from './codec/codec.ts';
import type { Splitter } from './framing/splitter.ts';

/** Hands what a callback throws to the stream. */
const guarded = (done: TransformCallback, run: () => void): void => {
  try {
    run();
  } catch (thrown) {
    done(thrown as Error);
    return;
  }
  done();
};

/** Bytes in, bodies of frames out, one object each. A refusal destroys the stream with its PostcardError. */
export const nodeFrameStream = (splitter: Splitter): Transform =>
  new Transform({
    readableObjectMode: true,
    transform(chunk: Uint8Array, _encoding, done) {
      guarded(done, () => {
        for (const body of splitter.push(chunk)) this.push(body);
      });
    },
    flush: (done) => guarded(done, () => splitter.end()),
  });

/**
 * Bytes in, values out. `null` and `undefined` would end a Node stream, so values come as `{ value }`.
 * A refusal destroys the stream with its PostcardError.
 */
export const nodeDecodeStream = <T>(codec: Codec<T>, splitter: Splitter): Transform =>
  new Transform({
    readableObjectMode: true,
    transform(chunk: Uint8Array, _encoding, done) {
      guarded(done, () => {
        for (const body of splitter.push(chunk)) this.push({ value: codec.decode(body) });
      });
    },
    flush: (done) => guarded(done, () => splitter.end()),
  });

/**
 * `{ value }` in, frames out.
 * @param frame how a value becomes a frame: four bytes of length, big-endian, by default
 */
export const nodeEncodeStream = <T>(
  codec: Codec<T>,
  frame: (codec: Codec<T>, value: T) => Uint8Array = (of, value) => of.encodeFrame(value),
): Transform =>
  new Transform({
    writableObjectMode: true,
    transform(item: { readonly value: T }, _encoding, done) {
      guarded(done, () => this.push(frame(codec, item.value)));
    },
  });
