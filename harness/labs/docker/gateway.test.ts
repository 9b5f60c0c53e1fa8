import t from 'tap';
import { LabError } from '../lab.ts';
import { setupScript } from './gateway.ts';
import { gained, parseCounters } from './kernel-nat.ts';
import { eachAtMost } from './removal.ts';
import { foldersFor, SITES_MAX, wanAddress } from './stage.ts';
import { parseSubnet, type Subnet } from './subnets.ts';

const WAN = { name: 'wan', subnet: parseSubnet('10.130.16.0/20') as Subnet };
const outside = { network: 'wan', address: '10.130.17.1' };
const inside = { network: 'lan', address: '10.130.32.1' };

t.test('a gateway has a way out only when it has an uplink', async (t) => {
  t.notMatch(setupScript({ outside, inside, uplink: undefined }), 'replace default');
  const script = setupScript({ outside, inside, uplink: '100.64.0.1' });
  t.ok(script.indexOf('named 10.130.17.1 wan0') > 0);
  t.ok(script.indexOf('replace default via 100.64.0.1 dev wan0') > script.indexOf('named 10.130.32.1 lan0'));
});

t.test('no two hosts share a public address, and old ones are not used again', async (t) => {
  const all = [wanAddress.relay(WAN), wanAddress.users(WAN)];
  for (let site = 0; site < SITES_MAX; site++) all.push(wanAddress.gateway(WAN, site));
  for (let move = 0; move < 1000; move++) all.push(wanAddress.moved(WAN, move));
  t.equal(new Set(all).size, all.length);
  t.equal(wanAddress.gateway(WAN, 0), '10.130.17.1');
  t.throws(() => wanAddress.moved(WAN, 5000), LabError);
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

t.test('counters are read, and what they gained is said', async (t) => {
  const before = parseCounters('mapped 3\nlost_inner 0\nlost_outer 1\nrefused 0\nstalled 9');
  const after = parseCounters('mapped 3\nlost_inner 2\nlost_outer 1\nrefused 0\nstalled 10');
  t.equal(gained(before, after), 'lost_inner +2, stalled +1');
  t.equal(gained(before, before), '');
  t.throws(() => parseCounters('mapped'), /expected "name packets" from nft, got "mapped"/);
});

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
