/** `relaylab baseline update`: writes what is known to fail from the report of a run. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type BaselineEntry, updated } from '../conformance/baseline/baseline.ts';
import type { GateModel } from '../conformance/gate.ts';
import { PROFILES } from '../conformance/suites/registry.ts';
import { GATE_FORMAT } from '../report/gate/gate-reports.ts';
import { EXIT } from '../verdict/verdict.ts';
import { BASELINE_FILE, entriesOf } from './conformance-files.ts';
import { oneOf, UsageError } from './usage.ts';

export type BaselineFlags = {
  readonly profile: string | undefined;
  readonly baseline: string;
  readonly owner: string;
  readonly expires: string | undefined;
  readonly reason: string;
  readonly link: string;
  readonly reports: string;
};

/** An entry lives this long unless told otherwise: long enough to mend it, short enough not to be forgotten. */
const DAYS = 60;
const DAY_MILLIS = 86_400_000;

const inDays = (days: number): string => new Date(Date.now() + days * DAY_MILLIS).toISOString().slice(0, 10);

const foldersIn = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : []);

/** The newest of its kind: folders are named by time. @throws UsageError */
const newestReport = ({ reports, profile }: BaselineFlags): string => {
  const all = join(reports, 'conformance');
  const [newest] = (profile === undefined ? foldersIn(all) : [profile])
    .flatMap((name) =>
      foldersIn(join(all, name)).map((run) => ({ run, file: join(all, name, run, 'report.json') })),
    )
    .filter(({ file }) => existsSync(file))
    .sort((one, other) => (one.run < other.run ? 1 : -1));
  if (newest === undefined)
    throw new UsageError(
      `there is no report of ${profile ?? 'any profile'} in ${all}. Run relaylab conformance first, or name a report.json.`,
    );
  return newest.file;
};

/** @throws UsageError for a file that is no report of the gate */
export const readReport = (file: string): GateModel => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as a report: ${(error as Error).message}`);
  }
  const format = (parsed as { readonly format?: unknown } | null)?.format;
  if (format !== GATE_FORMAT)
    throw new UsageError(`${file} is no report of the gate: expected format ${GATE_FORMAT}, got ${format}.`);
  return parsed as GateModel;
};

const difference = (from: readonly BaselineEntry[], without: readonly BaselineEntry[]) =>
  from.filter((entry) => !without.some((other) => other.case === entry.case));

/** @param report undefined: the newest. @throws UsageError */
export const updateBaseline = (report: string | undefined, flags: BaselineFlags): void => {
  const file = report ?? newestReport(flags);
  const model = readReport(file);
  const before = existsSync(flags.baseline) ? entriesOf(flags.baseline) : [];
  const expires = flags.expires ?? inDays(DAYS);
  const after = updated(before, model.rows, {
    ...{ owner: flags.owner, reason: flags.reason, link: flags.link, expires },
  });
  writeFileSync(flags.baseline, `${JSON.stringify(after, undefined, 2)}\n`);
  for (const entry of difference(after, before)) console.log(`+ ${entry.case}  ${entry.reason}`);
  for (const entry of difference(before, after)) console.log(`- ${entry.case}  passes now`);
  const expired = after.filter((entry) => entry.expires < inDays(0));
  for (const entry of expired)
    console.log(`! ${entry.case}  expired on ${entry.expires} and still fails: give it another day by hand`);
  console.log(
    `${flags.baseline}: ${after.length} ${after.length === 1 ? 'entry' : 'entries'}, from ${file}${model.partial === '' ? '' : ` (partial: ${model.partial})`}`,
  );
};

const day = (text: string): string => {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError(`expected a day like ${inDays(DAYS)}`);
  return text;
};

const profileName = (text: string): string => {
  try {
    return oneOf(
      'profile',
      PROFILES.map(({ name }) => name),
    )(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

/** Puts `baseline` on the command line. */
export const addBaselineCommand = (program: Command): void => {
  program
    .command('baseline')
    .description('write down what is known to fail')
    .argument('<what>', 'update')
    .argument('[report]', 'report.json of a run (default: the newest)')
    .option('--profile <name>', 'the newest run of this profile', profileName)
    .option('--baseline <file>', 'the list', BASELINE_FILE)
    .requiredOption('--owner <name>', 'who sees to the new entries')
    .option('--expires <day>', `the last day on which they count (default: in ${DAYS} days)`, day)
    .option('--reason <text>', 'why they fail (default: what came)', '')
    .option('--link <url>', 'where that is worked on', '')
    .option('--reports <folder>', 'where reports are', 'reports')
    .action((what: string, report: string | undefined, flags: BaselineFlags) => {
      if (what !== 'update') throw new UsageError(`baseline ${what}: there is only baseline update.`);
      updateBaseline(report, flags);
      process.exitCode = EXIT.pass;
    });
};
