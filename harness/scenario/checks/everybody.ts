/** Everybody came back, by the totals: of most clients of a large run there is no line, and none may be missing for that. */
import type { Analysis } from '../../measure/analysis.ts';
import type { Finding } from '../../verdict/verdict.ts';
import type { Check, Judging } from './check.ts';

const BACK_MILLIS = 30_000;

class Everybody implements Judging {
  readonly #analysis: Analysis;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(): void {
    // the analysis counts; there is nothing to follow line by line
  }

  findings(): readonly Finding[] {
    const { crowd, faults, facts } = this.#analysis;
    const numbers = crowd.facts(faults.outages.flatMap(({ toMicros }) => toMicros ?? []));
    if (numbers === undefined) return [];
    const { clients, upMost, upAtEnd, stopped, losses } = numbers;
    const goal = facts.goals.get('back-millis') ?? BACK_MILLIS;
    const never = clients - upMost;
    const away = clients - stopped - upAtEnd;
    const late = faults.outages.flatMap(({ toMicros }) => {
      // totals are by the second: judged when the second is over in which the last was due
      const due = toMicros === undefined ? undefined : Math.floor((toMicros / 1_000 + goal) / 1_000);
      return due === undefined ? [] : (crowd.awayAfter(due) ?? []);
    });
    const broken = Math.max(never, away, ...late, 0);
    const total = (n: number): string => n.toLocaleString('en-US').replaceAll(',', ' ');
    const parts = [
      never > 0 ? `${total(never)} of ${total(clients)} clients never had a port` : '',
      away > 0 ? `${total(away)} of ${total(clients)} clients are away at the end` : '',
      ...late.map((n) => (n > 0 ? `${total(n)} were not back in time` : '')),
    ].filter((part) => part !== '');
    const held = `by totals all ${total(clients)} clients had a port, and lost it ${total(losses)} times; at the end ${total(upAtEnd)} have one (${stopped} stopped)`;
    return [
      {
        clause: 'BACK-1',
        verdict: broken === 0 ? 'pass' : 'fail',
        blame: broken === 0 ? undefined : 'target',
        summary: broken === 0 ? held : `by totals ${parts.join(', ')}`,
        expected: `registered again within ${goal} ms of the path being there, to the second`,
        got: broken === 0 ? 'as expected' : (parts[0] ?? ''),
        exercised: losses,
        broken,
        evidence: [],
        ladder: [],
      },
    ];
  }
}

/** Judged in every run; says nothing of one that is told of as a whole. */
export const everybody: Check = {
  name: 'everybody',
  clauses: ['BACK-1'],
  start: (analysis) => new Everybody(analysis),
};
