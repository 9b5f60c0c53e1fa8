/** Ctrl-C, SIGTERM and a closed terminal end a run in order; who asks again is obeyed at once. */
import { EXIT } from '../verdict/verdict.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/**
 * One Ctrl-C comes up to three times: from the terminal to the whole process group, and again from npm and from ci/run.mjs,
 * which pass on what they get. Only what comes later than this was asked for again.
 */
const SAME_MILLIS = 400;

export type Interrupts = {
  /** Aborted by the first one. */
  readonly signal: AbortSignal;
  /** Back to how signals are without a run. */
  readonly done: () => void;
};

/**
 * @param again what a second one does: by default the process ends with exit code 130, and agents and janitor clean up
 * @param nowMillis any clock that does not go back
 */
export const interrupts = (
  again: () => void = () => process.exit(EXIT.interrupted),
  nowMillis: () => number = () => performance.now(),
): Interrupts => {
  const controller = new AbortController();
  let first = 0;
  const heard = (): void => {
    if (!controller.signal.aborted) {
      first = nowMillis();
      controller.abort(new Error('interrupted'));
    } else if (nowMillis() - first > SAME_MILLIS) again();
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return {
    signal: controller.signal,
    done: () => {
      for (const signal of SIGNALS) process.off(signal, heard);
    },
  };
};
