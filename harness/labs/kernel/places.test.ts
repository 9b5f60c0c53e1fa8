import t from 'tap';
import { LabError } from '../lab.ts';
import { newAddresses, SITES_MAX, wanAddress } from './places.ts';
import { parseSubnet, type Subnet } from './subnets.ts';

const WAN = { subnet: parseSubnet('10.130.16.0/20') as Subnet };

t.test('no two hosts share a public address, and old ones are not used again', async (t) => {
  const all = [wanAddress.relay(WAN), wanAddress.users(WAN)];
  for (let site = 0; site < SITES_MAX; site++) all.push(wanAddress.gateway(WAN, site));
  for (let move = 0; move < 1000; move++) all.push(wanAddress.moved(WAN, move));
  t.equal(new Set(all).size, all.length);
  t.equal(wanAddress.gateway(WAN, 0), '10.130.17.1');
  t.throws(() => wanAddress.moved(WAN, 5000), LabError);
  const next = newAddresses(WAN);
  t.same([next(), next()], [wanAddress.moved(WAN, 0), wanAddress.moved(WAN, 1)]);
});
