import { badSchema } from '../wire/refusal.ts';

/** What a codec refuses to go beyond. Within them, what is allocated is bounded by the length of the input. */
export type Limits = {
  /** Bytes of one message, read or written. */
  readonly bytes: number;
  /** Items of one seq or map. */
  readonly items: number;
  /** Items that take no bytes (`Vec<()>`), in a whole message. */
  readonly emptyItems: number;
  /** Levels of recursion: how many lazy schemas are open at once. */
  readonly depth: number;
};

export const LIMITS: Limits = {
  bytes: 64 * 1024 * 1024,
  items: 16 * 1024 * 1024,
  emptyItems: 65_536,
  depth: 128,
};

export type CodecOptions = {
  /**
   * `compiled` writes JavaScript for the schema and needs `eval`; `no-eval` uses closures; `auto` (the default) compiles where the
   * platform allows it.
   */
  readonly mode?: 'auto' | 'compiled' | 'no-eval';
  readonly limits?: Partial<Limits>;
  /** Bytes after a value: refused by default; `ignore` does as the crate's `from_bytes`. */
  readonly trailing?: 'refuse' | 'ignore';
  /** A char of several scalars: refused by default; `first` does as the crate, which drops the rest. */
  readonly chars?: 'one' | 'first';
};

export type Settings = {
  readonly limits: Limits;
  readonly ignoreTrailing: boolean;
  readonly firstChar: boolean;
};

/** Options with their defaults. @throws PostcardError BadSchema for a limit that is no whole number from 0 */
export const settingsOf = (options: CodecOptions): Settings => {
  const limits = { ...LIMITS, ...options.limits };
  for (const [name, limit] of Object.entries(limits))
    if (!Number.isSafeInteger(limit) || limit < 0)
      throw badSchema(`limits.${name}`, 'a whole number from 0', String(limit));
  return {
    limits,
    ignoreTrailing: options.trailing === 'ignore',
    firstChar: options.chars === 'first',
  };
};
