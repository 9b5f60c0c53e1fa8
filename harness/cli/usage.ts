import { closest, distance } from 'fastest-levenshtein';

/** The command was called wrongly: exit code 2, one clear text, no stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** "unknown NAT 'hostil': there are ...; nearest: 'hostile'". */
export const unknown = (what: string, got: string, known: readonly string[]): UsageError => {
  // A beginning somebody meant to finish is nearer than any count of letters says.
  const begun = known.find((name) => name.startsWith(got));
  const nearest = begun ?? (known.length === 0 ? undefined : closest(got, known as string[]));
  const near =
    begun !== undefined || (nearest !== undefined && distance(got, nearest) <= Math.max(2, got.length / 2));
  const hint = near ? ` Nearest: '${nearest}'.` : '';
  return new UsageError(`unknown ${what} '${got}'.${hint} There are: ${known.join(', ')}.`);
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

/**
 * `npm run scenario nat-pool --lab sim` gives npm the flag and us the rest: seen in the environment, told with the right line.
 * @throws UsageError
 */
export const refuseSwallowed = (
  env: NodeJS.ProcessEnv,
  script: string,
  flags: readonly string[],
  args: readonly string[],
): void => {
  if (env.npm_lifecycle_event !== script) return;
  const swallowed = flags.filter((flag) => env[`npm_config_${flag.replaceAll('-', '_')}`] !== undefined);
  if (swallowed.length === 0) return;
  const value = (flag: string): string => {
    const given = env[`npm_config_${flag.replaceAll('-', '_')}`];
    return given === undefined || given === 'true' || given === '' ? '' : `=${given}`;
  };
  const words = args.filter((arg) => !arg.startsWith('-'));
  const [name = 'NAME', ...values] = words;
  const told = swallowed.map(
    (flag, i) => `--${flag}${value(flag) || (values[i] === undefined ? '' : ` ${values[i]}`)}`,
  );
  throw new UsageError(
    `npm took ${swallowed.map((flag) => `--${flag}`).join(', ')} for itself. Put -- before the flags:\n\n  npm run ${script} ${name} -- ${told.join(' ')}`,
  );
};
