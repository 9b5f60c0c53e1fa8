import { distance } from 'fastest-levenshtein';

/** As many names as are read on a terminal; of more, only the nearest are told. */
const LISTED_MAX = 24;
const NEAREST_MAX = 3;

/** An id may be typed without what stands before its slashes: `silent-prob` means `port-relay/hostile/silent-probe-fin`. */
const farFrom = (got: string, name: string): number => {
  const parts = name.split('/');
  const endings = parts.map((_, i) => parts.slice(i).join('/'));
  const begun = endings.some((ending) => got !== '' && ending.startsWith(got));
  return begun ? 0 : Math.min(...endings.map((ending) => distance(got, ending)));
};

/** The nearest names, best first: one of a short list, three of a long one. */
export const nearestNames = (got: string, known: readonly string[]): readonly string[] =>
  known
    .map((name) => ({ name, far: farFrom(got, name) }))
    .sort((one, other) => one.far - other.far)
    .slice(0, known.length > LISTED_MAX ? NEAREST_MAX : 1)
    .map(({ name }) => name);

/** `There are: pool, event`, or of many where they are listed. */
export const whatThereIs = (known: readonly string[], listedBy?: string): string =>
  known.length <= LISTED_MAX || listedBy === undefined
    ? `There are: ${known.join(', ')}`
    : `There are ${known.length}: ${listedBy}`;

/**
 * `unknown capability 'evnt'; nearest: 'event'. There are: pool, event`.
 * @param listedBy the command that prints all of them: told instead of a list that fills the screen
 */
export const unknownName = (
  what: string,
  got: string,
  known: readonly string[],
  listedBy?: string,
): string => {
  const near = nearestNames(got, known).map((name) => `'${name}'`);
  return `unknown ${what} '${got}'${near.length === 0 ? '' : `; nearest: ${near.join(', ')}`}. ${whatThereIs(known, listedBy)}`;
};
