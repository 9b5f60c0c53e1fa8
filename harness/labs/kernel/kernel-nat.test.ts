import t from 'tap';
import { PRESETS } from '../../nat/presets.ts';
import { gained, KernelNat, parseCounters } from './kernel-nat.ts';

/** A gateway that only writes down what it is told to run. */
const deaf = (address: string, uplink?: string) => {
  const scripts: string[] = [];
  const run = async (script: string): Promise<string> => {
    scripts.push(script);
    return script.includes('echo mapped')
      ? 'mapped 1\nlost_inner 0\nlost_outer 0\nrefused 0\nstalled 0'
      : '3';
  };
  return { gateway: { shell: { run }, address, uplink }, scripts };
};

t.test('a gateway that moves gets its rules anew, for its new address', async (t) => {
  const outer = deaf('10.128.1.1');
  const addresses = ['10.128.8.1'];
  const nat = new KernelNat({
    nat: PRESETS.home,
    outer: outer.gateway,
    home: undefined,
    nextAddress: () => addresses.shift() as string,
    besides: ['echo besides'],
  });
  await nat.install();
  t.match(outer.scripts.splice(0), [
    /nf_conntrack_tcp_timeout_established[\s\S]*table ip lab[\s\S]*\necho besides$/,
  ]);
  const receipt = await nat.fault({ kind: 'readdress' });
  t.equal(nat.publicAddress, '10.128.8.1');
  t.match(receipt, { effects: 3, text: '3 mappings dropped; public address 10.128.1.1 -> 10.128.8.1' });
  t.match(outer.scripts[1], 'ip addr add 10.128.8.1/20 dev wan0');
  t.match(outer.scripts.at(-1), 'table ip lab');
});

t.test('behind a carrier both gateways are told, and events happen at the outer one', async (t) => {
  const outer = deaf('10.128.1.1');
  const home = deaf('100.64.0.2', '100.64.0.1');
  const nextAddress = () => '10.128.8.1';
  const nat = new KernelNat({
    ...{ nat: PRESETS.cgnat, outer: outer.gateway, home: home.gateway },
    ...{ nextAddress, besides: [] },
  });
  await nat.install();
  t.match(outer.scripts.splice(0), [/ip saddr 100\.64\.0\.2 .*masquerade to :/]);
  t.match(home.scripts.splice(0), [/table ip lab/]);
  t.match((await nat.fault({ kind: 'flap', millis: 250 })).text, /path shut for 250 ms/);
  t.ok(outer.scripts.some((script) => script.includes('sleep 0.250')));
  t.same(home.scripts, []);
});

t.test('counters are read, and what they gained is said', async (t) => {
  const before = parseCounters('mapped 3\nlost_inner 0\nlost_outer 1\nrefused 0\nstalled 9');
  const after = parseCounters('mapped 3\nlost_inner 2\nlost_outer 1\nrefused 0\nstalled 10');
  t.equal(gained(before, after), 'lost_inner +2, stalled +1');
  t.equal(gained(before, before), '');
  t.throws(() => parseCounters('mapped'), /expected "name packets" from nft, got "mapped"/);
});
