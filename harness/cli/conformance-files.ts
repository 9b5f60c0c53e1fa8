/** The files beside a target: what it declares of itself, and what is known to fail. Picked up where the command is typed. */
import { existsSync, readFileSync } from 'node:fs';
import { type BaselineEntry, readBaseline } from '../conformance/baseline/baseline.ts';
import type { Profile } from '../conformance/case.ts';
import { PROFILES } from '../conformance/suites/registry.ts';
import { type Capabilities, EVERYTHING, readCapabilities } from '../conformance/targets/capabilities.ts';
import { UsageError } from './usage.ts';

export const CAPABILITIES_FILE = 'relaylab.conformance.json';
export const BASELINE_FILE = 'relaylab.baseline.json';

/** Trouble with a file or a name that somebody gave: exit code 2, not a stack. */
export const given = <Value>(read: () => Value): Value => {
  try {
    return read();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

/** @throws UsageError */
export const readGiven = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}.`);
  }
};

/** Ids of every case there is: a baseline may hold those of several profiles. */
export const allCases = (): readonly string[] =>
  PROFILES.flatMap((profile) => profile.cases.map(({ name }) => `${profile.name}/${name}`));

/** `file` empty: there is none. */
export type Declared = { readonly file: string; readonly capabilities: Capabilities };
export type Known = { readonly file: string; readonly entries: readonly BaselineEntry[] };

/** @param file as `--capabilities` has it. @throws UsageError */
export const declaredBy = (profile: Profile, file: string | undefined): Declared => {
  const path = file ?? (existsSync(CAPABILITIES_FILE) ? CAPABILITIES_FILE : undefined);
  if (path === undefined) return { file: '', capabilities: EVERYTHING };
  const known = Object.keys(profile.capabilities);
  const capabilities = given(() => readCapabilities(readGiven(path), path, known, profile.name));
  if (capabilities.profile === undefined || capabilities.profile === profile.name)
    return { file: path, capabilities };
  if (file !== undefined)
    throw new UsageError(`${file} is about ${capabilities.profile}, and ${profile.name} is to be judged.`);
  return { file: '', capabilities: EVERYTHING };
};

/** Every entry of a baseline, those of other profiles included. @throws UsageError */
export const entriesOf = (file: string): readonly BaselineEntry[] =>
  given(() => readBaseline(readGiven(file), file, allCases()));

/** @param file as `--baseline` has it. @throws UsageError */
export const knownBy = (profile: Profile, file: string | undefined): Known => {
  const path = file ?? (existsSync(BASELINE_FILE) ? BASELINE_FILE : undefined);
  if (path === undefined) return { file: '', entries: [] };
  return {
    file: path,
    entries: entriesOf(path).filter((entry) => entry.case.startsWith(`${profile.name}/`)),
  };
};
