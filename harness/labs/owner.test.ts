import t from 'tap';
import { isDead, type Owner, startTimeOf, thisOwner } from './owner.ts';

const OWNER: Owner = { host: 'box', pid: 42, startedAt: '123456' };

t.test('an owner is dead when its id is free or somebody else’s, and only on its own machine', async (t) => {
  for (const [owner, here, started, dead] of [
    [OWNER, 'box', '123456', false],
    [OWNER, 'box', undefined, true],
    [OWNER, 'box', '999999', true],
    [OWNER, 'other', undefined, false],
    [undefined, 'box', undefined, false],
  ] as const)
    t.equal(
      isDead(owner, here, () => started),
      dead,
      JSON.stringify({ owner, here, started }),
    );
});

t.test('this process is alive, and has a start time', async (t) => {
  t.notOk(isDead(thisOwner()));
  t.ok(startTimeOf(process.pid));
  t.equal(startTimeOf(2 ** 30), undefined);
});
