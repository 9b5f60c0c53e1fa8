/** A whole run of the gate as plain data: every renderer prints from this one value. */
import { EXIT, type ExitCode } from '../verdict/verdict.ts';
import { type BaselineEntry, type Compared, resultKey, type Stale } from './baseline/baseline.ts';
import type { CaseResult } from './outcome.ts';

/** How a result counts. `known`: it fails as the baseline says. */
export type GateStanding = 'pass' | 'fail' | 'known' | 'inconclusive' | 'observation' | 'not-applicable';

export type GateRow = CaseResult & {
  readonly standing: GateStanding;
  /** `F1`, `U1`, `K1`, `O1`; empty for the others. The same everywhere in a report. */
  readonly pin: string;
  readonly baseline: BaselineEntry | undefined;
};

export type GateFacts = {
  readonly profile: string;
  /** The command or address that was judged. */
  readonly target: string;
  readonly seed: string;
  readonly version: string;
  readonly node: string;
  readonly machine: string;
  readonly startedAt: string;
  readonly millis: number;
  readonly rerun: string;
  readonly paths: readonly string[];
  readonly jobs: number;
  /** Cases of the profile, asked for or not. */
  readonly cases: number;
  /** The files that were read, empty without: what the target declares, what is known to fail. */
  readonly capabilities: string;
  readonly baseline: string;
};

export type GateModel = GateFacts & {
  readonly exitCode: ExitCode;
  /** Only some cases were asked for, or the run was cut off: not a full verdict. */
  readonly partial: string;
  readonly headline: string;
  /** Worst first. */
  readonly rows: readonly GateRow[];
  readonly counts: Readonly<Record<GateStanding, number>>;
  readonly stale: readonly Stale[];
};

const ORDER: Readonly<Record<GateStanding, number>> = {
  fail: 0,
  inconclusive: 1,
  known: 2,
  observation: 3,
  pass: 4,
  'not-applicable': 5,
};
const PIN: Readonly<Partial<Record<GateStanding, string>>> = {
  fail: 'F',
  inconclusive: 'U',
  known: 'K',
  observation: 'O',
};

const standingOf = (result: CaseResult, known: Compared['known']): GateStanding => {
  const { verdict, level } = result;
  if (verdict === 'pass' || verdict === 'not-applicable') return verdict;
  if (level === 'SHOULD') return 'observation';
  return known.has(resultKey(result)) ? 'known' : verdict;
};

/** Exit precedence: 130, 2, 3, 1, 5, 4, 0 (2 and 3 are set where they happen). */
const exitOf = (
  rows: readonly GateRow[],
  stale: readonly Stale[],
  { interrupted, cut }: { readonly interrupted: boolean; readonly cut: boolean },
): ExitCode => {
  if (interrupted) return EXIT.interrupted;
  const musts = rows.filter(({ level }) => level === 'MUST');
  if (musts.some(({ standing, blame }) => standing === 'inconclusive' && blame === 'harness'))
    return EXIT.harness;
  if (musts.some(({ standing }) => standing === 'fail')) return EXIT.fail;
  if (stale.length > 0) return EXIT.stale;
  if (cut || musts.some(({ standing }) => standing === 'inconclusive')) return EXIT.inconclusive;
  // nothing that obliges was judged: nothing was shown
  return musts.some(({ standing }) => standing === 'pass' || standing === 'known')
    ? EXIT.pass
    : EXIT.inconclusive;
};

const plural = (n: number, thing: string): string => `${n} ${thing}${n === 1 ? '' : 's'}`;

const headlineOf = (
  rows: readonly GateRow[],
  counts: GateModel['counts'],
  stale: readonly Stale[],
): string => {
  const [first] = rows;
  if (counts.fail > 0 && first !== undefined)
    return counts.fail === 1
      ? `One case fails: that ${first.title}.`
      : `${counts.fail} cases fail; the first: that ${first.title}.`;
  if (stale.length > 0)
    return stale.length === 1
      ? '1 entry of the baseline is out of date.'
      : `${stale.length} entries of the baseline are out of date.`;
  if (counts.inconclusive > 0)
    return `${plural(counts.inconclusive, 'case')} could not be judged; nothing fails.`;
  if (counts.pass + counts.known === 0) return 'Nothing was judged.';
  const known = counts.known > 0 ? ` ${plural(counts.known, 'known failure')} in the baseline.` : '';
  return `${plural(counts.pass, 'case')} hold.${known}`.replace('1 case hold.', '1 case holds.');
};

export const gateOf = (
  facts: GateFacts,
  results: readonly CaseResult[],
  { known, stale }: Compared,
  how: {
    /** Why not everything was judged; empty: it was. */
    readonly partial: string;
    readonly interrupted: boolean;
    /** Something that was asked for was not judged: no pass. */
    readonly cut: boolean;
  },
): GateModel => {
  const numbers = new Map<GateStanding, number>();
  const rows = results
    .map((result) => ({ ...result, standing: standingOf(result, known) }))
    .sort((a, b) => ORDER[a.standing] - ORDER[b.standing])
    .map((result): GateRow => {
      const number = (numbers.get(result.standing) ?? 0) + 1;
      numbers.set(result.standing, number);
      const letter = PIN[result.standing];
      return {
        ...result,
        pin: letter === undefined ? '' : `${letter}${number}`,
        baseline: result.standing === 'known' ? known.get(resultKey(result)) : undefined,
      };
    });
  const counts = { pass: 0, fail: 0, known: 0, inconclusive: 0, observation: 0, 'not-applicable': 0 };
  for (const { standing } of rows) counts[standing]++;
  return {
    ...facts,
    exitCode: exitOf(rows, stale, how),
    partial: how.partial,
    headline: headlineOf(rows, counts, stale),
    rows,
    counts,
    stale,
  };
};
