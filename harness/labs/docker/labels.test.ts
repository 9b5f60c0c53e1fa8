import t from 'tap';
import type { Owner } from '../owner.ts';
import { LABEL, nameFor, parseOwner, runLabels } from './labels.ts';

const OWNER: Owner = { host: 'box', pid: 42, startedAt: '123456' };

t.test('an owner is read back from its label', async (t) => {
  t.same(parseOwner(runLabels('r1', OWNER, false)[LABEL.owner]), OWNER);
  const lettered = { ...OWNER, startedAt: 'Sat_Nov_21_11:52:05_2026' };
  t.same(parseOwner(runLabels('r1', lettered, false)[LABEL.owner]), lettered);
  for (const text of [undefined, '', 'box', 'box:42', 'box:0:1', 'box:x:1', ':42:1'])
    t.equal(parseOwner(text), undefined);
});

t.test('only a run left on purpose carries the mark for it', async (t) => {
  t.match(runLabels('r1', OWNER, true), { [LABEL.keep]: '1' });
  t.notHas(runLabels('r1', OWNER, false), { [LABEL.keep]: '1' });
});

t.test('names hold only what Docker takes', async (t) => {
  t.equal(nameFor('ab12', 'Café/eins 2', 'host'), 'relaylab-ab12-Caf--eins-2-host');
});
