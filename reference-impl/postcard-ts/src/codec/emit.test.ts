import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { importSource } from '../../testing/modes.ts';
import { refusalOf } from '../../testing/refusal-of.ts';
import { emit, emitDeclarations, emitted, p, type Schema } from '../index.ts';
import { type Description, describe, nodeOf } from '../schema/description.ts';

const run = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const INDEX = new URL('../index.ts', import.meta.url).href;
type Tree = { name: string; children: Tree[] };
const Tree: Schema<Tree> = p.struct({ name: p.str, children: p.seq(p.lazy(() => Tree)) });
const Point = p.struct({ id: p.u64, name: p.str, tags: p.seq(p.option(p.u8)) });

const folder = mkdtempSync(join(tmpdir(), 'postcard-emit-'));
t.teardown(() => rmSync(folder, { recursive: true }));

t.test('emitted modules work where no code may be generated', async (t) => {
  const file = join(folder, 'point.mjs');
  writeFileSync(file, emit({ Point }, { from: INDEX }));
  const flags = ['--disallow-code-generation-from-strings'];
  const { stdout } = await run(process.execPath, [...flags, here('../../testing/no-eval-program.ts'), file]);
  const value = { id: 2 ** 40, name: 'é', tags: [1, null] };
  t.same(JSON.parse(stdout), {
    modes: ['no-eval', 'emitted'],
    values: [value, value],
    refused: 'BadSchema',
    path: 'name',
    emittedPath: 'tags[0]',
  });
});

t.test('an emitted module holds several codecs, with recursion and options', async (t) => {
  const source = emit({ Point, Tree }, { from: INDEX, limits: { depth: 2 }, trailing: 'ignore' });
  t.notMatch(source, /\beval\b|new Function/);
  const { Tree: codec } = await importSource(source);
  const tree: Tree = { name: 'a', children: [{ name: 'b', children: [] }] };
  t.same(codec?.decode(codec.encode(tree)), tree);
  t.same(codec?.decode(Uint8Array.of(0, 0, 7)), { name: '', children: [] }, 'trailing bytes are ignored');
  t.match(
    refusalOf(() => codec?.decode(Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 0))),
    { kind: 'LimitDepth' },
  );
});

t.test('declarations give emitted codecs their types', async (t) => {
  const Everything = p.struct({
    tree: Tree,
    'odd name': p.enum({ A: p.unit, B: p.map(p.u8, p.record(p.bytes)) }),
    deep: p.option(p.option(p.i128)),
    tuple: p.tuple(p.names('x', 'y'), p.u64.auto, p.unit),
  });
  const scope = join(folder, 'types');
  mkdirSync(join(scope, 'node_modules'), { recursive: true });
  symlinkSync(here('../..'), join(scope, 'node_modules', 'postcard-ts'));
  writeFileSync(join(scope, 'codecs.mjs'), emit({ Everything, Point }));
  writeFileSync(join(scope, 'codecs.d.mts'), emitDeclarations({ Everything, Point }));
  writeFileSync(
    join(scope, 'use.mts'),
    `import { Everything, Point } from './codecs.mjs';
     const name: string = Everything.decode(new Uint8Array()).tree.children[0]!.name;
     Point.encode({ id: 1, name, tags: [null] });
     const deep: { some: bigint | null } | null = Everything.decode(new Uint8Array()).deep;
     // @ts-expect-error a wrong field
     Point.encode({ id: '1', name, tags: [deep] });`,
  );
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', '--types', ''];
  const { stdout } = await run(
    process.execPath,
    [tsc, ...flags, '--allowImportingTsExtensions', '--skipLibCheck', 'use.mts'],
    { cwd: scope },
  ).catch((error: { stdout: string }) => error);
  t.equal(stdout, '');
});

t.test('what cannot be exported, and what another version emitted, is refused', async (t) => {
  t.match(
    refusalOf(() => emit({ 'a b': Point })),
    { kind: 'BadSchema' },
  );
  t.match(
    refusalOf(() => emitted(0, {} as Description, {}, (() => 0) as never)),
    { kind: 'BadSchema' },
  );
});

t.test('a description says everything about a schema', async (t) => {
  const node = p.struct({ tree: Tree, a: p.array(p.fixed.be.i64.auto, 3), b: p.byteArray(2).copy }).node;
  const described: Description = JSON.parse(JSON.stringify(describe(node)));
  t.same(describe(nodeOf(described)), described);
});
