import t from 'tap';
import { deadRuns, namespaceName, namespacesOf, parseNamespace, type RunName } from './names.ts';

const RUN: RunName = { run: 'ab12', owner: { pid: 42, startedAt: '777' }, kept: false };

t.test('a namespace says whose it is', async (t) => {
  const name = namespaceName(RUN, 'Café one-gateway');
  t.equal(name, 'relaylab.ab12.42.777.run.Caf--one-gateway');
  t.same(parseNamespace(name), RUN);
  t.same(parseNamespace(namespaceName({ ...RUN, kept: true }, 'wan')), { ...RUN, kept: true });
});

t.test('names that are not the lab’s are nobody’s', async (t) => {
  for (const name of [
    '',
    'relaylab',
    'relaylab-nat-42-1c',
    'relaylab.ab12.42.777.run',
    'relaylab.ab12.x.777.run.wan',
  ])
    t.equal(parseNamespace(name), undefined, name);
  t.same(
    namespacesOf('ab12', ['other', namespaceName(RUN, 'wan'), namespaceName({ ...RUN, run: 'cd' }, 'wan')]),
    [namespaceName(RUN, 'wan')],
  );
});

t.test('a run is dead when its owner is, and nobody lives in what was kept', async (t) => {
  const plain = [namespaceName(RUN, 'wan'), namespaceName(RUN, 'house-1')];
  const kept = [
    namespaceName({ ...RUN, kept: true }, 'wan'),
    namespaceName({ ...RUN, kept: true }, 'house-1'),
  ];
  const nobody = (): boolean => false;
  const inHouse = (name: string): boolean => name.endsWith('house-1');
  for (const [what, names, inhabited, gone, dead] of [
    ['its owner lives', plain, nobody, false, []],
    ['its owner is gone', plain, nobody, true, ['ab12']],
    ['somebody was left behind', plain, inHouse, true, ['ab12']],
    ['kept, and in use', kept, inHouse, true, []],
    ['kept, and deserted', kept, nobody, true, ['ab12']],
    ['somebody else’s', ['other', 'cni-1234'], nobody, true, []],
  ] as const)
    t.same(
      deadRuns(names, inhabited, () => gone),
      dead,
      what,
    );
});
