/** TEST ONLY: the tarball that `npm pack` of the root makes, from a copy of the repository. */
import { type ExecFileOptions, execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { ROOT, repositoryFiles } from '../tree.ts';

/** The test runner puts a loader into the environment of every child, whatever `env` it is given: `env -u` takes it out again. */
export const CLEAN = ['-u', 'NODE_OPTIONS'];
export const run = (program: string, args: readonly string[], options: ExecFileOptions) =>
  promisify(execFile)('env', [...CLEAN, program, ...args], { ...options, encoding: 'utf8' });
export const BIN = join(ROOT, 'node_modules', '.bin');
/** tap's own settings and npm's would change what the children do. */
export const plain = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|TAP|RELAYLAB)/i.test(name)),
);
/** Where the machine's own programs are. */
export const system = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'));
const pinnedFirst = { ...plain, PATH: [BIN, ...system].join(delimiter) };

/** Packing rewrites package.json for a moment: not under tests that run beside this one, so a copy is packed. @returns its path */
export const packed = async (t: Test, folder: string): Promise<string> => {
  const copy = join(folder, 'copy');
  for (const file of repositoryFiles()) cpSync(join(ROOT, file), join(copy, file));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const before = readFileSync(join(copy, 'package.json'), 'utf8');
  await run('npm', ['pack', '--pack-destination', folder], { cwd: copy, env: pinnedFirst });
  t.equal(readFileSync(join(copy, 'package.json'), 'utf8'), before, 'package.json is put back');
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
};
