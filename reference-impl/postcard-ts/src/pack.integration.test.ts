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
const HERE = join(ROOT, 'reference-impl', 'postcard-ts');

/** Another Node on this machine than the pinned one, if there is one. */
const otherNode = (): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .find((file) => existsSync(file));

/** Packs a copy: packing rewrites package.json for a moment, which must not happen under tests that run beside this one. */
const packedCopy = async (folder: string): Promise<string> => {
  for (const file of ['tsconfig.json', 'tsconfig.build.base.json', 'package.json', 'ci/pack-manifest.ts'])
    cpSync(join(ROOT, file), join(folder, file));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const copy = join(folder, 'reference-impl', 'postcard-ts');
  cpSync(HERE, copy, { recursive: true, filter: (file) => !/[/\\](dist|\.tap|vectors)$|\.tgz$/.test(file) });
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|TAP)/i.test(name)));
  const bin = join(ROOT, 'node_modules', '.bin');
  await run('npm', ['pack', '--pack-destination', folder], {
    cwd: copy,
    env: { ...env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  });
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
};

t.test('the tarball works by itself in an empty folder, on Node 20 where there is one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postcard-pack-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const tarball = await packedCopy(folder);
  const app = join(folder, 'app');
  const installed = join(app, 'node_modules', 'postcard-ts');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);

  const files = readdirSync(installed, { recursive: true }).map(String);
  t.notOk(
    files.some((file) => file.includes('.test.') || file.includes('testing')),
    'no tests inside',
  );
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
  for (const node of [process.execPath, otherNode() ?? process.execPath]) {
    const { stdout: version } = await run(node, ['--version']);
    t.comment(`node ${String(version).trim()}`);
    const { stdout } = await run(node, [program], { cwd: app });
    t.same(JSON.parse(String(stdout)), ['compiled', 'emitted', rows, rows, 'function']);
  }
});
