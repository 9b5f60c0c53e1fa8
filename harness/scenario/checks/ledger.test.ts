import t from 'tap';
import type { EventOf } from '../../trace/trace.ts';
import { fault, judged, type Line, over, place, registered, tunnel } from '../testing/small-run.ts';

const HOME = place({ 'home/a': 'pool' });
const says = (clause: string, ...lines: readonly Line[]) =>
  judged(['ledger'], [...HOME, ...lines]).get(clause);
const span = (state: EventOf<'ledger.span'>['state'], number = 1, at = 2.05): Line => [
  at,
  'users',
  {
    type: 'ledger.span',
    tunnel: number,
    direction: 'down',
    offset: 800,
    length: 100,
    state,
    from: '',
    hex: 'ff',
  },
];

t.test('whole tunnels are accounted for', async (t) => {
  const lines = [...tunnel(1, 2, 'home/a'), ...tunnel(2, 3, 'home/a', { close: 'abort' }), over(20)];
  t.match(says('LEDGER-1', ...lines), {
    verdict: 'pass',
    exercised: 2,
    broken: 0,
    summary: /7500 bytes of 2 tunnels accounted for, 4500 of them cut/,
  });
  t.match(says('LEDGER-2', ...lines), { verdict: 'pass' });
});

t.test('an empty trace, and one in which nothing ended, say nothing', async (t) => {
  for (const finding of judged(['ledger'], []).values()) t.equal(finding.verdict, 'not-applicable');
  t.equal(says('LEDGER-1', ...tunnel(1, 2, 'home/a', { gotEnd: undefined }))?.verdict, 'not-applicable');
});

t.test('a trace cut in the middle does not lose what the service had no time to get', async (t) => {
  const lines = [...tunnel(1, 2, 'home/a', { serviceEnd: undefined })];
  t.equal(says('LEDGER-1', ...lines)?.verdict, 'pass');
});

t.test('what is missing, repeated, out of order or foreign is named', async (t) => {
  const broken = tunnel(1, 2, 'home/a', { got: 4_900 });
  t.match(says('LEDGER-1', ...broken, over(20)), {
    verdict: 'fail',
    got: '100 bytes missing',
    blame: 'target',
  });
  t.match(says('LEDGER-1', ...broken, span('lost'), over(20)), {
    verdict: 'fail',
    evidence: [{ text: /tunnel 1 down: 100 bytes missing before offset 900/ }],
  });
  for (const state of ['repeated', 'reordered', 'foreign'] as const)
    t.match(says('LEDGER-2', ...tunnel(1, 2, 'home/a'), span(state), over(20)), {
      verdict: 'fail',
      got: '100 wrong bytes',
      broken: 1,
      evidence: [{ text: `tunnel 1 down offset 800: 100 bytes ${state}`, hex: 'ff' }],
    });
});

t.test('an end that did not come, with every byte there, is not a loss', async (t) => {
  t.equal(
    says('LEDGER-1', ...tunnel(1, 2, 'home/a', { gotEnd: 'timeout', lasts: 9 }), over(20))?.verdict,
    'pass',
  );
});

t.test('a receipted fault explains an end that was cut, one without receipt does not', async (t) => {
  const cut = tunnel(1, 2, 'home/a', { got: 3_000, gotEnd: 'rst' });
  t.equal(says('LEDGER-1', ...cut, ...fault(1, 'nat reboot', 'home', 2.05, 3), over(20))?.verdict, 'pass');
  t.equal(says('LEDGER-1', ...cut, ...fault(1, 'nat reboot', 'home', 2.05, 3, 0), over(20))?.verdict, 'fail');
  t.equal(says('LEDGER-1', ...cut, ...fault(1, 'nat reboot', 'train', 2.05, 3), over(20))?.verdict, 'fail');
});

t.test('a fault excuses no hole and no foreign byte', async (t) => {
  const faults = fault(1, 'nat reboot', 'home', 2.05, 3);
  t.equal(
    says('LEDGER-1', ...tunnel(1, 2, 'home/a', { got: 4_900 }), span('lost'), ...faults, over(20))?.verdict,
    'fail',
  );
  t.equal(says('LEDGER-2', ...tunnel(1, 2, 'home/a'), span('foreign'), ...faults, over(20))?.verdict, 'fail');
});

t.test('what the user sent may be cut after the user is gone', async (t) => {
  const lines = tunnel(1, 9.9, 'home/a', { close: 'full', serviceGot: 400, serviceEnd: 'rst' });
  t.equal(says('LEDGER-1', ...lines, over(20))?.verdict, 'fail');
  t.equal(says('LEDGER-1', ...lines, ...fault(1, 'outage', '', 10.001, 14), over(20))?.verdict, 'pass');
});

t.test('a user who comes while its client leaves in order was never in a tunnel', async (t) => {
  const lines = tunnel(1, 9, 'home/a', { served: false, lasts: 0.05 });
  const left = (at: number): Line => [at, 'home/a', { type: 'client.stopped' }];
  t.equal(says('LEDGER-1', ...lines, over(20))?.verdict, 'fail');
  t.equal(says('LEDGER-1', ...lines, left(9.1), over(20))?.verdict, 'not-applicable');
  t.equal(says('LEDGER-1', ...lines, left(12), over(20))?.verdict, 'fail', 'it left later');
  t.equal(
    says('LEDGER-1', ...tunnel(1, 9, 'home/a', { got: 4_000 }), left(9.1), over(20))?.verdict,
    'fail',
    'a service had it',
  );
});

t.test('a pooled connection that died in silence is excused until its client registers anew', async (t) => {
  const lines = tunnel(1, 9, 'home/a', { served: false, gotEnd: 'rst', lasts: 0.05 });
  const died = fault(1, 'nat expire', 'home', 4, 4.1);
  t.equal(says('LEDGER-1', ...lines, ...died, over(20))?.verdict, 'pass');
  t.equal(says('LEDGER-1', ...lines, ...died, registered(6, 'home/a', 4001), over(20))?.verdict, 'fail');
});
