/** The two packages to publish, each from its tarball in an empty folder, on Node 20 where there is one. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { installedWorkspace, OWN_NODE, run } from './testing/packed.ts';
import { ROOT } from './tree.ts';

const emptyFolder = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-pack-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** The pinned Node and the machine's own, if that is another. */
const nodes = async (t: Test): Promise<readonly string[]> => {
  const both = [process.execPath, ...OWN_NODE];
  for (const node of both) t.comment(`node ${(await run(node, ['--version'], {})).stdout.trim()}`);
  return both;
};

const filesOf = (t: Test, installed: string): readonly string[] => {
  const files = readdirSync(installed, { recursive: true }).map(String);
  t.notOk(
    files.some((file) => file.includes('.test.') || file.includes('testing')),
    'no tests inside',
  );
  return files;
};

t.test('chaos-proxy runs by itself in an empty folder', async (t) => {
  const folder = emptyFolder(t);
  const installed = await installedWorkspace(t, folder, 'harness/chaos-proxy');
  const app = join(folder, 'app');
  // What `npm install` would fetch: the one dependency.
  const dependency = join('node_modules', 'fastest-levenshtein');
  cpSync(join(ROOT, dependency), join(app, dependency), { recursive: true, dereference: true });
  t.ok(filesOf(t, installed).includes('README.md'));
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
  for (const node of await nodes(t)) {
    t.equal((await run(node, [program], { cwd: app })).stdout, 'hello 5\n');
    const cli = join(installed, 'dist', 'cli.js');
    t.match((await run(node, [cli, '--help'], {})).stdout, /latency:ms=60/);
    t.equal((await run(node, [cli, '--version'], {})).stdout, `chaos-proxy ${manifest.version}\n`);
    await t.rejects(run(node, [cli, '--upstream', 'x:1', '--fault', 'latncy'], {}), { code: 2 });
  }
});

t.test('postcard-ts works by itself in an empty folder', async (t) => {
  const folder = emptyFolder(t);
  const installed = await installedWorkspace(t, folder, 'reference-impl/postcard-ts');
  const app = join(folder, 'app');
  filesOf(t, installed);
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  t.same(manifest.exports, {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './node': { types: './dist/node.d.ts', default: './dist/node.js' },
  });
  t.equal(manifest.dependencies, undefined);

  const program = join(app, 'try.mjs');
  writeFileSync(
    program,
    `import { columns, compile, decodeCobs, emit, encodeCobs, p } from 'postcard-ts';
    import { nodeDecodeStream } from 'postcard-ts/node';
    import { writeFileSync } from 'node:fs';
    const Row = p.struct({ id: p.u64, name: p.str });
    const codec = compile(p.seq(Row));
    const rows = [{ id: 2 ** 40, name: 'h\u00e9' }];
    const bytes = decodeCobs(encodeCobs(codec.encode(rows)));
    writeFileSync('emitted.mjs', emit({ Rows: p.seq(Row) }));
    const { Rows } = await import('./emitted.mjs');
    console.log(JSON.stringify([codec.mode, Rows.mode, Rows.decode(bytes), columns(Row).decode(bytes).rows(), typeof nodeDecodeStream]));\n`,
  );
  const rows = [{ id: 2 ** 40, name: 'h\u00e9' }];
  for (const node of await nodes(t)) {
    const { stdout } = await run(node, [program], { cwd: app });
    t.same(JSON.parse(String(stdout)), ['compiled', 'emitted', rows, rows, 'function']);
  }
});
