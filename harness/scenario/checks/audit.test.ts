import t from 'tap';
import { fault, judged, type Line, lost, over, place, registered, tunnel } from '../testing/small-run.ts';

const TWO = place({ 'home/a': 'pool', 'home/b': 'event' });
const look = (
  at: number,
  moment: 'before' | 'after' | 'sample',
  fds: number,
  listening = 3,
  rssBytes = -1,
): Line => [at, 'relay', { type: 'audit.relay', moment, fds, sockets: fds, listening, rssBytes }];
const verdict = (clause: string, ...lines: readonly Line[]) =>
  judged(['audit'], [...TWO, ...lines, over(60)]).get(clause)?.verdict;
const before = look(2, 'before', 20);

t.test('descriptors are given back, by the clients registered', async (t) => {
  const fd = (...lines: readonly Line[]) => verdict('AUDIT-FD-1', ...lines);
  t.equal(fd(before, look(50, 'after', 20)), 'pass');
  t.equal(fd(before, look(50, 'after', 25)), 'pass', 'a timer, a log, a pool that refills');
  t.equal(fd(before, look(50, 'after', 26)), 'fail');
  t.equal(
    fd(before, [9, 'home/b', { type: 'client.stopped' }], look(50, 'after', 16)),
    'fail',
    'one client less, and all its descriptors',
  );
  t.equal(
    fd(before, ...tunnel(1, 49, 'home/a', { lasts: 5 }), look(50, 'after', 31)),
    'pass',
    'a tunnel is still open',
  );
  t.equal(fd(before, ...tunnel(1, 40, 'home/a', { lasts: 5 }), look(50, 'after', 31)), 'fail', 'it was over');
  t.equal(
    fd(before, lost(45, 'home/a'), look(50, 'after', 20)),
    'pass',
    'its registration may still be there',
  );
  t.equal(fd(before), 'not-applicable', 'a trace cut before the second look');
  t.equal(fd(look(2, 'before', -1), look(50, 'after', -1)), 'not-applicable', 'a system that does not tell');
});

t.test('ports are given back', async (t) => {
  const ports = (...lines: readonly Line[]) => verdict('AUDIT-PORT-1', ...lines);
  t.equal(ports(before, look(50, 'after', 20, 3)), 'pass', 'two registrations and the control port');
  t.equal(ports(before, look(50, 'after', 20, 4)), 'fail', 'one too many');
  t.equal(ports(look(2, 'before', 20, 4), look(50, 'after', 20, 4)), 'pass', 'it has a port of its own');
  t.equal(
    ports(before, [45, 'home/a', { type: 'client.stopped' }], look(50, 'after', 20, 3)),
    'pass',
    'a pool has its grace time',
  );
  t.equal(
    ports(before, [45, 'home/b', { type: 'client.stopped' }], look(50, 'after', 20, 3)),
    'fail',
    'a listener has none',
  );
  const again = registered(46, 'home/a', 4003);
  t.equal(
    ports(before, lost(45, 'home/a'), again, look(50, 'after', 20, 4)),
    'pass',
    'its old port may still be there',
  );
  t.equal(ports(before, lost(20, 'home/a'), again, look(50, 'after', 20, 4)), 'fail', 'long enough ago');
  const killed = [lost(45, 'home/a'), ...fault(1, 'outage', '', 45, 45.5), again];
  t.equal(
    ports(before, ...killed, look(50, 'after', 20, 4)),
    'fail',
    'a relay that was started anew holds nothing of before',
  );
  t.equal(ports(look(50, 'after', 20, -1)), 'not-applicable');
});

t.test('memory fails only on a steady slope over five rounds beyond the bound', async (t) => {
  const MIB = 1024 * 1024;
  const rounds = (...mib: readonly number[]) =>
    verdict('AUDIT-RSS-1', ...mib.map((n, i) => look(2 + i, 'sample', 20, 3, n * MIB)));
  t.equal(rounds(100, 120, 140, 160, 180), 'fail');
  t.equal(rounds(100, 120, 140, 160), 'not-applicable', 'four rounds');
  t.equal(rounds(100, 110, 120, 130, 140), 'pass', 'below the bound');
  t.equal(rounds(100, 200, 150, 300, 280), 'pass', 'up and down');
});

t.test('an empty trace says nothing', async (t) => {
  for (const finding of judged(['audit'], []).values()) t.equal(finding.verdict, 'not-applicable');
});
