import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { rngFor } from '../../../reference-impl/machine/rng.ts';
import { type Race, raced, type Workload } from './race.ts';

/** A contender whose repetition takes as long as it is told, and which notes every turn in a file that all share. */
const PROGRAM = `
const [name, nanos, file] = process.argv.slice(1);
console.log('ready');
require('node:fs').appendFileSync(file, 'ready ' + name + '\\n');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [kase, count] = line.split(' ');
  require('node:fs').appendFileSync(file, [kase, name, count].join(' ') + '\\n');
  console.log(String(Number(nanos) * Number(count)));
});`;
const NANOS = { a: 1000, b: 2000, c: 500, slow: 2e6 } as const;
type Name = keyof typeof NANOS;
const ROUNDS = 9;

const race = (id: string, names: readonly Name[], units: number): Race => ({
  ...{ id, title: id, words: '', unit: 'ns', units, absent: { d: 'not built' } },
  runners: names.map((name) => ({ name, own: name === 'a', process: name, case: id })),
});

/** Runs two races. @returns what was found, and the turns without those that warmed up: `RACE NAME COUNT` */
const run = async (more: Partial<Workload>, turns: number, starts = 1) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-race-'));
  const file = join(folder, 'turns');
  const start = (name: Name) => ({
    ...({ set: 'cobs', id: name } as const),
    command: [process.execPath, '-e', PROGRAM, name, String(NANOS[name]), file],
  });
  const workload: Workload = {
    ...{ id: 'D', processes: { a: start('a'), b: start('b'), c: start('c'), slow: start('slow') } },
    races: [race('X', ['a', 'b', 'c'], 1), race('Y', ['a', 'b'], 4)],
    ...more,
  };
  try {
    const pace = { rounds: ROUNDS, warmNanos: 1, turnNanos: 100_000, starts };
    const found = await raced(workload, pace, rngFor(1, 'race'));
    return { found, turns: readFileSync(file, 'utf8').trim().split('\n').slice(-turns) };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Turns of a race that follow one another. */
const stretches = (turns: readonly string[]): readonly (readonly string[])[] => {
  const all: string[][] = [];
  for (const turn of turns)
    if (turn[0] === all.at(-1)?.[0]?.[0]) all.at(-1)?.push(turn);
    else all.push([turn]);
  return all;
};

/** Cuts into parts of one length. */
const parts = (turns: readonly string[], length: number): readonly (readonly string[])[] =>
  Array.from({ length: turns.length / length }, (_, i) => turns.slice(i * length, (i + 1) * length));

t.test('in a round the runners of a race take turns back to back, there and back', async (t) => {
  const { turns: all } = await run({}, ROUNDS * 2 * 2 * (3 + 2));
  const turns = all.filter((_, i) => i % 2 === 1);
  t.strictSame(
    all.filter((_, i) => i % 2 === 0),
    turns,
    'as much again comes right before each and does not count',
  );
  const orders = new Set<string>();
  for (const round of parts(turns, 2 * (3 + 2))) {
    t.equal(stretches(round).length, 2, 'no turn of another race comes between');
    for (const stretch of stretches(round)) {
      t.strictSame([...stretch].reverse(), stretch);
      t.equal(new Set(stretch).size, stretch.length / 2, 'everybody comes once each way');
    }
    orders.add(round.join());
  }
  t.ok(orders.size > 2, 'orders are drawn anew');
  t.ok(turns.includes('X a 100') && turns.includes('X b 50'), 'a turn has as many repetitions as fill it');
});

t.test('a figure is that of one unit, by round; who is absent has the reason', async (t) => {
  const { found } = await run({}, 0);
  const rows = found.flatMap(({ id, rows: of }) =>
    of.map(({ name, values, why }) => [id, name, values, why]),
  );
  const rounds = (nanos: number) => new Array(ROUNDS).fill(nanos);
  t.strictSame(rows, [
    ['X', 'a', rounds(1000), undefined],
    ['X', 'b', rounds(2000), undefined],
    ['X', 'c', rounds(500), undefined],
    ['X', 'd', [], 'not built'],
    ['Y', 'a', rounds(250), undefined],
    ['Y', 'b', rounds(500), undefined],
    ['Y', 'd', [], 'not built'],
  ]);
});

t.test('a stint is the same work for everybody, cut into turns', async (t) => {
  const stint = { rounds: 3, passes: 4, repeats: 7 };
  const { found, turns } = await run({ stint }, 3 * 4 * (3 + 2));
  t.ok(turns.every((turn) => turn.endsWith(' 7')));
  for (const round of parts(turns, 4 * (3 + 2)))
    for (const stretch of stretches(round))
      t.strictSame([...stretch].reverse(), stretch, 'each order comes with its reverse');
  t.strictSame(
    found.map(({ rows }) => rows[0]?.values),
    [
      [1000, 1000, 1000],
      [250, 250, 250],
    ],
  );
});

t.test('what is many turns long by itself runs once in a round, and nothing before it', async (t) => {
  const { found, turns } = await run({ races: [race('X', ['a', 'slow'], 1)] }, ROUNDS * (2 * 2 + 1));
  for (const round of parts(turns, 2 * 2 + 1))
    t.strictSame([...round].sort(), [...new Array(4).fill('X a 100'), 'X slow 1']);
  t.strictSame(found[0]?.rows[1]?.values, new Array(ROUNDS).fill(2e6));
});

t.test('rounds are spread over several starts of all processes', async (t) => {
  const { found, turns } = await run({}, 0, 3);
  t.strictSame(
    turns.filter((line) => line.startsWith('ready')).sort(),
    ['a', 'b', 'c', 'slow'].flatMap((name) => new Array(3).fill(`ready ${name}`)),
  );
  t.match(found[0], { starts: 3 });
  t.equal(found[0]?.rows[0]?.values.length, ROUNDS, 'none is lost');
});
