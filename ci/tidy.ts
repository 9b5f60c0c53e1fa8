/** The rules of the house that a machine can read. Each takes one file and says what is wrong with it, in words to act on. */
import { basename, dirname } from 'node:path';
import { isTestSupport, LAYERS, rowOf } from './layers.ts';
import { isSource, isTest, withoutComments } from './tree.ts';

/** @returns one line for each breach: `path:line what, and what to do` */
export type Rule = (path: string, text: string) => readonly string[];

const LINES_MAX = 400;
const README_LINES = { min: 8, max: 40 } as const;
export const README_HEADINGS = ['What it does', 'Start here', 'Files', 'May import', 'Spec'] as const;

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** A breach for every match of a pattern. */
const hits = (path: string, text: string, pattern: RegExp, advice: string): readonly string[] =>
  [
    ...text.matchAll(new RegExp(pattern, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`)),
  ].map((found) => `${path}:${lineOf(text, found.index)} \`${found[0].trim()}\`: ${advice}`);

/** Layers that may import no built-in hold machines: no clock, timer, chance or process either; the simulator neither. */
const isSansIo = (path: string): boolean => {
  if (!path.endsWith('.ts') || isTest(path) || isTestSupport(path)) return false;
  if (/^reference-impl\/drivers\/sim/.test(path)) return true;
  const row = rowOf(path, LAYERS);
  return row !== undefined && !(LAYERS[row] ?? []).some((entry) => entry.startsWith('node:'));
};

/** Patterns are put together from pieces, so that this file does not break its own rules. */
const joined = (...pieces: readonly string[]): string => pieces.join('');
const LEFT_OVERS = new RegExp(
  `(?<!# )\\b(${joined('TO', 'DO')}|${joined('FIX', 'ME')}|${joined('HA', 'CK')}|X{3})\\b`,
);
const ONLY = new RegExp(joined('\\b(t|test|it|describe)\\.', 'only\\(|\\b', 'only: true'));
const HOMES = ['work', 'root', 'farm', 'home/(?!me/)[a-z]+', 'Users/\\w+']
  .map((home) => joined('/', home, '/'))
  .join('|');
const MACHINE_PATHS = new RegExp(`(?<![\\w.$}])(${HOMES})`);
const REGISTRIES = new RegExp(
  [
    joined('registry', '\\.(npmjs|yarnpkg|hub|k8s)\\b'),
    joined('registry', '\\s*=\\s*http'),
    joined('registry-', '1\\.docker'),
    joined('npm\\.', 'pkg\\.'),
    joined('(proxy|sum)\\.', 'golang'),
    joined('(static|index)\\.', 'crates'),
    joined('python', 'hosted'),
    joined('deb\\.', 'debian'),
    joined('"resol', 'ved": "http'),
  ].join('|'),
);

/** An assertion of tap or node:assert, or a table handed to the folder's own `...Cases` that plays it. */
const ASSERTION =
  /\b(t|child|assert)(\.\w+)*\.(ok|notOk|equal|not|same|strictSame|notSame|match|notMatch|has|hasStrict|matchOnly|throws|doesNotThrow|rejects|resolves|resolveMatch|type|fail|emits|assert|deepEqual|strictEqual)\(|\b(assert|\w+Cases)\(/;

export const RULES = {
  'a source file has at most 400 lines': (path, text) => {
    const lines = text.split('\n').length - 1;
    return isSource(path) && lines > LINES_MAX
      ? [`${path} has ${lines} lines: a concept may be hiding in it; give it a file of its own`]
      : [];
  },
  'names say the concept': (path) =>
    isSource(path) &&
    path.split('/').some((part) => /^(utils?|helpers?|common|types?|misc|shared)(\.\w+)*$/.test(part))
      ? [`${path}: name what it holds (backoff.ts, port-lease.ts), not that it is useful`]
      : [],
  'syntax is erasable': (path, text) =>
    path.endsWith('.ts')
      ? [
          ...hits(
            path,
            withoutComments(text),
            /^\s*(export )?(declare )?(const )?enum \w+/gm,
            'write an `as const` object',
          ),
          ...hits(
            path,
            withoutComments(text),
            /^\s*(export )?(declare )?namespace \w+/gm,
            'a file is a namespace already',
          ),
          ...hits(
            path,
            withoutComments(text),
            /\bconstructor\((?:[^()]*?,)?\s*(private|public|protected|readonly) \w+\s*[?:,)]/g,
            'declare a #private field and set it',
          ),
        ]
      : [],
  'machines own no clock, timer, chance or process': (path, text) =>
    isSansIo(path)
      ? hits(
          path,
          withoutComments(text).replace(/'[^'\n]*'/g, "''"),
          /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|(set(Timeout|Interval|Immediate)|queueMicrotask)\(|process\.[a-z])/,
          'take `now`, a deadline or an Rng as input',
        )
      : [],
  'nothing is left over': (path, text) => [
    ...hits(path, text, LEFT_OVERS, 'finish it or delete it'),
    ...(isTest(path) ? hits(path, withoutComments(text), ONLY, 'runs this test and no other') : []),
  ],
  "no path of somebody's machine": (path, text) =>
    hits(path, text, MACHINE_PATHS, 'write it relative to the repository'),
  'no registry by its host': (path, text) =>
    hits(path, text, REGISTRIES, 'the reader has a registry of their own'),
  'a test file asserts': (path, text) =>
    isTest(path) && !ASSERTION.test(text) ? [`${path} holds no assertion: it cannot fail`] : [],
  'titles of tests are claims': (path, text) =>
    isTest(path)
      ? hits(
          path,
          withoutComments(text),
          /\bt\.test\(\s*(['`])(should\b[^'`]*|tests?\b[^'`]*|it\b[^'`]*|[^'`]*#\d+[^'`]*)\1/g,
          'say what is so: "a reset stream frees its window"',
        )
      : [],
  'a README of a folder has its five headings and 8 to 40 lines': (path, text) => {
    if (!isFolderReadme(path)) return [];
    const lines = text.trimEnd().split('\n').length;
    const headings = [...text.matchAll(/^## (.+)$/gm)].map((found) => found[1]);
    return [
      ...(lines < README_LINES.min || lines > README_LINES.max ? [`${path} has ${lines} lines`] : []),
      ...(headings.join() === README_HEADINGS.join()
        ? []
        : [
            `${path} has the headings ${headings.join(', ') || 'none'}: expected ${README_HEADINGS.join(', ')}`,
          ]),
    ];
  },
} as const satisfies Readonly<Record<string, Rule>>;

/** A published workspace's README is its manual, and one of vectors their legend: both have their own form. */
const isFolderReadme = (path: string): boolean =>
  basename(path) === 'README.md' &&
  /^(reference-impl|harness|scenarios|ci)\//.test(path) &&
  !/(^|\/)(vectors|peers|chaos-proxy|postcard-ts)(\/|$)/.test(dirname(path));

/** Folders that must explain themselves: the houses of scenarios and checks, and every one right under a house. */
export const capabilityFolders = (files: readonly string[]): readonly string[] => {
  const sources = files.filter(
    (path) => /^(reference-impl|harness|scenarios|ci)\//.test(path) && isSource(path),
  );
  const depth = (path: string): number => (/^(scenarios|ci)\//.test(path) ? 1 : 2);
  return [...new Set(sources.map((path) => path.split('/').slice(0, depth(path)).join('/')))].sort();
};
