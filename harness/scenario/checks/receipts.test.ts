import t from 'tap';
import { Analysis } from '../../measure/analysis.ts';
import type { Happening } from '../../trace/trace.ts';
import { receipts } from './receipts.ts';

const findingOf = (...happened: readonly Happening[]) => {
  const analysis = new Analysis();
  const judging = receipts.start(analysis);
  happened.forEach((event, n) => {
    const stamped = { t: n * 1000, who: 'home/link', n, ...event };
    analysis.event(stamped);
    judging.event(stamped);
  });
  return judging.findings()[0];
};

const stall: readonly Happening[] = [
  { type: 'fault.begun', fault: 1, kind: 'link stall', site: 'home', text: 'link stalls' },
  { type: 'fault.receipt', fault: 1, kind: 'link stall', site: 'home', effects: 5, text: '5 kB held' },
];
const trusted = (kind: string, standing: 'ok' | 'off' | 'unclear'): Happening => ({
  type: 'link.trusted',
  kind,
  effect: `${kind}:onMs=300`,
  standing,
  text: 'stall up: 20 ms instead of 300 ms',
});

t.test('a fault whose effect is off on this machine proves nothing, whatever its receipt says', async (t) => {
  t.match(findingOf(trusted('stall', 'off'), ...stall), {
    verdict: 'inconclusive',
    summary: /link stalls.*receipt that is not to be trusted/,
    got: /5 kB held; not to be trusted on this machine: stall:onMs=300: stall up: 20 ms instead of 300 ms/,
  });
});

t.test('a link of a site that is off makes the run inconclusive without any fault', async (t) => {
  t.match(findingOf(trusted('latency', 'off')), { verdict: 'inconclusive', blame: 'environment' });
  t.match(findingOf(trusted('latency', 'off'), ...stall), {
    verdict: 'inconclusive',
    summary: /^latency does not do/,
  });
});

t.test('what was measured, or could not be, changes nothing', async (t) => {
  for (const standing of ['ok', 'unclear'] as const)
    t.match(findingOf(trusted('stall', standing), ...stall), { verdict: 'pass', blame: undefined });
  t.match(findingOf(), { verdict: 'not-applicable' });
});
