import t from 'tap';
import { PortLease, portsAbove } from './port-lease.ts';

t.test('lowest free port first, each lent once, and again after it was given back', (t) => {
  const lease = new PortLease({ from: 9001, to: 9003 });
  t.strictSame([lease.take(0), lease.take(0), lease.take(0), lease.take(0)], [9001, 9002, 9003, undefined]);
  lease.giveBack(9002);
  t.equal(lease.take(0), 9002);
  t.end();
});

t.test('a port above another skips what is lower', (t) => {
  const lease = new PortLease({ from: 9001, to: 9003 });
  t.equal(lease.take(9001), 9002);
  t.equal(lease.take(9003), undefined);
  t.equal(lease.take(0), 9001);
  t.end();
});

t.test('above the last port there is none', (t) => {
  t.equal(new PortLease(portsAbove(65_535)).take(0), undefined);
  t.equal(new PortLease(portsAbove(65_534)).take(0), 65_535);
  t.end();
});
