import { closest } from 'fastest-levenshtein';

/** `unknown capability 'evnt'; nearest: 'event'. There are: pool, event`. */
export const unknownName = (what: string, got: string, known: readonly string[]): string => {
  const nearest = known.length === 0 ? '' : `; nearest: '${closest(got, known as string[])}'`;
  return `unknown ${what} '${got}'${nearest}. There are: ${known.join(', ')}`;
};
