import t from 'tap';
import { type ElementKind, matches, namePattern, type Pattern } from './pattern.ts';

const pattern = (kind: Pattern['kind'], plugin: string, element: string): Pattern => {
  const [pluginName, elementName] = [namePattern(plugin), namePattern(element)];
  if (pluginName === undefined || elementName === undefined)
    throw new Error(`no pattern: ${plugin}/${element}`);
  return { kind, plugin: pluginName, element: elementName };
};

const CASES: readonly (readonly [pattern: Pattern, kind: ElementKind, name: string, matches: boolean])[] = [
  [pattern('any', '*', '*'), 'source', 'procfs/memory', true],
  [pattern('source', '*', '*'), 'output', 'csv/out', false],
  [pattern('source', 'procfs', 'memory'), 'source', 'procfs/memory', true],
  [pattern('source', 'procfs', 'mem*'), 'source', 'procfs/memory', true],
  [pattern('source', 'procfs', '*ory'), 'source', 'procfs/memory', true],
  [pattern('source', 'proc', 'memory'), 'source', 'procfs/memory', false],
  [pattern('source', 'Procfs', 'memory'), 'source', 'procfs/memory', false],
  [pattern('source', 'a', 'b/c'), 'source', 'a/b/c', true],
  [pattern('source', 'plugin-procfs', 'memory'), 'source', 'procfs/memory', true],
  [pattern('transform', 'plugin-*', '*'), 'transform', 'filter/transform', true],
  [pattern('source', 'p*', '*'), 'source', 'synthetic/load', false],
  [pattern('source', '*n-procfs', '*'), 'source', 'procfs/memory', false],
];

t.test('a pattern selects by kind, plugin and element', async (t) => {
  for (const [selects, kind, name, expected] of CASES)
    t.equal(matches(selects, kind, name), expected, `${JSON.stringify(selects)} ${kind} ${name}`);
});

t.test('a name is empty or has its asterisk inside: no pattern', async (t) => {
  for (const text of ['', 'a*b', '*a*', '**', '***']) t.equal(namePattern(text), undefined, text);
});
