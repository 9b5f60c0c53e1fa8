import t from 'tap';
import { type ClientCase, client, DIAL, judgeCases, PLAIN } from './client-cases.ts';
import { portOf } from './relay-client.ts';

const ASKED: ClientCase['steps'] = [DIAL, ['connected 1', 'send 1 "event\\nnew\\n"']];
const LISTENING: ClientCase['steps'] = [
  ...ASKED,
  ['bytes 1 "9001\\n"', 'report client.registered port=9001 mode=event'],
];
const lost = (why: string, wait: number, attempt: number): string =>
  `report client.lost why=${why} waitMillis=${wait} attempt=${attempt}`;

const CASES: readonly ClientCase[] = [
  {
    name: 'the first dial waits its turn',
    config: { startAfterMillis: 700 },
    steps: [
      ['start'],
      ['@699 wake'],
      ['@700 wake', 'report client.dialing attempt=0', 'connect 1 relay:9000'],
    ],
  },
  {
    name: 'a relay that is not there is tried again by the schedule, up to its cap',
    steps: [
      DIAL,
      ['closed 1 refused', lost('refused', 100, 0)],
      ['@100 wake', 'report client.dialing attempt=1', 'connect 2 relay:9000'],
      ['closed 2 refused', lost('refused', 200, 1)],
      ['@300 wake', 'report client.dialing attempt=2', 'connect 3 relay:9000'],
      ['closed 3 unreachable', lost('unreachable', 400, 2)],
      ['@700 wake', 'report client.dialing attempt=3', 'connect 4 relay:9000'],
      ['closed 4 refused', lost('refused', 400, 3)],
    ],
  },
  {
    name: 'a dial, and an answer, that takes too long is given up',
    steps: [
      DIAL,
      ['@10000 wake', 'reset 1', lost('timeout', 100, 0)],
      ['@10100 wake', 'report client.dialing attempt=1', 'connect 2 relay:9000'],
      ['@10200 connected 2', 'send 2 "event\\nnew\\n"'],
      ['@20200 wake', 'reset 2', lost('timeout', 200, 1)],
    ],
  },
  {
    name: 'the schedule begins afresh after a healthy registration only',
    steps: [
      ...LISTENING,
      ['@4999 closed 1 reset', lost('reset', 100, 0)],
      ['@5099 wake', 'report client.dialing attempt=1', 'connect 2 relay:9000'],
      ['connected 2', 'send 2 "event\\nnew\\n"'],
      ['bytes 2 "9001\\n"', 'report client.registered port=9001 mode=event'],
      ['@6000 closed 2 reset', lost('reset', 200, 1)],
      ['@6200 wake', 'report client.dialing attempt=2', 'connect 3 relay:9000'],
      ['connected 3', 'send 3 "event\\nnew\\n"'],
      ['bytes 3 "9001\\n"', 'report client.registered port=9001 mode=event'],
      ['@11200 closed 3 timeout', lost('timeout', 100, 0)],
    ],
  },
  {
    name: 'a client that may try only so often gives up',
    config: { schedule: { ...PLAIN, triesMax: 1 } },
    steps: [
      DIAL,
      ['closed 1 refused', lost('refused', 100, 0)],
      ['@100 wake', 'report client.dialing attempt=1', 'connect 2 relay:9000'],
      ['closed 2 refused', 'report client.gaveUp attempts=1'],
      ['@99999 wake'],
      ['stop', 'report client.stopped'],
    ],
  },
  {
    name: 'a relay that closes, with or without an answer, is left',
    steps: [
      ...LISTENING,
      ['ended 1', 'reset 1', lost('end', 100, 0)],
      ['@100 wake', 'report client.dialing attempt=1', 'connect 2 relay:9000'],
      ['connected 2', 'send 2 "event\\nnew\\n"'],
      ['ended 2', 'reset 2', lost('end', 200, 1)],
    ],
  },
  ...['0\\n', '+9001\\n', '09001\\n', '65536\\n', 'HTTP/1.1 400\\n', '\\n', 'x'.repeat(300)].map(
    (answer): ClientCase => ({
      name: `the answer ${answer.slice(0, 12)} is not a port`,
      steps: [...ASKED, [`bytes 1 "${answer}"`, 'reset 1', lost('malformed answer', 100, 0)]],
    }),
  ),
  {
    name: 'keepalive is asked for towards the relay',
    config: { keepaliveMillis: 15_000 },
    steps: [DIAL, ['connected 1', 'keepalive 1 15000', 'send 1 "event\\nnew\\n"']],
  },
  {
    name: 'stop says goodbye and reports when all is closed',
    steps: [...LISTENING, ['stop', 'close 1'], ['closed 1', 'report client.stopped'], ['@99999 wake']],
  },
  {
    name: 'stop gives up a dial, and a wait',
    steps: [DIAL, ['stop', 'reset 1', 'report client.stopped'], ['@99999 wake']],
  },
  {
    name: 'a dropped registration comes back by the schedule',
    steps: [
      ...LISTENING,
      ['command {"type":"drop"}', 'reset 1', lost('dropped', 100, 0)],
      ['command {"type":"drop"}'],
      ['@100 wake', 'report client.dialing attempt=1', 'connect 2 relay:9000'],
    ],
  },
];
judgeCases(t, 'event', CASES);

t.test('stop while waiting reports at once', (t) => {
  const machine = client('event');
  machine.handle(0, { type: 'start' });
  machine.handle(0, { type: 'closed', conn: 1, why: 'refused', received: 0, sent: 0 });
  t.strictSame(machine.handle(5, { type: 'stop' }), [{ type: 'report', event: { type: 'client.stopped' } }]);
  t.equal(machine.deadline(), undefined);
  t.end();
});

t.test('a port line is decimal without sign or padding', (t) => {
  for (const [text, port] of [
    ['1', 1],
    ['65535', 65_535],
    ['65536', undefined],
    ['0', undefined],
    ['080', undefined],
    ['-1', undefined],
    [' 80', undefined],
    ['8e1', undefined],
  ] as const) {
    t.equal(portOf(text), port, text);
  }
  t.end();
});
