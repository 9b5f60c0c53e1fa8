import fc from 'fast-check';
import t from 'tap';
import { Agenda } from './agenda.ts';

t.test('things happen by time, then rank, then the order they were put down', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(1))), (entries) => {
      const agenda = new Agenda();
      const done: number[] = [];
      entries.forEach(([at, rank], i) => {
        agenda.at(at, () => done.push(i), rank);
      });
      agenda.run(10);
      const due = entries
        .map(([at, rank], i) => ({ at, rank, i }))
        .filter(({ at }) => at <= 10)
        .sort((a, b) => a.at - b.at || a.rank - b.rank || a.i - b.i);
      const next = entries.map(([at]) => at).filter((at) => at > 10);
      return (
        done.join() === due.map(({ i }) => i).join() &&
        agenda.next() === (next.length === 0 ? undefined : Math.min(...next))
      );
    }),
    { seed: 20_261_121 },
  );
  t.pass('100 agendas, seed 20261121');
  t.end();
});

t.test('what is put down while running is done in the same run if it is due', (t) => {
  const agenda = new Agenda();
  const done: string[] = [];
  agenda.at(1, () => {
    done.push('first');
    agenda.at(2, () => done.push('second'));
    agenda.at(9, () => done.push('never'));
  });
  agenda.at(Number.POSITIVE_INFINITY, () => done.push('never'));
  agenda.run(5);
  t.same(done, ['first', 'second']);
  t.equal(agenda.next(), 9);
  t.end();
});
