/** Framing: COBS over bodies of several kinds, and splitting a stream of length-prefixed frames however it was cut. */
import { createRequire } from 'node:module';
import { decodeCobsInto, encodeCobsInto, LengthPrefixed } from 'postcard-ts';
import { type Case, kept, mustBeSame, sink } from './case.ts';
import { cobsBodies, FRAME_CUTS, SLOPE_CHUNK, SLOPE_FRAMES } from './inputs.ts';

type Cobs = {
  /** Frame without the terminator. */
  encode(body: Uint8Array): Uint8Array | number;
  frame(body: Uint8Array): Uint8Array;
  decode(frame: Uint8Array): Uint8Array | number;
  body(frame: Uint8Array): Uint8Array;
};

const TARGET_BYTES = 1 << 18;
const ours = (): Cobs => {
  const target = new Uint8Array(TARGET_BYTES);
  return {
    encode: (body) => encodeCobsInto(body, target),
    frame: (body) => target.slice(0, encodeCobsInto(body, target)),
    decode: (frame) => decodeCobsInto(frame, target),
    body: (frame) => target.slice(0, decodeCobsInto(frame, target)),
  };
};

const npm = (): Cobs => {
  const { encode, decode } = createRequire(import.meta.url)('cobs') as {
    encode(body: Uint8Array): Buffer;
    decode(frame: Uint8Array): Buffer;
  };
  return { encode, frame: encode, decode, body: decode };
};

/** Cases `encode-I` and `decode-I` for the I-th body. */
export const cobsCases = async (id: string): Promise<readonly Case[]> => {
  const { encode, frame, decode, body } = id === 'postcard' ? ours() : npm();
  return cobsBodies().flatMap(({ bytes }, i) => {
    const input = kept(bytes);
    const framed = kept(frame(input));
    if (!Buffer.from(body(framed)).equals(bytes)) throw new Error(`${id} loses bytes of body ${i}`);
    return [
      {
        name: `encode-${i}`,
        bytes: bytes.length,
        run: (count: number): void => {
          for (let k = 0; k < count; k++) sink.last = encode(input);
        },
      },
      {
        name: `decode-${i}`,
        bytes: bytes.length,
        run: (count: number): void => {
          for (let k = 0; k < count; k++) sink.last = decode(framed);
        },
      },
    ];
  });
};

const STREAM_BYTES = 2_000_000;
const FRAMES_MIN = 3;

/** What everybody writes first: joins what is held with what comes, then cuts frames off its front. */
class Concatenating {
  #held: Buffer = Buffer.alloc(0);

  push(chunk: Uint8Array): readonly Uint8Array[] {
    this.#held = Buffer.concat([this.#held, chunk]);
    const frames: Uint8Array[] = [];
    while (this.#held.length >= 4) {
      const end = 4 + this.#held.readUInt32BE(0);
      if (this.#held.length < end) break;
      frames.push(this.#held.subarray(4, end));
      this.#held = this.#held.subarray(end);
    }
    return frames;
  }
}

const chunksOf = (frameBytes: number, chunkBytes: number): readonly Uint8Array[] => {
  const frame = Buffer.alloc(frameBytes + 4, 1);
  frame.writeUInt32BE(frameBytes, 0);
  const count = Math.max(FRAMES_MIN, Math.floor(STREAM_BYTES / frameBytes));
  const stream = Buffer.concat(new Array<Buffer>(count).fill(frame));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += chunkBytes) chunks.push(stream.subarray(at, at + chunkBytes));
  return chunks;
};

/** Cases `FRAME/CHUNK`: once a stream of about two megabytes. */
export const frameCases = async (id: string): Promise<readonly Case[]> => {
  const splitter = () => (id === 'postcard' ? new LengthPrefixed({ max: 2 ** 25 }) : new Concatenating());
  const cuts = [
    ...FRAME_CUTS,
    ...(id === 'postcard' ? SLOPE_FRAMES.map((bytes) => [bytes, SLOPE_CHUNK] as const) : []),
  ];
  return cuts.map(([frameBytes, chunkBytes]) => {
    const chunks = chunksOf(frameBytes, chunkBytes);
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    const split = splitter();
    const found = chunks.flatMap((chunk) => split.push(chunk)).map(({ length }) => length);
    const count = bytes / (frameBytes + 4);
    mustBeSame(id, new Array(count).fill(frameBytes), found);
    return {
      name: `${frameBytes}/${chunkBytes}`,
      bytes,
      run: (times: number): void => {
        for (let i = 0; i < times; i++) for (const chunk of chunks) sink.last = split.push(chunk);
      },
    };
  });
};
