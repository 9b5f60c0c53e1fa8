/** `npm pack` of the root: one compiled tarball, every program on PATH, on the Node that is here and on the pinned one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { shipped } from './pack-build.ts';
import { BIN, CLEAN, packed, plain, run, system } from './testing/packed.ts';

t.setTimeout(600_000); // an installation and runs of the local lab in real time
/** Folders with a `node` in them: the machine's own and the pinned one. */
const nodes = [system.find((folder) => existsSync(join(folder, 'node'))) ?? BIN, BIN];

/** Runs the program until its trace tells of a user joined with a service, then interrupts it. */
const untilTunnels = async (
  args: readonly string[],
  reports: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ readonly joined: boolean; readonly exitCode: number | null; readonly said: string }> => {
  const child = spawn('env', [...CLEAN, 'relaylab', ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const gone = once(child, 'exit');
  const traces = (): readonly string[] => globSync(`${reports}/*/*/trace.ndjson`);
  const joined = (): boolean =>
    traces().some((file) => readFileSync(file, 'utf8').includes('"tunnel.connected"'));
  const deadline = performance.now() + 60_000;
  while (!joined() && child.exitCode === null && performance.now() < deadline) await pause(200);
  child.kill('SIGINT');
  const [exitCode] = (await gone) as [number | null];
  return { joined: joined(), exitCode, said: (await said).join('\n') };
};

t.test('the tarball puts every program on PATH in an empty folder', { timeout: 540_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-pack-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const tarball = await packed(t, folder);
  const app = join(folder, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "private": true }\n');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...quiet, tarball], { cwd: app, env: plain });

  const installed = join(app, 'node_modules', 'relaylab');
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  t.same(
    Object.values(manifest.dependencies).filter((version) => !/^\d/.test(String(version))),
    [],
    'exact versions only, no workspace',
  );
  t.equal(manifest.optionalDependencies, undefined, 'no Node comes along');
  const files = readdirSync(installed, { recursive: true }).map(String);
  t.same(
    files.filter((file) => /\.test\.|\/testing\/|(?<!\.d)\.ts$/.test(file)),
    [],
    'no tests and no sources',
  );
  t.ok(files.includes('LICENSE'), 'the licence');

  const programs: readonly string[] = Object.keys(manifest.bin);
  t.ok(
    ['relaylab', 'relay', 'chaos-proxy'].every((name) => programs.includes(name)),
    programs.join(', '),
  );
  for (const node of nodes) {
    const PATH = [join(app, 'node_modules', '.bin'), node, ...system].join(delimiter);
    const options = { cwd: app, env: { ...plain, PATH } };
    const { stdout: version } = await run('node', ['--version'], options);
    t.comment(`node ${version.trim()}`);
    for (const program of programs)
      t.match((await run(program, ['--version'], options)).stdout, manifest.version, `${program} --version`);
    const nats = ['scenario', 'nat-pool', '--sites', '2', '--clients', '2', '--users', '2', '--seed', '7'];
    const sim = await run('relaylab', [...nats, '--lab', 'sim'], options).catch((error) => error);
    t.equal(sim.code ?? 0, 0, 'nat-pool passes in the sim lab');
    if (sim.code) t.comment(sim.stdout, sim.stderr);
    const adapter = join(installed, 'dist/harness/conformance/subjects/postcard-adapter.js');
    for (const [profile, exec, cases] of [
      ['postcard', `node '${adapter}'`, 'encode,decode'],
      ['port-relay', 'relay {port} --bind 127.0.0.1', 'reg,data/large-both-ways-pool'],
    ] as const) {
      const asked = ['conformance', profile, '--exec', exec, '--case', cases, '--out', join(folder, profile)];
      const judged = await run('relaylab', asked, options).catch((error) => error);
      t.equal(judged.code ?? 0, 0, `the gate judges our ${profile} green`);
      if (judged.code) t.comment(judged.stdout, judged.stderr);
    }
    const reports = join(folder, version.trim());
    const local = await untilTunnels([...nats, '--lab', 'local', '--reports', reports], reports, options);
    t.match(local, { joined: true, exitCode: 130 }, 'agents of the local lab carry users, and go when told');
    if (local.exitCode !== 130) t.comment(local.said);
    t.ok(existsSync(join(app, 'reports', 'nat-pool')), 'the report lies where the command was typed');
  }
});

t.test('a compiled file speaks of compiled files', async (t) => {
  const sources = ['harness/labs/real-lab.ts', 'reference-impl/port-relay/bin/relay.ts'];
  const isSource = (path: string): boolean => sources.includes(path);
  const link = [{ name: 'chaos-proxy', entry: 'harness/chaos-proxy/src/index.ts' }];
  for (const [file, before, after] of [
    [
      'harness/labs/a.js',
      "new URL('./real-lab.ts', import.meta.url)",
      "new URL('./real-lab.js', import.meta.url)",
    ],
    [
      'harness/labs/a.js',
      '/reference-impl/port-relay/bin/relay.ts`',
      '/reference-impl/port-relay/bin/relay.js`',
    ],
    ['harness/labs/a.js', "file.endsWith('.ts')", "file.endsWith('.ts')"],
    ['harness/labs/a.js', "from 'chaos-proxy'", "from '../chaos-proxy/src/index.js'"],
    [
      'harness/labs/a.js',
      "import.meta.resolve('chaos-proxy')",
      "import.meta.resolve('../chaos-proxy/src/index.js')",
    ],
    ['scenarios/a.d.ts', "from 'chaos-proxy'", "from '../harness/chaos-proxy/src/index.js'"],
    [
      'ci/a.js',
      '#!/usr/bin/env node\nPromise.withResolvers()',
      "#!/usr/bin/env node\nimport './older-node.js';\nPromise.withResolvers()",
    ],
    [
      'ci/a.js',
      'map.getOrInsertComputed(key, make)',
      "import './older-node.js';\nmap.getOrInsertComputed(key, make)",
    ],
  ] as const)
    t.equal(shipped(file, before, isSource, link), after, before);
});

t.test('what no Node 20 has is refused by name', async (t) => {
  for (const text of [
    'map.getOrInsert(key, 1)',
    'bytes.toHex()',
    'if (import.meta.main) run();',
    "import 'node:sqlite';",
  ])
    t.throws(() => shipped('harness/a.js', text, () => false, []), /harness\/a\.js names .*older-node/, text);
});
