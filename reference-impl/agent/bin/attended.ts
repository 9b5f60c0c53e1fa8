import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError, reasonOf } from '../agent-error.ts';

/** What an agent measures around: it ends when this does. */
export type Attended = {
  readonly pid: number | undefined;
  /** Resolves with the exit code to pass on. */
  readonly ended: Promise<number>;
  /** The agent was told to stop. */
  signal(signal: NodeJS.Signals): void;
};

const codeOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.on('close', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });

/** Starts a command with our stdin, stdout and stderr. One that cannot be started has ended with 126 or 127, as a shell has it. */
export const execute = async ([command = '', ...args]: readonly string[]): Promise<Attended> => {
  const child = spawn(command, args, { stdio: 'inherit' });
  const { promise: started, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  child.once('spawn', () => resolve(undefined));
  child.once('error', resolve);
  const error = await started;
  if (error !== undefined) {
    process.stderr.write(
      `relay-agent: ${command}: ${error.code === 'ENOENT' ? 'no such command' : reasonOf(error)}\n`,
    );
    const ended = Promise.resolve(error.code === 'ENOENT' ? 127 : 126);
    return { pid: undefined, ended, signal: () => undefined };
  }
  // a terminal sends SIGINT to the command itself; told twice it might be cut short
  return {
    pid: child.pid,
    ended: codeOf(child),
    signal: (signal) => {
      if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
    },
  };
};

const LOOK_MILLIS = 200;

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // one of another user lives too
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Follows a process that somebody else started. @throws AgentError NO_PROCESS */
export const follow = async (pid: number): Promise<Attended> => {
  if (!lives(pid))
    throw new AgentError({
      code: 'NO_PROCESS',
      where: 'watch',
      expected: 'the number of a process that runs',
      got: String(pid),
      hint: 'has it ended already?',
    });
  const stop = new AbortController();
  const ended = async (): Promise<number> => {
    while (!stop.signal.aborted && lives(pid))
      await sleep(LOOK_MILLIS, undefined, { signal: stop.signal }).catch(() => undefined);
    return 0;
  };
  return { pid, ended: ended(), signal: () => stop.abort() };
};
