import t from 'tap';
import { recorded, said } from '../recorded.ts';
import { Transcript } from '../transcript.ts';
import { type ClientCase, client, DIAL, judgeCases } from './client-cases.ts';

const ASKED: ClientCase['steps'] = [DIAL, ['connected 1', 'send 1 "pool\\nnew\\n"']];
const POOL1: ClientCase['steps'] = [
  ...ASKED,
  ['bytes 1 "9001\\nAB\\n"', 'report client.registered port=9001 mode=pool'],
];
const POOL2: ClientCase['steps'] = [
  ...ASKED,
  ['bytes 1 "9001\\nAB\\n"', 'report client.registered port=9001 mode=pool', 'connect 2 relay:9000'],
  ['connected 2', 'send 2 "pool\\nAB\\n"'],
];
const lost = (why: string): string => `report client.lost why=${why} waitMillis=100 attempt=0`;

judgeCases(t, 'pool', [
  {
    name: 'port and id come in one segment or two, and the pool is filled',
    config: { poolSize: 3 },
    steps: [
      ...ASKED,
      ['bytes 1 "9001\\n"'],
      ['bytes 1 "A"'],
      [
        'bytes 1 "B\\n"',
        'report client.registered port=9001 mode=pool',
        'connect 2 relay:9000',
        'connect 3 relay:9000',
      ],
    ],
  },
  {
    name: 'the first bytes on a pooled connection make it a tunnel, and it is replaced',
    config: { poolSize: 2 },
    steps: [
      ...POOL2,
      ['bytes 1 "hel"', 'connect 3 service:80', 'connect 4 relay:9000'],
      ['bytes 1 "lo"'],
      ['connected 4', 'send 4 "pool\\nAB\\n"'],
      ['connected 3', 'send 3 "hel"', 'send 3 "lo"', 'splice 1 3', 'report client.tunnel conn=1 service=3'],
    ],
  },
  {
    name: 'bytes behind the id are the first user',
    steps: [
      ...ASKED,
      [
        'bytes 1 "9001\\nAB\\nhello"',
        'report client.registered port=9001 mode=pool',
        'connect 2 service:80',
        'connect 3 relay:9000',
      ],
      ['connected 2', 'send 2 "hello"', 'splice 1 2', 'report client.tunnel conn=1 service=2'],
    ],
  },
  {
    name: 'a user who only ends its half is served, too',
    steps: [
      ...POOL1,
      ['ended 1', 'connect 2 service:80', 'connect 3 relay:9000'],
      ['connected 2', 'splice 1 2', 'report client.tunnel conn=1 service=2'],
    ],
  },
  {
    name: 'the death of one pooled connection is repaired without a new registration',
    config: { poolSize: 2 },
    steps: [...POOL2, ['closed 1 reset', 'connect 3 relay:9000'], ['connected 3', 'send 3 "pool\\nAB\\n"']],
  },
  {
    name: 'a refused service resets its tunnel only',
    steps: [
      ...POOL1,
      ['bytes 1 "x"', 'connect 2 service:80', 'connect 3 relay:9000'],
      ['closed 2 refused', 'reset 1'],
      ['connected 3', 'send 3 "pool\\nAB\\n"'],
    ],
  },
  {
    name: 'all connections gone and the relay not there: lost, all the rest is dropped',
    config: { poolSize: 2 },
    steps: [
      ...POOL2,
      ['closed 1 reset', 'connect 3 relay:9000'],
      ['closed 2 reset'],
      ['closed 3 refused', lost('refused')],
      ['@100 wake', 'report client.dialing attempt=1', 'connect 4 relay:9000'],
      ['connected 4', 'send 4 "pool\\nnew\\n"'],
    ],
  },
  {
    name: 'a failed join while others wait is tried again, not a loss',
    config: { poolSize: 2 },
    steps: [
      ...POOL1.slice(0, 2),
      ['bytes 1 "9001\\nAB\\n"', 'report client.registered port=9001 mode=pool', 'connect 2 relay:9000'],
      ['closed 2 refused'],
      ['@1000 wake', 'connect 3 relay:9000'],
      ['connected 3', 'send 3 "pool\\nAB\\n"'],
    ],
  },
  {
    name: 'a join that takes too long is given up',
    config: { poolSize: 2 },
    steps: [
      ...POOL1.slice(0, 2),
      ['bytes 1 "9001\\nAB\\n"', 'report client.registered port=9001 mode=pool', 'connect 2 relay:9000'],
      ['@10000 wake', 'reset 2'],
    ],
  },
  {
    name: 'an id that the relay has forgotten is a loss after three closed joins',
    steps: [
      ...POOL1,
      ['closed 1 reset', 'connect 2 relay:9000'],
      ['connected 2', 'send 2 "pool\\nAB\\n"'],
      ['ended 2', 'close 2'],
      ['@1000 wake', 'connect 3 relay:9000'],
      ['connected 3', 'send 3 "pool\\nAB\\n"'],
      ['closed 3 reset'],
      ['@2000 wake', 'connect 4 relay:9000'],
      ['connected 4', 'send 4 "pool\\nAB\\n"'],
      ['ended 4', 'close 4', lost('id forgotten')],
    ],
  },
  {
    name: 'a connection that is closed between port and id is a loss',
    steps: [...ASKED, ['bytes 1 "9001\\n"'], ['closed 1 reset', lost('reset')]],
  },
  {
    name: 'an empty id is malformed',
    steps: [...ASKED, ['bytes 1 "9001\\n\\n"', 'reset 1', lost('malformed answer')]],
  },
  {
    name: 'stop closes what waits, gives up dials, and reports at the end',
    config: { poolSize: 2 },
    steps: [
      ...POOL2,
      ['bytes 1 "x"', 'connect 3 service:80', 'connect 4 relay:9000'],
      ['stop', 'close 2', 'reset 4'],
      ['closed 3 refused', 'reset 1'],
      ['closed 2', 'report client.stopped'],
    ],
  },
]);

t.test('pool: a relay that closes every join while one waits is not stormed', (t) => {
  const transcript = new Transcript(client('pool', { poolSize: 4 }));
  transcript.sayAll('start', 'connected 1', 'bytes 1 "9001\\nAB\\n"');
  let dials: readonly string[] = ['2', '3', '4'];
  let count = 0;
  for (let now = 0; now < 30_000; now += 50) {
    for (const conn of dials) transcript.sayAll(`@${now} connected ${conn}`, `ended ${conn}`);
    dials = transcript
      .say(`@${now} wake`)
      .flatMap((text) => /^connect (\d+) relay/.exec(text)?.slice(1) ?? []);
    count += dials.length;
    t.ok(dials.length <= 1, 'one at a time');
  }
  t.ok(count >= 5 && count <= 20, `${count} joins in 30 s`);
  t.end();
});

t.test('pool: what the recorded relay said is answered with the recorded join', (t) => {
  const rows = recorded('pool');
  const transcript = new Transcript(client('pool', { poolSize: 2 }));
  transcript.say('start');
  t.strictSame(transcript.say('connected 1'), [
    `send 1 ${JSON.stringify(said(rows, 'control-1', 'client').slice(0, 9))}`,
  ]);
  const lines = said(rows, 'control-1', 'relay');
  const outputs = transcript.say(`bytes 1 ${JSON.stringify(lines)}`);
  t.ok(outputs.includes('report client.registered port=7701 mode=pool'));
  const join = said(rows, 'control-2', 'client').slice(0, 'pool\n4F356C83F4\n'.length);
  const dial = outputs.flatMap((text) => /^connect (\d+) relay/.exec(text)?.slice(1) ?? [])[0];
  t.strictSame(transcript.say(`connected ${dial}`), [`send ${dial} ${JSON.stringify(join)}`]);
  t.end();
});
