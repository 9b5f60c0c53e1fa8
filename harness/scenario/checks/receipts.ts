/** A fault that cannot prove it happened proves nothing. */
import type { Finding } from '../../verdict/verdict.ts';
import type { Check } from './check.ts';
import { count } from './check.ts';

/** A site's own link does something else than it declares: every result behind it is of another link. */
const untrusted = ([kind, text]: readonly [string, string], faults: number): Finding => ({
  clause: 'FAULT-1',
  verdict: 'inconclusive',
  blame: 'environment',
  summary: `${kind} does not do on this machine what it declares (${text}): what rests on it was not tested`,
  expected: 'link effects within their tolerance (relaylab links --selftest)',
  got: text,
  exercised: faults + 1,
  broken: 1,
  evidence: [],
  ladder: [],
});

export const receipts: Check = {
  name: 'receipts',
  clauses: ['FAULT-1'],
  start: (analysis) => ({
    event: () => {},
    findings: (): readonly Finding[] => {
      const faults = analysis.faults.rows();
      const unproved = faults.filter(({ proved }) => !proved);
      const [first] = unproved;
      const [off] = analysis.faults.distrusted;
      if (off !== undefined && first === undefined) return [untrusted(off, faults.length)];
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
                : `fault ${first.fault} (${first.text}) ${(first.receipt?.effects ?? 0) > 0 ? 'has a receipt that is not to be trusted' : 'left no receipt'}: what rests on it was not tested`,
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
