import t from 'tap';
import { judgeCases, POOL, type RelayCase, refused, tunnel, UP, user } from './relay-cases.ts';

const CASES: readonly RelayCase[] = [
  { name: 'a pool is registered with port and id in one write', steps: POOL },
  {
    name: 'the connection that registers a pool is its first pooled connection',
    steps: [...POOL, ['accept 2 1', user(2), ...tunnel(1, 2)]],
  },
  {
    name: 'early bytes of both sides go first: user of a waiting pool, service of a pooled connection',
    steps: [
      ...POOL,
      ['bytes 1 "banner"'],
      ['accept 2 1', user(2), 'send 2 "banner"', ...tunnel(1, 2)],
      ['accept 3 1', user(3)],
      ['bytes 3 "hel"'],
      ['bytes 3 "lo"'],
      ['accept 4 0'],
      ['@700 bytes 4 "pool\\nID1\\nhi"', 'send 4 "hel"', 'send 4 "lo"', 'send 3 "hi"', ...tunnel(4, 3, 700)],
    ],
  },
  {
    name: 'bytes behind the last line of a new pool belong to its first user',
    steps: [
      ...UP,
      ['accept 1 0'],
      ['bytes 1 "pool\\nnew\\nearly"', 'listen 1 9001'],
      ['bytes 1 " bytes"'],
      ['listening 1 9001', 'send 1 "9001\\nID1\\n"', 'report relay.registered conn=1 mode=pool port=9001'],
      ['accept 2 1', user(2), 'send 2 "early"', 'send 2 " bytes"', ...tunnel(1, 2)],
    ],
  },
  {
    name: 'a join gets no reply, and the newest waiting connection goes to the first user',
    steps: [
      ...POOL,
      ['accept 2 0'],
      ['bytes 2 "pool\\nID1\\n"'],
      ['accept 3 1', user(3), ...tunnel(2, 3)],
      ['accept 4 1', user(4), ...tunnel(1, 4)],
    ],
  },
  {
    name: 'users wait first come first served and are served at once',
    steps: [
      ...POOL,
      ['accept 2 1', user(2), ...tunnel(1, 2)],
      ['@10 accept 3 1', user(3)],
      ['@20 accept 4 1', user(4)],
      ['accept 5 0'],
      ['@30 bytes 5 "pool\\nID1\\n"', ...tunnel(5, 3, 20)],
      ['accept 6 0'],
      ['@50 bytes 6 "pool\\nID1\\n"', ...tunnel(6, 4, 30)],
    ],
  },
  {
    name: 'a user may end its half while it waits',
    steps: [
      ...POOL,
      ['accept 2 1', user(2), ...tunnel(1, 2)],
      ['accept 3 1', user(3)],
      ['bytes 3 "q"'],
      ['ended 3'],
      ['accept 4 0'],
      ['bytes 4 "pool\\nID1\\n"', 'send 4 "q"', ...tunnel(4, 3)],
    ],
  },
  {
    name: 'a waiting user that resets is removed at once',
    steps: [
      ...POOL,
      ['accept 2 1', user(2), ...tunnel(1, 2)],
      ['accept 3 1', user(3)],
      ['accept 4 1', user(4)],
      ['closed 3 reset'],
      ['accept 5 0'],
      ['bytes 5 "pool\\nID1\\n"', ...tunnel(5, 4)],
    ],
  },
  {
    name: 'pooled connections that ended, were reset or timed out are never handed out',
    steps: [
      ...POOL,
      ['accept 2 0'],
      ['bytes 2 "pool\\nID1\\n"'],
      ['accept 3 0'],
      ['bytes 3 "pool\\nID1\\n"'],
      ['accept 4 0'],
      ['bytes 4 "pool\\nID1\\n"'],
      ['ended 4', 'close 4'],
      ['closed 3 reset'],
      ['closed 2 timeout'],
      ['accept 5 1', user(5), ...tunnel(1, 5)],
    ],
  },
  {
    name: 'a join to an unknown id is closed, and so is one of the wrong mode',
    steps: [
      ...POOL,
      ['accept 2 0'],
      ['bytes 2 "pool\\nNOPE\\n"', ...refused(2, 'unknown id')],
      ['accept 3 0'],
      ['bytes 3 "event\\nID1\\n"', 'close 3'],
      ['@1000 wake', 'report relay.refusals why=unknown id count=2'],
    ],
  },
  {
    name: 'an empty pool keeps its port for the grace time, then it closes and the id is forgotten',
    steps: [
      ...POOL,
      ['@100 closed 1 reset'],
      ['@10099 wake'],
      ['@10100 wake', 'unlisten 1', 'report relay.unregistered port=9001 why=pool empty'],
      ['accept 2 0'],
      ['bytes 2 "pool\\nID1\\n"', ...refused(2, 'unknown id')],
      ['accept 3 0'],
      ['bytes 3 "event\\nnew\\n"', 'listen 2 9001'],
    ],
  },
  {
    name: 'a connection that joins within the grace time keeps the pool',
    steps: [
      ...POOL,
      ['@100 closed 1 reset'],
      ['accept 2 0'],
      ['@10050 bytes 2 "pool\\nID1\\n"'],
      ['@60000 wake'],
      ['accept 3 1', user(3), ...tunnel(2, 3)],
    ],
  },
  {
    name: 'the grace time begins anew when a join serves a waiting user, and ends with its users closed',
    steps: [
      ...POOL,
      ['accept 2 1', user(2), ...tunnel(1, 2)],
      ['accept 3 1', user(3)],
      ['accept 4 0'],
      ['@9000 bytes 4 "pool\\nID1\\n"', ...tunnel(4, 3, 9000)],
      ['@18000 accept 5 1', user(5)],
      ['@19000 wake', 'unlisten 1', 'report relay.unregistered port=9001 why=pool empty', 'close 5'],
    ],
  },
];

judgeCases(t, CASES);
