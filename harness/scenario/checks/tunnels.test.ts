import t from 'tap';
import type { Verdict } from '../../verdict/verdict.ts';
import { fault, judged, type Line, lost, over, place, registered, tunnel } from '../testing/small-run.ts';

const POOL = place({ 'home/a': 'pool' });
const EVENT = place({ 'home/a': 'event' });
const MUX = place({ 'home/a': 'multiplex' });
const many = (count: number, but: Parameters<typeof tunnel>[3]): readonly Line[] =>
  Array.from({ length: count }, (_, i) => tunnel(i + 1, 2 + i, 'home/a', but)).flat();
const joined = (at: number): Line => [at, 'home/a', { type: 'client.tunnel', conn: 1, service: 2 }];
const stranger = (at: number, hex: string): Line => [
  at,
  'home/service',
  {
    type: 'ledger.span',
    tunnel: -1,
    direction: 'up',
    offset: 0,
    length: 64,
    state: 'foreign',
    from: '',
    hex,
  },
];

const CASES: readonly {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly says: Readonly<Record<string, Verdict>>;
}[] = [
  {
    title: 'whole tunnels of every kind pass',
    lines: [
      ...POOL,
      ...tunnel(1, 2, 'home/a'),
      ...tunnel(2, 3, 'home/a', { close: 'full' }),
      ...tunnel(3, 4, 'home/a', { close: 'abort' }),
      over(20),
    ],
    says: {
      'PORT-END-1': 'pass',
      'PORT-END-2': 'pass',
      'PORT-END-3': 'pass',
      'PORT-END-4': 'pass',
      'PORT-POOL-5': 'pass',
      'PORT-CTRL-3': 'pass',
      'PORT-MUX-1': 'not-applicable',
      'PORT-POOL-4': 'not-applicable',
    },
  },
  {
    title: 'an empty trace says nothing',
    lines: [],
    says: {
      'PORT-END-1': 'not-applicable',
      'PORT-POOL-5': 'not-applicable',
      'PORT-POOL-4': 'not-applicable',
    },
  },
  {
    title: 'a trace cut in the middle blames nobody for what is not in it',
    lines: [
      ...POOL,
      ...tunnel(1, 2, 'home/a', { gotEnd: undefined, serviceEnd: undefined }),
      ...tunnel(2, 2, 'home/a', { gotEnd: undefined, served: false }),
      ...tunnel(3, 2, 'home/a', { gotEnd: 'none', got: 100 }),
    ],
    says: {
      'PORT-END-1': 'not-applicable',
      'PORT-POOL-5': 'not-applicable',
      'PORT-POOL-4': 'not-applicable',
    },
  },
  {
    title: 'an answer lost after a half-close is END-1',
    lines: [...POOL, ...tunnel(1, 2, 'home/a', { got: 0 }), over(20)],
    says: { 'PORT-END-1': 'fail', 'PORT-END-2': 'not-applicable', 'PORT-POOL-5': 'pass' },
  },
  {
    title: 'a half-close the service never heard of is END-1',
    lines: [
      ...POOL,
      ...tunnel(1, 2, 'home/a', { got: 0, gotEnd: 'timeout', lasts: 9, serviceEnd: 'rst' }),
      over(20),
    ],
    says: { 'PORT-END-1': 'fail', 'PORT-END-2': 'not-applicable' },
  },
  {
    title: 'a whole answer without its end is END-2, whoever ended first',
    lines: [
      ...POOL,
      ...tunnel(1, 2, 'home/a', { gotEnd: 'timeout', lasts: 9 }),
      ...tunnel(2, 2, 'home/a', { gotEnd: 'timeout', lasts: 9, close: 'full' }),
      over(20),
    ],
    says: { 'PORT-END-1': 'not-applicable', 'PORT-END-2': 'fail' },
  },
  {
    title: 'a cut answer of a service that ended first is END-2',
    lines: [...POOL, ...tunnel(1, 2, 'home/a', { close: 'full', got: 4_000, gotEnd: 'rst' }), over(20)],
    says: { 'PORT-END-2': 'fail', 'PORT-END-1': 'not-applicable' },
  },
  {
    title: 'a service that hears nothing of an abort is END-3',
    lines: [...POOL, ...tunnel(1, 2, 'home/a', { close: 'abort', serviceEnd: undefined }), over(20)],
    says: { 'PORT-END-3': 'fail' },
  },
  {
    title: 'an abort right before the end of the run, or before a fault, proves nothing',
    lines: [
      ...POOL,
      ...tunnel(1, 4, 'home/a', { close: 'abort', serviceEnd: undefined }),
      ...fault(1, 'nat reboot', 'home', 5, 6),
      ...tunnel(2, 19, 'home/a', { close: 'abort', serviceEnd: undefined }),
      over(20),
    ],
    says: { 'PORT-END-3': 'not-applicable' },
  },
  {
    title: 'an abort that arrives as FIN breaks the SHOULD only',
    lines: [...POOL, ...tunnel(1, 2, 'home/a', { close: 'abort', serviceEnd: 'fin' }), over(20)],
    says: { 'PORT-END-3': 'pass', 'PORT-END-4': 'fail' },
  },
  {
    title: 'a hole in the bytes is left to the ledger',
    lines: [
      ...POOL,
      ...tunnel(1, 2, 'home/a', { got: 4_000 }),
      [
        2.05,
        'users',
        {
          type: 'ledger.span',
          tunnel: 1,
          direction: 'down',
          offset: 8,
          length: 1_000,
          state: 'lost',
          from: '',
          hex: '',
        },
      ],
      over(20),
    ],
    says: { 'PORT-END-1': 'not-applicable', 'PORT-POOL-5': 'pass' },
  },
  {
    title: 'a pool user that is reset was handed a dead connection',
    lines: [...POOL, ...tunnel(1, 2, 'home/a', { served: false, gotEnd: 'rst' }), over(20)],
    says: { 'PORT-POOL-5': 'fail', 'PORT-POOL-4': 'not-applicable' },
  },
  {
    title: 'a pool user that waits in vain is POOL-4',
    lines: [...POOL, ...tunnel(1, 2, 'home/a', { served: false, gotEnd: 'timeout', lasts: 15 }), over(20)],
    says: { 'PORT-POOL-4': 'fail', 'PORT-POOL-5': 'not-applicable' },
  },
  {
    title: 'waiting in vain counts although a fault came before patience was over',
    lines: [
      ...MUX,
      ...tunnel(1, 2, 'home/a', { mode: 'multiplex', served: false, gotEnd: 'rst', lasts: 9 }),
      ...fault(1, 'outage', '', 11.5, 13),
      ...tunnel(2, 2, 'home/a', { mode: 'multiplex', served: false, gotEnd: 'timeout', lasts: 15 }),
      over(20),
    ],
    says: { 'PORT-MUX-1': 'fail' },
  },
  {
    title: 'waiting in vain on a weak link proves nothing',
    lines: [
      ...place({ 'home/a': 'pool' }, 'slow'),
      ...tunnel(1, 2, 'home/a', { served: false, gotEnd: 'timeout', lasts: 15 }),
      over(20),
    ],
    says: { 'PORT-POOL-4': 'not-applicable', 'PORT-POOL-5': 'not-applicable' },
  },
  {
    title: 'an event user whose listener claimed nobody was not announced',
    lines: [
      ...EVENT,
      joined(1.5),
      ...tunnel(1, 2, 'home/a', { mode: 'event', served: false, gotEnd: 'timeout', lasts: 8 }),
      over(20),
    ],
    says: { 'PORT-EVENT-2': 'fail', 'PORT-EVENT-3': 'not-applicable' },
  },
  {
    title: 'an event user whose claim came to nothing is EVENT-3',
    lines: [
      ...EVENT,
      joined(2.1),
      ...tunnel(1, 2, 'home/a', { mode: 'event', served: false, gotEnd: 'timeout', lasts: 8 }),
      over(20),
    ],
    says: { 'PORT-EVENT-3': 'fail', 'PORT-EVENT-2': 'not-applicable', 'PORT-CTRL-3': 'not-applicable' },
  },
  {
    title: 'an event user that was joined and ended in silence lost its first bytes',
    lines: [
      ...EVENT,
      joined(2.01),
      ...tunnel(1, 2, 'home/a', { mode: 'event', served: false, gotEnd: 'fin' }),
      over(20),
    ],
    says: { 'PORT-CTRL-3': 'fail', 'PORT-EVENT-3': 'not-applicable' },
  },
  {
    title: 'bytes that start no request are CTRL-3',
    lines: [...POOL, stranger(2, 'ffffffff'), over(20)],
    says: { 'PORT-CTRL-3': 'fail', 'PORT-POOL-2': 'not-applicable' },
  },
  {
    title: 'sixteen fast pool users say that the pool serves at once',
    lines: [...POOL, ...many(16, { close: 'full' }), over(40)],
    says: { 'PORT-POOL-4': 'pass' },
  },
  {
    title: 'a pool that is polled is found out by the middle of its waits',
    lines: [...POOL, ...many(16, { close: 'full', first: 0.5, lasts: 0.6 }), over(40)],
    says: { 'PORT-POOL-4': 'fail' },
  },
  {
    title: 'where everything is slow nothing can be said of the pool',
    lines: [
      ...place({ 'home/a': 'pool', 'home/b': 'event' }),
      ...many(16, { close: 'full', first: 0.5, lasts: 0.6 }),
      ...Array.from({ length: 16 }, (_, i) =>
        tunnel(100 + i, 2 + i, 'home/b', { mode: 'event', close: 'full', first: 0.5, lasts: 0.6 }),
      ).flat(),
      over(40),
    ],
    says: { 'PORT-POOL-4': 'inconclusive' },
  },
];

for (const { title, lines, says } of CASES)
  t.test(title, async (t) => {
    const findings = judged(['tunnels'], lines);
    for (const [clause, verdict] of Object.entries(says)) {
      const finding = findings.get(clause);
      t.equal(finding?.verdict, verdict, `${clause}: ${finding?.summary}`);
      if (verdict !== 'fail') continue;
      t.equal(finding?.blame, 'target');
      t.not(finding?.got, '');
      t.ok(
        finding?.evidence.some(({ here }) => here),
        'points at the event',
      );
    }
  });

/** What the lab did explains it: none of these is the relay's. */
const EXCUSES: readonly { readonly title: string; readonly lines: readonly Line[] }[] = [
  { title: 'a fault of its site while it lived', lines: fault(1, 'nat reboot', 'home', 2.05, 2.5) },
  { title: 'a stall of its link a little before', lines: fault(1, 'link stall', 'home', 0.5, 1.5) },
  {
    title: 'a mapping that died in silence before its client registered anew',
    lines: fault(1, 'nat expire', 'home', 1.2, 1.3),
  },
  { title: 'the relay was away', lines: fault(1, 'outage', '', 1.9, 3) },
  { title: 'its client was lost a moment later', lines: [lost(2.08, 'home/a')] },
  { title: 'its client left a moment before', lines: [[1.9, 'home/a', { type: 'client.stopped' }]] },
  {
    title: 'the relay crashed, which is judged elsewhere',
    lines: [[2.1, 'relay', { type: 'host.crashed', reason: 'x' }]],
  },
];
for (const { title, lines } of EXCUSES)
  t.test(`a lost tunnel is excused: ${title}`, async (t) => {
    const broken = tunnel(1, 2, 'home/a', { got: 0, gotEnd: 'rst', serviceEnd: 'rst' });
    t.equal(
      judged(['tunnels'], [...POOL, ...broken, over(20)]).get('PORT-END-1')?.verdict,
      'fail',
      'without it',
    );
    t.equal(
      judged(['tunnels'], [...POOL, ...broken, ...lines, over(20)]).get('PORT-END-1')?.verdict,
      'not-applicable',
    );
  });

t.test('nothing of another site, nothing that is over, excuses a lost tunnel', async (t) => {
  const broken = tunnel(1, 12, 'home/a', { got: 0 });
  for (const lines of [
    fault(1, 'nat reboot', 'train', 12, 13),
    fault(1, 'link stall', 'home', 2, 3),
    [...fault(1, 'nat expire', 'home', 2, 3), registered(5, 'home/a', 4001)],
    fault(1, 'outage', '', 14, 16),
  ])
    t.equal(judged(['tunnels'], [...POOL, ...lines, ...broken, over(30)]).get('PORT-END-1')?.verdict, 'fail');
});
