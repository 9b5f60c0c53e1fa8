/** `relaylab scenario NAME`: one run, its report, its exit code. */
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { chooseLab, type LabChoice } from '../labs/choose.ts';
import { LabError } from '../labs/lab.ts';
import { renderGithub } from '../report/github.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { type ReportModel, reportModel } from '../report/model.ts';
import { renderCiEnd, renderTerminal } from '../report/terminal.ts';
import { execute, seedText } from '../scenario/execute.ts';
import { exitOf, Judge } from '../scenario/judge.ts';
import type { Options, Scenario } from '../scenario/scenario.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { EXIT, type ExitCode } from '../verdict/verdict.ts';
import { RunFolder } from './run-folder.ts';
import { Screen } from './screen.ts';
import { VERSION } from './version.ts';

export type ScenarioFlags = {
  readonly lab: LabChoice;
  readonly seed: number | undefined;
  readonly seeds: number;
  readonly sites: number | undefined;
  readonly clients: number | undefined;
  readonly users: number | undefined;
  /** Seconds. */
  readonly duration: number | undefined;
  readonly relayExec: string | undefined;
  readonly defect: string | undefined;
  readonly keep: boolean;
  readonly reports: string;
};

type Interrupt = { readonly signal: AbortSignal; readonly done: () => void };

/** First Ctrl-C (or SIGTERM) ends the run in order; the second ends the process, and agents and janitor clean up. */
const interrupts = (): Interrupt => {
  const controller = new AbortController();
  const heard = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', heard).on('SIGTERM', heard).on('SIGHUP', heard);
  return {
    signal: controller.signal,
    done: () => process.off('SIGINT', heard).off('SIGTERM', heard).off('SIGHUP', heard),
  };
};

const shellWord = (text: string): string =>
  /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** The exact command that runs this again: what was chosen is written out, whatever chose it. */
const rerunCommand = (
  name: string,
  options: Options,
  flags: ScenarioFlags,
  defaults: Scenario['defaults'],
): string => {
  const words = ['--lab', options.lab, '--seed', seedText(options.seed)];
  for (const key of ['sites', 'clients', 'users'] as const)
    if (options[key] !== defaults[key]) words.push(`--${key}`, String(options[key]));
  if (options.durationMillis !== defaults.durationMillis)
    words.push('--duration', String(options.durationMillis / 1000));
  if (flags.relayExec !== undefined) words.push('--relay-exec', flags.relayExec);
  if (flags.defect !== undefined) words.push('--defect', flags.defect);
  return `npm run scenario ${shellWord(name)} -- ${words.map(shellWord).join(' ')}`;
};

const optionsOf = (
  flags: ScenarioFlags,
  defaults: Scenario['defaults'],
  lab: Options['lab'],
  seed: number,
): Options => ({
  lab,
  seed,
  sites: flags.sites ?? defaults.sites,
  clients: flags.clients ?? defaults.clients,
  users: flags.users ?? defaults.users,
  durationMillis: flags.duration === undefined ? defaults.durationMillis : flags.duration * 1000,
});

export const runScenario = async (
  name: string,
  scenario: Scenario,
  flags: ScenarioFlags,
): Promise<ExitCode> => {
  const chosen = await chooseLab(flags.lab);
  const first = flags.seed ?? randomBytes(3).readUIntBE(0, 3);
  if (flags.seeds > 1) return manySeeds(name, scenario, flags, first);
  return oneRun(name, scenario, flags, optionsOf(flags, scenario.defaults, chosen.lab.name, first), chosen);
};

/** Seed after seed, a line each; the worst exit code. Only the runs that did not pass leave a report. */
const manySeeds = async (
  name: string,
  scenario: Scenario,
  flags: ScenarioFlags,
  first: number,
): Promise<ExitCode> => {
  const codes: ExitCode[] = [];
  const interrupt = interrupts();
  try {
    for (let i = 0; i < flags.seeds && !interrupt.signal.aborted; i++) {
      const chosen = await chooseLab(flags.lab);
      const options = optionsOf(flags, scenario.defaults, chosen.lab.name, (first + i) >>> 0);
      const judge = new Judge(scenario.checks);
      const events: TraceEvent[] = [];
      const startedAt = performance.now();
      const rerun = rerunCommand(name, options, flags, scenario.defaults);
      const sink = (event: TraceEvent): void => void events.push(event);
      const { relayExec, defect } = flags;
      const silent = { sink, signal: interrupt.signal, progress: () => {}, keep: false };
      await execute({ scenario, chosen, options, relayExec, defect, version: VERSION, rerun, ...silent });
      for (const event of events) judge.event(event);
      const judgements = judge.judgements();
      const exit = exitOf(judgements, judge.analysis.complete);
      codes.push(exit);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      const bad = judgements.filter(
        ({ level, verdict }) => level === 'MUST' && (verdict === 'fail' || verdict === 'inconclusive'),
      );
      const why = bad.map(({ clause, summary }) => `${clause}: ${summary}`).join('; ');
      console.log(
        `seed ${seedText(options.seed)}  exit ${exit}  ${seconds} s${why === '' ? '' : `  ${why}\n  again: ${rerun}`}`,
      );
    }
  } finally {
    interrupt.done();
  }
  const passed = codes.filter((code) => code === EXIT.pass).length;
  console.log(`${passed} of ${flags.seeds} seeds passed`);
  if (interrupt.signal.aborted) return EXIT.interrupted;
  return codes.find((code) => code === EXIT.fail) ?? codes.find((code) => code !== EXIT.pass) ?? EXIT.pass;
};

const oneRun = async (
  name: string,
  scenario: Scenario,
  flags: ScenarioFlags,
  options: Options,
  chosen: Awaited<ReturnType<typeof chooseLab>>,
): Promise<ExitCode> => {
  const folder = new RunFolder(flags.reports, scenario.name, seedText(options.seed), new Date());
  const screen = new Screen(process.stdout, process.env);
  const events: TraceEvent[] = [];
  const sink = (event: TraceEvent): void => {
    events.push(event);
    folder.write(event);
    screen.event(event);
  };
  const interrupt = interrupts();
  let broken: unknown;
  try {
    await execute({
      scenario,
      chosen,
      options,
      relayExec: flags.relayExec,
      defect: flags.defect,
      version: VERSION,
      rerun: rerunCommand(name, options, flags, scenario.defaults),
      sink,
      signal: interrupt.signal,
      progress: (text) => {
        if (screen.isTty) screen.say([`  ${text}`]);
      },
      keep: flags.keep,
    });
  } catch (error) {
    broken = error;
  } finally {
    interrupt.done();
    screen.close();
  }
  await folder.close();
  const model = judged(scenario, events, interrupt.signal.aborted, broken);
  folder.report(model);
  tell(model, screen, folder, broken, interrupt.signal.aborted);
  return model.exitCode;
};

/** The model of a run's events, whatever ended it. */
export const judged = (
  scenario: Scenario,
  events: readonly TraceEvent[],
  interrupted: boolean,
  broken: unknown,
): ReportModel => {
  const judge = new Judge(scenario.checks);
  for (const event of [...events].sort((a, b) => a.t - b.t)) judge.event(event);
  const judgements = judge.judgements();
  const complete = judge.analysis.complete && !interrupted && broken === undefined;
  const exitCode = interrupted
    ? EXIT.interrupted
    : broken !== undefined
      ? EXIT.harness
      : exitOf(judgements, complete);
  return reportModel(events, judgements, { exitCode, complete });
};

const tell = (
  model: ReportModel,
  screen: Screen,
  folder: RunFolder,
  broken: unknown,
  interrupted: boolean,
): void => {
  if (broken !== undefined && !interrupted) {
    const lab = broken instanceof LabError;
    console.error(`relaylab: ${broken instanceof Error ? broken.message : String(broken)}`);
    console.error(
      lab ? `          ${broken.hint}. Not the relay's fault.` : broken instanceof Error ? broken.stack : '',
    );
  }
  if (process.env.GITHUB_ACTIONS === 'true') for (const line of renderGithub(model)) console.log(line);
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary !== undefined) appendFileSync(summary, renderMarkdown(model));
  if (screen.isTty)
    console.log(renderTerminal(model, { ...screen.paint, columns: screen.columns, report: folder.html }));
  else {
    console.log(renderTerminal(model, { ...screen.paint, columns: 96, report: folder.html }));
    console.log(renderCiEnd(model, folder.html));
  }
};
