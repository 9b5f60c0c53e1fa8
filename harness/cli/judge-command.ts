/** `relaylab judge TRACE`: an old trace judged again, with the checks as they are now. */
import { createReadStream } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { colourWanted, utf8Wanted } from '../report/paint.ts';
import { renderTerminal } from '../report/terminal.ts';
import type { TraceEvent } from '../trace/trace.ts';
import type { ExitCode } from '../verdict/verdict.ts';
import { writeReport } from './run-folder.ts';
import { judged } from './scenario-command.ts';
import { loadScenario } from './scenario-files.ts';
import { UsageError } from './usage.ts';

/** @throws UsageError when this is no trace */
const readTrace = async (path: string): Promise<readonly TraceEvent[]> => {
  const events: TraceEvent[] = [];
  let n = 0;
  const input = createReadStream(path, 'utf8');
  const failed = new Promise<never>((_resolve, reject) => {
    input.once('error', (error: NodeJS.ErrnoException) =>
      reject(new UsageError(`${path}: cannot be read (${error.code}). Give the trace.ndjson of a run.`)),
    );
  });
  const read = async (): Promise<void> => {
    for await (const line of createInterface({ input })) {
      n++;
      if (line === '') continue;
      try {
        events.push(JSON.parse(line) as TraceEvent);
      } catch {
        // A run that was killed leaves half a line at its end; anywhere else it is damage worth telling.
        console.error(`relaylab: ${path}:${n} is no JSON and was left out`);
      }
    }
  };
  await Promise.race([read(), failed]);
  return events;
};

export const judgeTrace = async (path: string, scenarioName: string | undefined): Promise<ExitCode> => {
  const events = await readTrace(path);
  const began = events.find((event) => event.type === 'run.began');
  const name = scenarioName ?? (began?.type === 'run.began' ? began.scenario : undefined);
  if (name === undefined)
    throw new UsageError(
      `${path}: no run.began in it. Is this a trace.ndjson? Name the scenario with --scenario.`,
    );
  const model = judged(await loadScenario(name), events, false, undefined);
  const folder = dirname(path);
  writeReport(folder, model);
  const paint = {
    colour: colourWanted(process.env, process.stdout.isTTY === true),
    utf8: utf8Wanted(process.env),
  };
  const report = relative(process.cwd(), join(folder, 'report.html'));
  console.log(renderTerminal(model, { ...paint, columns: process.stdout.columns ?? 96, report }));
  return model.exitCode;
};
