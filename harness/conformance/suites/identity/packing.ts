/** Cap'n Proto's packing, the plain way. Source: Cap'n Proto encoding spec, "Packing". */
import { Broken } from '../../outcome.ts';

const WORD = 8;
const RUN_MAX = 255;

const zerosIn = (words: Buffer, at: number): number => {
  let zeros = 0;
  for (let i = 0; i < WORD; i++) if (words[at + i] === 0) zeros++;
  return zeros;
};

/** How many words from here on a run has: whole zero words, or words with at most one zero byte. */
const runOf = (words: Buffer, at: number, belongs: (zeros: number) => boolean): number => {
  let run = 0;
  while (run < RUN_MAX && at + run * WORD < words.length && belongs(zerosIn(words, at + run * WORD))) run++;
  return run;
};

/** @param words a multiple of 8 bytes */
export const pack = (words: Buffer): Buffer => {
  const out = Buffer.alloc(words.length + Math.ceil(words.length / WORD) * 2 + 2);
  let to = 0;
  let at = 0;
  while (at < words.length) {
    const tagAt = to++;
    let tag = 0;
    for (let i = 0; i < WORD; i++) {
      const byte = words[at + i] as number;
      if (byte === 0) continue;
      tag |= 1 << i;
      out[to++] = byte;
    }
    out[tagAt] = tag;
    at += WORD;
    if (tag !== 0 && tag !== 0xff) continue;
    const run = runOf(words, at, tag === 0 ? (zeros) => zeros === WORD : (zeros) => zeros < 2);
    out[to++] = run;
    if (tag === 0xff) to += words.copy(out, to, at, at + run * WORD);
    at += run * WORD;
  }
  return out.subarray(0, to);
};

/** @throws Broken for packed bytes that end early, or mean more than `bytesMax` */
export const unpack = (packed: Buffer, bytesMax: number): Buffer => {
  const parts: Buffer[] = [];
  let length = 0;
  const put = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
    if (length > bytesMax) throw new Broken(`a message of at most ${bytesMax} bytes`, 'a longer one');
  };
  let at = 0;
  const next = (count: number): Buffer => {
    if (at + count > packed.length)
      throw new Broken('a whole packed message', `one that is cut at byte ${packed.length}`);
    at += count;
    return packed.subarray(at - count, at);
  };
  while (at < packed.length) {
    const tag = next(1)[0] as number;
    const word = Buffer.alloc(WORD);
    for (let i = 0; i < WORD; i++) if ((tag >> i) & 1) word[i] = next(1)[0] as number;
    put(word);
    if (tag === 0) put(Buffer.alloc((next(1)[0] as number) * WORD));
    if (tag === 0xff) put(next((next(1)[0] as number) * WORD));
  }
  return Buffer.concat(parts);
};
