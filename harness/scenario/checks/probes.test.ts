import t from 'tap';
import { fault, judged, type Line, lost, over, place, registered, tunnel } from '../testing/small-run.ts';

const EVENT = place({ 'home/a': 'event', 'home/b': 'event' });
const probe = (expects: 'served' | 'refused', clause: string, number = 1, at = 5): Line => [
  at,
  'runner',
  { type: 'probe.declared', tunnel: number, clause, expects },
];
const stopped = (at: number): Line => [at, 'home/a', { type: 'client.stopped' }];
const saw = (name: string, what: 'end' | 'reset' | 'open' | 'bytes'): Line => [
  8,
  'users/x',
  { type: 'script.saw', name, what },
];
const says = (lines: readonly Line[], clause: string) => judged(['probes'], lines).get(clause);

t.test('a probe that must be served passes as soon as a service sees it, however it ends', async (t) => {
  const served = [
    ...EVENT,
    ...tunnel(1, 5, 'users/x', { gotEnd: 'rst', got: 3 }),
    probe('served', 'PORT-EVENT-3'),
    over(9),
  ];
  t.equal(says(served, 'PORT-EVENT-3')?.verdict, 'pass');
  const unserved = [
    ...EVENT,
    ...tunnel(1, 5, 'users/x', { served: false, gotEnd: 'rst' }),
    probe('served', 'PORT-EVENT-3'),
  ];
  t.match(says(unserved, 'PORT-EVENT-3'), { verdict: 'fail', got: '0 bytes, then rst', blame: 'target' });
});

t.test('a port that must be closed', async (t) => {
  const after = (but: Parameters<typeof tunnel>[3], ...more: readonly Line[]): readonly Line[] => [
    ...EVENT,
    stopped(4),
    ...tunnel(1, 5, 'home/a', { mode: 'event', served: false, serviceEnd: undefined, ...but }),
    probe('refused', 'PORT-EVENT-4'),
    ...more,
    over(12),
  ];
  const clause = 'PORT-EVENT-4';
  t.equal(says(after({ gotEnd: 'refused' }), clause)?.verdict, 'pass');
  t.equal(says(after({ gotEnd: 'rst', got: 0 }), clause)?.verdict, 'pass', 'taken and reset at once');
  t.match(says(after({ gotEnd: 'fin', served: true }), clause), {
    verdict: 'fail',
    got: 'the port still takes users',
  });
  t.match(says(after({ gotEnd: undefined }), clause), { verdict: 'fail', got: 'the port still takes users' });
  t.equal(
    says(after({ gotEnd: 'fin', served: true }, registered(4.5, 'home/b', 4001)), clause)?.verdict,
    'not-applicable',
    'somebody else has it now',
  );
  t.equal(
    says(after({ gotEnd: 'fin', served: true }, lost(3.9, 'home/a')), clause)?.verdict,
    'not-applicable',
    'it had no port to give back',
  );
  const cut = after({ gotEnd: undefined }).filter(([, , { type }]) => type !== 'run.ended');
  t.equal(says(cut, clause)?.verdict, 'not-applicable', 'the trace ends before the answer');
});

t.test('what scripts saw', async (t) => {
  for (const what of ['end', 'reset'] as const)
    t.equal(says([saw('PORT-CTRL-5', what)], 'PORT-CTRL-5')?.verdict, 'pass');
  for (const what of ['open', 'bytes'] as const)
    t.match(says([saw('PORT-CTRL-5', what)], 'PORT-CTRL-5'), {
      verdict: 'fail',
      got: `the connection is still ${what}`,
    });
});

t.test('a script that waits in vain names what it waited for', async (t) => {
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  const stuck = (waitingFor: string): Line => [16, 'users/x', { type: 'script.stuck', step: 4, waitingFor }];
  const spoke = (out: string, told: string): readonly Line[] => [
    [5, 'users/x', { type: 'conn.opened', conn: 1, to: 'relay', role: 'dialled' }],
    [
      5.1,
      'users/x',
      { type: 'conn.bytes', conn: 1, dir: 'out', offset: 0, length: out.length, hex: hex(out) },
    ],
    [
      5.2,
      'users/x',
      { type: 'conn.bytes', conn: 1, dir: 'in', offset: 0, length: told.length, hex: hex(told) },
    ],
    stuck('line'),
  ];
  for (const [lines, clause] of [
    [[stuck('line')], 'PORT-CTRL-2'],
    [spoke('pool\nnew\n', ''), 'PORT-CTRL-2'],
    [spoke('pool\nnew\n', '4001\n'), 'PORT-POOL-1'],
    [spoke('event\nnew\n', '4001\n'), 'PORT-EVENT-2'],
    [[stuck('dial')], 'PORT-LIVE-1'],
  ] as const) {
    t.match(says(lines, clause), { verdict: 'fail', blame: 'target', got: 'nothing' });
    const away = says([...lines, ...fault(1, 'outage', '', 8, 12)], clause);
    t.match(away, { verdict: 'inconclusive', blame: 'harness' }, 'not while the relay was away');
  }
});

t.test('no probe, no finding', async (t) => {
  t.equal(judged(['probes'], []).size, 0);
  t.equal(judged(['probes'], [...EVENT, ...tunnel(1, 2, 'home/a'), over(9)]).size, 0);
});

t.test(
  'what did not come in time on a starved machine is nobody’s fault, and what came wrong still is',
  async (t) => {
    const starved: Line = [9, 'runner', { type: 'machine.busy', millis: 6_000 }];
    const clause = 'PORT-CTRL-5';
    t.match(says([...EVENT, saw(clause, 'open'), starved, over(10)], clause), {
      verdict: 'inconclusive',
      blame: 'environment',
      summary: /no processor time to spare/,
    });
    t.match(says([...EVENT, saw(clause, 'open'), over(10)], clause), { verdict: 'fail', blame: 'target' });
    t.match(
      says([...EVENT, saw(clause, 'bytes'), starved, over(10)], clause),
      { verdict: 'fail' },
      'bytes are not late',
    );
    const reset = [
      ...EVENT,
      ...tunnel(1, 5, 'users/x', { served: false, gotEnd: 'rst' }),
      probe('served', 'PORT-EVENT-3'),
    ];
    t.match(says([...reset, starved, over(10)], 'PORT-EVENT-3'), { verdict: 'fail' }, 'a reset is not late');
  },
);
