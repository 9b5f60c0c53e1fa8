import t from 'tap';
import { interrupts } from './interrupts.ts';

t.test('the first signal ends the run, its echoes are the same one, a later one is obeyed at once', (t) => {
  const before = process.listenerCount('SIGINT');
  let now = 1_000;
  let again = 0;
  const { signal, done } = interrupts(
    () => again++,
    () => now,
  );
  t.notOk(signal.aborted);
  process.emit('SIGINT');
  t.ok(signal.aborted);
  now += 100;
  process.emit('SIGINT');
  process.emit('SIGTERM');
  t.equal(again, 0, 'npm and the launcher pass on what the terminal sent already');
  now += 1_000;
  process.emit('SIGINT');
  t.equal(again, 1);
  done();
  t.equal(process.listenerCount('SIGINT'), before, 'signals are as before');
  t.end();
});

for (const name of ['SIGTERM', 'SIGHUP'] as const)
  t.test(`${name} ends a run as Ctrl-C does`, (t) => {
    const { signal, done } = interrupts(() => t.fail('at once'));
    process.emit(name);
    t.ok(signal.aborted);
    done();
    t.end();
  });
