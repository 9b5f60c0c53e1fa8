/** `relaylab conformance PROFILE`: the cases of a profile against somebody's program, and the verdict as exit code. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { PROFILES as LINKS, type ProfileName } from 'chaos-proxy';
import { type BaselineEntry, compared, readBaseline } from '../conformance/baseline/baseline.ts';
import type { AdapterContext, Case, ClientContext, Profile, ServerContext } from '../conformance/case.ts';
import { Canary } from '../conformance/engine/canary.ts';
import { type PathSpec, pathName } from '../conformance/engine/path.ts';
import { runAdapterCases } from '../conformance/engine/run-adapter-cases.ts';
import { runClientCases } from '../conformance/engine/run-client-cases.ts';
import { runServerCases } from '../conformance/engine/run-server-cases.ts';
import { type GateModel, gateOf } from '../conformance/gate.ts';
import type { CaseResult } from '../conformance/outcome.ts';
import { selected } from '../conformance/selection.ts';
import { PROFILES } from '../conformance/suites/registry.ts';
import { addressServer } from '../conformance/targets/address-server.ts';
import { type Capabilities, EVERYTHING, readCapabilities } from '../conformance/targets/capabilities.ts';
import { execServer } from '../conformance/targets/exec-server.ts';
import { type ServerTarget, TargetError } from '../conformance/targets/target.ts';
import { PRESETS, type PresetName } from '../nat/presets.ts';
import { writeGateReports } from '../report/gate/gate-reports.ts';
import { caseLine, renderGateEnd } from '../report/gate/gate-terminal.ts';
import { colourWanted, utf8Wanted } from '../report/paint.ts';
import { EXIT, type ExitCode } from '../verdict/verdict.ts';
import { interrupts } from './interrupts.ts';
import { shownPath } from './run-folder.ts';
import { oneOf, UsageError, unknown } from './usage.ts';
import { VERSION } from './version.ts';

export type ConformanceFlags = {
  readonly role: 'server' | 'client' | undefined;
  readonly exec: string | undefined;
  readonly address: string | undefined;
  readonly case: readonly string[];
  readonly link: readonly string[];
  readonly nat: readonly string[];
  readonly capabilities: string | undefined;
  readonly baseline: string | undefined;
  readonly jobs: number;
  readonly seed: number | undefined;
  readonly reports: string;
  readonly list: boolean;
};

/** `yamux --role client` is `yamux-client`. */
const profileOf = (given: string, role: ConformanceFlags['role']): Profile => {
  const name = role === 'client' && !given.endsWith('-client') ? `${given}-client` : given;
  const found = PROFILES.find((profile) => profile.name === name);
  if (found === undefined)
    throw unknown(
      'profile',
      name,
      PROFILES.map((profile) => profile.name),
    );
  return found;
};

/** Trouble with a file or a name that somebody gave: exit code 2, not a stack. */
const given = <Value>(read: () => Value): Value => {
  try {
    return read();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

const linkNamed = oneOf('link profile', Object.keys(LINKS) as ProfileName[]);
const natNamed = oneOf('NAT preset', Object.keys(PRESETS) as PresetName[]);

/** Every link with every NAT; neither given: the direct path alone. */
const pathsOf = ({ link, nat }: ConformanceFlags): readonly PathSpec[] => {
  const links = link.length === 0 ? [undefined] : link.map(linkNamed);
  const nats = nat.length === 0 ? [undefined] : nat.map(natNamed);
  return links.flatMap((one) => nats.map((other) => ({ link: one, nat: other })));
};

const addressOf = (text: string): { readonly host: string; readonly port: number } => {
  const found = /^(.+):(\d{1,5})$/.exec(text);
  const port = Number(found?.[2]);
  if (found === null || port < 1 || port > 65_535)
    throw new UsageError(`--address ${text}: expected HOST:PORT.`);
  return { host: (found[1] as string).replace(/^\[|\]$/g, ''), port };
};

const serverOf = ({ exec, address }: ConformanceFlags): ServerTarget => {
  if (address !== undefined) return addressServer(addressOf(address));
  return execServer(exec as string);
};

const shellWord = (text: string): string =>
  /^[\w./:=,@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** What was asked for, as a command again; `only` one case on one path. */
const rerunOf = (
  profile: Profile,
  flags: ConformanceFlags,
  seed: number,
  only?: { readonly id: string; readonly path: PathSpec },
): string => {
  const words: string[] = [profile.name];
  if (flags.exec !== undefined) words.push('--exec', flags.exec);
  if (flags.address !== undefined) words.push('--address', flags.address);
  for (const one of only === undefined ? flags.case : [only.id]) words.push('--case', one);
  const links = only === undefined ? flags.link : (only.path.link ?? []);
  const nats = only === undefined ? flags.nat : (only.path.nat ?? []);
  if (links.length > 0) words.push('--link', [links].flat().join(','));
  if (nats.length > 0) words.push('--nat', [nats].flat().join(','));
  if (flags.capabilities !== undefined) words.push('--capabilities', flags.capabilities);
  words.push('--seed', seed.toString(16).padStart(6, '0'));
  return `relaylab conformance ${words.map(shellWord).join(' ')}`;
};

const refuseContradictions = (profile: Profile, flags: ConformanceFlags): void => {
  if (flags.exec === undefined && flags.address === undefined)
    throw new UsageError(
      profile.role === 'adapter'
        ? "what is to be judged? Give --exec './my-codec-adapter'."
        : `what is to be judged? Give --exec './my-program ${
            profile.role === 'server'
              ? '{port}'
              : Object.keys(profile.placeholders)
                  .map((name) => `{${name}}`)
                  .join(' ')
          }'${profile.role === 'server' ? ' or --address HOST:PORT' : ''}.`,
    );
  if (flags.exec !== undefined && flags.address !== undefined)
    throw new UsageError('--exec and --address are two ways to name one target: give one.');
  if (profile.role === 'client' && flags.exec === undefined)
    throw new UsageError(
      `${profile.name} judges a program that dials: each case must start it. Give --exec.`,
    );
  if (profile.role !== 'adapter') return;
  if (flags.exec === undefined)
    throw new UsageError(
      `${profile.name} judges a program that is talked to over its standard input. Give --exec.`,
    );
  if (flags.link.length > 0 || flags.nat.length > 0)
    throw new UsageError(
      `${profile.name} has no network: --link and --nat change nothing there. Leave them out.`,
    );
};

type Asked = {
  readonly profile: Profile;
  readonly flags: ConformanceFlags;
  readonly names: ReadonlySet<string>;
  readonly capabilities: Capabilities;
  readonly seed: number;
  readonly done: (result: CaseResult) => void;
  readonly signal: AbortSignal;
};

const resultsOf = async (asked: Asked, canary: Canary): Promise<readonly CaseResult[]> => {
  const { profile, flags, names, capabilities, seed, done, signal } = asked;
  const results: CaseResult[] = [];
  for (const path of pathsOf(flags)) {
    if (signal.aborted) break;
    const base = {
      surroundings: { capabilities, canary, seed },
      ...{ path, jobs: flags.jobs, done, signal },
      rerunOf: (id: string) => rerunOf(profile, flags, seed, { id, path }),
    };
    const wanted = <Context>(item: Case<Context>): boolean => names.has(`${profile.name}/${item.name}`);
    if (profile.role === 'server')
      results.push(
        ...(await runServerCases({
          ...base,
          profile,
          cases: profile.cases.filter((item: Case<ServerContext>) => wanted(item)),
          target: serverOf(flags),
        })),
      );
    else if (profile.role === 'adapter')
      results.push(
        ...(await runAdapterCases({
          ...base,
          profile,
          cases: profile.cases.filter((item: Case<AdapterContext>) => wanted(item)),
          command: flags.exec as string,
        })),
      );
    else
      results.push(
        ...(await runClientCases({
          ...base,
          profile,
          cases: profile.cases.filter((item: Case<ClientContext>) => wanted(item)),
          command: flags.exec as string,
        })),
      );
  }
  return results;
};

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}.`);
  }
};

/** @throws UsageError for names, files and flags that are wrong */
export const conformance = async (name: string, flags: ConformanceFlags): Promise<ExitCode> => {
  const profile = profileOf(name, flags.role);
  const ids = profile.cases.map((item) => `${profile.name}/${item.name}`);
  const names = given(() => selected(profile.name, ids, flags.case));
  if (flags.list) {
    for (const item of profile.cases)
      if (names.has(`${profile.name}/${item.name}`))
        console.log(`${`${profile.name}/${item.name}`.padEnd(44)} ${item.clause.padEnd(14)} ${item.title}`);
    return EXIT.pass;
  }
  refuseContradictions(profile, flags);
  const capabilities =
    flags.capabilities === undefined
      ? EVERYTHING
      : given(() =>
          readCapabilities(
            read(flags.capabilities as string),
            flags.capabilities as string,
            Object.keys(profile.capabilities),
          ),
        );
  const baseline: readonly BaselineEntry[] =
    flags.baseline === undefined
      ? []
      : given(() => readBaseline(read(flags.baseline as string), flags.baseline as string, ids));
  const paint = {
    colour: colourWanted(process.env, process.stdout.isTTY === true),
    utf8: utf8Wanted(process.env),
  };
  const seed = flags.seed ?? Date.now() & 0xffffff;
  const interrupt = interrupts();
  const canary = new Canary();
  const began = performance.now();
  const startedAt = new Date();
  const verbose = process.stdout.isTTY === true || process.env.CI === undefined;
  try {
    const asked: Asked = {
      ...{ profile, flags, names, capabilities, seed, signal: interrupt.signal },
      done: (result) => {
        if (verbose || result.verdict !== 'pass') console.log(caseLine(result, paint));
      },
    };
    const results = await resultsOf(asked, canary);
    const today = startedAt.toISOString().slice(0, 10);
    const interrupted = interrupt.signal.aborted;
    const partial = interrupted
      ? 'interrupted'
      : names.size < ids.length
        ? `${names.size} of ${ids.length} cases were asked for`
        : '';
    const [cpu] = cpus();
    const model: GateModel = gateOf(
      {
        profile: profile.name,
        target: flags.exec ?? flags.address ?? '',
        seed: seed.toString(16).padStart(6, '0'),
        version: VERSION,
        node: process.version,
        machine: `${platform()} ${arch()}, ${cpus().length} x ${cpu?.model ?? 'unknown CPU'}`,
        startedAt: startedAt.toISOString(),
        millis: Math.round(performance.now() - began),
        rerun: rerunOf(profile, flags, seed),
        paths: pathsOf(flags).map(pathName),
        jobs: flags.jobs,
      },
      results,
      compared(baseline, results, today),
      { partial, interrupted },
    );
    const folder = join(
      flags.reports,
      'conformance',
      profile.name,
      `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}-${model.seed}`,
    );
    mkdirSync(folder, { recursive: true });
    const report = writeGateReports(folder, model, (path, text) => writeFileSync(path, text));
    process.stdout.write(
      renderGateEnd(model, { ...paint, columns: process.stdout.columns ?? 96, report: shownPath(report) }),
    );
    return model.exitCode;
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    console.error(`relaylab: ${error.message}\n\nNothing was judged (exit ${EXIT.inconclusive}).`);
    return EXIT.inconclusive;
  } finally {
    canary.stop();
    interrupt.done();
  }
};
