/** A fault that cannot prove it happened proves nothing. */
import type { Finding } from '../../verdict/verdict.ts';
import type { Check } from './check.ts';
import { count } from './check.ts';

export const receipts: Check = {
  name: 'receipts',
  clauses: ['FAULT-1'],
  start: (analysis) => ({
    event: () => {},
    findings: (): readonly Finding[] => {
      const faults = analysis.faults.rows();
      const unproved = faults.filter(({ proved }) => !proved);
      const [first] = unproved;
      return [
        {
          clause: 'FAULT-1',
          verdict: faults.length === 0 ? 'not-applicable' : first === undefined ? 'pass' : 'inconclusive',
          blame: first === undefined ? undefined : 'harness',
          summary:
            faults.length === 0
              ? 'the timeline has no faults'
              : first === undefined
                ? `${faults.length} of ${count(faults.length, 'fault')} left a receipt`
                : `fault ${first.fault} (${first.text}) left no receipt: what rests on it was not tested`,
          expected: 'a receipt with at least one measured effect for every fault',
          got: first === undefined ? 'as expected' : (first.receipt?.text ?? 'no receipt'),
          exercised: faults.length,
          broken: unproved.length,
          evidence: unproved.map(({ beganMicros, site, text }) => ({
            t: beganMicros,
            who: site || 'relay',
            text,
            hex: undefined,
            here: true,
          })),
          ladder: [],
        },
      ];
    },
  }),
};
