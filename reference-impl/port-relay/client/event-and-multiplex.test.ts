import t from 'tap';
import { recorded, said } from '../recorded.ts';
import { Transcript } from '../transcript.ts';
import { type ClientCase, client, DIAL, judgeCases } from './client-cases.ts';

const LISTENING: ClientCase['steps'] = [
  DIAL,
  ['connected 1', 'send 1 "event\\nnew\\n"'],
  ['bytes 1 "9001\\n"', 'report client.registered port=9001 mode=event'],
];
const CLAIMED: ClientCase['steps'] = [
  ...LISTENING,
  ['bytes 1 "AB\\n"', 'connect 2 relay:9000'],
  ['connected 2', 'send 2 "event\\nAB\\n"', 'connect 3 service:80'],
];
judgeCases(t, 'event', [
  {
    name: 'every id is claimed by a connection of its own, early bytes first, then spliced',
    steps: [
      ...CLAIMED,
      ['bytes 2 "hel"'],
      ['bytes 2 "lo"'],
      ['ended 2'],
      ['connected 3', 'send 3 "hel"', 'send 3 "lo"', 'splice 2 3', 'report client.tunnel conn=2 service=3'],
      ['closed 2'],
      ['closed 3'],
    ],
  },
  {
    name: 'ids come whole, split and joined',
    steps: [
      DIAL,
      ['connected 1', 'send 1 "event\\nnew\\n"'],
      ['bytes 1 "9001\\r\\nAB\\nC"', 'report client.registered port=9001 mode=event', 'connect 2 relay:9000'],
      ['bytes 1 "D\\nEF\\n"', 'connect 3 relay:9000', 'connect 4 relay:9000'],
      ['connected 4', 'send 4 "event\\nEF\\n"', 'connect 5 service:80'],
      ['connected 3', 'send 3 "event\\nCD\\n"', 'connect 6 service:80'],
    ],
  },
  {
    name: 'a service that refuses costs its tunnel only, and no sooner than the claim has arrived',
    steps: [
      ...CLAIMED,
      ['closed 3 refused'],
      ['@499 wake'],
      ['@500 wake', 'reset 2'],
      ['bytes 1 "CD\\n"', 'connect 4 relay:9000'],
    ],
  },
  {
    name: 'a service that does not answer is given up',
    steps: [...CLAIMED, ['@10000 wake', 'reset 3', 'reset 2']],
  },
  {
    name: 'a user who leaves meanwhile frees the dial to the service',
    steps: [...CLAIMED, ['closed 2 reset', 'reset 3']],
  },
  {
    name: 'a claim that cannot be dialled is forgotten',
    steps: [
      ...LISTENING,
      ['bytes 1 "AB\\nCD\\n"', 'connect 2 relay:9000', 'connect 3 relay:9000'],
      ['closed 2 refused'],
      ['@10000 wake', 'reset 3'],
    ],
  },
  {
    name: 'the loss of the listener drops claims on their way, and running tunnels go on',
    steps: [
      ...CLAIMED,
      ['connected 3', 'splice 2 3', 'report client.tunnel conn=2 service=3'],
      ['bytes 1 "CD\\n"', 'connect 4 relay:9000'],
      ['closed 1 reset', 'reset 4', 'report client.lost why=reset waitMillis=100 attempt=0'],
    ],
  },
  {
    name: 'without a service tunnels are reset, until one is named',
    config: { service: undefined },
    steps: [
      ...LISTENING,
      ['bytes 1 "AB\\n"', 'connect 2 relay:9000'],
      ['connected 2', 'send 2 "event\\nAB\\n"'],
      ['@500 wake', 'reset 2'],
      ['command {"type":"service","service":{"host":"other","port":81}}'],
      ['bytes 1 "CD\\n"', 'connect 3 relay:9000'],
      ['connected 3', 'send 3 "event\\nCD\\n"', 'connect 4 other:81'],
    ],
  },
  {
    name: 'stop lets a tunnel run and resets it after the drain time',
    steps: [
      ...CLAIMED,
      ['connected 3', 'splice 2 3', 'report client.tunnel conn=2 service=3'],
      ['stop', 'close 1'],
      ['closed 1'],
      ['@10000 wake', 'reset 3', 'reset 2', 'report client.stopped'],
    ],
  },
]);

const MUX: ClientCase['steps'] = [
  DIAL,
  ['connected 1', 'send 1 "multiplex\\n"'],
  ['bytes 1 "9001\\n"', 'report client.registered port=9001 mode=multiplex', 'mux 1 server ""'],
];
judgeCases(t, 'multiplex', [
  {
    name: 'frames in the segment of the port line belong to the session',
    steps: [
      DIAL,
      ['connected 1', 'send 1 "multiplex\\n"'],
      ['bytes 1 "90"'],
      [
        'bytes 1 "01\\n\\u0000\\u0001\\u0000\\u0001"',
        'report client.registered port=9001 mode=multiplex',
        'mux 1 server "\\u0000\\u0001\\u0000\\u0001"',
      ],
    ],
  },
  {
    name: 'the session is asked to ping, besides the connection below it',
    config: { keepaliveMillis: 15_000 },
    steps: [
      DIAL,
      ['connected 1', 'keepalive 1 15000', 'send 1 "multiplex\\n"'],
      [
        'bytes 1 "9001\\n"',
        'report client.registered port=9001 mode=multiplex',
        'mux 1 server ""',
        'keepalive 1 15000',
      ],
    ],
  },
  {
    name: 'an idle time goes with every splice',
    config: { idleMillis: 60_000 },
    steps: [
      ...MUX,
      ['stream 9 of 1', 'connect 2 service:80'],
      ['connected 2', 'splice 9 2 idle 60000', 'report client.tunnel conn=9 service=2'],
    ],
  },
  {
    name: 'every stream is a tunnel, early bytes first',
    steps: [
      ...MUX,
      ['stream 9 of 1', 'connect 2 service:80'],
      ['bytes 9 "hello"'],
      ['connected 2', 'send 2 "hello"', 'splice 9 2', 'report client.tunnel conn=9 service=2'],
    ],
  },
  {
    name: 'a refused service resets its stream only',
    steps: [
      ...MUX,
      ['stream 9 of 1', 'connect 2 service:80'],
      ['closed 2 refused', 'reset 9'],
      ['stream 11 of 1', 'connect 3 service:80'],
    ],
  },
  {
    name: 'a stream that talks before its service is there is paused at the bound',
    steps: [
      ...MUX,
      ['stream 9 of 1', 'connect 2 service:80'],
      [`bytes 9 ${JSON.stringify('a'.repeat(70_000))}`, 'pause 9'],
      [
        'connected 2',
        `send 2 ${JSON.stringify('a'.repeat(70_000))}`,
        'resume 9',
        'splice 9 2',
        'report client.tunnel conn=9 service=2',
      ],
    ],
  },
  {
    name: 'a broken session is lost',
    steps: [...MUX, ['closed 1 failed', 'report client.lost why=failed waitMillis=100 attempt=0']],
  },
  {
    name: 'a session that takes leave may finish its streams while the next one is dialled',
    steps: [
      ...MUX,
      ['stream 9 of 1', 'connect 2 service:80'],
      ['ended 1', 'end 1', 'report client.lost why=end waitMillis=100 attempt=0'],
      ['connected 2', 'splice 9 2', 'report client.tunnel conn=9 service=2'],
      ['@100 wake', 'report client.dialing attempt=1', 'connect 3 relay:9000'],
      ['closed 1'],
    ],
  },
  {
    name: 'stop ends the session when its streams are done',
    steps: [...MUX, ['stop', 'end 1'], ['closed 1', 'report client.stopped']],
  },
]);

t.test('event: what the recorded relay said is answered with the recorded claims', (t) => {
  const rows = recorded('event');
  const leaves = rows.findIndex((row) => row.note === 'the listener leaves');
  const transcript = new Transcript(client('event'));
  transcript.sayAll('start', 'connected 1');
  const answers: string[] = [];
  const lines = said(rows.slice(0, leaves), 'control-1', 'relay');
  const dials = transcript
    .say(`bytes 1 ${JSON.stringify(lines)}`)
    .filter((text) => text.startsWith('connect'));
  t.equal(dials.length, 3, 'one dial an id');
  for (const conn of [2, 3]) answers.push(transcript.say(`connected ${conn}`)[0] ?? '');
  const claims = ['control-3', 'control-2'].map((conn) => said(rows, conn, 'client').split('answer')[0]);
  t.strictSame(
    answers,
    claims.map((claim, at) => `send ${at + 2} ${JSON.stringify(claim)}`),
  );
  t.end();
});
