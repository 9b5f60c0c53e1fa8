import t from 'tap';
import { LabError } from '../lab.ts';
import { newAddresses, SITES_MAX, wanAddress } from './places.ts';
import { parseSubnet, type Subnet } from './subnets.ts';

const WAN = { subnet: parseSubnet('10.130.16.0/20') as Subnet };

t.test('no two hosts share a public address, and old ones are not used again', async (t) => {
  const all: string[] = [];
  for (let host = 0; host < 247; host++) all.push(wanAddress.outside(WAN, host));
  t.throws(() => wanAddress.outside(WAN, 247), LabError);
  for (let site = 0; site < SITES_MAX; site++) all.push(wanAddress.gateway(WAN, site));
  for (let move = 0; move < 1000; move++) all.push(wanAddress.moved(WAN, move));
  t.equal(new Set(all).size, all.length);
  t.equal(wanAddress.gateway(WAN, 0), '10.130.17.1');
  t.throws(() => wanAddress.moved(WAN, 5000), LabError);
  const next = newAddresses(WAN);
  t.same([next(), next()], [wanAddress.moved(WAN, 0), wanAddress.moved(WAN, 1)]);
});
