import t from 'tap';
import { refusalOf } from '../../testing/refusal-of.ts';
import { compile, p } from '../index.ts';
import { SHORT_MAX } from '../wire/text-in.ts';
import { INLINED_TEXTS_MAX } from './text-source.ts';

const letters = (length: number, first: number): string =>
  Array.from({ length }, (_, i) => String.fromCharCode(97 + ((first + i) % 26))).join('');

/** Strings of every length around the table's, and of each the ones that differ in a single byte. */
const TEXTS = Array.from({ length: SHORT_MAX + 5 }, (_, length) => length).flatMap((length) => {
  const text = letters(length, length);
  return [text, ...Array.from(text, (_, i) => `${text.slice(0, i)}!${text.slice(i + 1)}`)];
});

t.test('generated code and closures find the same strings in one table', async (t) => {
  const codecs = (['compiled', 'no-eval'] as const).map((mode) => compile(p.seq(p.str), { mode }));
  const bytes = compile(p.seq(p.str)).encode(TEXTS);
  for (let round = 0; round < 4; round++) t.same(codecs[round % 2]?.decode(bytes), TEXTS, `round ${round}`);
});

t.test('a refused string is not remembered', async (t) => {
  const codec = compile(p.str);
  const bad = Uint8Array.of(4, 97, 0xff, 98, 99);
  for (let i = 0; i < 3; i++)
    t.match(
      refusalOf(() => codec.decode(bad)),
      { kind: 'DeserializeBadUtf8' },
    );
});

t.test('more strings than are looked up in place read the same', async (t) => {
  const many = p.tuple(...Array.from({ length: INLINED_TEXTS_MAX + 2 }, () => p.str));
  const codec = compile(many, { mode: 'compiled' });
  const value = Array.from({ length: INLINED_TEXTS_MAX + 2 }, (_, i) => letters(i % 20, i)) as never;
  t.same(codec.decode(codec.encode(value)), value);
});
