import type { Codec } from '../codec/codec.ts';
import type { Splitter } from './splitter.ts';

/**
 * Bytes in, bodies of frames out.
 * @param splitter one stream's own: it holds what is incomplete
 */
export const frameStream = (splitter: Splitter): TransformStream<Uint8Array, Uint8Array> =>
  new TransformStream({
    transform: (chunk, controller) => {
      for (const body of splitter.push(chunk)) controller.enqueue(body);
    },
    flush: () => splitter.end(),
  });

/** Bytes in, values out; a refusal of splitter or codec errors the stream with its PostcardError. */
export const decodeStream = <T>(codec: Codec<T>, splitter: Splitter): TransformStream<Uint8Array, T> =>
  new TransformStream({
    transform: (chunk, controller) => {
      for (const body of splitter.push(chunk)) controller.enqueue(codec.decode(body));
    },
    flush: () => splitter.end(),
  });

/**
 * Values in, frames out.
 * @param frame how a value becomes a frame: four bytes of length, big-endian, by default
 */
export const encodeStream = <T>(
  codec: Codec<T>,
  frame: (codec: Codec<T>, value: T) => Uint8Array = (of, value) => of.encodeFrame(value),
): TransformStream<T, Uint8Array> =>
  new TransformStream({
    transform: (value, controller) => controller.enqueue(frame(codec, value)),
  });
