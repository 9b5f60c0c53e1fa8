import t from 'tap';
import { codecsOf, MODES } from '../../testing/modes.ts';
import { refusalOf } from '../../testing/refusal-of.ts';
import { type Codec, p } from '../index.ts';

/** Often enough that whatever a place remembers, it has remembered. */
const TIMES = 200;
const LONGEST = 40;

const native = (text: string): string => Buffer.from(text).toString('hex');
const written = (codec: Codec<unknown>, text: string): string =>
  Buffer.from(codec.encode(text).subarray(1)).toString('hex');

const TEXTS: readonly (readonly [claim: string, texts: readonly string[]])[] = [
  ['every length', Array.from({ length: LONGEST }, (_, n) => 'abcdefghij'.repeat(4).slice(0, n))],
  ['strings that share a slot', ['process', 'package', 'pattern', 'process', 'pending', 'package']],
  ['digits first', ['1', '42', '007', '123456', '00000000:0a:00.0']],
  ['the last one not ASCII', ['user', 'usér', 'use€', 'user', 'us😀', 'é', 'éa', 'éab', 'éabc']],
  [
    'digits first, one not ASCII anywhere',
    ['123456', '12345', '1234', '123', '12', '1'].flatMap((text) =>
      Array.from(text, (digit, i) => text.slice(0, i) + (i % 2 ? 'é' : '€') + text.slice(i + digit.length)),
    ),
  ],
  ['bytes that are nearly a NaN', Array.from({ length: 13 }, (_, n) => '\x7f'.repeat(n + 3))],
  ['NUL and DEL', ['a\0b', 'a\0\0', '\x7f\x7f\x7f', '\0\0\0', 'a\0b']],
  ['a length that looks like one in UTF-8', ['a'.repeat(15), 'é'.repeat(7), 'é'.repeat(8), 'a'.repeat(16)]],
];

for (const mode of MODES)
  for (const [claim, texts] of TEXTS)
    t.test(`${mode}: strings written before come out the same again: ${claim}`, async (t) => {
      const [codec] = (await codecsOf(mode, [p.str])) as [Codec<unknown>];
      for (let i = 0; i < TIMES; i++)
        // once the same object, once an equal one
        for (const text of texts)
          for (const one of [text, Buffer.from(text).toString()])
            if (written(codec, one) !== native(text)) t.fail(`${JSON.stringify(text)} the ${i}. time`);
      for (const text of texts) t.equal(written(codec, text), native(text));
    });

for (const mode of MODES) {
  t.test(`${mode}: a string written before touches nothing behind it`, async (t) => {
    const [codec] = (await codecsOf(mode, [p.str])) as [Codec<unknown>];
    const target = new Uint8Array(400);
    for (let n = 0; n < LONGEST; n++) {
      const text = 'x'.repeat(n);
      for (let i = 0; i < TIMES; i++) codec.encodeInto(text, target, 0);
      target.fill(0xee);
      const end = codec.encodeInto(text, target, 10);
      t.equal(end, 11 + n);
      t.ok(
        target.every((byte, i) => (i >= 10 && i < end) || byte === 0xee),
        `${n} characters`,
      );
    }
  });

  t.test(`${mode}: a lone surrogate is refused however often its place wrote strings`, async (t) => {
    const [codec] = (await codecsOf(mode, [p.str])) as [Codec<unknown>];
    for (let i = 0; i < TIMES; i++) {
      codec.encode('state');
      for (const text of ['stat\ud800', '\ud800', '1\ud800', '12\ud8003'])
        t.match(
          refusalOf(() => codec.encode(text)),
          { kind: 'SerializeBadValue' },
        );
    }
  });

  t.test(`${mode}: places that share what they remember still write their own strings`, async (t) => {
    const names = Array.from({ length: 100 }, (_, i) => `field${i}`);
    const Wide = p.struct(Object.fromEntries(names.map((name) => [name, p.str])));
    const [codec] = (await codecsOf(mode, [Wide])) as [Codec<unknown>];
    const values = ['', 'abc', 'xyz'].map((suffix) =>
      Object.fromEntries(names.map((name) => [name, name + suffix])),
    );
    for (let i = 0; i < TIMES; i++) for (const value of values) codec.encode(value);
    for (const value of values) t.same(codec.decode(codec.encode(value)), value);
  });

  t.test(
    `${mode}: a message as long as the last one begins a new pool instead of outgrowing it`,
    async (t) => {
      const [codec] = (await codecsOf(mode, [p.seq(p.u8)])) as [Codec<unknown>];
      const value = Array.from({ length: 15_000 }, (_, i) => i & 255);
      const all = Array.from({ length: 20 }, () => codec.encode(value));
      const pools = new Set(all.slice(1).map(({ buffer }) => buffer));
      t.ok([...pools].every(({ byteLength }) => byteLength === 1 << 16));
      t.ok(pools.size <= 7, `${pools.size} pools`);
      for (const bytes of all) t.same(codec.decode(bytes), value, 'and is never written over');
    },
  );
}
