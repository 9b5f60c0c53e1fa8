/** TEST ONLY: the engine as tests ask it, and an image that this machine has already (the Docker lab's own hosts run in it). */
import { execFileSync } from 'node:child_process';

/** What it printed; nothing where that fails. */
const docker = (...args: readonly string[]): string => {
  try {
    return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};

export const image =
  docker('image', 'ls', 'relaylab-host', '--format', '{{.Repository}}:{{.Tag}}').split('\n')[0] ?? '';
/** For tests that want a container. */
export const skip = image === '' ? 'no engine here, or no image of the Docker lab' : false;

/** No container of the gate is left that listens, or dials. */
export const nothingLeft = (
  t: { equal: (found: unknown, wanted: unknown, message: string) => void },
  role: 'server' | 'client',
): void =>
  t.equal(docker('ps', '-aq', '--filter', `label=org.relaylab.conformance=${role}`), '', 'nothing is left');
