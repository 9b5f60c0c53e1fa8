/** The last words of a run: what it proved on standard output, what went wrong with the lab itself on standard error. */
import { appendFileSync } from 'node:fs';
import { LabError } from '../labs/lab.ts';
import { renderGithub } from '../report/github.ts';
import { renderMarkdown } from '../report/markdown.ts';
import type { ReportModel } from '../report/model.ts';
import type { Paint } from '../report/paint.ts';
import { renderCiEnd, renderFailures, renderTerminal } from '../report/terminal.ts';

export type Told = {
  /** Path of report.html, as to be printed. */
  readonly report: string;
  /** Somebody watches: the summary for people. Else one line a check, and the paragraphs of those that failed. */
  readonly tty: boolean;
  readonly columns: number;
  readonly paint: Paint;
};

/** Prints the end of a run once, in the form that suits the place; the last line of standard output names the page. */
export const tellEnd = (
  model: ReportModel,
  { report, tty, columns, paint }: Told,
  env: NodeJS.ProcessEnv,
): void => {
  if (env.GITHUB_ACTIONS === 'true') for (const line of renderGithub(model)) console.log(line);
  const summary = env.GITHUB_STEP_SUMMARY;
  if (summary !== undefined && summary !== '') appendToSummary(summary, renderMarkdown(model));
  const text = tty
    ? renderTerminal(model, { ...paint, columns, report })
    : `${renderFailures(model, { ...paint, columns })}${renderCiEnd(model, report)}`;
  process.stdout.write(text);
};

const appendToSummary = (path: string, text: string): void => {
  try {
    appendFileSync(path, text);
  } catch (error) {
    console.error(`relaylab: the job summary could not be written: ${String(error)}`);
  }
};

/** Says that the lab broke. A LabError has a hint for people; anything else is a defect of ours and shows where. */
export const tellBroken = (error: unknown): void => {
  const what = error instanceof Error ? error.message : String(error);
  console.error(`relaylab: ${what}${error instanceof LabError ? '' : ' (a defect of relaylab)'}`);
  if (error instanceof LabError) console.error(`          ${error.hint}. Not the relay's fault.`);
  else if (error instanceof Error) console.error(error.stack);
};
