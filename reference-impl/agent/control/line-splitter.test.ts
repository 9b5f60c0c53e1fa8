import t from 'tap';
import { type Line, LineSplitter } from './line-splitter.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const line = (text: string): Line => ({ type: 'line', text });

const WHOLE: readonly (readonly [
  what: string,
  text: string,
  lines: readonly string[],
  last: readonly string[],
])[] = [
  ['one line', 'a\n', ['a'], []],
  ['two line ends', 'a\r\nb\n', ['a', 'b'], []],
  ['an empty line', '\n\r\n', ['', ''], []],
  ['a last line without an end', 'a\nb', ['a'], ['b']],
  ['a return within', 'a\rb\n', ['a\rb'], []],
  ['more than ASCII', 'µ€😀\n', ['µ€😀'], []],
  ['a byte order mark', '\ufeffa\n', ['\ufeffa'], []],
];

t.test('lines come out the same, whole and byte by byte', async (t) => {
  for (const [what, text, lines, last] of WHOLE) {
    const whole = new LineSplitter(100);
    t.same(whole.push(bytes(text)), lines.map(line), what);
    t.same(whole.end(), last.map(line), `${what}: its end`);
    const single = new LineSplitter(100);
    t.same(
      [...bytes(text)].flatMap((byte) => single.push(Uint8Array.of(byte))),
      lines.map(line),
      `${what}, byte by byte`,
    );
  }
});

t.test('a line beyond the limit is told once, and the next one is read', async (t) => {
  const lines = new LineSplitter(4);
  t.same(
    lines.push(bytes('abcd\nabcd\r\n')),
    [line('abcd'), line('abcd')],
    'the limit itself, its end not counted',
  );
  t.match(lines.push(bytes('abcde\nx\n')), [{ type: 'unreadable', why: /too long.*4 bytes/ }, line('x')]);
  for (let i = 0; i < 1_000; i++) t.same(lines.push(bytes('0123456789')), []);
  t.match(lines.push(bytes('\nx\n')), [{ type: 'unreadable' }, line('x')]);
  lines.push(bytes('too long for that'));
  t.match(lines.end(), [{ type: 'unreadable' }], 'also without an end');
});

t.test('a line that is not UTF-8 is told, and the next one is read', async (t) => {
  const lines = new LineSplitter(100);
  t.match(lines.push(Uint8Array.of(0xff, 0xfe, 10, 0x78, 10)), [
    { type: 'unreadable', why: /UTF-8/ },
    line('x'),
  ]);
});
