/**
 * TEST ONLY: the schema that Jenkins holds JUnit reports against (junit-10.xsd of jenkinsci/xunit-plugin), restated as a table:
 * what it does not name must not be there.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';

type Rule = {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly children: readonly string[];
  /** Whether text may stand in it. */
  readonly text: boolean;
};
const rule = (
  required: readonly string[],
  optional: readonly string[],
  children: readonly string[],
  text = false,
): Rule => ({ required, optional, children, text });
const OUTCOME = rule([], ['type', 'message'], [], true);
const SCHEMA: Readonly<Record<string, Rule>> = {
  testsuites: rule([], ['name', 'time', 'tests', 'failures', 'disabled', 'errors'], ['testsuite']),
  testsuite: rule(
    ['tests'],
    ['name', 'failures', 'errors', 'time', 'disabled', 'skipped', 'timestamp', 'hostname', 'id', 'package'],
    ['testsuite', 'properties', 'testcase', 'system-out', 'system-err'],
  ),
  properties: rule([], [], ['property']),
  property: rule(['name', 'value'], [], []),
  testcase: rule(
    ['name'],
    ['assertions', 'time', 'timestamp', 'classname', 'status', 'file', 'line'],
    ['skipped', 'error', 'failure', 'system-out', 'system-err'],
  ),
  failure: OUTCOME,
  error: OUTCOME,
  skipped: OUTCOME,
};

type Node = Readonly<Record<string, unknown>>;

const faultsOf = (node: Node): readonly string[] => {
  const [tag = ''] = Object.keys(node).filter((key) => key !== ':@');
  const schema = SCHEMA[tag];
  if (schema === undefined) return [`<${tag}> is not known`];
  const attributes = Object.keys((node[':@'] as object | undefined) ?? {});
  const known = [...schema.required, ...schema.optional];
  const children = (node[tag] as readonly Node[]).filter((child) => !('#text' in child));
  const text = (node[tag] as readonly Node[]).some((child) => String(child['#text'] ?? '').trim() !== '');
  const tags = children.map((child) => Object.keys(child).find((key) => key !== ':@') ?? '');
  return [
    ...attributes.filter((name) => !known.includes(name)).map((name) => `<${tag}> may have no ${name}`),
    ...schema.required.filter((name) => !attributes.includes(name)).map((name) => `<${tag}> needs ${name}`),
    ...tags.filter((name) => !schema.children.includes(name)).map((name) => `<${tag}> may hold no <${name}>`),
    ...(text && !schema.text ? [`<${tag}> may hold no text`] : []),
    ...children.flatMap(faultsOf),
  ];
};

/** @returns what the schema objects to: nothing, of a valid file */
export const junitFaults = (text: string): readonly string[] => {
  const formed = XMLValidator.validate(text);
  if (formed !== true) return [`no XML: ${formed.err.msg}`];
  const nodes: readonly Node[] = new XMLParser({
    ...{ preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '', ignoreDeclaration: true },
  }).parse(text);
  const [root = {}] = nodes;
  return nodes.length === 1 && 'testsuites' in root ? faultsOf(root) : ['one <testsuites> is expected'];
};
