import { join } from 'node:path';
import t from 'tap';
import { type BaselineFlags, updateBaseline } from './baseline-command.ts';
import { type ConformanceFlags, conformance } from './conformance-command.ts';
import { explain } from './explain-command.ts';

const FLAGS: ConformanceFlags = {
  ...{ role: undefined, exec: './x {port}', address: undefined, image: undefined, pid: undefined },
  ...{ key: undefined, ticket: undefined },
  ...{ case: [], link: [], nat: [], capabilities: undefined, baseline: undefined, jobs: 1, seed: 1 },
  ...{ limit: 1, reports: 'reports', out: undefined, list: false },
};
const NONE = { exec: undefined };

/** Every one is refused before anything is started. */
const WRONG: readonly (readonly [string, Partial<ConformanceFlags>, RegExp])[] = [
  ['yamux', NONE, /what is to be judged\? Give --exec '\.\/my-program \{port\}', --address/],
  ['port-client', NONE, /Give --exec '\.\/my-program \{mode\} \{port\} \{service\}'/],
  ['yamux', { address: 'a:1' }, /three ways to name one target/],
  ['yamux', { image: 'a' }, /three ways to name one target/],
  ['yamux', { pid: 1 }, /--pid goes with --address/],
  ['port-client', { ...NONE, address: 'a:1' }, /each case starts the program/],
  ['socket-control', { ...NONE, address: 'a:1' }, /each case starts the program[\s\S]*\{socket\} +the path/],
  ['socket-control', NONE, /Give --exec '\.\/my-program \{config\} \{socket\} \{output\}'/],
  [
    'socket-control',
    { exec: './agent' },
    /'\.\/agent' has no \{\.\.\.\}[\s\S]*\{config\} +a configuration file/,
  ],
  ['socket-control', { exec: './agent {confg}' }, /unknown placeholder '\{confg\}'\. Nearest: '\{config\}'/],
  ['yamux', { exec: './x {prot}' }, /unknown placeholder '\{prot\}'\. Nearest: '\{port\}'/],
  ['measurement-client', { ...NONE, image: 'my/agent {confg}' }, /unknown placeholder '\{confg\}'/],
  ['measurement-client', NONE, /or --image NAME[\s\S]*its environment, too: RELAYLAB_CONFIG/],
  ['postcard', { ...NONE, image: 'my/codec' }, /--exec 'docker run --rm -i my\/codec'/],
  ['socket-control', { exec: './agent {config}', link: ['mobile'] }, /has no network/],
  ['measurement-server', NONE, /\{output\} +the CSV file/],
  ['postcard', { ...NONE, address: 'a:1' }, /talked to over its standard input/],
  ['postcard', { link: ['mobile'] }, /has no network/],
  ['yamux', { case: ['pong'] }, /unknown case 'pong'; nearest: 'yamux\//],
  ['yamux', { link: ['mobil'] }, /unknown link profile 'mobil'\. Nearest: 'mobile'/],
  ['yamux', { nat: ['hostil'] }, /unknown NAT preset 'hostil'\. Nearest: 'hostile'/],
  ['yamux', { role: 'client', case: ['pong'] }, /nearest: 'yamux-client\//],
];
for (const [profile, change, says] of WRONG)
  t.test(`refused: ${profile} ${JSON.stringify(change)}`, async (t) => {
    await t.rejects(conformance(profile, { ...FLAGS, ...change }), says);
  });

t.test('files beside the target are refused with what is wrong in them', async (t) => {
  const folder = t.testdir({
    'caps.json': '{"capabilities":{"opn":false}}',
    'known.json': '[{"case":"yamux/ping/valu-0","reason":"x","link":"","owner":"y","expires":"2027-01-01"}]',
    'other.json': '{"profile":"port-relay"}',
  });
  const at = (name: string): string => join(folder, name);
  for (const [change, says] of [
    [{ capabilities: at('caps.json') }, /unknown capability 'opn'; nearest: 'open'/],
    [{ capabilities: at('none.json') }, /none\.json cannot be read: ENOENT/],
    [{ capabilities: at('other.json') }, /other\.json is about port-relay, and yamux is to be judged/],
    [{ baseline: at('known.json') }, /unknown case 'yamux\/ping\/valu-0'; nearest: 'yamux\/ping\/value-0'/],
  ] as const)
    await t.rejects(conformance('yamux', { ...FLAGS, ...change }), says);
});

t.test('a baseline is written from a report of the gate and from nothing else', async (t) => {
  const folder = t.testdir({ 'report.json': '{"format":"other"}', 'text.json': 'x', reports: {} });
  const flags: BaselineFlags = {
    ...{ profile: undefined, owner: 'ana', expires: undefined, reason: '', link: '' },
    baseline: join(folder, 'b.json'),
    reports: join(folder, 'reports'),
  };
  t.throws(() => updateBaseline(undefined, flags), /there is no report of any profile/);
  t.throws(() => updateBaseline(undefined, { ...flags, profile: 'yamux' }), /no report of yamux/);
  t.throws(() => updateBaseline(join(folder, 'text.json'), flags), /cannot be read as a report/);
  t.throws(
    () => updateBaseline(join(folder, 'report.json'), flags),
    /expected format relaylab-gate\/1, got other/,
  );
});

for (const [given, says] of [
  ['PORT-POOL-5', /^PORT-POOL-5 {2}MUST/],
  ['pool-5', /^PORT-POOL-5 {2}MUST/],
  ['port pool 5', /^PORT-POOL-5 {2}MUST/],
  ['yamux/ping/value-0', /^yamux\/ping\/value-0 {2}a ping of 0[\s\S]*YAMUX-PING-1 {2}MUST/],
  ['ping/value-0', /yamux-client\/ping\/value-0[\s\S]*cases +yamux\/ping\/value-0/],
] as const)
  t.test(`explain takes ${given}`, async (t) => t.match(explain(given), says));

t.test('what cannot be explained is answered by the nearest', async (t) => {
  t.throws(() => explain('PORT-POOL-55'), /unknown clause 'PORT-POOL-55'\. Nearest: 'PORT-POOL-5'/);
  t.throws(() => explain('5'), /unknown clause/, 'an end that several have is none');
  t.throws(
    () => explain('yamux/ping/valu-0'),
    /unknown case 'yamux\/ping\/valu-0'\. Nearest: 'yamux\/ping\/value-0'/,
  );
});
