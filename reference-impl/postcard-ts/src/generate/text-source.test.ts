import t from 'tap';
import { refusalOf } from '../../testing/refusal-of.ts';
import { columns, compile, Dictionary, p } from '../index.ts';
import { SHORT_MAX, shortTexts } from '../wire/text-in.ts';
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

t.test(
  'a string read again and again comes to its first place, and the one that was there to the second',
  async (t) => {
    const codec = compile(p.str);
    const read = (text: string): string => codec.decode(codec.encode(text));
    const one = read('the one');
    const place = shortTexts.indexOf(one);
    const other = Array.from({ length: 200_000 }, (_, i) => `other ${i}`).find(
      (text) => read(text) === shortTexts[place],
    );
    if (other === undefined) throw new Error('no string shares the place: search more of them');
    t.equal(shortTexts[place ^ 1], one);
    for (let i = 0; i < 4; i++) t.equal(read(one), one);
    t.equal(shortTexts[place], one);
    t.equal(shortTexts[place ^ 1], other);
    const bad = Uint8Array.of(4, 97, 0xff, 98, 99);
    for (let i = 0; i < 3; i++) refusalOf(() => codec.decode(bad));
    t.same([shortTexts[place], shortTexts[place ^ 1]], [one, other], 'a refusal moves nothing');
  },
);

t.test('strings that are too many for the table keep their ids, in every dictionary and mode', async (t) => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `text ${(i * 7919) % 20_000}`);
  const bytes = compile(p.seq(p.str)).encode(texts.flatMap((text) => [text, 'often']));
  const dictionaries = [new Dictionary(), new Dictionary()];
  for (let round = 0; round < 2; round++)
    for (const mode of ['compiled', 'no-eval'] as const)
      for (const dictionary of dictionaries) {
        const { root, strings } = columns(p.str, { mode }).decode(bytes, { dictionary });
        const ids = root.kind === 'dict' ? [...root.ids] : [];
        t.equal(strings.length, texts.length + 2, `${mode}: one id for each string, and for the empty one`);
        t.ok(
          texts.every((text, i) => strings[ids[2 * i] as number] === text && ids[2 * i + 1] === 2),
          `${mode}: each id is its string's, round ${round}`,
        );
      }
});

t.test('more strings than are looked up in place read the same', async (t) => {
  const many = p.tuple(...Array.from({ length: INLINED_TEXTS_MAX + 2 }, () => p.str));
  const codec = compile(many, { mode: 'compiled' });
  const value = Array.from({ length: INLINED_TEXTS_MAX + 2 }, (_, i) => letters(i % 20, i)) as never;
  t.same(codec.decode(codec.encode(value)), value);
});
