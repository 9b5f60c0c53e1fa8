/** `relaylab judge TRACE`: an old trace judged again, with the checks as they are now. */
import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { colourWanted, utf8Wanted } from '../report/paint.ts';
import type { TraceEvent } from '../trace/trace.ts';
import type { ExitCode } from '../verdict/verdict.ts';
import { shownPath, writeReport } from './run-folder.ts';
import { RunJudge } from './run-judge.ts';
import { loadScenario } from './scenario-files.ts';
import { tellEnd } from './tell.ts';
import { UsageError } from './usage.ts';

/** So many lines that are no events are told one by one. */
const STRAYS_TOLD_MAX = 5;
/** `run.began` is the first line of a trace; further down nobody looks for it. */
const BEGAN_LINES_MAX = 1_000;

/** @returns undefined when this line is no event */
const eventOf = (line: string): TraceEvent | undefined => {
  try {
    const event = JSON.parse(line) as Partial<TraceEvent> | null;
    const whole =
      typeof event?.t === 'number' && typeof event.who === 'string' && typeof event.type === 'string';
    return whole ? (event as TraceEvent) : undefined;
  } catch {
    return undefined;
  }
};

/** The events of a trace, one by one. @throws UsageError when the file cannot be read */
async function* readTrace(path: string): AsyncGenerator<TraceEvent> {
  const input = createReadStream(path, 'utf8');
  let failed: NodeJS.ErrnoException | undefined;
  input.once('error', (error) => {
    failed = error;
  });
  let n = 0;
  let strays = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      n++;
      if (line === '') continue;
      const event = eventOf(line);
      if (event !== undefined) yield event;
      // A run that was killed leaves half a line at its end; anywhere else it is damage worth telling.
      else if (++strays <= STRAYS_TOLD_MAX)
        console.error(`relaylab: ${path}:${n} is no event of a trace and was left out`);
    }
  } catch (error) {
    failed ??= error as NodeJS.ErrnoException;
  }
  if (failed !== undefined)
    throw new UsageError(`${path}: cannot be read (${failed.code}). Give the trace.ndjson of a run.`);
  if (strays > STRAYS_TOLD_MAX) console.error(`relaylab: ${strays} lines were left out in all`);
}

/**
 * Writes the reports beside the trace and says the verdict.
 * @param scenarioName whose checks to use; undefined: the scenario the trace names
 * @throws UsageError when this is no trace
 */
export const judgeTrace = async (path: string, scenarioName: string | undefined): Promise<ExitCode> => {
  let judge = scenarioName === undefined ? undefined : new RunJudge(await loadScenario(scenarioName));
  const early: TraceEvent[] = [];
  let seen = 0;
  for await (const event of readTrace(path)) {
    seen++;
    if (judge === undefined && event.type === 'run.began') {
      judge = new RunJudge(await loadScenario(event.scenario));
      for (const before of early) judge.event(before);
    }
    if (judge !== undefined) judge.event(event);
    else if (early.push(event) > BEGAN_LINES_MAX) break;
  }
  if (judge === undefined || seen === 0)
    throw new UsageError(
      seen === 0
        ? `${path}: no event in it. Give the trace.ndjson of a run.`
        : `${path}: no run.began in it. Is this a trace.ndjson? Name the scenario with --scenario.`,
    );
  const model = judge.model({ interrupted: false, broken: false });
  const folder = dirname(path);
  writeReport(folder, model);
  const { stdout, env } = process;
  const tty = stdout.isTTY === true;
  const paint = { colour: colourWanted(env, tty), utf8: utf8Wanted(env) };
  const report = shownPath(join(folder, 'report.html'));
  tellEnd(model, { report, tty, columns: stdout.columns ?? 96, paint }, env);
  return model.exitCode;
};
