/** One run from its options to its model: the lab, the trace file, the judge and the screen, fed event by event. */
import { join } from 'node:path';
import type { Chosen } from '../labs/choose.ts';
import type { ReportModel } from '../report/model.ts';
import { execute, seedText } from '../scenario/execute.ts';
import type { Options, Scenario } from '../scenario/scenario.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { RunFolder } from './run-folder.ts';
import { RunJudge } from './run-judge.ts';
import type { ScenarioFlags } from './scenario-command.ts';
import { VERSION } from './version.ts';

export type OnceRequest = {
  readonly scenario: Scenario;
  readonly chosen: Chosen;
  readonly options: Options;
  readonly flags: Pick<ScenarioFlags, 'relayExec' | 'defect' | 'keep' | 'reports'> &
    Partial<Pick<ScenarioFlags, 'agentExec' | 'serverExec' | 'db'>>;
  /** The exact command that runs this again. */
  readonly rerun: string;
  readonly signal: AbortSignal;
  readonly heard: (event: TraceEvent) => void;
  readonly progress: (text: string) => void;
  /** Called when the lab is gone, with how long that took (milliseconds). */
  readonly tornDown: (millis: number) => void;
};

export type Once = {
  readonly model: ReportModel;
  readonly folder: RunFolder;
  /** What broke the lab; undefined: nothing did, or somebody interrupted it. */
  readonly broken: unknown;
};

/** Leaves trace and reports in the run's folder, whatever ended the run. @throws UsageError, LabError when they cannot be written */
export const runOnce = async (request: OnceRequest): Promise<Once> => {
  const { scenario, chosen, options, flags, rerun, signal, heard, progress, tornDown } = request;
  const folder = new RunFolder(flags.reports, scenario.name, seedText(options.seed), new Date());
  const judge = new RunJudge(scenario);
  const sink = (event: TraceEvent): void => {
    folder.write(event);
    judge.event(event);
    heard(event);
  };
  const { relayExec, defect, keep, agentExec, serverExec, db } = flags;
  let broken: unknown;
  try {
    await execute({
      ...{ scenario, chosen, options, relayExec, defect, version: VERSION, rerun },
      ...{ sink, signal, progress, keep, tornDown, measurement: { agentExec, serverExec, db } },
      linkRecord: join(flags.reports, 'links', 'trusted.json'),
    });
  } catch (error) {
    if (!signal.aborted) broken = error;
  }
  folder.close();
  const model = judge.model({ interrupted: signal.aborted, broken: broken !== undefined });
  folder.report(model);
  return { model, folder, broken };
};
