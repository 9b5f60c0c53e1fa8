import t from 'tap';
import {
  addressAt,
  dotted,
  lastAddress,
  overlaps,
  parseSubnet,
  routedSubnets,
  type Subnet,
  SubnetPool,
  showSubnet,
} from './subnets.ts';

const subnet = (text: string): Subnet => {
  const found = parseSubnet(text);
  if (found === undefined) throw new Error(text);
  return found;
};

t.test('a subnet is read with its host bits dropped, and anything else is none', async (t) => {
  for (const [text, shown] of [
    ['10.1.2.0/24', '10.1.2.0/24'],
    ['10.1.2.77/24', '10.1.2.0/24'],
    ['255.255.255.255/32', '255.255.255.255/32'],
    ['192.168.1.1/0', '0.0.0.0/0'],
  ] as const)
    t.equal(showSubnet(subnet(text)), shown);
  for (const text of ['', '10.1.2.0', '10.1.2.0/33', '10.1.256.0/24', 'fd00::/64', 'x10.1.2.0/24'])
    t.equal(parseSubnet(text), undefined, text);
});

t.test('addresses are counted from the network address, its two ends are nobody’s', async (t) => {
  const lan = subnet('10.1.2.8/29');
  t.equal(addressAt(lan, 1), '10.1.2.9');
  t.equal(lastAddress(lan), '10.1.2.14');
  t.throws(() => addressAt(lan, 0), RangeError);
  t.throws(() => addressAt(lan, 7), RangeError);
  t.equal(dotted(0xff_00_00_01), '255.0.0.1');
});

t.test('two subnets overlap when one holds the other', async (t) => {
  for (const [a, b, expected] of [
    ['10.0.0.0/8', '10.255.255.248/29', true],
    ['10.1.2.8/29', '10.1.2.8/29', true],
    ['10.1.2.0/29', '10.1.2.8/29', false],
    ['0.0.0.0/0', '203.0.113.0/24', true],
  ] as const) {
    t.equal(overlaps(subnet(a), subnet(b)), expected, `${a} and ${b}`);
    t.equal(overlaps(subnet(b), subnet(a)), expected, `${b} and ${a}`);
  }
});

t.test('routes of the host are read, its default route is not one', async (t) => {
  const table = [
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    'tun0\t00809A0A\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0',
    '',
  ].join('\n');
  t.same(routedSubnets(table).map(showSubnet), ['172.17.0.0/16', '10.154.128.0/20']);
  t.same(routedSubnets(''), []);
});

t.test('a pool gives each subnet once and none that is taken, wherever it starts', async (t) => {
  for (const start of [0, 1, 7, 12345, -3]) {
    const taken = [subnet('10.128.16.0/20'), subnet('10.128.0.0/29')];
    const pool = new SubnetPool(subnet('10.128.0.0/17'), taken, start);
    const given = [pool.take(20), pool.take(29), pool.take(29), pool.take(28), pool.take(20)];
    given.forEach((one, index) => {
      t.equal(one.base % 2 ** (32 - one.prefix), 0, `${showSubnet(one)} is aligned`);
      for (const other of [...taken, ...given.slice(index + 1)])
        t.notOk(overlaps(one, other), `${showSubnet(one)} and ${showSubnet(other)}, start ${start}`);
    });
  }
});

t.test('a used-up pool says what it had no room for', async (t) => {
  const pool = new SubnetPool(subnet('10.128.0.0/28'), [], 5);
  t.same([pool.take(29), pool.take(29)].map(showSubnet).sort(), ['10.128.0.0/29', '10.128.0.8/29']);
  t.throws(() => pool.take(29), { name: 'RangeError', message: /no free \/29 left in 10.128.0.0\/28/ });
});
