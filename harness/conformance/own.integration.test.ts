/** What is ours passes its own gate, without a baseline: every profile, on the direct path. */
import t from 'tap';
import { Canary } from './engine/canary.ts';
import { judgeOurs } from './ours.ts';
import type { CaseResult } from './outcome.ts';
import { PROFILES } from './suites/registry.ts';

t.setTimeout(600_000);

const canary = new Canary();
t.teardown(() => canary.stop());

/** Profiles at a time: nearly all of their time is waiting. */
const AT_A_TIME = 4;

/** Every profile's results, begun in order, some at a time; asked for by name. */
const runs = new Map<string, PromiseWithResolvers<readonly CaseResult[]>>(
  PROFILES.map(({ name }) => [name, Promise.withResolvers<readonly CaseResult[]>()]),
);
const waiting = [...PROFILES];
const lane = async (): Promise<void> => {
  for (let profile = waiting.shift(); profile !== undefined; profile = waiting.shift()) {
    const told = runs.get(profile.name);
    await judgeOurs(profile, canary, 7).then(told?.resolve, told?.reject);
  }
};
const lanes = Promise.all(Array.from({ length: AT_A_TIME }, lane));
t.teardown(() => lanes);

for (const profile of PROFILES)
  t.test(`ours holds every case of ${profile.name}`, async (t) => {
    const results = (await runs.get(profile.name)?.promise) ?? [];
    t.equal(results.length, profile.cases.length, 'every case was judged');
    for (const { id, level, verdict, got } of results)
      if (level === 'MUST') t.not(verdict, 'fail', `${id}: ${got}`);
    t.ok(
      results.filter(({ verdict }) => verdict === 'pass').length > results.length * 0.8,
      'and nearly all hold',
    );
  });
