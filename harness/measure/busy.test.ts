import t from 'tap';
import type { TraceEvent } from '../trace/trace.ts';
import { BusyCollector } from './busy.ts';

const busyAt = (...ends: readonly number[]): BusyCollector => {
  const busy = new BusyCollector();
  ends.forEach((end, n) => {
    const event: TraceEvent = { t: end * 1_000, who: 'runner', n, type: 'machine.busy', millis: 250 };
    busy.event(event);
  });
  return busy;
};

t.test('the share of a stretch that lies in busy windows', async (t) => {
  const busy = busyAt(1_000, 1_250, 3_000);
  for (const [from, to, share, what] of [
    [0, 700, 0, 'before'],
    [750, 1_250, 1, 'all of it'],
    [500, 1_500, 0.5, 'two windows of it'],
    [875, 1_000, 1, 'within one'],
    [2_900, 3_100, 0.5, 'half in, half out'],
    [3_500, 4_000, 0, 'after'],
    [900, 900, 0, 'no time at all'],
  ] as const)
    t.equal(busy.share(from * 1_000, to * 1_000), share, what);
  t.equal(busyAt().share(0, 1e9), 0, 'a machine that was never busy');
});
