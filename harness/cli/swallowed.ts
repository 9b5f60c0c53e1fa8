/**
 * `npm run scenario nat-pool --lab sim` gives npm the flag: npm 11 hands us `nat-pool sim` and `npm_config_lab=true` in the
 * environment (`--lab=sim`: `nat-pool` and `npm_config_lab=sim`). It is seen here, and answered with the line that works.
 */
import { UsageError } from './usage.ts';

/** An option of a command, as the command line declares it. */
export type Flag = {
  /** Without the dashes: `relay-exec`. */
  readonly name: string;
  readonly takesValue: boolean;
  /** Whether this word may be its value. */
  readonly accepts: (word: string) => boolean;
};

const shellWord = (text: string): string =>
  /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * @param args words after the script's own, as npm left them
 * @param isSubject whether a word can be what the script is about (a scenario's name)
 * @throws UsageError with the right line when npm took a flag of ours
 */
export const refuseSwallowed = (
  env: NodeJS.ProcessEnv,
  script: string,
  flags: readonly Flag[],
  args: readonly string[],
  isSubject: (word: string) => boolean,
): void => {
  if (env.npm_lifecycle_event !== script) return;
  const given = (flag: Flag): string => env[`npm_config_${flag.name.replaceAll('-', '_')}`] ?? '';
  const swallowed = flags.filter((flag) => given(flag) !== '');
  if (swallowed.length === 0) return;
  // Whatever stands before the first flag that did come through: the rest was given rightly.
  const firstFlag = args.findIndex((arg) => arg.startsWith('-'));
  const words = firstFlag < 0 ? [...args] : args.slice(0, firstFlag);
  const rest = firstFlag < 0 ? [] : args.slice(firstFlag);
  const subject = take(words, isSubject) ?? words.shift() ?? 'NAME';
  const values = paired(
    swallowed.filter((flag) => flag.takesValue && given(flag) === 'true'),
    words,
  );
  const told = swallowed.map((flag) => {
    if (!flag.takesValue) return `--${flag.name}`;
    const value = given(flag) === 'true' ? values.get(flag) : given(flag);
    return `--${flag.name} ${value === undefined ? 'VALUE' : shellWord(value)}`;
  });
  const names = swallowed.map((flag) => `--${flag.name}`).join(', ');
  const line = ['npm run', script, shellWord(subject), '--', ...told, ...rest.map(shellWord)].join(' ');
  throw new UsageError(`npm took ${names} for itself. Put -- before the flags:\n\n  ${line}\n`);
};

const take = (words: string[], which: (word: string) => boolean): string | undefined => {
  const at = words.findIndex(which);
  return at < 0 ? undefined : words.splice(at, 1)[0];
};

/** Which word was whose value. npm forgets the order of flags, so only what can be nobody else's is said. */
const paired = (flags: readonly Flag[], words: readonly string[]): ReadonlyMap<Flag, string> => {
  const found = new Map<Flag, string>();
  const left = new Set(words);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const flag of flags) {
      if (found.has(flag)) continue;
      const others = flags.filter((other) => other !== flag && !found.has(other));
      const fits = [...left].filter((word) => flag.accepts(word));
      const own = fits.filter((word) => !others.some((other) => other.accepts(word)));
      const value = own.length === 1 ? own[0] : fits.length === 1 ? fits[0] : undefined;
      if (value === undefined) continue;
      found.set(flag, value);
      left.delete(value);
    }
  }
  return found;
};
