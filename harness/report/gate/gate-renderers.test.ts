import { stripVTControlCharacters } from 'node:util';
import { XMLParser } from 'fast-xml-parser';
import t from 'tap';
import { Parser } from 'tap-parser';
import type { GateModel } from '../../conformance/gate.ts';
import { junitFaults } from '../testing/junit-schema.ts';
import { renderGateBadge } from './gate-badge.ts';
import { renderGateGithub } from './gate-github.ts';
import { renderGateHtml } from './gate-html.ts';
import { renderGateJunit } from './gate-junit.ts';
import { renderGateMarkdown } from './gate-markdown.ts';
import { GATE_FORMAT, writeGateReports } from './gate-reports.ts';
import { renderGateTap } from './gate-tap.ts';
import { caseLine, renderGateEnd } from './gate-terminal.ts';
import { FAILED, gate, nasty, result } from './testing/sample-gate.ts';

const MODELS: Readonly<Record<string, () => GateModel>> = {
  'one of every standing': () => gate(),
  'all hold': () => gate([result('reg/a'), result('reg/b')]),
  nothing: () => gate([]),
  interrupted: () => gate([result('reg/a')], { partial: 'interrupted', interrupted: true }),
  nasty,
};

t.test('every file is printed from one model, and report.json is the model', async (t) => {
  const files = new Map<string, string>();
  const model = gate();
  const page = writeGateReports('out', model, (path, text) => files.set(path.replace(/^out./, ''), text));
  t.equal(page.replace(/^out./, ''), 'report.html');
  t.same([...files.keys()].sort(), [
    'badge.json',
    'junit.xml',
    'report.html',
    'report.json',
    'report.md',
    'report.tap',
  ]);
  const { format, ...rest } = JSON.parse(files.get('report.json') ?? '');
  t.equal(format, GATE_FORMAT);
  t.strictSame(rest, JSON.parse(JSON.stringify(model)));
});

for (const [name, make] of Object.entries(MODELS))
  t.test(`TAP counts what the model counts: ${name}`, async (t) => {
    const model = make();
    const parser = new Parser({ strict: true });
    const over = new Promise<{ count: number; fail: number; skip: number; todo: number }>((resolve) =>
      parser.on('complete', resolve),
    );
    const seen: unknown[] = [];
    parser.on('assert', ({ diag }) => seen.push(diag));
    parser.end(renderGateTap(model));
    const { count, fail, skip, todo } = await over;
    const { counts } = model;
    t.equal(count, model.rows.length + model.stale.length);
    t.equal(skip, counts['not-applicable']);
    t.equal(todo, counts.known + counts.observation);
    t.equal(fail - todo, counts.fail + counts.inconclusive + model.stale.length);
    const [first] = model.rows;
    if (first?.standing === 'fail') t.match(seen[0], { clause: 'PORT-CTRL-2', verdict: 'fail', pin: 'F1' });
  });

type Node = { readonly [tag: string]: readonly Node[] } & {
  readonly ':@'?: Readonly<Record<string, string>>;
};

const elements = (nodes: readonly Node[], tag: string): readonly Node[] =>
  nodes.flatMap((node) => {
    const inside = Object.entries(node).filter(([key]) => key !== ':@' && key !== '#text');
    const below = inside.flatMap(([, children]) => elements(children as readonly Node[], tag));
    return tag in node ? [node, ...below] : below;
  });

for (const [name, make] of Object.entries(MODELS))
  t.test(`JUnit is valid and adds up: ${name}`, async (t) => {
    const model = make();
    const text = renderGateJunit(model);
    t.same(junitFaults(text), [], 'valid against the schema');
    const nodes: readonly Node[] = new XMLParser({
      ...{ preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '', ignoreDeclaration: true },
    }).parse(text);
    const [root] = elements(nodes, 'testsuites');
    const suites = elements(nodes, 'testsuite');
    const sum = (field: string): number =>
      suites.reduce((all, suite) => all + Number(suite[':@']?.[field] ?? Number.NaN), 0);
    for (const field of ['tests', 'failures', 'errors'])
      t.equal(String(sum(field)), root?.[':@']?.[field], field);
    t.equal(
      sum('skipped'),
      model.counts.known + model.counts.observation + model.counts['not-applicable'],
      'skipped',
    );
    t.equal(elements(nodes, 'testcase').length, model.rows.length + model.stale.length);
    t.equal(elements(nodes, 'failure').length, model.counts.fail + model.stale.length);
    t.equal(elements(nodes, 'error').length, model.counts.inconclusive);
    const ids = elements(nodes, 'testcase').map((node) => node[':@']?.name);
    if (model.rows.length > 0)
      t.ok(
        ids.every((id) => id?.startsWith('port-relay/')),
        'named by case',
      );
    for (const suite of suites)
      t.same(
        [...new Set((suite.testsuite ?? []).map((child) => Object.keys(child)[0]))].filter(
          (tag) => tag !== 'testcase',
        ),
        ['properties'],
        'properties come first, then cases',
      );
  });

t.test('the schema bites', async (t) => {
  const good = renderGateJunit(gate());
  for (const [from, to, says] of [
    ['<testsuites name', '<testsuites skipped="1" name', '<testsuites> may have no skipped'],
    ['<testcase name=', '<testcase title=', '<testcase> needs name'],
    ['<properties>', '<facts>', 'no XML'],
    ['    <properties>', 'x<properties>', '<testsuite> may hold no text'],
    ['<skipped message', '<ignored message', '<testcase> may hold no <ignored>'],
  ] as const)
    t.match(junitFaults(good.replace(from, to)).join('; '), says);
});

t.test('a failure says clause, expected, got, bytes with a reading, and the command', async (t) => {
  for (const text of [
    renderGateJunit(gate()),
    renderGateMarkdown(gate()),
    renderGateHtml(gate()),
    renderGateTap(gate()),
    renderGateEnd(gate(), { colour: false, utf8: true, columns: 96, report: 'report.html' }),
  ])
    for (const part of [
      'PORT-CTRL-2',
      'a public port as one decimal line',
      /30 ?34 ?30 ?30 ?31 ?0a/,
      /04001/,
      /--case port-relay\/reg\/port-line-pool/,
    ])
      t.match(text, part);
});

t.test('what the target says opens no markup, no command and no escape', async (t) => {
  const model = nasty();
  t.notMatch(renderGateHtml(model), '<script>globalThis');
  t.notMatch(renderGateMarkdown(model).replace(/^(`{3,})[\s\S]*?^\1$/gm, ''), '<script>');
  for (const line of renderGateGithub(model)) {
    t.notMatch(line, '\n');
    t.match(line, /^::(error|warning) title=[^:,]+::/);
  }
  const shown = renderGateEnd(model, { colour: false, utf8: false, columns: 96, report: 'r' });
  t.equal(shown, stripVTControlCharacters(shown), 'nothing steers the terminal');
  t.notMatch(shown, /[^\n -~]/, 'ASCII where nothing else is understood');
});

t.test(
  'annotations: an error for what fails or is out of date, a warning for what is undecided',
  async (t) => {
    const lines = renderGateGithub(gate());
    t.equal(lines.filter((line) => line.startsWith('::error title=F')).length, 2);
    t.equal(lines.filter((line) => line.startsWith('::warning')).length, 1);
    t.equal(lines.filter((line) => line.startsWith('::error title=stale')).length, 1);
    const many = Array.from({ length: 40 }, (_, n) => result(`reg/${n}`, FAILED));
    t.equal(renderGateGithub(gate(many)).length, 10, 'the first ten');
  },
);

t.test('only a whole run without known failures has a bright badge', async (t) => {
  const badge = (model: GateModel) => JSON.parse(renderGateBadge(model));
  t.match(badge(gate([result('reg/a')])), {
    ...{
      schemaVersion: 1,
      label: 'port-relay conformance',
      message: '1 of 1 cases hold',
      color: 'brightgreen',
    },
  });
  t.match(badge(gate([result('reg/a'), result('reg/known', FAILED)])), { color: 'yellow' });
  t.match(badge(gate([result('reg/a')], { partial: 'asked' })), { color: 'lightgrey', message: /partial/ });
  t.match(badge(gate([result('reg/a', FAILED)])), { color: 'red', message: '1 of 1 cases fail' });
  t.match(badge(gate([result('reg/healed')])), { message: 'stale baseline' });
  t.match(badge(gate([])), { message: 'undecided', color: 'lightgrey' });
});

t.test('a case that is known or a SHOULD is told as reported, not as failed', async (t) => {
  const plain = { colour: false, utf8: true };
  t.match(caseLine(result('reg/a', { ...FAILED, level: 'SHOULD' }), plain), /^! port-relay\/reg\/a/);
  t.match(
    caseLine(result('reg/a', { ...FAILED, path: 'slow' }), plain),
    /^✖ port-relay\/reg\/a @slow {2}12 ms {2}"04001"$/,
  );
  const end = renderGateEnd(gate(), { ...plain, columns: 96, report: 'r.html' });
  t.match(end, /! K1 {3}port-relay\/reg\/known {2}see issue 31/);
  t.match(end, /baseline: port-relay\/reg\/healed: the case passes now; take it out/);
  t.match(end, /FAIL \(exit 1\) {2}r\.html\n$/);
});
