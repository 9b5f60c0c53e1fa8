import t from 'tap';
import { judged, type Line, over, place, registered } from '../testing/small-run.ts';

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** One watched connection: what goes out (`>`) and comes in (`<`), each at its second. */
const talk = (
  who: string,
  conn: number,
  said: readonly (readonly [at: number, way: '>' | '<', text: string])[],
): readonly Line[] => {
  const offsets = { '>': 0, '<': 0 };
  const first = said[0]?.[0] ?? 0;
  return [
    [first - 0.01, who, { type: 'conn.opened', conn, to: 'relay', role: 'dialled' }],
    [first - 0.001, who, { type: 'conn.connected', conn }],
    ...said.map(([at, way, text]): Line => {
      const offset = offsets[way];
      offsets[way] += text.length;
      const dir = way === '>' ? 'out' : 'in';
      return [
        at,
        who,
        { type: 'conn.bytes', conn, dir, offset, length: text.length, hex: hex(text.slice(0, 64)) },
      ];
    }),
    [(said.at(-1)?.[0] ?? 0) + 5, who, { type: 'conn.closed', conn, why: 'end', received: 0, sent: 0 }],
  ];
};
const pool = (answer: string, who = 'home/a', conn = 1, at = 1): readonly Line[] =>
  talk(who, conn, [
    [at, '>', 'pool\nnew\n'],
    [at + 0.01, '<', answer],
  ]);
const listener = (...lines: readonly string[]): readonly Line[] =>
  talk('home/b', 7, [[1, '>', 'event\nnew\n'], ...lines.map((line, i) => [2 + i, '<', line] as const)]);

const ID = '4F356C83F4';
const says = (lines: readonly Line[], clause: string) => judged(['conversation'], lines).get(clause);

t.test('a conversation as it should be passes', async (t) => {
  const lines = [
    ...pool(`4001\n${ID}\n`),
    ...talk('home/a', 2, [
      [2, '>', `pool\n${ID}\n`],
      [5, '<', 'RLABxxxxxxxx'],
    ]),
    ...listener('4002\n', '9C1A22F03B\n', '77777A22F0\nB234567890\n'),
    ...talk('home/c', 3, [
      [1, '>', 'multiplex\n'],
      [1.1, '<', '4003\n'],
    ]),
    ...place({ 'home/a': 'pool', 'home/b': 'event' }),
  ];
  for (const clause of ['CTRL-2', 'POOL-1', 'POOL-2', 'EVENT-1', 'EVENT-2', 'ID-1', 'PORT-1'])
    t.equal(says(lines, `PORT-${clause}`)?.verdict, 'pass', clause);
  t.equal(says(lines, 'PORT-CTRL-1')?.verdict, 'not-applicable', 'nobody gave the relay time to speak first');
});

t.test('an empty trace, and one cut before the answer, say nothing', async (t) => {
  for (const lines of [
    [],
    talk('home/a', 1, [[1, '>', 'pool\nne']]),
    talk('home/a', 1, [[1, '>', 'pool\nnew\n']]),
  ])
    for (const finding of judged(['conversation'], lines).values())
      t.equal(finding.verdict, 'not-applicable', finding.clause);
  t.equal(says(pool('40'), 'PORT-CTRL-2')?.verdict, 'not-applicable', 'half a line is no answer yet');
});

t.test('port lines', async (t) => {
  for (const port of ['4001', '1', '65535'])
    t.equal(says(pool(`${port}\n${ID}\n`), 'PORT-CTRL-2')?.verdict, 'pass', port);
  for (const port of ['04001', '+4001', ' 4001', '0', '65536', '', 'relay:4001', '4001 ', '4001\r']) {
    const finding = says(pool(`${port}\n${ID}\n`), 'PORT-CTRL-2');
    t.equal(finding?.verdict, 'fail', JSON.stringify(port));
    t.equal(finding?.got, JSON.stringify(`${port}\n`));
  }
});

t.test(
  'a relay that speaks first is told so, and nothing else, for no other line is where it should be',
  async (t) => {
    const lines = [
      ...pool(`relay/1.0\n4001\n${ID}\n`),
      ...talk('users/patient', 9, [
        [1, '<', 'relay/1.0\n'],
        [2, '>', 'event\nnew\n'],
        [2.1, '<', '4002\n'],
      ]),
    ];
    const findings = judged(['conversation'], lines);
    t.match([...findings.keys()], ['PORT-CTRL-1']);
    t.match(findings.get('PORT-CTRL-1'), {
      verdict: 'fail',
      got: '"relay/1.0\\n" before the client had said anything',
    });
  },
);

t.test('a client that was silent for a second heard nothing: the relay lets it speak first', async (t) => {
  const [opened, ...rest] = talk('users/patient', 9, [
    [3, '>', 'event\nnew\n'],
    [3.1, '<', '4002\n'],
  ]);
  const connected: Line = [1, 'users/patient', { type: 'conn.connected', conn: 9 }];
  const lines = [opened as Line, connected, ...rest.filter(([, , event]) => event.type !== 'conn.connected')];
  t.equal(
    says([[0.9, 'users/patient', (opened as Line)[2]], ...lines.slice(1)], 'PORT-CTRL-1')?.verdict,
    'pass',
  );
});

t.test('replies to a join, users that come in pieces, and payload without its head', async (t) => {
  const join = (...texts: readonly string[]): readonly Line[] =>
    talk('home/a', 2, [[2, '>', `pool\n${ID}\n`], ...texts.map((text, i) => [3 + i, '<', text] as const)]);
  t.equal(says(join('ok\n'), 'PORT-POOL-2')?.verdict, 'fail');
  t.equal(says(join('ok\n', 'RLAB'), 'PORT-POOL-2')?.got, '0x6f6b0a524c4142');
  t.equal(says(join('RL', 'ABxx'), 'PORT-POOL-2')?.verdict, 'pass');
  t.equal(says(join('R'), 'PORT-POOL-2')?.verdict, 'pass');
  t.equal(says(join(), 'PORT-POOL-2')?.verdict, 'not-applicable', 'nobody used it');
});

t.test('ids', async (t) => {
  const ids = (list: readonly string[]): readonly Line[] =>
    list.flatMap((id, i) => pool(`${4001 + i}\n${id}\n`, 'home/a', i + 1, 1 + i));
  const counted = Array.from({ length: 12 }, (_, i) => String(i).padStart(10, '0'));
  const random = [
    '4F356C83F4',
    '9C1A22F03B',
    '0032A7710C',
    'FFE1203A55',
    '81C7D90E2B',
    '5A5B3311F0',
    'C0FFEE7731',
    '1B0D9F6E42',
  ];
  t.equal(says(ids(random), 'PORT-ID-1')?.verdict, 'pass');
  t.equal(
    says(ids(random.map((id) => `pool-${id}`)), 'PORT-ID-1')?.verdict,
    'pass',
    'a common beginning does no harm',
  );
  t.match(says(ids(counted), 'PORT-ID-1'), { verdict: 'fail', got: /2 of 10 characters ever change/ });
  t.match(says(ids(['4F35']), 'PORT-ID-1'), { verdict: 'fail', got: /about 16 bits/ });
  t.match(says(ids([ID, ID]), 'PORT-ID-1'), { verdict: 'fail', got: /for the second time/ });
  t.equal(says(ids(counted.slice(0, 3)), 'PORT-ID-1')?.verdict, 'pass', 'three ids are no pattern');
  t.match(says(ids(['']), 'PORT-POOL-1'), { verdict: 'fail' });
});

t.test('event listeners', async (t) => {
  t.match(says(listener('4002\n9C1A22F03B\n'), 'PORT-EVENT-1'), {
    verdict: 'fail',
    got: /"9C1A22F03B" at once/,
  });
  const late: Line = [0.5, 'runner', { type: 'fault.begun', fault: 1, kind: 'outage', site: '', text: '' }];
  t.equal(
    says([late, ...listener('4002\n9C1A22F03B\n')], 'PORT-EVENT-1')?.verdict,
    'pass',
    'an old port may have users',
  );
  t.match(says(listener('4002\n', '9C1A22F03B\n', '9C1A22F03B\n'), 'PORT-EVENT-2'), {
    verdict: 'fail',
    got: /again/,
  });
  const cut = `${'A1B2C3D4E5\n'.repeat(1)}${'F'.repeat(80)}\n`;
  t.equal(
    says(listener('4002\n', cut, '9C1A22F03B\n'), 'PORT-ID-1')?.verdict,
    'pass',
    'what was not shown is not read',
  );
});

t.test('a port belongs to one living registration', async (t) => {
  const both = [registered(1, 'home/a', 4001), registered(2, 'train/a', 4001)];
  t.match(says(both, 'PORT-PORT-1'), {
    verdict: 'fail',
    got: 'port 4001 was given to home/a and to train/a',
  });
  const gone: Line = [1.5, 'home/a', { type: 'client.lost', why: 'reset', waitMillis: 1, attempt: 0 }];
  t.equal(says([...both, gone], 'PORT-PORT-1')?.verdict, 'pass');
  const leaves = (at: number): Line => [at, 'home/a', { type: 'client.stopped' }];
  t.equal(
    says([...both, leaves(2.2)], 'PORT-PORT-1')?.verdict,
    'pass',
    'the relay heard first that it leaves',
  );
  t.equal(says([...both, leaves(3.5)], 'PORT-PORT-1')?.verdict, 'fail', 'it left much later');
  for (const site of ['home', '']) {
    const fault: Line = [
      1.5,
      'runner',
      { type: 'fault.begun', fault: 1, kind: 'nat reboot', site, text: '' },
    ];
    t.equal(
      says([...both, fault], 'PORT-PORT-1')?.verdict,
      'pass',
      `the relay may know of a death first (${site})`,
    );
  }
  t.equal(
    says([registered(1, 'home/a', 4001), registered(2, 'home/a', 4001), over(3)], 'PORT-PORT-1')?.verdict,
    'pass',
  );
});
