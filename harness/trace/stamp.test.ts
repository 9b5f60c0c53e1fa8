import t from 'tap';
import { Stamper } from './stamp.ts';
import type { TraceEvent } from './trace.ts';

t.test('every line gets its time and its host’s own number', (t) => {
  const lines: TraceEvent[] = [];
  let now = 5;
  const stamper = new Stamper(
    () => now,
    (event) => lines.push(event),
  );
  stamper.say('relay', { type: 'host.started', form: 'relay' });
  now = 7;
  stamper.say('users', { type: 'host.started', form: 'users' });
  stamper.say('relay', { type: 'host.stopped', code: 0 });
  t.same(lines, [
    { t: 5, who: 'relay', n: 1, type: 'host.started', form: 'relay' },
    { t: 7, who: 'users', n: 1, type: 'host.started', form: 'users' },
    { t: 7, who: 'relay', n: 2, type: 'host.stopped', code: 0 },
  ]);
  t.end();
});
