/** Throughput as a share of the direct path in the same run: an observation, never a verdict. */
import type { Finding } from '../../verdict/verdict.ts';
import type { Check } from './check.ts';

const two = (n: number): string => n.toFixed(2);

export const speed: Check = {
  name: 'speed',
  clauses: ['SPEED-RATIO-1'],
  start: (analysis) => ({
    event: () => {},
    findings: (): readonly Finding[] => {
      const { ratios } = analysis.speed.speed(analysis.facts.goals);
      const base = { clause: 'SPEED-RATIO-1', evidence: [], ladder: [], blame: undefined };
      if (ratios.length === 0)
        return [
          {
            ...base,
            verdict: 'not-applicable',
            summary: 'throughput was not measured in this lab',
            expected: '',
            got: '',
            exercised: 0,
            broken: 0,
          },
        ];
      return ratios.map((row): Finding => {
        const range =
          row.interval === undefined ? '' : ` (${two(row.interval[0])} to ${two(row.interval[1])})`;
        const got = `${row.mode} ${two(row.ratio)} of direct${range}`;
        const verdict = row.state === 'missed' ? 'fail' : row.state === 'undecided' ? 'inconclusive' : 'pass';
        return {
          ...base,
          part: row.mode,
          verdict,
          summary: got,
          expected: row.goal === undefined ? 'measured only' : `at least ${two(row.goal)} of direct`,
          got,
          exercised: row.rounds,
          broken: 0,
        };
      });
    },
  }),
};
