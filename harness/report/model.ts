import { Analysis } from '../measure/analysis.ts';
import type { Audit } from '../measure/audit.ts';
import type { Fleet } from '../measure/comeback.ts';
import type { CrowdFacts } from '../measure/crowd.ts';
import type { FaultRow, Outage } from '../measure/faults.ts';
import type { ClientTotals, Lane } from '../measure/lanes.ts';
import type { LedgerTable } from '../measure/ledger-table.ts';
import type { PointsTable } from '../measure/points.ts';
import type { FactsCollector, Phase, RunFacts, SiteFacts } from '../measure/run-facts.ts';
import type { Speed } from '../measure/speed.ts';
import { inOrder } from '../trace/in-order.ts';
import type { TraceEvent } from '../trace/trace.ts';
import type { ExitCode, Judgement } from '../verdict/verdict.ts';
import {
  type Check,
  type Counts,
  checksOf,
  countsOf,
  type Ladder,
  ladderOf,
  OUTCOMES,
  type Outcome,
} from './checks.ts';
import { crowdHeadline, crowdNotes, crowdTotals } from './crowd-words.ts';
import { defaultHeadline, detailOf } from './headline.ts';

/**
 * Everything a report shows. Every renderer prints from this one value, so a page cannot differ from report.json.
 * Plain data: it survives JSON. Times are whole microseconds since run.began, sizes are bytes, shares are 0 to 1.
 */
export type ReportModel = {
  readonly outcome: Outcome;
  readonly exitCode: ExitCode;
  /** The run was interrupted or filtered, or its trace has no end: not a full verdict. */
  readonly partial: boolean;
  readonly partialWhy: string;
  /** The verdict as one sentence, and the one or two under it. */
  readonly headline: string;
  readonly detail: string;
  readonly run: RunFacts;
  readonly notes: readonly string[];
  readonly phases: readonly Phase[];
  readonly sites: readonly SiteFacts[];
  readonly clients: ClientTotals;
  readonly lanes: readonly Lane[];
  /** Lanes are (NAT, link) groups, not single sites. */
  readonly grouped: boolean;
  readonly faults: readonly FaultRow[];
  readonly outages: readonly Outage[];
  readonly fleets: readonly Fleet[];
  readonly speed: Speed;
  readonly ledger: LedgerTable;
  readonly points: PointsTable;
  readonly audit: Audit;
  /** Worst first. */
  readonly checks: readonly Check[];
  readonly counts: Counts;
  readonly ladder: Ladder | undefined;
  readonly goals: readonly { readonly goal: string; readonly value: number }[];
};

export type ReportMeta = {
  readonly exitCode: ExitCode;
  /** False: the run was interrupted or filtered. */
  readonly complete: boolean;
  /** Of a run in islands: numbers of all, and which of them the analysis is of. */
  readonly crowd?: { readonly facts: CrowdFacts; readonly shownIsland: number } | undefined;
  /** A scenario's own sentence; the default is made of the run's numbers. Never a clause id. */
  readonly headline?: (model: ReportModel) => string;
};

/** The model of one run, in one pass over its trace. */
export const reportModel = (
  events: readonly TraceEvent[],
  judgements: readonly Judgement[],
  meta: ReportMeta,
): ReportModel => {
  const analysis = new Analysis();
  for (const event of inOrder(events)) analysis.event(event);
  return modelOf(analysis, judgements, meta);
};

/** The model of a run whose trace was analysed while it came in: nothing of the trace itself is needed any more. */
export const modelOf = (
  analysis: Analysis,
  judgements: readonly Judgement[],
  meta: ReportMeta,
): ReportModel => {
  const { facts, faults, lanes, comeback, speed, ledger, points, audit, endMicros } = analysis;
  const complete = meta.complete && facts.ended?.complete === true;
  const faultRows = faults.rows();
  const checks = checksOf(judgements);
  const ownCrowd = analysis.crowd.facts(faults.outages.flatMap(({ toMicros }) => toMicros ?? []));
  const crowd = meta.crowd?.facts ?? ownCrowd;
  const laneRows = lanes.lanes(endMicros, complete);
  const model: ReportModel = {
    outcome: OUTCOMES[meta.exitCode].outcome,
    exitCode: meta.exitCode,
    partial: !complete,
    partialWhy: complete ? '' : whyPartial(facts, analysis.events),
    headline: '',
    detail: '',
    run: facts.run(endMicros),
    notes:
      crowd === undefined
        ? facts.notes
        : [...crowdNotes(crowd, meta.crowd?.shownIsland ?? 0), ...facts.notes],
    phases: facts.phases(endMicros),
    sites: facts.sites,
    clients: crowd === undefined ? lanes.totals() : crowdTotals(crowd),
    lanes: laneRows,
    grouped: laneRows.some((lane) => lane.sites.length > 1) || laneRows.length < facts.sites.length,
    faults: faultRows,
    outages: faults.outages,
    fleets: comeback.fleets(faults),
    speed: speed.speed(facts.goals),
    ledger: ledger.table(faultRows, endMicros, complete),
    points: points.table(),
    audit: audit.audit(),
    checks,
    counts: countsOf(checks),
    ladder: ladderOf(checks),
    goals: [...facts.goals].map(([goal, value]) => ({ goal, value })),
  };
  const told = { ...model, detail: detailOf(model) };
  const claims =
    crowd !== undefined && model.outcome === 'passed' ? () => crowdHeadline(crowd) : defaultHeadline;
  return { ...told, headline: (meta.headline ?? claims)(told) };
};

const whyPartial = (facts: FactsCollector, lines: number): string => {
  if (lines === 0) return 'the trace is empty';
  if (facts.ended === undefined) return 'the trace stops in the middle';
  return facts.ended.why === '' ? 'the run was interrupted or filtered' : facts.ended.why;
};
