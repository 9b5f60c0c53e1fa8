import { type ExecFileOptions, execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

/** Runs a program without the loader that the test runner puts into the environment of every child. */
const run = (program: string, args: readonly string[], options: ExecFileOptions = {}) =>
  promisify(execFile)('env', ['-u', 'NODE_OPTIONS', program, ...args], { ...options, encoding: 'utf8' });
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const HERE = join(ROOT, 'harness', 'chaos-proxy');

/** Another Node on this machine than the pinned one, if there is one. */
const otherNode = (): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .find((file) => existsSync(file));

/**
 * Packing rewrites package.json for a moment, which must not happen under tests that run beside this one: so it is done in
 * a copy of the workspace.
 */
const packedCopy = async (folder: string): Promise<string> => {
  for (const file of ['tsconfig.json', 'tsconfig.build.base.json', 'package.json', 'ci/pack-manifest.ts'])
    cpSync(join(ROOT, file), join(folder, file));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const copy = join(folder, 'harness', 'chaos-proxy');
  cpSync(HERE, copy, { recursive: true, filter: (file) => !/[/\\](dist|\.tap)$|\.tgz$/.test(file) });
  const before = readFileSync(join(copy, 'package.json'), 'utf8');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|TAP)/i.test(name)));
  const bin = join(ROOT, 'node_modules', '.bin');
  await run('npm', ['pack', '--pack-destination', folder], {
    cwd: copy,
    env: { ...env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  });
  t.equal(readFileSync(join(copy, 'package.json'), 'utf8'), before, 'package.json is put back');
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
};

t.test('the tarball runs by itself in an empty folder, on Node 20 where there is one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-proxy-pack-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const tarball = await packedCopy(folder);
  const app = join(folder, 'app');
  const installed = join(app, 'node_modules', 'chaos-proxy');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  // What `npm install` would fetch: the one dependency.
  const dependency = join('node_modules', 'fastest-levenshtein');
  cpSync(join(ROOT, dependency), join(app, dependency), { recursive: true, dereference: true });

  const files = readdirSync(installed, { recursive: true }).map(String);
  t.notOk(
    files.some((file) => file.includes('.test.') || file.includes('testing')),
    'no tests inside',
  );
  t.ok(files.includes('README.md'));
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  t.same(manifest.exports, { '.': { types: './dist/index.d.ts', default: './dist/index.js' } });
  t.same(manifest.bin, { 'chaos-proxy': './dist/cli.js' });
  t.same(Object.keys(manifest.dependencies), ['fastest-levenshtein']);

  const program = join(app, 'try.mjs');
  writeFileSync(
    program,
    `import { createChaosProxy, checkFault } from 'chaos-proxy';
    import net from 'node:net';
    const server = net.createServer((socket) => socket.on('error', () => {}).end('hello')).listen(0, '127.0.0.1', async () => {
      const proxy = await createChaosProxy({ upstream: { host: '127.0.0.1', port: server.address().port }, seed: 1 });
      proxy.add(checkFault({ kind: 'latency', ms: 5 }));
      let text = '';
      const user = net.connect(proxy.port, '127.0.0.1').on('data', (data) => { text += data; });
      user.on('close', async () => {
        console.log(text, proxy.receipts()[0].effects);
        await proxy.close();
        server.close();
      });
    });\n`,
  );
  const nodes = [process.execPath, otherNode() ?? process.execPath];
  for (const node of nodes) {
    const { stdout: version } = await run(node, ['--version']);
    t.comment(`node ${version.trim()}`);
    t.equal((await run(node, [program], { cwd: app })).stdout, 'hello 5\n');
    const cli = join(installed, 'dist', 'cli.js');
    t.match((await run(node, [cli, '--help'])).stdout, /latency:ms=60/);
    t.equal((await run(node, [cli, '--version'])).stdout, `chaos-proxy ${manifest.version}\n`);
    await t.rejects(run(node, [cli, '--upstream', 'x:1', '--fault', 'latncy']), { code: 2 });
  }
});
