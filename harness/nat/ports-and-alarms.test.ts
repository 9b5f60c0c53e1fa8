import fc from 'fast-check';
import t from 'tap';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import { Alarms } from './alarms.ts';
import { PortTable } from './port-table.ts';

t.test('alarms ring by due time, equal ones in the order they were set (seed 1)', async (t) => {
  const check = fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (dues) => {
    const alarms = new Alarms<number>();
    for (const [order, due] of dues.entries()) alarms.set(due, order);
    const expected = [...dues.entries()].sort((a, b) => a[1] - b[1] || a[0] - b[0]).map(([order]) => order);
    const rung = dues.map(() => alarms.take(20));
    return rung.join() === expected.join() && alarms.next() === undefined;
  });
  fc.assert(check, { seed: 1, numRuns: 500 });
  t.pass('500 runs');
});

t.test('an alarm is not taken before it is due', async (t) => {
  const alarms = new Alarms<string>();
  alarms.set(10, 'a');
  t.equal(alarms.take(9), undefined);
  t.equal(alarms.next(), 10);
  t.equal(alarms.take(10), 'a');
  alarms.set(5, 'b');
  alarms.clear();
  t.equal(alarms.take(100), undefined);
});

t.test('ports', async (t) => {
  const table = (ports: number): PortTable => new PortTable({ kind: 'range', ports }, rngFor(3, 'ports'));

  t.test('a range gives each port once, then none', async (t) => {
    const ports = table(100);
    const taken = Array.from({ length: 100 }, () => ports.take(1));
    t.equal(new Set(taken).size, 100);
    t.equal(ports.take(1), undefined);
    t.equal(ports.inUse, 100);
    ports.release(20_050, false);
    t.equal(ports.take(1), 20_050);
  });

  t.test('a lingering port is handed out last, and marked', async (t) => {
    const ports = table(2);
    const first = ports.take(1) ?? 0;
    ports.release(first, true);
    const second = ports.take(1) ?? 0;
    t.not(second, first);
    t.notOk(ports.takeOver(second));
    t.equal(ports.take(1), first);
    t.ok(ports.takeOver(first));
    t.notOk(ports.takeOver(first), 'once');
  });

  t.test('port-preserving keeps no port below 1024 and none it was told to avoid', async (t) => {
    const ports = new PortTable({ kind: 'preserving' }, rngFor(3, 'ports'));
    t.equal(ports.take(2_000), 2_000);
    t.ok((ports.take(80) ?? 0) >= 1_024);
    t.not(ports.take(3_000, true), 3_000);
  });
});
