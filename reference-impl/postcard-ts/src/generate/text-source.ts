import { SHORT_HASH_SHIFT, SHORT_MAX } from '../wire/text-in.ts';

/** What is made of a short string where it is read. */
export type ShortUse = {
  /** Code that uses the record at `o`. */
  readonly found: string;
  /** Code for the place of a string that is not at `o`, its first place; its words are w0 to w3. */
  readonly lost: string;
  /** More that has to be 0 of what is in the first place, lest it counts as lost. */
  readonly also?: string;
};

/**
 * What `shortAt` of wire/text-in.ts does, written out where a string is read: V8 inlines a few calls of it, then has inlined enough.
 * Columns with a dictionary were read 1.16 times as fast in one process. Both have to agree on every step.
 * @param n a variable with the string's bytes, which lie at p  @param otherwise code for a string that is empty, or longer than the
 * table of short ones holds
 */
export const shortSource = (n: string, { found, lost, also }: ShortUse, otherwise: string): string => {
  const words = `let w0,w1=0,w2=0,w3=0;if(${n}>3){const k=${n}>>3<<2,q=p+${n}-4;w0=v.getInt32(p,true);w1=v.getInt32(p+k,true);w2=v.getInt32(q-k,true);w3=v.getInt32(q,true)}else w0=b[p]|b[p+(${n}>>1)]<<8|b[p+${n}-1]<<16;`;
  const hash = `let o=Math.imul((w0+Math.imul(w3,5)+Math.imul(w1,9)|0)^${n}^Math.imul(w2,17),-1640531535)>>>${SHORT_HASH_SHIFT}<<3;`;
  const same = `((SHORTS[o]^w0)|(SHORTS[o+3]^w3)|(SHORTS[o+1]^w1)|(SHORTS[o+2]^w2)|(SHORTS[o+4]^${n})${also ? `|(${also})` : ''})===0`;
  return `if(${n}>0&&${n}<=${SHORT_MAX}){${words}\n${hash}if(!(${same}))o=${lost};${found}}else ${otherwise};`;
};

/** Code that puts the text of a short string into a variable. */
export const textUse = (n: string, out: string): ShortUse => ({
  found: `${out}=TEXTS[o>>>3]`,
  lost: `elsewhere(b,p,${n},o,w0,w1,w2,w3)`,
});

/** Code that puts the id that D gave to a short string somewhere; `d` is D's number. */
export const idUse = (n: string, target: string): ShortUse => ({
  found: `${target}=SHORTS[o+6]`,
  lost: `idElsewhere(b,p,${n},o,w0,w1,w2,w3,D)`,
  also: 'SHORTS[o+5]^d',
});

/** Strings of one function that are looked up where they stand; more of them would make functions that V8 is slow to optimise. */
export const INLINED_TEXTS_MAX = 24;
