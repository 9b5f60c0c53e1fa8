/** The engine, by its own command. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TargetError } from './target.ts';

/** Who cleans up by hand finds them by this; its value says whether they listen (`server`) or dial (`client`). */
export const LABEL = 'org.relaylab.conformance';

/** What it printed. Rejects with what execFile rejects with: `whyNot` reads it. */
export const docker = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)('docker', args, { encoding: 'utf8' });
  return stdout.trim();
};

/** The last lines of what it complained of. */
export const whyNot = (error: unknown): string => {
  const { code, stderr } = error as { readonly code?: string | number; readonly stderr?: string };
  if (code === 'ENOENT') return 'there is no docker command on PATH';
  return (stderr ?? String(error)).trim().split('\n').slice(-3).join('\n');
};

/** @throws TargetError */
export const needsEngine = async (): Promise<void> => {
  try {
    await docker('version', '--format', '{{.Server.Version}}');
  } catch (error) {
    throw new TargetError(
      `--image needs a Docker engine: ${whyNot(error)}.\nJudge the program itself instead, by --exec.`,
    );
  }
};
