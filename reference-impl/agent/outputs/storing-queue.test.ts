import t from 'tap';
import { ManualClock, settled } from '../testing/manual-clock.ts';
import {
  AskedToWait,
  StoringQueue,
  type StoringQueueOptions,
  Unstorable,
  type Weighed,
} from './storing-queue.ts';
import { recordedLog } from './testing/sample-points.ts';

type Item = Weighed & { readonly id: number };
const item = (id: number, points = 1): Item => ({ id, points, bytes: points * 10 });

/** A database that answers each attempt as it is told, and otherwise stores. */
const stage = (changes: Partial<StoringQueueOptions<Item>> = {}) => {
  const clock = new ManualClock();
  const { log, lines } = recordedLog();
  const answers: (Error | 'wait')[] = [];
  const stored: number[][] = [];
  let release: (() => void) | undefined;
  const queue = new StoringQueue<Item>({
    ...{ name: 'test/out', clock, log, pointsMax: 100, bytesMax: 10_000, groupPoints: 10 },
    ...{ lingerMillis: 1_000, endMillis: 5_000 },
    retry: { baseMillis: 100, factor: 2, capMillis: 400, jitter: 0, healthyMillis: 0, triesMax: Infinity },
    store: async (items) => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      if (answer === 'wait') await new Promise<void>((resolve) => (release = resolve));
      stored.push(items.map(({ id }) => id));
    },
    ...changes,
  });
  return { queue, clock, lines, answers, stored, release: () => release?.() };
};

t.test('points wait for each other, but not longer than they may', async (t) => {
  const { queue, clock, stored } = stage();
  await queue.put(item(1), 'taken');
  await queue.put(item(2), 'taken');
  await clock.turn(999);
  t.strictSame(stored, []);
  await clock.turn(2);
  t.strictSame(stored, [[1, 2]]);
  await queue.put(item(3, 6), 'taken');
  await queue.put(item(4, 6), 'taken');
  await settled();
  t.strictSame(stored.slice(1), [[3]], 'enough for a transaction goes at once');
  await clock.turn(1_001);
  t.strictSame(stored.slice(2), [[4]]);
  t.match(queue.state, { points: 0, bytes: 0, storedPoints: 14, full: false });
});

t.test('whoever must hear that it is stored does not wait for others', async (t) => {
  const { queue, stored, clock } = stage();
  await queue.put(item(1), 'taken');
  await queue.put(item(2), 'stored');
  t.strictSame(stored, [[1, 2]]);
  await queue.put(item(3, 50), 'stored');
  t.strictSame(stored.at(-1), [3], 'a batch above the size of a group is one by itself');
  t.equal(clock.pending, 0);
});

t.test('a database that is away is asked again by the schedule, and nothing is lost', async (t) => {
  const { queue, clock, answers, stored, lines } = stage();
  answers.push(new Error('away'), new Error('away'), new Error('away'), new Error('away'));
  const done = queue.put(item(1), 'stored');
  for (const millis of [100, 200, 400]) {
    await clock.turn(millis - 1);
    const { retries } = queue.state;
    await clock.turn(1);
    t.equal(queue.state.retries, retries + 1, `after ${millis} ms`);
  }
  t.strictSame(stored, []);
  await clock.turn(400);
  await done;
  t.strictSame(stored, [[1]]);
  t.equal(lines.filter(({ level, text }) => level === 'warn' && /tried again: away/.test(text)).length, 4);
  answers.push(new Error('away'));
  const again = queue.put(item(2), 'stored');
  await clock.turn(100);
  await again;
});

t.test('a database that asks for time gets it', async (t) => {
  const { queue, clock, answers, stored } = stage();
  answers.push(new AskedToWait(7_000, 'busy'));
  void queue.put(item(1), 'stored');
  await clock.turn(6_999);
  t.strictSame(stored, []);
  await clock.turn(1);
  t.strictSame(stored, [[1]]);
});

t.test('what is refused for good is dropped, counted and told, and the next is stored', async (t) => {
  const { queue, answers, stored, lines } = stage();
  answers.push(new Unstorable('not a number'));
  await queue.put(item(1, 3), 'stored');
  await queue.put(item(2), 'stored');
  t.strictSame(stored, [[2]]);
  t.match(queue.state, { refusedPoints: 3, storedPoints: 1 });
  t.match(lines, [{ level: 'error', text: /not a number/ }]);
});

t.test(
  'a full queue makes the sender wait, tells so, and takes what is larger than itself when it is empty',
  async (t) => {
    for (const limits of [{ pointsMax: 20 }, { bytesMax: 200 }]) {
      const { queue, clock, answers, stored, lines, release } = stage(limits);
      answers.push('wait');
      await queue.put(item(1, 12), 'taken');
      await settled();
      await queue.put(item(2, 8), 'taken');
      let taken = false;
      const third = queue.put(item(3, 1), 'taken').then(() => {
        taken = true;
      });
      await clock.turn(60_000);
      t.notOk(taken);
      t.match(queue.state, { points: 20, bytes: 200, full: true });
      t.match(lines, [{ level: 'warn', text: /queue is full/ }]);
      release();
      await third;
      t.match(lines[1], { level: 'info', text: /room again/ });
      await queue.flush();
      await queue.put(item(4, 500), 'stored');
      t.strictSame(stored.flat(), [1, 2, 3, 4], 'in order');
    }
  },
);

t.test('nothing else happens in the database while something is stored', async (t) => {
  const { queue, answers, stored, release } = stage();
  answers.push('wait');
  const put = queue.put(item(1), 'stored');
  await settled();
  const seen = queue.exclusively(async () => stored.length);
  release();
  t.equal(await seen, 1);
  await put;
});

t.test('the end waits for the database so long and no longer', async (t) => {
  const { queue, clock, answers } = stage();
  for (let i = 0; i < 40; i++) answers.push(new Error('away'));
  await queue.put(item(1), 'taken');
  const flushed = t.rejects(queue.flush(), { code: 'OUTPUT_STUCK', got: /2 points/ });
  const stuck = t.rejects(queue.put(item(2), 'stored'), { code: 'OUTPUT_CLOSED' });
  await clock.turn(5_001);
  await flushed;
  await queue.close();
  await stuck;
  await t.rejects(queue.put(item(3), 'taken'), { code: 'OUTPUT_CLOSED' });
  t.equal(clock.pending, 0);
});
