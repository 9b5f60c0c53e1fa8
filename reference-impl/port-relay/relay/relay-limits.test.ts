import t from 'tap';
import { Transcript } from '../transcript.ts';
import {
  A70K,
  EVENT,
  judgeCases,
  MULTIPLEX,
  POOL,
  type RelayCase,
  refused,
  relay,
  tunnel,
  UP,
  user,
} from './relay-cases.ts';

/** A tunnel with an idle time. */
const idle = (client: number, user: number): readonly string[] => {
  const [splice, ...rest] = tunnel(client, user);
  return [`${splice} idle 60000`, ...rest];
};

const CASES: readonly RelayCase[] = [
  {
    name: 'an idle time goes with every splice of a pool',
    limits: { idleMillis: 60_000 },
    steps: [...POOL, ['accept 2 1', user(2), ...idle(1, 2)]],
  },
  {
    name: 'an idle time goes with every splice of a claim',
    limits: { idleMillis: 60_000 },
    steps: [
      ...EVENT,
      ['accept 2 1', user(2), 'send 1 "ID1\\n"'],
      ['accept 3 0'],
      ['bytes 3 "event\\nID1\\n"', ...idle(3, 2)],
    ],
  },
  {
    name: 'an idle time goes with every splice of a stream',
    limits: { idleMillis: 60_000 },
    steps: [...MULTIPLEX, ['accept 2 1', user(2), 'open 101 of 1', ...idle(101, 2)]],
  },
  {
    name: 'connections without or with half a line are closed in time or with their end',
    steps: [
      ...UP,
      ['accept 1 0'],
      ['accept 2 0'],
      ['bytes 2 "mul"'],
      ['accept 3 0'],
      ['closed 3 reset'],
      ['accept 4 0'],
      ['ended 4', ...refused(4, 'ended before its request')],
      ['accept 5 0'],
      ['bytes 5 "pool\\n"'],
      ['ended 5', 'close 5'],
      ['closed 4'],
      ['closed 5'],
      [
        '@10000 wake',
        ...refused(1, 'control phase too slow'),
        'close 2',
        'report relay.refusals why=ended before its request count=2',
      ],
      ['@12000 wake', 'reset 1', 'reset 2', 'report relay.refusals why=control phase too slow count=2'],
    ],
  },
  {
    name: 'a slow listen of ours is bounded by the control phase, too',
    steps: [
      ...UP,
      ['accept 1 0'],
      ['bytes 1 "multiplex\\n"', 'listen 1 9001'],
      ['@10000 wake', 'unlisten 1', ...refused(1, 'control phase too slow')],
    ],
  },
  {
    name: 'late bytes and ends of a closed connection are ignored',
    steps: [
      ...UP,
      ['accept 1 0'],
      ['bytes 1 "GET / HTTP/1.1\\r\\n"', ...refused(1, 'unknown mode')],
      ['bytes 1 "Host: x\\r\\n"'],
      ['ended 1'],
      ['closed 1'],
      ['@5000 wake'],
    ],
  },
  {
    name: 'a waiting user is paused at its bound and reads on when it is served',
    steps: [
      ...POOL,
      ['accept 2 1', user(2), ...tunnel(1, 2)],
      ['accept 3 1', user(3)],
      [`bytes 3 ${A70K}`, 'pause 3'],
      ['accept 4 0'],
      ['bytes 4 "pool\\nID1\\n"', `send 4 ${A70K}`, 'resume 3', ...tunnel(4, 3)],
    ],
  },
  {
    name: 'a pooled connection is paused at its bound',
    steps: [
      ...POOL,
      [`bytes 1 ${A70K}`, 'pause 1'],
      ['accept 2 1', user(2), `send 2 ${A70K}`, 'resume 1', ...tunnel(1, 2)],
    ],
  },
  {
    name: 'all early bytes together have a bound, and closing a paused user lets it read',
    limits: { earlyBytesTotalMax: 5 },
    steps: [
      ...EVENT,
      ['accept 2 1', user(2), 'send 1 "ID1\\n"'],
      ['bytes 2 "12345"'],
      ['accept 3 1', user(3), 'send 1 "ID2\\n"'],
      ['bytes 3 "6"', 'pause 3'],
      ['closed 2 reset'],
      ['accept 4 1', user(4), 'send 1 "ID3\\n"'],
      ['bytes 4 "1234"'],
      [
        'closed 1',
        'unlisten 1',
        'report relay.unregistered port=9001 why=client left',
        'resume 3',
        'close 3',
        'close 4',
      ],
    ],
  },
  {
    name: 'registrations of one source address are limited, and counted down when one ends',
    limits: { registrationsPerAddressMax: 1 },
    steps: [
      ...EVENT,
      ['accept 2 0'],
      ['bytes 2 "multiplex\\n"', ...refused(2, 'too many registrations of one address')],
      ['accept 3 0 10.0.0.2'],
      ['bytes 3 "multiplex\\n"', 'listen 2 9002'],
      ['closed 1', 'unlisten 1', 'report relay.unregistered port=9001 why=client left'],
      ['accept 4 0'],
      ['bytes 4 "multiplex\\n"', 'listen 3 9001'],
    ],
  },
  {
    name: 'waiting users of one registration are limited',
    limits: { waitingPerRegistrationMax: 1 },
    steps: [
      ...EVENT,
      ['accept 2 1', user(2), 'send 1 "ID1\\n"'],
      ['accept 3 1', user(3), ...refused(3, 'too many waiting users')],
      ['closed 2'],
      ['accept 4 1', user(4), 'send 1 "ID2\\n"'],
    ],
  },
  {
    name: 'connections of one registration are limited: joins and users',
    limits: { connectionsPerRegistrationMax: 2 },
    steps: [
      ...POOL,
      ['accept 2 0'],
      ['bytes 2 "pool\\nID1\\n"'],
      ['accept 3 0'],
      ['bytes 3 "pool\\nID1\\n"', ...refused(3, 'too many connections of one registration')],
      ['accept 4 1', user(4), 'close 4'],
      ['closed 2 reset'],
      ['accept 5 1', user(5), ...tunnel(1, 5)],
    ],
  },
  {
    name: 'all connections together are limited; beyond that nothing is kept, not even a closing one',
    limits: { connectionsMax: 1 },
    steps: [
      ...EVENT,
      ['accept 2 0', 'report relay.refused conn=2 why=too many connections', 'reset 2'],
      ['accept 3 1', 'reset 3'],
      ['closed 1', 'unlisten 1', 'report relay.unregistered port=9001 why=client left'],
      ['accept 4 0'],
    ],
  },
  {
    name: 'keepalive is on for every connection, and for the session again',
    limits: { keepaliveMillis: 30_000 },
    steps: [
      ...UP,
      ['accept 1 0', 'keepalive 1 30000'],
      ['bytes 1 "multiplex\\n"', 'listen 1 9001'],
      [
        'listening 1 9001',
        'send 1 "9001\\n"',
        'report relay.registered conn=1 mode=multiplex port=9001',
        'mux 1 client ""',
        'keepalive 1 30000',
      ],
      ['accept 2 1', 'keepalive 2 30000', user(2), 'open 101 of 1', ...tunnel(101, 2)],
    ],
  },
];

judgeCases(t, CASES);

t.test('numbers for metrics come back to nothing when everybody has left', (t) => {
  const machine = relay();
  const transcript = new Transcript(machine);
  for (const [input] of POOL) transcript.say(input);
  transcript.sayAll('accept 2 1', 'accept 3 1', 'bytes 3 "early"', 'accept 4 0', 'bytes 4 "nonsense\\n"');
  const busy = machine.stats();
  t.match(busy, {
    connections: 4,
    registrations: { pool: 1, event: 0, multiplex: 0 },
    pooled: 0,
    waiting: 1,
    tunnels: 1,
    tunnelsTotal: 1,
    earlyBytes: 5,
  });
  t.equal(busy.refusals.get('unknown mode'), 1);
  transcript.sayAll('closed 1', 'closed 2', 'closed 3', 'closed 4', '@10000 wake');
  t.match(machine.stats(), {
    connections: 0,
    registrations: { pool: 0, event: 0, multiplex: 0 },
    tunnels: 0,
    upBytesTotal: 3,
    downBytesTotal: 5,
    earlyBytes: 0,
  });
  t.equal(machine.deadline(), undefined);
  t.end();
});
