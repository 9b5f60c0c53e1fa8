/** `relaylab links`: the profiles and faults there are; with `--selftest`, what they really do on this machine. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChaosError, FAMILIES, type Fault, PROFILES, parseFault, profileOf } from 'chaos-proxy';
import { bare, faultText, standardFaults } from '../links/effects.ts';
import { thisMachine } from '../links/machine.ts';
import { type SelfTest, selfTest } from '../links/selftest.ts';
import { selfTestTable } from '../links/table.ts';
import { colourWanted, painted } from '../report/paint.ts';
import { EXIT, type ExitCode } from '../verdict/verdict.ts';
import { UsageError } from './usage.ts';
import { VERSION } from './version.ts';

export type LinksFlags = {
  readonly selftest: boolean;
  readonly profile: string | undefined;
  readonly fault: readonly string[];
  readonly reports: string;
};

const ATTEMPTS = 3;
const WITHIN_MILLIS = 25_000;

/** What there is, with every parameter. */
export const linksList = (): string => {
  const profiles = Object.entries(PROFILES).flatMap(([name, { note, faults }]) => [
    `  ${name.padEnd(11)}${note}`,
    ...faults.map((fault) => `  ${' '.repeat(11)}  ${faultText(fault)}`),
  ]);
  const faults = Object.values(FAMILIES).flatMap(({ kind, note, attributes, example }) => [
    `  ${kind}: ${note}`,
    ...attributes.map(({ name, standard, note: words }) => `      ${name} [${standard}]: ${words}`),
    `      e.g. ${example}`,
  ]);
  return [
    'Profiles',
    ...profiles,
    '',
    'Faults (every one also takes direction, selector, when, forMillis: chaos-proxy --help)',
    ...faults,
    '',
    'relaylab links --selftest measures what they really do here.',
  ].join('\n');
};

/** @throws UsageError for a profile or a fault that is none */
export const faultsAsked = ({ profile, fault }: Pick<LinksFlags, 'profile' | 'fault'>): readonly Fault[] => {
  try {
    const asked = [...(profile === undefined ? [] : profileOf(profile).faults), ...fault.map(parseFault)];
    if (asked.length > 0) return asked.map(bare);
    if (profile !== undefined)
      throw new UsageError(`profile '${profile}' has no faults: there is nothing to measure.`);
    return standardFaults();
  } catch (error) {
    if (error instanceof ChaosError) throw new UsageError(error.message);
    throw error;
  }
};

const COLOURS = { ok: 'green', off: 'red', unclear: 'yellow' } as const;

/** One line that is written over, on a terminal only. */
const progressLine = (out: NodeJS.WriteStream): ((text: string) => void) =>
  out.isTTY === true && process.env.CI === undefined
    ? (text) => void out.write(`\r\u001b[K${text}`)
    : () => {};

const writeJson = (reports: string, test: SelfTest, startedAt: Date): string => {
  const folder = join(reports, 'links');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}.json`);
  const { idle, millis, results } = test;
  const whole = {
    format: 'relaylab-links/1',
    version: VERSION,
    machine: thisMachine(),
    startedAt,
    idle,
    millis,
    results,
  };
  // a number nobody could measure has no JSON
  const text = JSON.stringify(whole, (_key, value) => (Number.isNaN(value) ? null : value), 2);
  writeFileSync(file, `${text}\n`);
  return file;
};

/** @throws UsageError */
export const links = async (flags: LinksFlags): Promise<ExitCode> => {
  if (!flags.selftest) {
    if (flags.profile !== undefined || flags.fault.length > 0)
      throw new UsageError('--profile and --fault say what --selftest measures: add --selftest.');
    console.log(linksList());
    return EXIT.pass;
  }
  const faults = faultsAsked(flags);
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const progress = progressLine(process.stderr);
  const startedAt = new Date();
  progress(`measuring ${faults.length} effects`);
  const test = await selfTest(faults, {
    atOnce: 1,
    attempts: ATTEMPTS,
    withinMillis: WITHIN_MILLIS,
    signal: controller.signal,
    onDone: (result, done, of) => progress(`${done} of ${of}  ${result.effect}  ${result.standing}`),
  });
  progress('');
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  const paint = { colour: colourWanted(process.env, process.stdout.isTTY === true), utf8: true };
  const coloured = (word: string): string => {
    const colour = COLOURS[word as keyof typeof COLOURS];
    return colour === undefined ? word : painted(word, colour, paint);
  };
  console.log(selfTestTable(test, coloured));
  console.log(writeJson(flags.reports, test, startedAt));
  if (controller.signal.aborted) return EXIT.interrupted;
  return test.results.every(({ standing }) => standing === 'ok') ? EXIT.pass : EXIT.inconclusive;
};
