/** A trace on its way to a report: put in order, judged and counted while it comes in, so that none of it need be kept. */
import { modelOf, type ReportModel } from '../report/model.ts';
import type { CheckName } from '../scenario/checks/registry.ts';
import { IslandJudge } from '../scenario/island-judge.ts';
import { checksFor, exitOf, Judge } from '../scenario/judge.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { Reorder } from '../trace/in-order.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { EXIT } from '../verdict/verdict.ts';

/** What ended a run besides its own timeline. */
export type Ending = {
  readonly interrupted: boolean;
  /** The lab broke, whatever was seen until then. */
  readonly broken: boolean;
};

/** The same for a run under way and for the trace of an old one: equal events, equal verdicts. */
export class RunJudge {
  readonly #judge: Judge;
  readonly #reorder: Reorder;
  readonly #checks: readonly CheckName[];
  /** The first lines, until they tell whether there are islands: those hold for each of them. */
  #header: TraceEvent[] | undefined = [];
  #islands: IslandJudge | undefined;

  constructor(scenario: Pick<Scenario, 'checks'>) {
    this.#checks = checksFor(scenario);
    this.#judge = new Judge(this.#checks);
    this.#reorder = new Reorder((event) => this.#judge.event(event));
  }

  event(event: TraceEvent): void {
    if (this.#islands !== undefined) {
      this.#islands.event(event);
      return;
    }
    this.#reorder.push(event);
    this.#header?.push(event);
    if (event.type === 'crowd.declared' && event.islands > 1)
      this.#islands = new IslandJudge(this.#checks, this.#header ?? []);
    if (event.type !== 'run.began') this.#header = undefined;
  }

  /** Judgements and numbers of all that came in. Nothing may come after. */
  model({ interrupted, broken }: Ending): ReportModel {
    this.#reorder.end();
    this.#islands?.finish();
    const judgements = this.#islands?.judgements() ?? this.#judge.judgements();
    const analysis = this.#islands?.analysis ?? this.#judge.analysis;
    const facts = this.#islands?.crowd;
    const crowd = facts === undefined ? undefined : { facts, shownIsland: this.#islands?.shownIsland ?? 0 };
    const complete = analysis.complete && !interrupted && !broken;
    const judged = exitOf(judgements, complete);
    const exitCode = interrupted ? EXIT.interrupted : broken ? EXIT.harness : judged;
    return modelOf(analysis, judgements, { exitCode, complete, crowd });
  }
}
