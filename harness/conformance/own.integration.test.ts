/** What is ours passes its own gate, without a baseline: every profile, on the direct path. */
import t from 'tap';
import { Canary } from './engine/canary.ts';
import { judgeAllOurs } from './ours.ts';
import { PROFILES } from './suites/registry.ts';

t.setTimeout(600_000);

const canary = new Canary();
t.teardown(() => canary.stop());

const runs = judgeAllOurs(canary, 7);
t.teardown(() => Promise.allSettled(runs.values()));

for (const profile of PROFILES)
  t.test(`ours holds every case of ${profile.name}`, async (t) => {
    const results = (await runs.get(profile.name)) ?? [];
    t.equal(results.length, profile.cases.length, 'every case was judged');
    for (const { id, level, verdict, got } of results)
      if (level === 'MUST') t.not(verdict, 'fail', `${id}: ${got}`);
    t.ok(
      results.filter(({ verdict }) => verdict === 'pass').length > results.length * 0.8,
      'and nearly all hold',
    );
  });
