import t from 'tap';
import { POISONED_DOORS, PoisonedError, poisoned } from './poisoned.ts';

const TRIES: Readonly<Record<string, () => unknown>> = {
  'Math.random': () => Math.random(),
  'Date.now': () => Date.now(),
  'performance.now': () => performance.now(),
  'process.hrtime': () => process.hrtime(),
  'process.nextTick': () => process.nextTick(() => {}),
  setTimeout: () => setTimeout(() => {}, 0),
  setInterval: () => setInterval(() => {}, 1),
  setImmediate: () => setImmediate(() => {}),
  queueMicrotask: () => queueMicrotask(() => {}),
  fetch: () => fetch('http://127.0.0.1:9/'),
  'crypto.getRandomValues': () => crypto.getRandomValues(new Uint8Array(1)),
  'crypto.randomUUID': () => crypto.randomUUID(),
  'Promise.prototype.then': () => Promise.resolve().then(() => {}),
  'new Date()': () => new Date(),
};

/** What a poisoned run throws for a call. */
const caught = (call: () => unknown): unknown => {
  try {
    poisoned(call);
  } catch (error) {
    return error;
  }
  return undefined;
};

t.test('every door has its try here', async (t) => {
  t.strictSame(Object.keys(TRIES).sort(), [...POISONED_DOORS].sort());
});

for (const [door, call] of Object.entries(TRIES))
  t.test(`${door} throws while poisoned`, async (t) => {
    const error = caught(call);
    t.ok(error instanceof PoisonedError);
    t.match(error, { code: 'SIM_ASKED_REAL_WORLD', door });
  });

t.test('dates of given times, and hrtime.bigint through its door, behave', async (t) => {
  t.equal(
    poisoned(() => new Date(0).toISOString()),
    '1970-01-01T00:00:00.000Z',
  );
  t.ok(poisoned(() => new Date(5) instanceof Date));
  t.ok(caught(() => Date()) instanceof PoisonedError);
  t.ok(caught(() => process.hrtime.bigint()) instanceof Error);
});

t.test('doors are open again after the run, also after one that threw, and inside out', async (t) => {
  const before = { now: Date.now, random: Math.random, date: globalThis.Date };
  t.throws(
    () =>
      poisoned(() => {
        throw new Error('the run itself');
      }),
    { message: 'the run itself' },
  );
  t.equal(
    poisoned(() => poisoned(() => 7)),
    7,
  );
  t.equal(Date.now, before.now);
  t.equal(Math.random, before.random);
  t.equal(globalThis.Date, before.date);
  t.type(Date.now(), 'number');
});
