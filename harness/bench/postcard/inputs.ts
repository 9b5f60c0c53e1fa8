/** What text, blobs and frames are put in, apart from the libraries that are measured with them. */
import { rngFor } from '../../../reference-impl/machine/rng.ts';
import { DATA_SEED } from './case.ts';
import { postcardObjects } from './formats/postcard-format.ts';
import { messages } from './measurement-data.ts';

export const TEXT_KINDS = ['ascii', 'latin', 'cjk'] as const;
export type TextKind = (typeof TEXT_KINDS)[number];
export const TEXT_CHARS = [64, 1024, 65_536] as const;
export const BLOB_BYTES = [64, 1024, 16_384, 65_536] as const;

/** A body that COBS stuffs. */
export type CobsBody = { readonly name: string; readonly zeros: 'few' | 'many'; readonly bytes: Uint8Array };

const random = (bytes: number, of: (byte: number, i: number) => number): Uint8Array => {
  const rng = rngFor(DATA_SEED, `body of ${bytes}`);
  return new Uint8Array(bytes).map((_, i) => of(rng.below(256), i));
};

const POINTS_OF_A_LARGE_MESSAGE = 900;

/** The bodies in the order that the cases' names count. */
export const cobsBodies = (): readonly CobsBody[] => {
  const format = postcardObjects();
  const [message] = messages(1, POINTS_OF_A_LARGE_MESSAGE, DATA_SEED);
  const body = format.encode(message as never).slice();
  return [
    { name: 'random, 1 KiB', zeros: 'few', bytes: random(1024, (byte) => byte) },
    { name: 'random, 64 KiB', zeros: 'few', bytes: random(65_536, (byte) => byte) },
    { name: 'postcard message, 68 KiB', zeros: 'few', bytes: body },
    {
      name: 'u16 in 32 bits, 64 KiB',
      zeros: 'many',
      bytes: random(65_536, (byte, i) => (i % 4 < 2 ? byte : 0)),
    },
  ];
};

/** How frames fall into chunks: the body's bytes and the chunk's. */
export const FRAME_CUTS = [
  [15_500, 1460],
  [15_500, 65_536],
  [317_000, 1460],
  [100, 1460],
] as const;
/** Frames of doubling length in chunks of 1460 bytes: their slope tells linear time. */
export const SLOPE_FRAMES = [16_000, 64_000, 256_000, 1_024_000] as const;
export const SLOPE_CHUNK = 1460;
