/** `relaylab conformance PROFILE`: the cases of a profile against somebody's program, and the verdict as exit code. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { compared } from '../conformance/baseline/baseline.ts';
import type { Profile } from '../conformance/case.ts';
import { Canary } from '../conformance/engine/canary.ts';
import { pathName } from '../conformance/engine/path.ts';
import { type GateFacts, type GateModel, gateOf } from '../conformance/gate.ts';
import type { CaseResult } from '../conformance/outcome.ts';
import { selected } from '../conformance/selection.ts';
import { PROFILES } from '../conformance/suites/registry.ts';
import { TargetError } from '../conformance/targets/target.ts';
import { renderGateGithub } from '../report/gate/gate-github.ts';
import { renderGateMarkdown } from '../report/gate/gate-markdown.ts';
import { writeGateReports } from '../report/gate/gate-reports.ts';
import { caseLine, renderGateEnd } from '../report/gate/gate-terminal.ts';
import { colourWanted, type Paint, utf8Wanted } from '../report/paint.ts';
import { EXIT, type ExitCode } from '../verdict/verdict.ts';
import { declaredBy, given, knownBy } from './conformance-files.ts';
import { targetKeyOf } from './conformance-key.ts';
import { pathsOf, type RunFlags, rerunOf, runAsked } from './conformance-run.ts';
import { refuseWrongTarget, targetText } from './conformance-target.ts';
import { interrupts } from './interrupts.ts';
import { shownPath } from './run-folder.ts';
import { oneOf, seed as readSeed, UsageError, unknown, whole } from './usage.ts';
import { VERSION } from './version.ts';

export type ConformanceFlags = RunFlags & {
  readonly role: 'server' | 'client' | undefined;
  readonly seed: number | undefined;
  /** Minutes for the whole run. */
  readonly limit: number;
  readonly reports: string;
  readonly out: string | undefined;
  readonly list: boolean;
};

/** `yamux --role client` is `yamux-client`. @throws UsageError */
const profileOf = (name: string, role: ConformanceFlags['role']): Profile => {
  const full = role === 'client' && !name.endsWith('-client') ? `${name}-client` : name;
  const found = PROFILES.find((profile) => profile.name === full);
  if (found === undefined)
    throw unknown(
      'profile',
      full,
      PROFILES.map((profile) => profile.name),
    );
  return found;
};

const list = (profile: Profile, names: ReadonlySet<string>): void => {
  for (const { name, clause, title } of profile.cases)
    if (names.has(`${profile.name}/${name}`))
      console.log(`${`${profile.name}/${name}`.padEnd(44)} ${clause.padEnd(14)} ${title}`);
};

const machineText = (): string =>
  `${platform()} ${arch()}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`;

/** What a run left, told in every form there is. @returns its exit code */
const told = (model: GateModel, flags: ConformanceFlags, paint: Paint): ExitCode => {
  const stamp = model.startedAt.slice(0, 19).replaceAll(':', '-');
  const folder = flags.out ?? join(flags.reports, 'conformance', model.profile, `${stamp}-${model.seed}`);
  let page: string;
  try {
    mkdirSync(folder, { recursive: true });
    page = writeGateReports(folder, model, (path, text) => writeFileSync(path, text));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `reports cannot be written to ${folder} (${code ?? error}). Give another folder with --reports.`,
    );
  }
  if (process.env.GITHUB_ACTIONS === 'true') for (const line of renderGateGithub(model)) console.log(line);
  const summary = process.env.GITHUB_STEP_SUMMARY ?? '';
  if (summary !== '') appendFileSync(summary, renderGateMarkdown(model));
  process.stdout.write(
    renderGateEnd(model, { ...paint, columns: process.stdout.columns ?? 96, report: shownPath(page) }),
  );
  return model.exitCode;
};

const partialOf = (how: {
  readonly interrupted: boolean;
  readonly lost: string;
  readonly late: boolean;
  readonly limit: number;
  readonly names: number;
  readonly cases: number;
}): string => {
  if (how.interrupted) return 'interrupted';
  if (how.lost !== '') return `the target did not come up again: ${how.lost.split('\n')[0]}`;
  if (how.late) return `the limit of ${how.limit} min was reached`;
  return how.names < how.cases ? `${how.names} of ${how.cases} cases were asked for` : '';
};

/** @throws UsageError for names, files and flags that are wrong */
export const conformance = async (name: string, flags: ConformanceFlags): Promise<ExitCode> => {
  const profile = profileOf(name, flags.role);
  const ids = profile.cases.map((item) => `${profile.name}/${item.name}`);
  const names = given(() => selected(profile.name, ids, flags.case));
  if (flags.list) {
    list(profile, names);
    return EXIT.pass;
  }
  refuseWrongTarget(profile, flags);
  const targetKey = targetKeyOf(profile, flags);
  const paths = pathsOf(profile, flags).map(pathName);
  const declared = declaredBy(profile, flags.capabilities);
  const known = knownBy(profile, flags.baseline);
  const paint = {
    colour: colourWanted(process.env, process.stdout.isTTY === true),
    utf8: utf8Wanted(process.env),
  };
  const seed = flags.seed ?? Date.now() & 0xffffff;
  const interrupt = interrupts();
  const late = AbortSignal.timeout(flags.limit * 60_000);
  const lost = new AbortController();
  const canary = new Canary();
  const began = performance.now();
  const startedAt = new Date();
  const everyLine = process.stdout.isTTY === true || process.env.CI === undefined;
  const results: CaseResult[] = [];
  let why = '';
  const done = (result: CaseResult): void => {
    results.push(result);
    if (everyLine || result.verdict !== 'pass') console.log(caseLine(result, paint));
  };
  for (const file of [declared.file, known.file]) if (file !== '') console.log(`using ${file}`);
  try {
    const signal = AbortSignal.any([interrupt.signal, late, lost.signal]);
    const { capabilities } = declared;
    await runAsked({ profile, flags, names, capabilities, targetKey, seed, canary, done, signal });
  } catch (error) {
    lost.abort();
    if (!(error instanceof TargetError)) throw error;
    why = error.message;
    console.error(`relaylab: ${why}`);
    if (results.length === 0) {
      console.error(`\nNothing was judged (exit ${EXIT.inconclusive}).`);
      return EXIT.inconclusive;
    }
  } finally {
    canary.stop();
    interrupt.done();
  }
  const interrupted = interrupt.signal.aborted;
  const counted = { names: names.size, cases: ids.length, limit: flags.limit };
  const facts: GateFacts = {
    ...{ profile: profile.name, target: targetText(flags), paths, jobs: flags.jobs, cases: ids.length },
    ...{ version: VERSION, node: process.version, machine: machineText() },
    ...{ capabilities: declared.file, baseline: known.file },
    seed: seed.toString(16).padStart(6, '0'),
    startedAt: startedAt.toISOString(),
    millis: Math.round(performance.now() - began),
    rerun: rerunOf(profile.name, flags, seed),
  };
  const today = facts.startedAt.slice(0, 10);
  const model = gateOf(facts, results, compared(known.entries, results, today), {
    partial: partialOf({ interrupted, lost: why, late: late.aborted, ...counted }),
    interrupted,
    cut: why !== '' || late.aborted,
  });
  return told(model, flags, paint);
};

/** Commander wants its own kind of error for a bad value. */
const parsed =
  <Value>(parse: (text: string) => Value) =>
  (text: string): Value => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };

const listed = (text: string, all: readonly string[] = []): readonly string[] => [
  ...all,
  ...text.split(',').filter((part) => part !== ''),
];

const EXITS = `
Exit codes: 0 every MUST that was judged holds, 1 one is broken, 2 usage, 3 the gate itself broke, 4 something could not be
judged (nothing is broken), 5 an entry of the baseline passes now or has expired, 130 interrupted.
relaylab.conformance.json and relaylab.baseline.json of the working folder are used when they are there.`;

/** Puts `conformance` on the command line. */
export const addConformanceCommand = (program: Command): void => {
  program
    .command('conformance')
    .description('judge another implementation, case by case')
    .argument('<profile>', `one of: ${PROFILES.map(({ name }) => name).join(', ')}`)
    .option(
      '--role <role>',
      'server or client, of a protocol whose ends are alike (yamux)',
      parsed(oneOf('role', ['server', 'client'] as const)),
    )
    .option(
      '--exec <command>',
      "start this program: './my-relay {port}'; a profile alone tells which {words} it may have",
    )
    .option('--image <words>', "run this image, with the words of its command: 'my-relay:1 serve {port}'")
    .option('--address <host:port>', 'judge a program that runs already')
    .option(
      '--pid <pid>',
      'and read from outside what this process of it holds',
      parsed(whole('--pid', 1, 2 ** 31)),
    )
    .option('--key <publickey>', 'who that program must be (identity-relay): its public key as base64url')
    .option('--ticket <file>', 'the same, by the ticket of a relay')
    .option('--case <ids>', 'these cases only: ids, prefixes or globs, with commas between', listed, [])
    .option('--link <profiles>', 'run each case over these link profiles, with commas between', listed, [])
    .option('--nat <presets>', 'and behind these NATs', listed, [])
    .option('--capabilities <file>', 'what the target declares of itself')
    .option('--baseline <file>', 'failures that are known')
    .option('--jobs <n>', 'cases at a time', parsed(whole('--jobs', 1, 64)), 8)
    .option('--limit <minutes>', 'for the whole run', parsed(whole('--limit', 1, 10_000)), 120)
    .option('--seed <hex>', 'decides everything that is drawn', parsed(readSeed))
    .option('--list', 'print the cases and run none', false)
    .option('--reports <folder>', 'where reports go, a folder a run', 'reports')
    .option('--out <folder>', 'write the reports of this run right here instead')
    .addHelpText('after', EXITS)
    .action(async (name: string, flags: ConformanceFlags) => {
      process.exitCode = await conformance(name, flags);
    });
};
