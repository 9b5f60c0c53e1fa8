/** What of the command line is ours, and what is the command's that we start. */

/**
 * Puts `--` before the command of `exec` where it is missing: every word behind it is the command's, also one that is an option of
 * ours (`exec make --config x`).
 * @param takesValue our options whose value is the next word, as they are written (`--config`)
 */
export const withCommandApart = (
  args: readonly string[],
  takesValue: ReadonlySet<string>,
): readonly string[] => {
  let isExec = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (word === '--') return args;
    if (word.startsWith('-')) {
      if (takesValue.has(word)) at++;
    } else if (isExec) return args.toSpliced(at, 0, '--');
    else if (word === 'exec') isExec = true;
    else return args;
  }
  return args;
};
