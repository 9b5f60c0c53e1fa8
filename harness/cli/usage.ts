import { distance } from 'fastest-levenshtein';
import { nearestNames, whatThereIs } from '../conformance/nearest.ts';

/** The command was called wrongly: exit code 2, one clear text, no stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * "unknown NAT 'hostil'. Nearest: 'hostile'. There are: ...".
 * @param listedBy where all of them are listed: told instead of more than fit a screen
 */
export const unknown = (
  what: string,
  got: string,
  known: readonly string[],
  listedBy?: string,
): UsageError => {
  // A beginning somebody meant to finish is nearer than any count of letters says.
  const near = nearestNames(got, known).filter(
    (name) =>
      name.split('/').some((part) => part.startsWith(got)) ||
      distance(got, name) <= Math.max(2, got.length / 2),
  );
  const hint = near.length === 0 ? '' : ` Nearest: ${near.map((name) => `'${name}'`).join(', ')}.`;
  return new UsageError(`unknown ${what} '${got}'.${hint} ${whatThereIs(known, listedBy)}.`);
};

/** A whole number of an option within bounds. @throws UsageError */
export const whole =
  (option: string, min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new UsageError(`${option} ${text}: expected a whole number from ${min} to ${max}.`);
    return value;
  };

/** Seeds are hex, at most 32 bits. @throws UsageError */
export const seed = (text: string): number => {
  if (!/^[0-9a-f]{1,8}$/i.test(text))
    throw new UsageError(`--seed ${text}: expected one to eight hex digits, as the report prints it.`);
  return Number.parseInt(text, 16);
};

/** One of a list. @throws UsageError naming the nearest */
export const oneOf =
  <Name extends string>(what: string, names: readonly Name[]) =>
  (text: string): Name => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw unknown(what, text, names);
    return found;
  };
