import { FAMILIES, PROFILES } from 'chaos-proxy';
import t from 'tap';
import { faultsAsked, linksList } from './links-command.ts';
import { UsageError } from './usage.ts';

t.test('the list names every profile and fault with its parameters', async (t) => {
  const list = linksList();
  for (const name of [...Object.keys(PROFILES), ...Object.keys(FAMILIES)]) t.match(list, name);
  t.match(list, 'rtoMs [200]');
});

t.test('a profile and faults of one’s own are measured as they are, without when and whom', async (t) => {
  const asked = faultsAsked({ profile: 'stalling', fault: ['reset:afterMs=5,selector.every=3'] });
  t.same(asked, [
    { kind: 'latency', ms: 30 },
    { kind: 'stall', onMs: 1500, offMs: 4500 },
    { kind: 'reset', afterMs: 5 },
  ]);
});

t.test('what there is not is a usage error that names the nearest', async (t) => {
  for (const [flags, message] of [
    [{ profile: 'mobil', fault: [] }, /mobile/],
    [{ profile: undefined, fault: ['latncy:ms=1'] }, /latency/],
    [{ profile: 'clean', fault: [] }, /nothing to measure/],
  ] as const)
    t.throws(() => faultsAsked(flags), { name: UsageError.name, message });
});
