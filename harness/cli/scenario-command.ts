/** `relaylab scenario NAME`: one run or many seeds, reports, exit code. */
import { randomBytes } from 'node:crypto';
import { chooseLab, type LabChoice, type LinkChoice } from '../labs/choose.ts';
import { isPostgres, withoutPassword } from '../labs/database-url.ts';
import { planOf, seedText } from '../scenario/execute.ts';
import { planMistakes } from '../scenario/plan-check.ts';
import type { Options, Scenario } from '../scenario/scenario.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { EXIT, type ExitCode } from '../verdict/verdict.ts';
import { type Interrupts, interrupts } from './interrupts.ts';
import { runOnce } from './run-once.ts';
import { Screen } from './screen.ts';
import { tellBroken, tellEnd } from './tell.ts';
import { UsageError } from './usage.ts';

export type ScenarioFlags = {
  readonly lab: LabChoice;
  readonly links: LinkChoice;
  readonly seed: number | undefined;
  readonly seeds: number;
  readonly sites: number | undefined;
  readonly clients: number | undefined;
  readonly users: number | undefined;
  /** Measurement agents a site. */
  readonly agents: number | undefined;
  /** Nodes addressed by key a site. */
  readonly identity?: number | undefined;
  /** Seconds. */
  readonly duration: number | undefined;
  readonly relayExec: string | undefined;
  readonly agentExec: string | undefined;
  readonly serverExec: string | undefined;
  readonly db: string | undefined;
  readonly defect: string | undefined;
  readonly keep: boolean;
  readonly reports: string;
};

const shellWord = (text: string): string =>
  /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** The exact command that runs this again: what was chosen is written out, whatever chose it. */
export const rerunCommand = (
  name: string,
  options: Options,
  flags: Pick<ScenarioFlags, 'relayExec' | 'defect'> &
    Partial<Pick<ScenarioFlags, 'links' | 'agentExec' | 'serverExec' | 'db'>>,
  defaults: Scenario['defaults'],
): string => {
  const words = ['--lab', options.lab, '--seed', seedText(options.seed)];
  for (const key of ['sites', 'clients', 'users', 'agents', 'identity'] as const)
    if (options[key] !== defaults[key]) words.push(`--${key}`, String(options[key]));
  if (options.durationMillis !== defaults.durationMillis)
    words.push('--duration', String(options.durationMillis / 1000));
  if (flags.links !== undefined && flags.links !== 'stream') words.push('--links', flags.links);
  if (flags.relayExec !== undefined) words.push('--relay-exec', flags.relayExec);
  if (flags.agentExec !== undefined) words.push('--agent-exec', flags.agentExec);
  if (flags.serverExec !== undefined) words.push('--server-exec', flags.serverExec);
  if (flags.db !== undefined) words.push('--db', isPostgres(flags.db) ? withoutPassword(flags.db) : flags.db);
  if (flags.defect !== undefined) words.push('--defect', flags.defect);
  return `npm run scenario ${shellWord(name)} -- ${words.map(shellWord).join(' ')}`;
};

/** Whether what agents measure can be kept: the simulator needs no file, others the SQLite of Node 22.13 or somebody's server. */
const canStore = ({ db, serverExec }: ScenarioFlags, lab: Options['lab']): boolean =>
  lab === 'sim' ||
  db !== undefined ||
  serverExec !== undefined ||
  process.getBuiltinModule?.('node:sqlite') !== undefined;

/** Says that a run goes without the agents it would have. @throws UsageError where they are what the scenario is about */
const sayNoAgents = (
  name: string,
  { defaults, plan }: Scenario,
  flags: ScenarioFlags,
  options: Options,
): void => {
  if ((defaults.agents ?? 0) === 0 || flags.agents !== undefined || canStore(flags, options.lab)) return;
  const why = `Node ${process.versions.node} has no SQLite for what they measure: use Node 22.13 or newer`;
  if (plan(options).topology.relay === undefined)
    throw new UsageError(`${name} is about measurement agents. ${why}.`);
  console.error(`relaylab: no measurement agents. ${why}, or give --db postgres://...`);
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
  ...(defaults.agents === undefined
    ? {}
    : { agents: flags.agents ?? (canStore(flags, lab) ? defaults.agents : 0) }),
  ...(defaults.identity === undefined ? {} : { identity: flags.identity ?? defaults.identity }),
  durationMillis: flags.duration === undefined ? defaults.durationMillis : flags.duration * 1000,
});

/** What a scenario has no part for. @throws UsageError */
const refuseRoles = (name: string, { defaults, plan }: Scenario, flags: ScenarioFlags): void => {
  const measures = ['agents', 'agentExec', 'serverExec', 'db'] as const;
  if (defaults.agents === undefined && measures.some((flag) => flags[flag] !== undefined))
    throw new UsageError(
      `${name} has no measurement: --agents, --agent-exec, --server-exec and --db mean nothing to it.`,
    );
  if (defaults.identity === undefined && flags.identity !== undefined)
    throw new UsageError(`${name} has no nodes that are addressed by key: --identity means nothing to it.`);
  const options = optionsOf(flags, defaults, 'sim', 0);
  const relays = flags.relayExec !== undefined || flags.defect !== undefined;
  if (relays && plan(options).topology.relay === undefined)
    throw new UsageError(`${name} has no relay: --relay-exec and --defect mean nothing to it.`);
};

/** Above it a plan is dealt to islands, and a smaller one of the same scenario shows the same mistakes. */
const CHECKED_SITES_MAX = 1_000;

/** A plan that names what it does not have is its author's mistake, not the lab's. @throws UsageError with all of them */
const refuseMistakes = (name: string, scenario: Scenario, flags: ScenarioFlags): void => {
  const options = optionsOf(flags, scenario.defaults, 'sim', 0);
  const { relayExec, defect } = flags;
  const mistakes = planMistakes(
    planOf({
      ...{ scenario, relayExec, defect },
      options: { ...options, sites: Math.min(options.sites, CHECKED_SITES_MAX) },
    }),
  );
  if (mistakes.length > 0)
    throw new UsageError(
      `the plan of ${name} cannot be carried out:\n${mistakes.map((one) => `  ${one}`).join('\n')}`,
    );
};

/** @throws UsageError for a plan or a folder that cannot be used, LabError for a lab that cannot be had */
export const runScenario = async (
  name: string,
  scenario: Scenario,
  flags: ScenarioFlags,
): Promise<ExitCode> => {
  refuseRoles(name, scenario, flags);
  refuseMistakes(name, scenario, flags);
  const first = flags.seed ?? randomBytes(3).readUIntBE(0, 3);
  const interrupt = interrupts();
  try {
    const run = flags.seeds > 1 ? manySeeds : oneSeed;
    return await run(name, scenario, flags, first, interrupt);
  } finally {
    interrupt.done();
  }
};

const oneSeed = async (
  name: string,
  scenario: Scenario,
  flags: ScenarioFlags,
  seed: number,
  { signal }: Interrupts,
): Promise<ExitCode> => {
  const chosen = await chooseLab(flags.lab, flags.links);
  if (signal.aborted) return EXIT.interrupted;
  const options = optionsOf(flags, scenario.defaults, chosen.lab.name, seed);
  sayNoAgents(name, scenario, flags, options);
  const screen = new Screen(process.stdout, process.env);
  try {
    const { model, folder, broken } = await runOnce({
      ...{ scenario, chosen, options, flags, signal },
      rerun: rerunCommand(name, options, flags, scenario.defaults),
      heard: (event) => screen.event(event),
      // What a kept lab says of itself is asked for; what one that starts says is for whoever watches.
      progress: (text) => {
        if (screen.isTty || flags.keep) screen.say([`  ${text}`]);
      },
      tornDown: (millis) => screen.say([`  lab down in ${seconds(millis)} s`]),
    });
    screen.close();
    if (broken !== undefined) tellBroken(broken);
    if (signal.aborted) console.error('relaylab: interrupted: this is what was seen so far.');
    const { isTty: tty, columns, paint } = screen;
    tellEnd(model, { report: folder.html, tty, columns, paint }, process.env);
    return model.exitCode;
  } finally {
    screen.close();
  }
};

const seconds = (millis: number): string => (millis / 1000).toFixed(1);

/** How long a lab took to start and to go, in words; the simulator's says nothing. */
class Took {
  words = '';
  heard(event: TraceEvent): void {
    if (event.type === 'lab.started') this.words += `, ${event.sites} sites up in ${seconds(event.millis)} s`;
  }
  tornDown(millis: number): void {
    this.words += `, down in ${seconds(millis)} s`;
  }
}

/** Worst first: what a row of runs ends with. */
const WORST: readonly ExitCode[] = [EXIT.harness, EXIT.fail, EXIT.inconclusive];

/** Seed after seed, a line each; the worst exit code. Only the runs that did not pass leave a report. */
const manySeeds = async (
  name: string,
  scenario: Scenario,
  flags: ScenarioFlags,
  first: number,
  { signal }: Interrupts,
): Promise<ExitCode> => {
  const codes: ExitCode[] = [];
  for (let i = 0; i < flags.seeds && !signal.aborted; i++) {
    const chosen = await chooseLab(flags.lab, flags.links);
    const options = optionsOf(flags, scenario.defaults, chosen.lab.name, (first + i) >>> 0);
    const rerun = rerunCommand(name, options, flags, scenario.defaults);
    const startedAt = performance.now();
    const took = new Took();
    const one = { ...flags, keep: false };
    const { model, folder, broken } = await runOnce({
      ...{ scenario, chosen, options, flags: one, signal, rerun },
      heard: (event) => took.heard(event),
      progress: () => {},
      tornDown: (millis) => took.tornDown(millis),
    });
    if (signal.aborted) {
      folder.remove();
      break;
    }
    if (broken !== undefined) tellBroken(broken);
    const { exitCode } = model;
    codes.push(exitCode);
    const whole = seconds(performance.now() - startedAt);
    console.log(`seed ${seedText(options.seed)}  exit ${exitCode}  ${whole} s${took.words}`);
    if (exitCode === EXIT.pass) folder.remove();
    else {
      for (const { pin, judgement } of model.checks)
        if (pin !== '') console.log(`  ${pin} ${judgement.clause}: ${judgement.summary}`);
      if (model.partial) console.log(`  partial: ${model.partialWhy}`);
      console.log(`  again: ${rerun}\n  ${folder.html}`);
    }
  }
  const passed = codes.filter((code) => code === EXIT.pass).length;
  console.log(`${passed} of ${flags.seeds} seeds passed`);
  if (signal.aborted) return EXIT.interrupted;
  return WORST.find((code) => codes.includes(code)) ?? EXIT.pass;
};
