/** Which test files may run side by side, and which want the machine for themselves. */
import { globSync } from 'node:fs';
import { matchesGlob, relative, resolve, sep } from 'node:path';

const TESTS = ['ci', 'harness', 'reference-impl', 'scenarios'].map((house) => `${house}/**/*.test.ts`);

/** They start programs, browsers or installations and mostly wait for them: two at a time, with minutes to finish. */
export const PATIENT: readonly string[] = [
  'ci/**/*.integration.test.ts',
  'harness/bench/**/*.integration.test.ts',
  'harness/cli/conformance.integration.test.ts',
  'harness/conformance/{engine,targets}/*.integration.test.ts',
  'harness/conformance/mutants/postcard/*.integration.test.ts',
  'harness/conformance/own.integration.test.ts',
  'harness/report/**/*.integration.test.ts',
  'reference-impl/agent/outputs/postgres/*.integration.test.ts',
  'reference-impl/agent/{bin,relay}/*.integration.test.ts',
  'reference-impl/identity-relay/hostile.integration.test.ts',
  'reference-impl/identity-relay/bin/stnode.integration.test.ts',
];

/** They start labs and namespaces, and judge by the clock: one after the other, after all the rest, with minutes to finish. */
export const ALONE: readonly string[] = [
  'harness/labs/**/*.integration.test.ts',
  'harness/nat/{kernel,parity}.integration.test.ts',
  'harness/cli/cli.integration.test.ts',
  'harness/conformance/mutants/mutants.integration.test.ts',
  'scenarios/**/*.integration.test.ts',
];

export type Group = {
  readonly name: string;
  readonly files: readonly string[];
  /** Test files at a time. */
  readonly jobs: number;
  /** For one file. */
  readonly timeoutSeconds: number;
};

const SIDE_BY_SIDE = { name: 'side by side', jobs: 2, timeoutSeconds: 120 };
const TWO_AT_A_TIME = { name: 'two at a time', jobs: 2, timeoutSeconds: 600 };
const ONE_BY_ONE = { name: 'one by one', jobs: 1, timeoutSeconds: 600 };

const isOneOf = (file: string, globs: readonly string[]): boolean =>
  globs.some((glob) => matchesGlob(file, glob));

/** Every test file is in just one group. @param root the repository's folder */
export const testGroups = (root: string): readonly Group[] => {
  const files = globSync(TESTS, { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] }).sort();
  return [
    { ...SIDE_BY_SIDE, files: files.filter((file) => !isOneOf(file, PATIENT) && !isOneOf(file, ALONE)) },
    { ...TWO_AT_A_TIME, files: files.filter((file) => isOneOf(file, PATIENT)) },
    { ...ONE_BY_ONE, files: files.filter((file) => isOneOf(file, ALONE)) },
  ];
};

/** What was asked for on the command line: the groups with the files named (all of them if none is), and options for tap. */
export type Asked = { readonly groups: readonly Group[]; readonly options: readonly string[] };

/** @throws Error when something that looks like a path is no test file and holds none */
export const asked = (root: string, args: readonly string[]): Asked => {
  const groups = testGroups(root);
  const below = (path: string, file: string): boolean => file === path || file.startsWith(`${path}/`);
  const options: string[] = [];
  const paths: string[] = [];
  for (const arg of args) {
    const path = relative(root, resolve(root, arg)).replaceAll(sep, '/');
    if (!arg.startsWith('-') && groups.some(({ files }) => files.some((file) => below(path, file))))
      paths.push(path);
    else if (/^[^-].*(\/|\.ts$)/.test(arg)) throw new Error(`no test file is called ${arg} or lies in it`);
    else options.push(arg);
  }
  const wanted = (file: string): boolean => paths.length === 0 || paths.some((path) => below(path, file));
  return {
    groups: groups
      .map((group) => ({ ...group, files: group.files.filter(wanted) }))
      .filter(({ files }) => files.length > 0),
    options,
  };
};
