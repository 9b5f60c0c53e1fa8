import t from 'tap';
import { namesFrom, Transcript } from '../transcript.ts';
import {
  EVENT,
  judgeCases,
  MULTIPLEX,
  POOL,
  type RelayCase,
  refused,
  tunnel,
  UP,
  user,
} from './relay-cases.ts';
import { RelayMachine } from './relay-machine.ts';

const CASES: readonly RelayCase[] = [
  {
    name: 'ports in use are skipped, and come back when a registration ends',
    steps: [
      ...UP,
      ['accept 1 0'],
      ['bytes 1 "event\\nnew\\n"', 'listen 1 9001'],
      ['unlistened 1 in use', 'listen 2 9002'],
      ['unlistened 2 denied', 'listen 3 9003'],
      ['listening 3 9003', 'send 1 "9003\\n"', 'report relay.registered conn=1 mode=event port=9003'],
      ['closed 1', 'unlisten 3', 'report relay.unregistered port=9003 why=client left'],
      ['accept 2 0'],
      ['bytes 2 "event\\nnew\\n"', 'listen 4 9001'],
    ],
  },
  {
    name: 'without a free port a registration is refused, and all ports are free again afterwards',
    ports: [9001, 9002],
    steps: [
      ...UP,
      ['accept 1 0'],
      ['bytes 1 "event\\nnew\\n"', 'listen 1 9001'],
      ['unlistened 1 in use', 'listen 2 9002'],
      ['unlistened 2 in use', ...refused(1, 'no free port')],
      ['accept 2 0'],
      ['bytes 2 "event\\nnew\\n"', 'listen 3 9001'],
      ['accept 3 0'],
      ['bytes 3 "event\\nnew\\n"', 'listen 4 9002'],
      ['accept 4 0'],
      ['bytes 4 "event\\nnew\\n"', 'close 4'],
    ],
  },
  {
    name: 'without descriptors a registration is refused at once',
    steps: [
      ...UP,
      ['accept 1 0'],
      ['bytes 1 "event\\nnew\\n"', 'listen 1 9001'],
      ['unlistened 1 exhausted', ...refused(1, 'out of resources')],
    ],
  },
  {
    name: 'a client that leaves before its port is known leaves nothing behind',
    steps: [
      ...UP,
      ['accept 1 0'],
      ['bytes 1 "multiplex\\n"', 'listen 1 9001'],
      ['closed 1 reset', 'unlisten 1'],
      ['listening 1 9001'],
      ['accept 2 0'],
      ['bytes 2 "event\\nnew\\n"', 'listen 2 9001'],
      ['ended 2', 'unlisten 2', 'close 2'],
    ],
  },
  {
    name: 'a public port that is taken from us ends its registration',
    steps: [
      ...EVENT,
      [
        'unlistened 1 exhausted',
        'unlisten 1',
        'report relay.unregistered port=9001 why=listener lost',
        'close 1',
      ],
    ],
  },
  {
    name: 'stop closes ports and who waits, lets tunnels run, and says when all is over',
    steps: [
      ...POOL,
      ['accept 2 1', user(2), ...tunnel(1, 2)],
      ['accept 3 1', user(3)],
      ['accept 4 0'],
      [
        'stop',
        'unlisten 0',
        'unlisten 1',
        'report relay.unregistered port=9001 why=stopped',
        'close 3',
        'close 4',
      ],
      ['accept 5 1', 'reset 5'],
      ['accept 6 0', 'reset 6'],
      ['closed 3'],
      ['closed 4'],
      ['closed 1'],
      ['@9999 closed 2', 'report relay.drained'],
      ['stop'],
    ],
  },
  {
    name: 'tunnels that outlive the drain time are reset',
    steps: [
      ...POOL,
      ['accept 2 1', user(2), ...tunnel(1, 2)],
      ['@100 stop', 'unlisten 0', 'unlisten 1', 'report relay.unregistered port=9001 why=stopped'],
      ['@10100 wake', 'reset 1', 'reset 2', 'report relay.drained'],
    ],
  },
  {
    name: 'a second stop ends the drain at once',
    steps: [
      ...MULTIPLEX,
      ['accept 2 1', user(2), 'open 101 of 1', ...tunnel(101, 2)],
      ['stop', 'unlisten 0', 'unlisten 1', 'report relay.unregistered port=9001 why=stopped', 'end 1'],
      ['stop', 'reset 1', 'reset 2', 'report relay.drained'],
    ],
  },
  { name: 'an idle relay drains at once', steps: [...UP, ['stop', 'unlisten 0', 'report relay.drained']] },
  {
    name: 'a control port that cannot be had is reported',
    steps: [
      ['start', 'listen 0 9000'],
      ['unlistened 0 in use', 'report relay.failed port=9000 why=in use'],
    ],
  },
  {
    name: 'an operator can drop a registration by its port',
    steps: [
      ...EVENT,
      ['command {"type":"drop","port":9009}'],
      [
        'command {"type":"drop","port":9001}',
        'unlisten 1',
        'report relay.unregistered port=9001 why=dropped',
        'close 1',
      ],
    ],
  },
];

judgeCases(t, CASES);

t.test('ports default to those above the control port the driver reports', (t) => {
  const machine = new RelayMachine({
    port: 0,
    limits: { keepaliveMillis: 0 },
    newId: () => 'ID',
    name: namesFrom(101),
    publicPorts: undefined,
  });
  const transcript = new Transcript(machine);
  transcript.sayAll('start', 'listening 0 65534', 'accept 1 0', 'accept 2 0');
  t.strictSame(transcript.say('bytes 1 "multiplex\\n"'), ['listen 1 65535']);
  t.strictSame(transcript.say('bytes 2 "multiplex\\n"'), refused(2, 'no free port'));
  t.end();
});
