/** TEST ONLY: the tarballs that `npm pack` of the root and of the workspaces to publish makes, from copies. */
import { type ExecFileOptions, execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { basename, delimiter, join } from 'node:path';
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
/** The machine's own Node, as a program, if it is not only ours that is here. */
export const OWN_NODE: readonly string[] = system
  .map((folder) => join(folder, 'node'))
  .filter((file) => existsSync(file))
  .slice(0, 1);
const pinnedFirst = { ...plain, PATH: [BIN, ...system].join(delimiter) };

/** Packing rewrites package.json for a moment: not under tests that run beside this one, so only copies are packed. */
const pack = async (t: Test, cwd: string, folder: string): Promise<string> => {
  const before = readFileSync(join(cwd, 'package.json'), 'utf8');
  await run('npm', ['pack', '--pack-destination', folder], { cwd, env: pinnedFirst });
  t.equal(readFileSync(join(cwd, 'package.json'), 'utf8'), before, 'package.json is put back');
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
};

/**
 * The root's modules, but the copy's own workspaces: the compiler takes a type of a workspace that lies elsewhere for one of a
 * stranger, and forgives what it refuses in a checkout.
 */
const linkModules = (folder: string): void => {
  const modules = join(ROOT, 'node_modules');
  mkdirSync(folder);
  for (const name of readdirSync(modules)) {
    const from = join(modules, name);
    const link = lstatSync(from).isSymbolicLink() ? readlinkSync(from) : from;
    symlinkSync(link, join(folder, name));
  }
};

/** Packs the root. @returns the tarball's path, in `folder` */
export const packed = (t: Test, folder: string): Promise<string> => {
  const copy = join(folder, 'copy');
  for (const file of repositoryFiles()) cpSync(join(ROOT, file), join(copy, file));
  linkModules(join(copy, 'node_modules'));
  return pack(t, copy, folder);
};

/** What a workspace needs of the root to be built. */
const BUILT_WITH = ['tsconfig.json', 'tsconfig.build.base.json', 'package.json', 'ci/pack-manifest.ts'];

/**
 * Packs a workspace and unpacks it in `folder/app/node_modules`, as `npm install` of the tarball would.
 * @param workspace its folder in the repository
 * @returns where it is installed
 */
export const installedWorkspace = async (t: Test, folder: string, workspace: string): Promise<string> => {
  const built = join(folder, 'build');
  for (const file of BUILT_WITH) cpSync(join(ROOT, file), join(built, file));
  symlinkSync(join(ROOT, 'node_modules'), join(built, 'node_modules'));
  const below = `${workspace}/`;
  for (const file of repositoryFiles())
    if (file.startsWith(below)) cpSync(join(ROOT, file), join(built, file));
  const tarball = await pack(t, join(built, workspace), folder);
  const installed = join(folder, 'app', 'node_modules', basename(workspace));
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'], {});
  return installed;
};
