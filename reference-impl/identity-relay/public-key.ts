/** Byte strings as the files have them: base64url without padding. Used for keys as text, in maps, reports and on command lines. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUE = new Map([...ALPHABET].map((letter, value) => [letter, value]));

export const textOf = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const bits = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const letters = Math.min(4, Math.ceil(((bytes.length - i) * 8) / 6));
    for (let j = 0; j < letters; j++) text += ALPHABET[(bits >> (18 - 6 * j)) & 63];
  }
  return text;
};

/**
 * @param text base64url; `=` padding is taken
 * @returns undefined for another letter (`+` and `/` included), a wrong length or unused bits that are not zero
 */
export const bytesOf = (text: string): Uint8Array | undefined => {
  const bare = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text;
  if (bare.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((bare.length * 6) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of bare) {
    const value = VALUE.get(letter);
    if (value === undefined) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = (bits >> held) & 0xff;
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : undefined;
};

/** A key as logs may show it: enough to tell two apart, no more. */
export const masked = (key: string): string => `${key.slice(0, 6)}…`;
