import t from 'tap';
import type { Happening } from '../../trace/trace.ts';
import { fault, judged, type Line, over, place, tunnel } from '../testing/small-run.ts';

const crashed: Happening = { type: 'host.crashed', reason: 'exit code 2' };
const says = (...lines: readonly Line[]) => judged(['relay-alive'], lines).get('PORT-LIVE-1');

t.test('a relay that ends by itself fails, one that is killed by the timeline does not', async (t) => {
  const used = [...place({ 'home/a': 'pool' }), ...tunnel(1, 2, 'home/a')];
  t.match(says(...used, over(9)), { verdict: 'pass', exercised: 2 });
  t.match(says(...used, [3, 'relay', crashed], over(9)), {
    verdict: 'fail',
    got: 'exit code 2',
    blame: 'target',
    broken: 1,
  });
  t.equal(says(...used, [3, 'home/service', crashed], over(9))?.verdict, 'pass', 'somebody else crashed');
  t.equal(says(...used, ...fault(1, 'outage', '', 3, 4), over(9))?.verdict, 'pass');
});

t.test('a relay that nobody used has not lived through anything', async (t) => {
  t.equal(says()?.verdict, 'not-applicable');
});
