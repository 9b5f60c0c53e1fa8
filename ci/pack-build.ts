/**
 * Compiles what `npm pack` ships into dist/, which mirrors the repository: programs, scenarios and the link, no tests. Runs on
 * Node 20 and newer afterwards. Called by `prepack`, in the folder that is packed.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { TEST_SUPPORT } from './layers.ts';
import { withoutComments } from './tree.ts';

const DIST = 'dist';
const OLDER_NODE = 'ci/older-node.ts';
/** Built-ins that Node 20 lacks and `ci/older-node.ts` supplies: where one is named, that file comes first. */
const NEWER = /\b(Promise\.withResolvers|Map\.groupBy)\b|\.getOrInsertComputed\(/;
/** What only our own proofs run. */
const PROOFS = ['harness/conformance/ours.ts'];
/** Built-ins that Node 20 lacks and nobody supplies: what names them must not be shipped. */
const TOO_NEW =
  /\b(Object\.groupBy|Array\.fromAsync|Promise\.try|RegExp\.escape|Error\.isError|Iterator\.from|import\.meta\.main|globSync|matchesGlob|(?<!getBuiltinModule(?:\?\.)?\(')node:sqlite)\b|\.(toHex|toBase64|isSubsetOf|isSupersetOf|isDisjointFrom|getOrInsert)\(|\b(fromHex|fromBase64)\(/;

/** Files that programs read beside themselves. */
const ASSETS = ['harness/labs/docker/host/Dockerfile', 'reference-impl/postcard-ts/vectors/*.json'];

/** Node 20's library and what `OLDER_NODE` supplies: what is newer does not compile. */
const LIBRARY = ['es2023', 'es2024.promise', 'es2024.collection', 'es2024.string', 'esnext.collection'];

const manifestOf = (folder: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

const relativeTo = (file: string, target: string): string => {
  const path = posix.relative(posix.dirname(file), target);
  return path.startsWith('.') ? path : `./${path}`;
};

/** Something a workspace exports: by which name it is imported, and which source that is. */
type Export = { readonly name: string; readonly entry: string };

const workspaceFolders = (): readonly string[] =>
  (manifestOf('.') as { readonly workspaces: readonly string[] }).workspaces;

/** The workspaces come along compiled, instead of from the registry. */
const workspaceExports = (): readonly Export[] =>
  workspaceFolders().flatMap((folder) => {
    const { name, exports } = manifestOf(folder) as {
      readonly name: string;
      readonly exports: Record<string, string>;
    };
    return Object.entries(exports).map(([key, path]) => ({
      name: posix.join(name, key),
      entry: posix.join(folder, path),
    }));
  });

/**
 * A compiled file as it is shipped: bundled workspaces by their place, programs that are started by their file as `.js`.
 * @param file where it lies in the repository, with the ending of the compiled form
 * @throws Error when it names what no Node 20 has
 * @param isSource whether a path in the repository is one of our sources
 */
export const shipped = (
  file: string,
  text: string,
  isSource: (path: string) => boolean,
  bundled: readonly Export[],
): string => {
  let js = text;
  for (const { name, entry } of bundled)
    for (const before of ['from ', 'import(', 'import.meta.resolve('])
      js = js.replaceAll(
        `${before}'${name}'`,
        `${before}'${relativeTo(file, entry.replace(/\.ts$/, '.js'))}'`,
      );
  if (!file.endsWith('.js')) return js;
  js = js.replace(/([\w./-]+)\.ts(?=['"`])/g, (whole, path: string) => {
    const beside = posix.join(posix.dirname(file), `${path}.ts`);
    return isSource(beside) || isSource(`${path}.ts`.replace(/^\//, '')) ? `${path}.js` : whole;
  });
  const tooNew = TOO_NEW.exec(withoutComments(js))?.[0];
  if (tooNew !== undefined)
    throw new Error(
      `${file} names ${tooNew}, which Node 20 lacks: write it otherwise, or supply it in ${OLDER_NODE}`,
    );
  if (!NEWER.test(js)) return js;
  const [first = '', ...rest] = js.split('\n');
  const load = `import '${relativeTo(file, OLDER_NODE.replace(/\.ts$/, '.js'))}';`;
  return (first.startsWith('#!') ? [first, load, ...rest] : [load, first, ...rest]).join('\n');
};

/** What a program reads its version from, and Node that its files are modules. */
const writeManifest = (folder: string): void => {
  const { name, version } = manifestOf(folder);
  mkdirSync(join(DIST, folder), { recursive: true });
  writeFileSync(join(DIST, folder, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`);
};

const compile = (bundled: readonly Export[]): void => {
  const config = 'tsconfig.pack.json';
  const paths = Object.fromEntries(bundled.map(({ name, entry }) => [name, [`./${entry}`]]));
  const emit = {
    rootDir: '.',
    outDir: DIST,
    target: 'es2022',
    lib: LIBRARY,
    sourceMap: false,
    declarationMap: false,
  };
  const settings = {
    extends: './tsconfig.build.base.json',
    compilerOptions: { ...emit, paths },
    include: ['harness', 'reference-impl', 'scenarios', OLDER_NODE],
    exclude: ['**/dist', '**/node_modules', '**/*.test.ts', '**/testing', ...PROOFS, ...TEST_SUPPORT],
  };
  writeFileSync(config, JSON.stringify(settings));
  try {
    execFileSync('tsc', ['-p', config], { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  } finally {
    rmSync(config);
  }
};

const build = (): void => {
  const bundled = workspaceExports();
  rmSync(DIST, { recursive: true, force: true });
  compile(bundled);
  const isSource = (path: string): boolean => !path.startsWith('..') && existsSync(path);
  for (const path of globSync(`${DIST}/**/*.{js,d.ts}`)) {
    const file = path.slice(DIST.length + 1).replaceAll('\\', '/');
    writeFileSync(path, shipped(file, readFileSync(path, 'utf8'), isSource, bundled));
  }
  for (const asset of globSync(ASSETS)) {
    mkdirSync(dirname(join(DIST, asset)), { recursive: true });
    copyFileSync(asset, join(DIST, asset));
  }
  for (const folder of ['.', ...workspaceFolders()]) writeManifest(folder);
};

if (import.meta.main) build();
