import t from 'tap';
import type { Schedule } from '../../reference-impl/backoff/schedule.ts';
import { herdLimit } from './herd.ts';

const SCHEDULE: Schedule = {
  baseMillis: 250,
  factor: 2,
  capMillis: 4_000,
  jitter: 0.5,
  healthyMillis: 3_000,
  triesMax: Number.POSITIVE_INFINITY,
};
/** Every value by a key that differs: the function remembers what it has drawn. */
const fresh = (schedule: Schedule, size: number): number => herdLimit({ ...schedule }, size, 4_000);

t.test('the limit is the same for the same arguments', async (t) => {
  t.equal(fresh(SCHEDULE, 60), fresh(SCHEDULE, 60));
  t.equal(
    herdLimit({ ...SCHEDULE, triesMax: 1_000_000 }, 60, 4_000),
    fresh(SCHEDULE, 60),
    'drawn again, not remembered',
  );
});

t.test('a limit is a share of the fleet', async (t) => {
  for (const size of [50, 120, 1_000]) {
    const limit = fresh(SCHEDULE, size);
    t.ok(limit > 0 && limit < 1, `${size}: ${limit}`);
    t.ok(limit * size >= 1, 'at least somebody comes');
  }
});

t.test(
  'the larger the fleet and the jitter and the cap, the smaller the share that chance allows',
  async (t) => {
    t.ok(fresh(SCHEDULE, 1_000) < fresh(SCHEDULE, 60), 'size');
    t.ok(fresh({ ...SCHEDULE, jitter: 0.9 }, 200) < fresh({ ...SCHEDULE, jitter: 0.1 }, 200), 'jitter');
    t.ok(
      fresh({ ...SCHEDULE, capMillis: 30_000 }, 200) <= fresh({ ...SCHEDULE, capMillis: 1_000 }, 200),
      'cap',
    );
  },
);

t.test('without jitter a fleet that is lost together comes back together', async (t) => {
  t.equal(fresh({ ...SCHEDULE, jitter: 0 }, 100), 1);
});
