import t from 'tap';
import type { Attribute } from '../../measurement-relay/messages.ts';
import { type Series, SeriesCache } from './series-cache.ts';
import { point, text } from './testing/sample-points.ts';

const counting = (limits = {}): { readonly cache: SeriesCache<number>; readonly made: Series[] } => {
  const made: Series[] = [];
  return { cache: new SeriesCache((series) => made.push(series), limits), made };
};

const DIFFERENT: readonly (readonly [what: string, change: Partial<Series>])[] = [
  ['metric', { metric_id: 1 }],
  ['resource kind', { resource_kind: 'gpu' }],
  ['resource id', { resource_id: '1' }],
  ['consumer kind', { consumer_kind: 'process' }],
  ['consumer id', { consumer_id: '1' }],
  ['an attribute', { attributes: [text('a', 'b')] }],
  ['where one attribute ends', { attributes: [text('ab', '')] }],
  ['its value', { attributes: [text('a', 'c')] }],
  ['its type', { attributes: [['a', { tag: 'U64', value: 1 }]] }],
  ['its type, same text', { attributes: [text('a', '1')] }],
  ['a float', { attributes: [['a', { tag: 'F64', value: 0 }]] }],
  ['the sign of zero', { attributes: [['a', { tag: 'F64', value: -0 }]] }],
  ['no number', { attributes: [['a', { tag: 'F64', value: Number.NaN }]] }],
  ['a list', { attributes: [['a', { tag: 'ListU64', value: [1, 2] }]] }],
  ['a longer list', { attributes: [['a', { tag: 'ListU64', value: [1, 2, 3] }]] }],
  ['two attributes', { attributes: [text('a', 'b'), text('a', 'c')] }],
  ['their order', { attributes: [text('a', 'c'), text('a', 'b')] }],
];

t.test('every part of a series tells it from others, whoever came before it', async (t) => {
  const { cache, made } = counting();
  const all = [point(), ...DIFFERENT.map(([, change]) => point(change))];
  const copies = (): Series[] => structuredClone(all) as Series[];
  const first = copies().map((series) => cache.of(series));
  t.equal(new Set(first).size, all.length);
  t.strictSame(
    copies().map((series) => cache.of(series)),
    first,
    'in the same order',
  );
  t.strictSame(
    copies()
      .reverse()
      .map((series) => cache.of(series)),
    first.toReversed(),
    'backwards',
  );
  for (const [index, series] of copies().entries())
    for (const other of copies()) {
      t.equal(cache.of(series), first[index]);
      cache.of(other);
    }
  t.equal(made.length, all.length);
});

t.test('a client that never repeats itself fills a bounded memory', async (t) => {
  const { cache, made } = counting({ series: 10 });
  for (let i = 0; i < 95; i++) cache.of(point({ resource_id: `${i}` }));
  t.equal(made.length, 95);
  t.ok(cache.size <= 10);
  const long = (n: number): readonly Attribute[] => [text('a', `${n}`.repeat(3_000))];
  const few = counting({ chars: 10_000 });
  for (let i = 0; i < 20; i++) few.cache.of(point({ attributes: long(i % 9) }));
  t.ok(few.cache.size <= 4);
  const huge = counting();
  huge.cache.of(point({ attributes: [text('a', 'x'.repeat(100_000))] }));
  t.equal(huge.cache.size, 0, 'a long one is not kept at all');
});
