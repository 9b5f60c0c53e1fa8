import type { Judgement, Step } from '../verdict/verdict.ts';
import { capital } from './words.ts';

/** How a judgement counts: a failed or inconclusive SHOULD is an observation, reported but never counted against the run. */
export type Standing = 'pass' | 'fail' | 'inconclusive' | 'not-applicable' | 'observation';

/** Where on the page the numbers behind a clause are. */
export type Section = 'timeline' | 'comeback' | 'speed' | 'ledger' | 'points' | 'checks';

export type Check = {
  readonly judgement: Judgement;
  readonly standing: Standing;
  /** `F1` (failed), `U1` (inconclusive), `O1` (observation); '' for the others. The same everywhere in a report. */
  readonly pin: string;
  readonly section: Section;
  /** Site or `relay`, where the broken event was seen; '' when the evidence names nobody. */
  readonly place: string;
};

export type Counts = { readonly [standing in Standing]: number };

const WORST: Readonly<Record<Standing, number>> = {
  fail: 0,
  inconclusive: 1,
  observation: 2,
  pass: 3,
  'not-applicable': 4,
};

const standingOf = (judgement: Judgement): Standing => {
  const { verdict, level } = judgement;
  if (level === 'SHOULD' && (verdict === 'fail' || verdict === 'inconclusive')) return 'observation';
  return verdict;
};

const sectionOf = (clause: string): Section => {
  if (/^BACK|HERD|RETRY|MEAS-BACK/.test(clause)) return 'comeback';
  if (clause.startsWith('MEAS-')) return 'points';
  if (/SPEED|RATE|THROUGHPUT|LATENCY/.test(clause)) return 'speed';
  if (/LEDGER|PAYLOAD|AUDIT|LEAK/.test(clause)) return 'ledger';
  if (/^NAT|LINK|FAULT/.test(clause)) return 'timeline';
  return 'checks';
};

const placeOf = (judgement: Judgement): string => {
  const evidence = judgement.evidence.find((piece) => piece.here) ?? judgement.evidence[0];
  return evidence?.who.split('/')[0] ?? (judgement.blame === 'target' ? 'relay' : '');
};

const LETTER: Readonly<Partial<Record<Standing, string>>> = {
  fail: 'F',
  inconclusive: 'U',
  observation: 'O',
};

/** How much of what was exercised broke. */
const brokenShare = ({ broken, exercised }: Judgement): number =>
  exercised > 0 ? broken / exercised : broken;

/** All judgements, worst first, with their pins. Within a standing: what broke most often, then the checks' own order. */
export const checksOf = (judgements: readonly Judgement[]): readonly Check[] => {
  const numbers = new Map<Standing, number>();
  return judgements
    .map((judgement) => ({ judgement, standing: standingOf(judgement) }))
    .sort(
      (a, b) => WORST[a.standing] - WORST[b.standing] || brokenShare(b.judgement) - brokenShare(a.judgement),
    )
    .map(({ judgement, standing }) => {
      const letter = LETTER[standing];
      const number = (numbers.get(standing) ?? 0) + 1;
      numbers.set(standing, number);
      return {
        judgement,
        standing,
        pin: letter === undefined ? '' : `${letter}${number}`,
        section: sectionOf(judgement.clause),
        place: placeOf(judgement),
      };
    });
};

export const countsOf = (checks: readonly Check[]): Counts => {
  const counts = { pass: 0, fail: 0, inconclusive: 0, 'not-applicable': 0, observation: 0 };
  for (const { standing } of checks) counts[standing]++;
  return counts;
};

/** The conversation that shows a failure best: the first pinned one that has arrows. */
export type Ladder = { readonly pin: string; readonly title: string; readonly steps: readonly Step[] };

export const ladderOf = (checks: readonly Check[]): Ladder | undefined => {
  const check = checks.find(({ pin, judgement }) => pin !== '' && judgement.ladder.length > 0);
  if (check === undefined) return undefined;
  const { summary, title, ladder } = check.judgement;
  return { pin: check.pin, title: capital(summary === '' ? title : summary), steps: ladder };
};

/** What the whole run came to, from its exit code. */
export const OUTCOMES = {
  0: { outcome: 'passed', badge: 'Passed', word: 'PASS' },
  1: { outcome: 'failed', badge: 'Failed', word: 'FAIL' },
  2: { outcome: 'not run', badge: 'Not run', word: 'USAGE' },
  3: { outcome: 'harness error', badge: 'Harness error', word: 'HARNESS ERROR' },
  4: { outcome: 'undecided', badge: 'Undecided', word: 'UNDECIDED' },
  5: { outcome: 'stale baseline', badge: 'Stale baseline', word: 'STALE' },
  130: { outcome: 'interrupted', badge: 'Interrupted', word: 'INTERRUPTED' },
} as const;
export type Outcome = (typeof OUTCOMES)[keyof typeof OUTCOMES]['outcome'];

/** The worst check whose numbers are in this section; undefined: none was judged. */
export const checkFor = (checks: readonly Check[], section: Section): Check | undefined =>
  checks.find((check) => check.section === section);
