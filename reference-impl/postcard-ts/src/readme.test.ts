import { readFileSync } from 'node:fs';
import t from 'tap';
import { compile, ERROR_KINDS, LIMITS, p } from './index.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

t.test('the errors table is that of the code', async (t) => {
  const table = Object.entries(ERROR_KINDS).map(([kind, { means }]) => `| ${kind} | ${means} |`);
  t.ok(README.includes(`| kind | means |\n|---|---|\n${table.join('\n')}\n\n`));
});

t.test('the limits table is that of the code', async (t) => {
  const shown = {
    bytes: `${LIMITS.bytes / 2 ** 20} MiB`,
    items: `${LIMITS.items / 2 ** 20} Mi`,
    emptyItems: LIMITS.emptyItems.toLocaleString('en'),
    depth: String(LIMITS.depth),
  };
  for (const [name, limit] of Object.entries(shown)) t.match(README, `| \`${name}\` | ${limit} |`);
});

t.test('every builder has its row, and the quick start its bytes', async (t) => {
  for (const name of Object.keys(p)) t.match(README, new RegExp(`\\bp\\.${name}\\b`), name);
  const Value = p.enum({ F64: p.f64, U64: p.u64, Str: p.str, Missing: p.unit });
  const Point = p.struct({ metric: p.u64, value: Value, tags: p.seq(p.tuple(p.str, p.str)) });
  const bytes = compile(Point).encode({ metric: 300, value: { tag: 'Missing' }, tags: [] });
  t.match(
    README,
    Buffer.from(bytes)
      .toString('hex')
      .replace(/(..)(?=.)/g, '$1 '),
  );
});
