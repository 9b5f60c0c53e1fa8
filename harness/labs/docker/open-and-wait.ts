/**
 * A runner for the tests: `node open-and-wait.ts ROOT RUN` opens a lab of one site, says so, and waits to be killed.
 * When an agent is lost it says why, closes the lab and says how much it could not remove.
 */
import { fileURLToPath } from 'node:url';
import { PRESETS } from '../../nat/presets.ts';
import { DockerGround } from './docker-ground.ts';

const [root, runId] = process.argv.slice(2) as [string, string];
const agent = fileURLToPath(new URL('probe-agent.ts', import.meta.url));
const ground = new DockerGround({ root, runId, agent, workFolder: root });
await ground.open(
  {
    relay: { exec: undefined, limits: {}, defect: undefined },
    sites: [
      {
        name: 'home',
        nat: { name: 'home', value: PRESETS.home, note: '' },
        link: { name: 'clean', faults: [], note: '' },
        actors: [],
      },
    ],
    outside: [],
    keepaliveMillis: 0,
  },
  {
    seed: 0,
    sink: () => undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    keep: false,
  },
);
process.stdout.write('open\n');
ground.channel('users').onGone = async (reason) => {
  process.stdout.write(`${reason}\n`);
  process.stdout.write(`left behind: ${(await ground.close()).length}\n`);
  process.exit();
};
// a test that is killed itself leaves no runner behind
process.stdin.on('end', () => process.exit()).resume();
