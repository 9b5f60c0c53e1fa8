/** Every test runs, and once. */
import t from 'tap';
import { asked, testGroups } from './test-plan.ts';
import { isTest, ROOT, repositoryFiles } from './tree.ts';

t.test('every test file of the repository is in one group', async (t) => {
  const grouped = testGroups(ROOT).flatMap(({ files }) => files);
  t.same([...grouped].sort(), repositoryFiles().filter(isTest));
});

t.test('what starts labs runs alone', async (t) => {
  const alone = testGroups(ROOT).find(({ jobs }) => jobs === 1)?.files ?? [];
  for (const file of [
    'harness/labs/docker/docker.integration.test.ts',
    'harness/nat/kernel.integration.test.ts',
  ])
    t.ok(alone.includes(file), file);
  t.notOk(alone.includes('reference-impl/drivers/node.integration.test.ts'), 'loopback alone is no lab');
});

t.test('files and folders that are named run with their own limits, options go to tap', async (t) => {
  const docker = 'harness/labs/docker/docker.integration.test.ts';
  const nat = 'harness/nat/nat.test.ts';
  t.match(asked(ROOT, [nat]), { groups: [{ files: [nat], jobs: 2 }], options: [] });
  t.match(asked(ROOT, [`./${docker}`, '--bail', '-g', 'name']), {
    groups: [{ files: [docker], jobs: 1 }],
    options: ['--bail', '-g', 'name'],
  });
  t.same(
    asked(ROOT, ['harness/nat/']).groups.map(({ jobs }) => jobs),
    [2, 1],
    'a folder may hold both',
  );
  t.same(asked(ROOT, ['--bail']).groups, testGroups(ROOT), 'no file named: all of them');
});

t.test('a name that no test has is refused', async (t) => {
  for (const path of ['harness/nat/nap.test.ts', 'nowhere/', 'harness/nat/nat.ts'])
    t.throws(() => asked(ROOT, [path]), new RegExp(`is called ${path}`));
});
