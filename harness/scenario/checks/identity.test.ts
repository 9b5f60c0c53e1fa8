import t from 'tap';
import type { Happening } from '../../trace/trace.ts';
import { judged, type Line } from '../testing/small-run.ts';

type Of<Type extends Happening['type']> = Extract<Happening, { readonly type: Type }>;
const TIMES = { keepaliveMillis: 4_000, silenceMillis: 8_000, rekeyMillis: 5_000, halfTunnelMillis: 6_000 };
const CHECKS = ['identity-tunnels', 'identity-wire', 'identity-nodes'] as const;

const declared = (who: string, parts: Partial<Of<'identity.declared'>> = {}): Line => [
  0,
  who,
  {
    type: 'identity.declared',
    ...{ key: who, site: 'a', role: 'node', mappingMillis: 6_000 },
    ...TIMES,
    ...parts,
  },
];
const wire = (parts: Partial<Of<'identity.wire'>> = {}): Line => [
  30,
  'a/id-01',
  {
    type: 'identity.wire',
    ...{ conn: 1, dir: 'out', listens: true, millis: 30_000, frames: 12, renewed: 5, stray: 0 },
    ...{ longestGapMillis: 4_000, smallest: 70, largest: 380, sizes: 9, plain: 0 },
    ...parts,
  },
];
const lost = (at: number, who: string, parts: Partial<Of<'identity.lost'>> = {}): Line => [
  at,
  who,
  { type: 'identity.lost', why: 'SILENT', silentMillis: 8_000, heldMillis: 9_000, waitMillis: 200, ...parts },
];
const done = (who: string, parts: Partial<Of<'identity.done'>>): Line => [
  20,
  who,
  {
    type: 'identity.done',
    ...{ tunnel: 7, side: 'connector', to: 'b/id-01', why: 'ended', opened: true, done: true },
    ...{ sent: 50, received: 50, wrong: 0, askedMillis: 5_000 },
    ...parts,
  },
];
const END: Line = [60, 'runner', { type: 'run.ended', complete: true, why: 'timeline over' }];
const NODE = declared('a/id-01');

/** The clauses that fail. */
const broken = (...lines: readonly Line[]): readonly string[] =>
  [...judged(CHECKS, [...lines, END])]
    .filter(([, { verdict }]) => verdict === 'fail')
    .map(([clause]) => clause);
const verdict = (clause: string, ...lines: readonly Line[]): string | undefined =>
  judged(CHECKS, [...lines, END]).get(clause)?.verdict;

for (const { name, parts, clause } of [
  { name: 'a nonce that is not the next', parts: { stray: 1 }, clause: 'IDLAB-NONCE-1' },
  { name: 'padding that never changes', parts: { sizes: 1 }, clause: 'IDLAB-PAD-1' },
  { name: 'padding without a bound', parts: { largest: 2_000 }, clause: 'IDLAB-PAD-1' },
  { name: 'payload that can be read', parts: { plain: 3 }, clause: 'IDLAB-SEAL-1' },
  { name: 'a key that is kept', parts: { renewed: 0 }, clause: 'IDLAB-REKEY-1' },
  { name: 'a keepalive that is missed', parts: { longestGapMillis: 7_900 }, clause: 'IDLAB-KEEP-1' },
])
  t.test(`the wire shows ${name}`, async (t) => {
    t.same(broken(NODE, wire(parts)), [clause]);
    t.equal(verdict(clause, NODE, wire()), 'pass');
  });

t.test('both ends of a tunnel are joined: what the connector ended must be whole', async (t) => {
  const acceptor = { side: 'acceptor', to: '', why: 'left', done: false } as const;
  const pair = (near: Partial<Of<'identity.done'>>, far: Partial<Of<'identity.done'>>): readonly Line[] => [
    NODE,
    done('a/id-01', near),
    done('b/id-01', { ...acceptor, ...far }),
  ];
  t.equal(verdict('IDLAB-LEDGER-1', ...pair({}, {})), 'pass');
  t.same(broken(...pair({}, { received: 49 })), ['IDLAB-LEDGER-1'], 'one is missing');
  t.same(broken(...pair({}, { wrong: 1 })), ['IDLAB-LEDGER-1'], 'one is another');
  const cut = { done: false, why: 'lost', received: 40 };
  t.equal(
    verdict('IDLAB-LEDGER-1', ...pair(cut, { received: 45, sent: 45 })),
    'pass',
    'the end of a cut one',
  );
  t.same(broken(...pair(cut, { received: 51 })), ['IDLAB-LEDGER-1'], 'more than was sent');
  t.equal(
    verdict('IDLAB-LEDGER-1', NODE, done('a/id-01', {})),
    'not-applicable',
    'one end alone says nothing',
  );
});

t.test('a half tunnel ends when its time is over', async (t) => {
  const deaf = declared('b/deaf', { role: 'deaf' });
  const half = (askedMillis: number): Line =>
    done('a/id-01', {
      ...{ to: 'b/deaf', opened: false, done: false, why: 'refused', sent: 0, received: 0 },
      askedMillis,
    });
  t.equal(verdict('IDLAB-HALF-1', NODE, deaf, half(6_010)), 'pass');
  t.same(broken(NODE, deaf, half(20_000)), ['IDLAB-HALF-1']);
  t.equal(verdict('IDLAB-HALF-1', NODE, deaf, half(30)), 'not-applicable', 'turned away at once: not one');
});

t.test(
  'silence is judged by the declared time, and behind a long mapping by a fault that explains it',
  async (t) => {
    const listening: Line = [22, 'a/id-01', { type: 'identity.listening' }];
    t.same(broken(NODE, lost(20, 'a/id-01'), listening), ['IDLAB-MAP-1'], 'nothing explains it');
    const short = declared('a/id-01', { mappingMillis: 3_000 });
    t.same(broken(short, lost(20, 'a/id-01'), listening), [], 'the mapping does');
    const begun: Line = [
      12,
      'runner',
      { type: 'fault.begun', fault: 1, kind: 'nat reboot', site: 'a', text: 'NAT reboots' },
    ];
    t.same(broken(NODE, begun, lost(20, 'a/id-01'), listening), [], 'the fault of its site does');
    t.same(broken(short, lost(20, 'a/id-01', { silentMillis: 15_000 }), listening), ['IDLAB-SILENT-1']);
    t.same(broken(short, lost(20, 'a/id-01', { silentMillis: 2_000 }), listening), ['IDLAB-SILENT-1']);
    t.same(broken(short, lost(20, 'a/id-01')), ['IDLAB-BACK-1'], 'and it must come back');
    const stopped: Line = [25, 'a/id-01', { type: 'host.stopped', code: 0 }];
    t.same(broken(short, lost(20, 'a/id-01'), stopped), [], 'unless it has left');
  },
);

t.test('twins and impostors are turned away soon, and get no tunnel', async (t) => {
  for (const [role, clause] of [
    ['twin', 'IDLAB-TWIN-1'],
    ['impostor', 'IDLAB-IMPOSTOR-1'],
  ] as const) {
    const stranger = declared('b/stranger', { role, key: 'a/id-01' });
    t.equal(verdict(clause, stranger, lost(3, 'b/stranger', { why: 'left', heldMillis: 20 })), 'pass');
    t.same(broken(stranger, lost(9, 'b/stranger', { why: 'left', heldMillis: 6_000 })), [clause]);
  }
  const impostor = declared('b/stranger', { role: 'impostor', key: 'a/id-01' });
  const tunnel: Line = [5, 'b/stranger', { type: 'identity.tunnel', tunnel: 0, side: 'acceptor' }];
  t.same(broken(impostor, tunnel), ['IDLAB-IMPOSTOR-1']);
});
