/** The files of this repository as the checks in ci/ read them: what is tracked, and what is new and not ignored. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

const git = (...args: readonly string[]): readonly string[] =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 })
    .split('\0')
    .filter((path) => path !== '');

/** Paths relative to the root, with `/`, sorted. A file removed but not yet committed is not there. */
export const repositoryFiles = (): readonly string[] =>
  [...new Set(git('ls-files', '-z', '-co', '--exclude-standard'))]
    .filter((path) => existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isFile())
    .sort();

/** Its text, or nothing for a file that is no text. */
export const textOf = (path: string): string | undefined => {
  const bytes = readFileSync(join(ROOT, path));
  return bytes.includes(0) ? undefined : bytes.toString('utf8');
};

export const isSource = (path: string): boolean => /\.(ts|mjs|js)$/.test(path);
export const isTest = (path: string): boolean => path.endsWith('.test.ts');

/** The same lines with comments blanked out. */
export const withoutComments = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1');

/**
 * What a source file imports, or starts by its place: paths relative to the root, names of packages, `node:` names.
 * @param path the file, relative to the root
 */
export const importsOf = (path: string, text: string): readonly string[] => {
  const statements = text.matchAll(/^(?:import|export)\b[^'"`;]*?\bfrom '([^'\n]+)'|^import '([^'\n]+)'/gm);
  const calls = text.matchAll(/\bimport\('([^'\n]+)'\)|\bnew URL\('([^'\n]+\.[tj]s)', import\.meta\.url\)/g);
  const programs = text.matchAll(/\bprogramFile\('([^'\n]+)', import\.meta\.url\)/g);
  const named = [...statements, ...calls].map((found) => (found[1] ?? found[2]) as string);
  const started = [...programs].map((found) => posix.join('.', `${found[1]}.ts`)).map((name) => `./${name}`);
  return [...new Set([...named, ...started])].map((name) =>
    name.startsWith('.') || name.endsWith('.ts') ? posix.join(dirname(path), name) : name,
  );
};
