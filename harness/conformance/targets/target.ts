/** A target that listens, however it came to run: given by address, started as a program, or in a container. */
import type { Address } from '../../../reference-impl/machine/machine.ts';
import type { Holdings } from '../case.ts';

export interface RunningServer {
  readonly address: Address;
  /** Why it is gone, with its last words; undefined while it runs. Of an address: whether it still takes connections is asked by `alive`. */
  readonly died: string | undefined;
  /** Asks without disturbing it where that is possible. */
  alive(): Promise<boolean>;
  /** Its last lines of output; empty where we do not see them. */
  output(): string;
  holdings(): Promise<Holdings | undefined>;
  /** The file that `{output}` in its command stands for; undefined where the command has none. Gone with `stop`. */
  readonly outputFile: string | undefined;
  /** Names of the profile's files that its command took. */
  readonly files: ReadonlySet<string>;
  /** @throws NotApplicable where it is not ours to signal */
  signal(signal: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerTarget {
  /** As the command line and reports name it. */
  readonly text: string;
  /** Whether `start` can be called again after it died. */
  readonly restartable: boolean;
  /** @throws TargetError when it does not come up: what was tried, what it said, what to do */
  start(): Promise<RunningServer>;
}

/** The set-up is wrong: nothing can be judged. Printed on one screen, exit code 4. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
}
