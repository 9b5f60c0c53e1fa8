import fc from 'fast-check';
import t from 'tap';
import { LineReader, line } from './lines.ts';
import { sooner, soonest } from './machine.ts';
import { rngFor } from './rng.ts';
import { Timeouts } from './timeouts.ts';
import { WireError } from './wire-error.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const LINES: readonly {
  readonly name: string;
  readonly said: string;
  readonly lines: readonly (string | null)[];
  readonly rest: string;
}[] = [
  { name: 'a line', said: 'pool\n', lines: ['pool'], rest: '' },
  { name: 'a line ended by CR LF', said: 'pool\r\n', lines: ['pool'], rest: '' },
  {
    name: 'two lines and what follows them',
    said: 'pool\nnew\nGET /',
    lines: ['pool', 'new'],
    rest: 'GET /',
  },
  { name: 'an empty line', said: '\nx', lines: [''], rest: 'x' },
  { name: 'a line of just the longest length', said: 'abcdefgh\n', lines: ['abcdefgh'], rest: '' },
  { name: 'a line one byte too long', said: 'abcdefghi\n', lines: [null], rest: 'abcdefghi\n' },
  { name: 'too much without an end', said: 'abcdefghijkl', lines: [null], rest: 'abcdefghijkl' },
];

for (const cut of [1, 2, 3, 100])
  t.test(`lines read the same in pieces of ${cut}`, async (t) => {
    for (const { name, said, lines, rest } of LINES) {
      const reader = new LineReader();
      const got: (string | null)[] = [];
      const all = bytes(said);
      for (let at = 0; at < all.length; at += cut) reader.push(all.subarray(at, at + cut));
      for (const _ of lines) {
        const one = reader.line(8);
        if (one !== undefined) got.push(one);
      }
      t.same(got, lines, name);
      t.equal(
        new TextDecoder().decode(reader.rest() ?? new Uint8Array(0)),
        rest,
        `${name}: the rest stays bytes`,
      );
      t.equal(reader.rest(), undefined, `${name}: the rest is taken once`);
    }
  });

t.test('a line that is not whole yet is undefined, not too long', async (t) => {
  const reader = new LineReader();
  reader.push(bytes('abcdefgh'));
  t.equal(reader.line(8), undefined);
  reader.push(bytes('\r'));
  t.equal(reader.line(8), undefined, 'its end may still be CR LF');
  reader.push(bytes('\n'));
  t.equal(reader.line(8), 'abcdefgh');
});

t.test('line writes ASCII and a newline', async (t) => {
  t.same([...line(4001)], [...bytes('4001\n')]);
});

t.test('the earliest of some deadlines', async (t) => {
  t.equal(soonest(undefined, 5, 3, undefined), 3);
  t.equal(soonest(undefined), undefined);
  t.equal(sooner(5, 3), 3);
  t.equal(sooner(3, 5), 3);
  t.equal(sooner(undefined, 0), 0);
  t.equal(sooner(0, undefined), 0);
  t.equal(sooner(undefined, undefined), undefined);
});

t.test(
  'timeouts come in the order of their setting, skip what was cancelled and start again when set again',
  async (t) => {
    const timeouts = new Timeouts<string>(10);
    for (const [at, key] of [
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ] as const)
      timeouts.set(at, key);
    timeouts.cancel('b');
    timeouts.set(5, 'a');
    t.equal(timeouts.next(), 12, 'c is first now');
    t.same([...timeouts.expired(12)], ['c']);
    t.same([...timeouts.expired(15)], ['a']);
    t.equal(timeouts.next(), undefined);
    t.notOk(timeouts.has('a'));
  },
);

t.test('ten thousand timeouts, set and cancelled, leave exactly the living ones', async (t) => {
  const timeouts = new Timeouts<number>(100);
  for (let key = 0; key < 10_000; key++) timeouts.set(key, key);
  for (let key = 0; key < 10_000; key++) if (key % 3 !== 0) timeouts.cancel(key);
  const left = [...timeouts.expired(20_000)];
  t.equal(left.length, 3_334);
  t.ok(left.every((key, i) => key === i * 3));
});

t.test('a component draws by seed and name, whatever was made before it', async (t) => {
  const draw = (seed: number, name: string): readonly number[] => {
    const rng = rngFor(seed, name);
    return Array.from({ length: 8 }, () => rng.int32());
  };
  t.same(draw(7, 'client/1'), draw(7, 'client/1'));
  t.notSame(draw(7, 'client/1'), draw(7, 'client/2'));
  t.notSame(draw(7, 'client/1'), draw(8, 'client/1'));
  const rng = rngFor(1, 'spread');
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const at = rng.below(10);
    buckets[at] = (buckets[at] ?? 0) + 1;
  }
  t.ok(
    buckets.every((n) => n > 9_000 && n < 11_000),
    `even enough: ${buckets.join(' ')}`,
  );
});

t.test('a wire error says what was expected, what came, where, and what to try', async (t) => {
  const error = new WireError({
    code: 'X',
    fault: 'remote',
    at: 24,
    expected: '<= 5 bytes',
    got: '6',
    hint: 'try less',
  });
  t.equal(error.message, 'X at byte 24: expected <= 5 bytes, got 6 - try less');
  t.match(error, { code: 'X', fault: 'remote', at: 24 });
});

t.test('asked after every act, timers of one length are the earliest of those that wait', (t) => {
  const acts = fc.array(fc.tuple(fc.nat(3), fc.nat(5), fc.nat(12)), { maxLength: 80 });
  fc.assert(
    fc.property(acts, (acts) => {
      const timeouts = new Timeouts<number>(10);
      const plain = new Map<number, number>();
      let now = 0;
      for (const [act, key, millis] of acts) {
        now += millis;
        if (act < 2) {
          timeouts.set(now, key);
          plain.set(key, now + 10);
        } else if (act === 2) {
          timeouts.cancel(key);
          plain.delete(key);
        } else {
          const due = [...plain].filter(([, at]) => at <= now).map(([key]) => key);
          for (const key of due) plain.delete(key);
          if ([...timeouts.expired(now)].sort().join() !== due.sort().join()) return false;
        }
        const first = plain.size === 0 ? undefined : Math.min(...plain.values());
        if (timeouts.next() !== first) return false;
      }
      return true;
    }),
    { seed: 20_261_121, numRuns: 2_000 },
  );
  t.pass('2,000 histories, seed 20261121');
  t.end();
});
