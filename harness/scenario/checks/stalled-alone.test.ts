import t from 'tap';
import { judged, type Line, over, place, tunnel } from '../testing/small-run.ts';

const MUX = place({ 'home/a': 'multiplex', 'home/b': 'multiplex' });
const mode = { mode: 'multiplex', close: 'full' } as const;
const stalled: Line = [3, 'users', { type: 'tunnel.stalled', tunnel: 1, forMillis: 10_000 }];
const resumed: Line = [13, 'users', { type: 'tunnel.resumed', tunnel: 1 }];
const verdict = (...lines: readonly Line[]) =>
  judged(
    ['stalled-alone'],
    [...MUX, ...tunnel(1, 2, 'home/a', { ...mode, lasts: 15 }), ...lines, over(30)],
  ).get('PORT-MUX-2')?.verdict;

t.test('whole answers beside a user that reads nothing pass, answers that wait for it fail', async (t) => {
  t.equal(verdict(stalled, resumed, ...tunnel(2, 4, 'home/a', mode)), 'pass');
  t.equal(
    verdict(stalled, resumed, ...tunnel(2, 4, 'home/a', { ...mode, lasts: 10 })),
    'fail',
    'served only after it',
  );
  t.equal(
    verdict(stalled, resumed, ...tunnel(2, 4, 'home/a', { ...mode, got: 100, gotEnd: 'timeout' })),
    'fail',
  );
});

t.test('tunnels of other sessions, before, or too shortly before its end say nothing', async (t) => {
  t.equal(verdict(), 'not-applicable', 'nobody stalled');
  t.equal(verdict(stalled, resumed), 'not-applicable', 'nobody beside it');
  t.equal(
    verdict(stalled, resumed, ...tunnel(2, 4, 'home/b', { ...mode, got: 0, gotEnd: 'timeout' })),
    'not-applicable',
  );
  t.equal(verdict(stalled, resumed, ...tunnel(2, 2.5, 'home/a', { ...mode, lasts: 12 })), 'not-applicable');
  t.equal(verdict(stalled, resumed, ...tunnel(2, 12, 'home/a', { ...mode, lasts: 5 })), 'not-applicable');
  t.equal(judged(['stalled-alone'], []).get('PORT-MUX-2')?.verdict, 'not-applicable');
});

t.test('a trace cut while the user reads nothing blames nobody for what is still open', async (t) => {
  const cut = [
    ...MUX,
    ...tunnel(1, 2, 'home/a', { ...mode, gotEnd: undefined, serviceEnd: undefined }),
    stalled,
  ];
  const open = tunnel(2, 4, 'home/a', { ...mode, gotEnd: undefined, serviceEnd: undefined });
  t.equal(judged(['stalled-alone'], [...cut, ...open]).get('PORT-MUX-2')?.verdict, 'not-applicable');
});
