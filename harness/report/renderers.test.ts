import { stripVTControlCharacters } from 'node:util';
import { XMLParser } from 'fast-xml-parser';
import t from 'tap';
import { Parser } from 'tap-parser';
import { EXIT } from '../verdict/verdict.ts';
import { renderGithub } from './github.ts';
import { REPORT_FORMAT, renderJson } from './json.ts';
import { renderJunit } from './junit.ts';
import { renderMarkdown } from './markdown.ts';
import { type ReportModel, reportModel } from './model.ts';
import { colourWanted, utf8Wanted } from './paint.ts';
import { renderTap } from './tap.ts';
import { renderCiEnd, renderTerminal } from './terminal.ts';
import { junitFaults } from './testing/junit-schema.ts';
import { SAMPLE_EXIT, sampleJudgements } from './testing/sample-judgements.ts';
import { SAMPLE, type SampleOptions, sampleTrace } from './testing/sample-trace.ts';
import { judgement } from './testing/small-trace.ts';

const sample = (variant: SampleOptions['variant']): ReportModel =>
  reportModel(sampleTrace({ ...SAMPLE, variant }), sampleJudgements(variant), {
    exitCode: SAMPLE_EXIT[variant],
    complete: variant !== 'partial',
  });
const VARIANTS = ['passed', 'failed', 'inconclusive', 'partial'] as const;

/** Everything a hostile peer may put into a finding. */
const NASTY = `]]> <script>alert("1")</script> & 'x' | \`\`\` # \\ %0A ::error::\u0000\u001b[31m\ud800 \n--- \n...`;
const nasty = (): ReportModel =>
  reportModel(
    [],
    [
      judgement({
        verdict: 'fail',
        title: NASTY,
        summary: NASTY,
        expected: NASTY,
        got: NASTY,
        evidence: [{ t: 1, who: NASTY, text: NASTY, hex: 'ff', here: true }],
      }),
      judgement({ clause: 'X-2', verdict: 'not-applicable', summary: NASTY }),
      judgement({ clause: 'X-3', verdict: 'inconclusive', summary: NASTY }),
    ],
    { exitCode: EXIT.fail, complete: true },
  );

t.test('report.json is the model with its format', async (t) => {
  const model = sample('failed');
  const { format, ...rest } = JSON.parse(renderJson(model));
  t.equal(format, REPORT_FORMAT);
  t.strictSame(rest, JSON.parse(JSON.stringify(model)));
  t.equal(rest.exitCode, 1);
});

t.test('TAP counts what the model counts, whatever the words say', async (t) => {
  for (const model of [
    ...VARIANTS.map(sample),
    nasty(),
    reportModel([], [], { exitCode: 4, complete: true }),
  ]) {
    const text = renderTap(model);
    const parser = new Parser({ strict: true });
    const seen: unknown[] = [];
    parser.on('assert', ({ diag }) => seen.push(diag));
    const over = new Promise<{ ok: boolean; count: number; fail: number; skip: number; todo: number }>(
      (resolve) => parser.on('complete', resolve),
    );
    parser.end(text);
    const result = await over;
    t.equal(result.count, model.checks.length);
    t.equal(result.skip, model.counts['not-applicable']);
    t.equal(result.todo, model.counts.observation);
    t.equal(result.fail - result.todo, model.counts.fail + model.counts.inconclusive);
    t.match(
      seen,
      model.checks.map(({ judgement: { verdict, exercised } }) => ({ verdict, exercised })),
    );
    t.match(text, /^TAP version 14\n1\.\.\d+/);
  }
});

t.test('JUnit is well-formed, has every attribute, and sorts failures, errors and skips', async (t) => {
  for (const model of [...VARIANTS.map(sample), nasty()]) {
    const text = renderJunit(model);
    t.same(junitFaults(text), [], 'valid against the schema');
    t.notMatch(text, /[^\P{Cc}\n]/u, 'no control character');
    const parsed = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '',
      processEntities: true,
      isArray: (name) => name === 'testcase' || name === 'property',
    }).parse(text);
    const suite = parsed.testsuites.testsuite;
    t.same([suite.tests, suite.failures, suite.errors, suite.skipped].map(Number), [
      model.checks.length,
      model.counts.fail,
      model.counts.inconclusive,
      model.counts['not-applicable'] + model.counts.observation,
    ]);
    t.equal(suite.testcase.length, model.checks.length);
    const kinds = {
      fail: 'failure',
      inconclusive: 'error',
      'not-applicable': 'skipped',
      observation: 'skipped',
    };
    for (const [index, check] of model.checks.entries()) {
      const found = suite.testcase[index];
      t.match(found, { name: String, classname: /^relaylab\./, time: '0' });
      const inside = ['failure', 'error', 'skipped'].filter((kind) => kind in found);
      t.strictSame(inside, check.standing === 'pass' ? [] : [kinds[check.standing]]);
      for (const kind of inside) t.type(found[kind].message, 'string');
    }
    t.equal(suite.properties.property.length, 7);
  }
});

t.test(
  'the job summary says the sentence, the counts and how to run it again, and escapes the rest',
  async (t) => {
    const text = renderMarkdown(sample('failed'));
    for (const part of [
      '## Failed: nat-pool',
      '**The relay loses the answer',
      '✖ 3 failed',
      '### F1',
      '<- here',
      '```sh\nnpm run scenario',
    ])
      t.ok(text.includes(part), part);
    const hostile = renderMarkdown(nasty());
    t.notMatch(hostile.replace(/^````text$.*?^````$/gms, ''), /<script>/);
    t.notMatch(hostile, /[^\P{Cc}\n]/u);
    t.match(hostile, /^````text$/m, 'the fence is longer than what is inside');
    t.match(renderMarkdown(sample('partial')), /## Interrupted \(partial\)/);
  },
);

t.test('annotations are one line each and cannot be broken out of', async (t) => {
  t.strictSame(
    renderGithub(sample('failed')).map((line) => line.slice(0, line.indexOf('::', 2) + 2)),
    [
      '::error title=F1 PORT-POOL-12::',
      '::error title=F2 BACKOFF-HERD-1::',
      '::error title=F3 PORT-POOL-7::',
      '::warning title=U1 NAT-ADDR-1::',
      '::notice title=O1 SPEED-RATIO-1::',
    ],
  );
  for (const line of renderGithub(nasty())) t.notMatch(line, /[\r\n]/);
  t.strictSame(renderGithub(sample('passed')), []);
});

const PLAIN = { columns: 80, colour: false, utf8: true, report: 'reports/x/report.html' };

t.test('the end of a run: sentence, counts, failures, and the verdict with the page last', async (t) => {
  const passed = renderTerminal(sample('passed'), PLAIN);
  t.match(passed, /✔ 8 passed {3}✖ 0 failed {3}\? 0 inconclusive {3}- 1 not applicable/);
  t.equal(passed.trimEnd().split('\n').at(-1), 'PASS (exit 0)  reports/x/report.html');
  t.ok(passed.split('\n').every((line) => line.length <= 96));
  const failed = renderTerminal(sample('failed'), PLAIN);
  t.match(failed, /✖ F1 {2}PORT-POOL-12 MUST {2}18 of 18 broken {2}target/);
  t.match(failed, /\? U1 {2}NAT-ADDR-1 MUST {2}not exercised {2}harness/);
  t.match(failed, /\nagain: npm run scenario nat-pool .*\nFAIL \(exit 1\) {2}reports/);
  t.match(renderTerminal(sample('partial'), PLAIN), /partial: Ctrl-C at 33\.0 s.*INTERRUPTED \(exit 130\)/s);
  t.match(renderTerminal(sample('inconclusive'), PLAIN), /UNDECIDED \(exit 4\)/);
});

t.test('colour only repeats words, and ASCII is enough', async (t) => {
  for (const variant of VARIANTS) {
    const model = sample(variant);
    const coloured = renderTerminal(model, { ...PLAIN, colour: true });
    t.ok(coloured.includes('\u001b['));
    t.equal(stripVTControlCharacters(coloured), renderTerminal(model, PLAIN));
    t.notMatch(renderTerminal(model, { ...PLAIN, utf8: false }), /[^\n -~]/);
  }
  t.notMatch(renderTerminal(nasty(), PLAIN), /[^\P{Cc}\n]/u, 'a peer cannot steer the terminal');
});

t.test('CI gets one greppable line an event', async (t) => {
  const lines = renderCiEnd(sample('failed'), 'r.html').trimEnd().split('\n');
  t.match(lines.at(-1), / FAIL passed=3 failed=3 inconclusive=1 na=1 observed=1 exit=1 report=r\.html$/);
  t.equal(lines.filter((line) => line.includes(' check ')).length, 5);
  for (const line of lines) t.match(line, /^ *\d+\.\d /);
  t.notMatch(renderCiEnd(nasty(), ''), /\n(?! *\d+\.\d )./, 'nobody can add a line');
});

t.test('NO_COLOR, FORCE_COLOR and TERM=dumb are obeyed', async (t) => {
  const table = [
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ TERM: 'dumb' }, true, false],
    [{ TERM: 'dumb', FORCE_COLOR: '1' }, true, true],
  ] as const;
  for (const [env, tty, wanted] of table) t.equal(colourWanted(env, tty), wanted, JSON.stringify([env, tty]));
  t.equal(utf8Wanted({ LANG: 'C' }), false);
  t.equal(utf8Wanted({ LANG: 'C', LC_ALL: 'de_DE.UTF-8' }), true);
  t.equal(utf8Wanted({}), true);
  t.equal(utf8Wanted({ TERM: 'dumb' }), false);
});
