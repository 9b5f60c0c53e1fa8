import t from 'tap';
import { setupScript } from './gateway.ts';
import { eachAtMost } from './removal.ts';
import { foldersFor } from './stage.ts';

const outside = { network: 'wan', address: '10.130.17.1' };
const inside = { network: 'lan', address: '10.130.32.1' };

t.test('a gateway has a way out only when it has an uplink', async (t) => {
  t.notMatch(setupScript({ outside, inside, uplink: undefined }), 'replace default');
  const script = setupScript({ outside, inside, uplink: '100.64.0.1' });
  t.ok(script.indexOf('named 10.130.17.1 wan0') > 0);
  t.ok(script.indexOf('replace default via 100.64.0.1 dev wan0') > script.indexOf('named 10.130.32.1 lan0'));
});

t.test(
  'agents see the repository, and the folder of the command unless that would hide the system’s',
  async (t) => {
    for (const [root, work, folders] of [
      ['/home/me/relaylab', '/home/me/relaylab', ['/home/me/relaylab']],
      ['/home/me/relaylab', '/home/me/relaylab/ci', ['/home/me/relaylab']],
      ['/home/me/relaylab', '/home/me/mine', ['/home/me/relaylab', '/home/me/mine']],
      ['/home/me/relaylab', '/home/me', ['/home/me/relaylab', '/home/me']],
      ['/home/me/relaylab', '/home/me/relaylab-two', ['/home/me/relaylab', '/home/me/relaylab-two']],
      ['/home/me/relaylab', '/home/me/..mine', ['/home/me/relaylab', '/home/me/..mine']],
      ['/home/me/relaylab', '/', ['/home/me/relaylab']],
      ['/home/me/relaylab', '/usr', ['/home/me/relaylab']],
      ['/home/me/relaylab', '/tmp', ['/home/me/relaylab']],
      ['/home/me/a/node_modules/relaylab', '/home/me/a', ['/home/me/a/node_modules', '/home/me/a']],
    ] as const)
      t.same(foldersFor(root, work), folders, work);
  },
);

t.test('at most so many jobs run at once, and failures are handed back', async (t) => {
  let [running, most] = [0, 0];
  const failed = await eachAtMost(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    if (item % 3 === 0) throw new Error(`no ${item}`);
  });
  t.equal(most, 3);
  t.same(failed.map(({ item, error }) => [item, (error as Error).message]).sort(), [
    [3, 'no 3'],
    [6, 'no 6'],
  ]);
  t.same(await eachAtMost(3, [], () => Promise.reject(new Error('never'))), []);
});
