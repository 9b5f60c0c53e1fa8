import { execFileSync } from 'node:child_process';
import t from 'tap';
import { poisoned } from './poisoned.ts';
import { runWorld } from './sim-world.ts';

const SIZE = { clients: 300 };
const first = runWorld({ ...SIZE, seed: 1 });

/** The same world in a process of its own, as one line of JSON. */
const elsewhere = (flags: readonly string[], env: NodeJS.ProcessEnv): unknown => {
  const world = new URL('./sim-world.ts', import.meta.url).href;
  const program = `import { runWorld } from ${JSON.stringify(world)};
    console.log(JSON.stringify(runWorld(${JSON.stringify({ ...SIZE, seed: 1 })})));`;
  const args = [...flags, '--input-type=module-typescript', '--eval', program];
  return JSON.parse(
    execFileSync(process.execPath, args, { env: { ...process.env, ...env }, encoding: 'utf8' }),
  );
};

t.test('a world of machines lives through a crash and two cuts, and all come back', async (t) => {
  t.equal(first.connected, SIZE.clients);
  t.ok(first.reports > 3 * SIZE.clients, `${first.reports} reports, ${first.events} events`);
});

t.test('the same seed gives the same world again', async (t) => {
  t.strictSame(runWorld({ ...SIZE, seed: 1 }), first);
});

t.test('and it asks the real world for nothing', async (t) => {
  t.strictSame(
    poisoned(() => runWorld({ ...SIZE, seed: 1 })),
    first,
  );
});

t.test('another seed gives another world', async (t) => {
  t.not(runWorld({ ...SIZE, seed: 2 }).digest, first.digest);
});

for (const [name, flags, env] of [
  [
    'another time zone and language',
    [],
    { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
  ],
  ['a small young generation', ['--max-semi-space-size=1'], {}],
  ['a large young generation and another hash seed', ['--max-semi-space-size=128', '--hash-seed=12345'], {}],
] as const)
  t.test(`another process with ${name} sees the same world`, async (t) => {
    t.strictSame(elsewhere(flags, env), first);
  });
