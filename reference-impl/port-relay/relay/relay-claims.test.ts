import t from 'tap';
import { Transcript } from '../transcript.ts';
import {
  EVENT,
  judgeCases,
  MULTIPLEX,
  type RelayCase,
  refused,
  relay,
  tunnel,
  UP,
  user,
} from './relay-cases.ts';

const CASES: readonly RelayCase[] = [
  {
    name: 'event: the listener hears an id for every user, claims come in any order, early bytes first',
    steps: [
      ...EVENT,
      ['accept 2 1', user(2), 'send 1 "ID1\\n"'],
      ['bytes 2 "early"'],
      ['accept 3 1', user(3), 'send 1 "ID2\\n"'],
      ['accept 4 0'],
      ['@50 bytes 4 "event\\nID2\\nanswer"', 'send 3 "answer"', ...tunnel(4, 3, 50)],
      ['accept 5 0'],
      ['@60 bytes 5 "event\\nID1\\n"', 'send 5 "early"', ...tunnel(5, 2, 60)],
    ],
  },
  {
    name: 'event: a claimed, a guessed and a dead id are refused',
    steps: [
      ...EVENT,
      ['accept 2 1', user(2), 'send 1 "ID1\\n"'],
      ['accept 3 0'],
      ['bytes 3 "event\\nID1\\n"', ...tunnel(3, 2)],
      ['accept 4 0'],
      ['bytes 4 "event\\nID1\\n"', ...refused(4, 'unknown id')],
      ['accept 5 0'],
      ['bytes 5 "event\\nFFFFFFFFFF\\n"', 'close 5'],
      ['accept 6 1', user(6), 'send 1 "ID2\\n"'],
      ['closed 6 reset'],
      ['accept 7 0'],
      ['bytes 7 "event\\nID2\\n"', 'close 7'],
    ],
  },
  {
    name: 'event: an unclaimed id dies with its user, who is closed after the waiting time',
    steps: [
      ...EVENT,
      ['accept 2 1', user(2), 'send 1 "ID1\\n"'],
      ['@29999 wake'],
      ['@30000 wake', ...refused(2, 'waited too long')],
      ['accept 3 0'],
      ['bytes 3 "event\\nID1\\n"', ...refused(3, 'unknown id')],
    ],
  },
  {
    name: 'event: the listener end closes the port and its waiting users, running tunnels go on',
    steps: [
      ...EVENT,
      ['accept 2 1', user(2), 'send 1 "ID1\\n"'],
      ['accept 3 0'],
      ['bytes 3 "event\\nID1\\n"', ...tunnel(3, 2)],
      ['accept 4 1', user(4), 'send 1 "ID2\\n"'],
      ['ended 1', 'unlisten 1', 'report relay.unregistered port=9001 why=client left', 'close 1', 'close 4'],
    ],
  },
  {
    name: 'event: a listener that is reset counts as lost',
    steps: [
      ...EVENT,
      ['accept 2 1', user(2), 'send 1 "ID1\\n"'],
      ['closed 1 timeout', 'unlisten 1', 'report relay.unregistered port=9001 why=client lost', 'close 2'],
    ],
  },
  {
    name: 'event: what a listener says after its lines is ignored',
    steps: [...EVENT, ['bytes 1 "\\n\\nhello"'], ['accept 2 1', user(2), 'send 1 "ID1\\n"']],
  },
  {
    name: 'multiplex: every user is a stream of its own, spliced at once',
    steps: [
      ...MULTIPLEX,
      ['accept 2 1', user(2), 'open 101 of 1', ...tunnel(101, 2)],
      ['accept 3 1', user(3), 'open 102 of 1', ...tunnel(102, 3)],
    ],
  },
  {
    name: 'multiplex: frames behind the mode line belong to the session',
    steps: [
      ...UP,
      ['accept 1 0'],
      ['bytes 1 "multiplex\\n\\u0000\\u0002"', 'listen 1 9001'],
      ['bytes 1 "\\u0000\\u0001"'],
      [
        'listening 1 9001',
        'send 1 "9001\\n"',
        'report relay.registered conn=1 mode=multiplex port=9001',
        'mux 1 client "\\u0000\\u0002\\u0000\\u0001"',
      ],
    ],
  },
  {
    name: 'multiplex: a session that breaks its protocol ends only its own registration',
    steps: [
      ...MULTIPLEX,
      ['accept 2 0'],
      ['bytes 2 "event\\nnew\\n"', 'listen 2 9002'],
      ['listening 2 9002', 'send 2 "9002\\n"', 'report relay.registered conn=2 mode=event port=9002'],
      ['closed 1 failed', 'unlisten 1', 'report relay.unregistered port=9001 why=session failed'],
      ['accept 3 2', 'report relay.user conn=3 port=9002', 'send 2 "ID1\\n"'],
    ],
  },
  {
    name: 'multiplex: after GoAway the port closes and running streams may end',
    steps: [
      ...MULTIPLEX,
      ['accept 2 1', user(2), 'open 101 of 1', ...tunnel(101, 2)],
      ['ended 1', 'unlisten 1', 'report relay.unregistered port=9001 why=client left', 'end 1'],
      ['@999999 wake'],
      ['closed 2'],
      ['closed 1'],
    ],
  },
  {
    name: 'multiplex: a stream that the client opens is refused',
    steps: [
      ...MULTIPLEX,
      ['stream 7 of 1', 'report relay.refused conn=7 why=stream opened by a client', 'reset 7'],
    ],
  },
];

judgeCases(t, CASES);

t.test('a listener that does not read its ids ends, and one that reads goes on', (t) => {
  const limits = { waitingPerRegistrationMax: 10_000, connectionsPerRegistrationMax: 10_000 };
  for (const reads of [true, false]) {
    const transcript = new Transcript(relay(limits));
    for (const [input] of EVENT) transcript.say(input);
    let ended = false;
    for (let conn = 2; conn < 6_000 && !ended; conn++) {
      const outputs = transcript.say(`accept ${conn} 1`);
      if (reads && outputs.includes('flush 1')) transcript.say('flushed 1');
      ended = outputs.includes('report relay.unregistered port=9001 why=client does not read');
      if (ended) t.ok(outputs.includes('reset 1'), 'its connection is reset');
    }
    t.equal(ended, !reads);
  }
  t.end();
});
