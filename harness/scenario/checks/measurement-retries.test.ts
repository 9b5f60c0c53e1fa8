import t from 'tap';
import type { Verdict } from '../../verdict/verdict.ts';
import { judged, type Line } from '../testing/small-run.ts';

const SCHEDULE = { baseMillis: 500, factor: 2, capMillis: 4_000, jitter: 0, healthyMillis: 0, triesMax: 9 };

/** Seven agents that are lost once each and dial again after so many milliseconds; `busy`: the machine was, all the time. */
const waits = (millis: readonly number[], busy: boolean): readonly Line[] => {
  const agents = millis.map((_, n) => `site/agent-${n}`);
  return [
    ...agents.map((agent): Line => {
      const event = { site: 'site', fleet: 'agents', name: agent, exact: true, coded: true };
      return [0, 'plan', { type: 'agent.declared', agent, ...event }];
    }),
    [0, 'plan', { type: 'schedule.declared', fleet: 'agents', size: 7, server: 'store', ...SCHEDULE }],
    ...millis.flatMap((wait, n): readonly Line[] => {
      const who = `site/agent-${n}`;
      const lost = { during: 'send', why: 'reset', attempt: 0, waitMillis: 500 };
      return [
        [1, who, { type: 'agent.dialing', attempt: 0 }],
        [1, who, { type: 'agent.greeted', acknowledges: true }],
        [5, who, { type: 'agent.lost', ...lost }],
        [5 + wait / 1_000, who, { type: 'agent.dialing', attempt: 1 }],
        [5.9, who, { type: 'agent.greeted', acknowledges: true }],
      ];
    }),
    ...(busy
      ? Array.from({ length: 40 }, (_, n): Line => [n / 4, 'runner', { type: 'machine.busy', millis: 250 }])
      : []),
  ];
};

const IN_TIME = [500, 501, 502, 510, 520, 530];
for (const [what, millis, busy, verdict] of [
  ['waits as configured hold', [...IN_TIME, 550], false, 'pass'],
  [
    'those that are late while the machine was busy tell nothing',
    [...IN_TIME.slice(1), 703, 720],
    true,
    'pass',
  ],
  ['one that is late for no reason fails', [...IN_TIME, 703], false, 'fail'],
  ['when most are late it is open, busy or not', [500, 502, 510, 703, 720, 703, 720], true, 'inconclusive'],
  ['one that is early fails, busy or not', [...IN_TIME, 420], true, 'fail'],
] as const satisfies readonly (readonly [string, readonly number[], boolean, Verdict])[])
  t.test(what, async (t) => {
    const found = judged(['measurement-retries'], waits(millis, busy)).get('MEAS-RETRY-1');
    t.equal(found?.verdict, verdict, found?.summary ?? 'not judged');
    t.equal(found?.exercised, 7);
  });
