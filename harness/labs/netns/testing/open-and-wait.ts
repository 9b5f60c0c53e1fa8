/** A runner for the tests: `node open-and-wait.ts RUN` opens a lab of two sites, says so, and waits to be killed. */
import { PRESETS } from '../../../nat/presets.ts';
import { NetnsGround } from '../netns-ground.ts';

const ground = new NetnsGround(process.argv[2]);
await ground.open(
  {
    relay: { exec: undefined, limits: {}, defect: undefined },
    sites: (['home', 'cgnat'] as const).map((name) => ({
      name,
      nat: { name, value: PRESETS[name], note: '' },
      link: { name: 'clean', faults: [], note: '' },
      actors: [],
    })),
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
// a test that is killed itself leaves no runner behind
process.stdin.on('end', () => process.exit()).resume();
