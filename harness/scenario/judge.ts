/** From events to judgements: the same for a run under way and for an old trace. */
import { clauseOf } from '../conformance/clauses/registry.ts';
import { Analysis } from '../measure/analysis.ts';
import type { TraceEvent } from '../trace/trace.ts';
import {
  EXIT,
  type ExitCode,
  type Finding,
  type Judgement,
  type Verdict,
  verdictOf,
} from '../verdict/verdict.ts';
import type { Judging } from './checks/check.ts';
import { CHECKS, type CheckName } from './checks/registry.ts';

/** A wait of which so much fell into busy windows of the machine proves nothing. */
const STARVED_SHARE = 0.2;

const WORST: readonly Verdict[] = ['fail', 'inconclusive', 'pass', 'not-applicable'];

/** What is judged in every run, whatever a scenario names: a timeline that was not carried out must not pass for one that was. */
export const checksFor = (scenario: { readonly checks: readonly CheckName[] }): readonly CheckName[] => [
  ...new Set<CheckName>([...scenario.checks, 'plan-kept', 'everybody']),
];

export class Judge {
  readonly analysis = new Analysis();
  readonly #judging: readonly Judging[];

  constructor(checks: readonly CheckName[]) {
    this.#judging = checks.map((name) => CHECKS[name].start(this.analysis));
  }

  event(event: TraceEvent): void {
    this.analysis.event(event);
    for (const judging of this.#judging) judging.event(event);
  }

  /** One judgement a clause, or a part of one: two checks that speak of the same are joined, the worse word wins. */
  judgements(): readonly Judgement[] {
    const byClause = new Map<string, Finding>();
    for (const finding of this.#judging.flatMap((judging) => judging.findings())) {
      const key = finding.part === undefined ? finding.clause : `${finding.clause} ${finding.part}`;
      const known = byClause.get(key);
      byClause.set(key, known === undefined ? finding : joined(known, finding));
    }
    return [...byClause.values()].map((finding) => {
      const { level, title, source } = clauseOf(finding.clause);
      return { ...this.#excused(finding), level, title, source };
    });
  }

  /** Nobody is to blame for what a starved machine made late. */
  #excused(finding: Finding): Finding {
    const { verdict, late = [], summary } = finding;
    const { busy } = this.analysis;
    const starved = late.every(
      ({ fromMicros, toMicros }) => busy.share(fromMicros, toMicros) > STARVED_SHARE,
    );
    if (verdict !== 'fail' || late.length === 0 || !starved) return finding;
    return {
      ...finding,
      ...{ verdict: 'inconclusive', blame: 'environment' },
      summary: `${summary}; the machine had no processor time to spare meanwhile`,
    };
  }
}

const joined = (a: Finding, b: Finding): Finding => {
  const [worse, other] = WORST.indexOf(b.verdict) < WORST.indexOf(a.verdict) ? [b, a] : [a, b];
  const told =
    other.verdict === 'not-applicable' ||
    (other.verdict === worse.verdict && other.summary === worse.summary);
  return {
    ...worse,
    summary: told ? worse.summary : `${worse.summary}; ${other.summary}`,
    exercised: a.exercised + b.exercised,
    broken: a.broken + b.broken,
    evidence: [...worse.evidence, ...(other.verdict === 'fail' ? other.evidence : [])],
    // excused only if all that failed was late
    ...(other.verdict === 'fail'
      ? { late: worse.late !== undefined && other.late !== undefined ? [...worse.late, ...other.late] : [] }
      : {}),
  };
};

/** The exit code of a run by its judgements. */
export const exitOf = (judgements: readonly Judgement[], complete: boolean): ExitCode => {
  const verdict = verdictOf(judgements);
  if (verdict === 'fail') return EXIT.fail;
  return verdict === 'pass' && complete ? EXIT.pass : EXIT.inconclusive;
};
