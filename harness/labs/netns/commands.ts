/** iproute2 and shells as child processes: many lines at a time, because on a small machine each process counts. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { LabError } from '../lab.ts';

/** A script for one namespace. */
export type Setup = { readonly namespace: string; readonly script: string };

/** No command of the lab takes longer, unless it is meant to. */
const PATIENCE_MILLIS = 60_000;
const TAIL_CHARACTERS = 600;

/**
 * Runs a command to its end and hands back what it printed. `patienceMillis`: then it is killed.
 * @throws LabError with what it said when it fails
 */
export const run = (
  argv: readonly [string, ...string[]],
  input: string,
  patienceMillis = PATIENCE_MILLIS,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const [command, ...args] = argv;
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMillis);
    const lost = (how: string): void => {
      clearTimeout(timer);
      const said = text.trim().slice(-TAIL_CHARACTERS);
      reject(
        new LabError(
          `${argv.slice(0, 4).join(' ')}: ${how}${said === '' ? '' : `: ${said}`}`,
          'run it again with --keep and look with ip netns exec',
        ),
      );
    };
    child.once('error', ({ message }) => lost(message));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(text.trim());
      else lost(signal === null ? `ended with ${code}` : `killed by ${signal}`);
    });
    // a command that ends early is told by its end
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });

/** Lines as `ip` takes them, in one process; the first that fails ends it. @throws LabError */
export const ipBatch = async (lines: readonly string[]): Promise<void> => {
  if (lines.length > 0) await run(['ip', '-batch', '-'], `${lines.join('\n')}\n`);
};

/** Lines for `ip` as a part of a script. */
export const ipLines = (lines: readonly string[]): string =>
  ['ip -batch - <<LINES', ...lines, 'LINES'].join('\n');

/** One shell that goes from namespace to namespace. Scripts must not read their standard input: it holds what follows. */
const tour = (setups: readonly Setup[]): string =>
  setups
    .map(({ namespace, script }) =>
      [
        `ip netns exec ${namespace} sh -e <<'NAMESPACE' || { echo "in ${namespace}" >&2; exit 1; }`,
        script,
        'NAMESPACE',
        '',
      ].join('\n'),
    )
    .join('');

/** More tours at once than this are no faster (measured on 2 cores). */
const toursAtOnce = (): number => Math.min(4, 1 + availableParallelism());

/** Runs every script in its namespace, some side by side. Waits for all of them, also after a failure. @throws LabError the first one */
export const setUp = async (setups: readonly Setup[]): Promise<void> => {
  const tours = Math.min(toursAtOnce(), setups.length);
  const shares = Array.from({ length: tours }, (_, tourist) =>
    setups.filter((_setup, index) => index % tours === tourist),
  );
  const ended = await Promise.allSettled(shares.map((share) => run(['sh'], tour(share))));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
};

/** A shell in a namespace, for `KernelNat`: one process a script. */
export const shellIn = (namespace: string) => ({
  run: (script: string, takesMillis = 0): Promise<string> =>
    run(['ip', 'netns', 'exec', namespace, 'sh', '-ec', script], '', PATIENCE_MILLIS + takesMillis),
});
