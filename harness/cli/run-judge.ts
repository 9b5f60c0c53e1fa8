/** A trace on its way to a report: put in order, judged and counted while it comes in, so that none of it need be kept. */
import { modelOf, type ReportModel } from '../report/model.ts';
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

  constructor(scenario: Pick<Scenario, 'checks'>) {
    this.#judge = new Judge(checksFor(scenario));
    this.#reorder = new Reorder((event) => this.#judge.event(event));
  }

  event(event: TraceEvent): void {
    this.#reorder.push(event);
  }

  /** Judgements and numbers of all that came in. Nothing may come after. */
  model({ interrupted, broken }: Ending): ReportModel {
    this.#reorder.end();
    const judgements = this.#judge.judgements();
    const { analysis } = this.#judge;
    const complete = analysis.complete && !interrupted && !broken;
    const judged = exitOf(judgements, complete);
    const exitCode = interrupted ? EXIT.interrupted : broken ? EXIT.harness : judged;
    return modelOf(analysis, judgements, { exitCode, complete });
  }
}
