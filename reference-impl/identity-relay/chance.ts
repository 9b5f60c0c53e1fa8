/** Everything in the protocol that must be random, each by its purpose, so that a test can hand in what was recorded. */
export type Chance = {
  /** 16 bytes, once per handshake and side. */
  readonly randNonce: () => Uint8Array;
  /** 32 bytes; who takes them zeroes them. */
  readonly dhSecret: () => Uint8Array;
  /** 32 bytes, once per exchange and side. */
  readonly keySalt: () => Uint8Array;
  /** 0 to 255 bytes for one message; they hold until the next call. */
  readonly padding: () => Uint8Array;
};

/** Padding is drawn for every message: a source is asked for this much at a time. */
const POOL_BYTES = 8_192;
const PADDING_BYTES_MAX = 255;

/** @param random so many bytes that nobody can foresee (in the simulator: of the seed) */
export const chanceFrom = (random: (length: number) => Uint8Array): Chance => {
  let pool = new Uint8Array(0);
  let at = 0;
  return {
    randNonce: () => random(16),
    dhSecret: () => random(32),
    keySalt: () => random(32),
    padding: () => {
      if (pool.length - at <= PADDING_BYTES_MAX) {
        pool = new Uint8Array(random(POOL_BYTES));
        at = 0;
      }
      const length = pool[at] as number;
      const padding = pool.subarray(at + 1, at + 1 + length);
      at += 1 + length;
      return padding;
    },
  };
};

/** No padding: where it would make a frame too long. */
export const NO_PADDING = new Uint8Array(0);
