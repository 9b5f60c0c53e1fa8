/** The action's steps, run as a runner would, in the sample repository: installed from the tarball, judged, told. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import t from 'tap';
import { packed, plain, run, system } from './testing/packed.ts';
import { ROOT } from './tree.ts';

t.setTimeout(600_000); // packs, and installs from the tarball
const ACTION = readFileSync(join(ROOT, 'ci/action.yml'), 'utf8');
const SAMPLE = join(ROOT, 'ci/sample-workflow');
const WORKFLOW = readFileSync(join(SAMPLE, '.github/workflows/conformance.yml'), 'utf8');

/** What stands below `name:` and is indented by two more: enough of YAML for a file of ours. */
const keysBelow = (text: string, name: string): readonly string[] => {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.trimEnd().endsWith(`${name}:`) && line.trim() === `${name}:`);
  const depth = (lines[at] ?? '').search(/\S/);
  const below = lines.slice(at + 1);
  const end = below.findIndex((line) => line.trim() !== '' && line.search(/\S/) <= depth);
  return below
    .slice(0, end < 0 ? undefined : end)
    .filter((line) => line.search(/\S/) === depth + 2)
    .map((line) => line.trim().split(':')[0] ?? '');
};
const inputOf = (name: string): string => new RegExp(`^ +${name}: (.*)$`, 'm').exec(WORKFLOW)?.[1] ?? '';

t.test('foreign actions are pinned to a commit, and every input is used', async (t) => {
  for (const [, uses = ''] of `${ACTION}${WORKFLOW}`.matchAll(/uses: (actions\/\S+)/g))
    t.match(uses, /@[0-9a-f]{40}$/);
  const inputs = keysBelow(ACTION, 'inputs');
  t.ok(inputs.length > 8);
  for (const name of inputs) t.ok(ACTION.includes(`inputs.${name}`), `${name} is used`);
  for (const name of keysBelow(WORKFLOW, 'with')) t.ok(inputs.includes(name), `${name} is an input`);
  t.notMatch(ACTION, /run: .*\$\{\{/, 'no input is pasted into a script');
});

t.test('one step: green, broken with its clause, undecided as asked', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-action-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const app = join(folder, 'app');
  cpSync(SAMPLE, app, { recursive: true });
  const prefix = join(folder, 'temp', 'relaylab');
  const PATH = system.join(delimiter);
  const tarball = await packed(t, folder);
  const install = { ...plain, PATH, RELAYLAB_PREFIX: prefix, RELAYLAB_PACKAGE: tarball };
  const first = await run('bash', [join(ROOT, 'ci/action/install.sh')], { cwd: app, env: install });
  t.match(first.stdout, /relaylab [\d.]+, installed/);
  const again = await run('bash', [join(ROOT, 'ci/action/install.sh')], { cwd: app, env: install });
  t.match(again.stdout, /relaylab [\d.]+, from the cache/);

  const judge = async (inputs: Readonly<Record<string, string>>) => {
    const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
    for (const file of Object.values(files)) writeFileSync(file, '');
    const env = {
      ...{ ...plain, ...files, PATH, CI: 'true', GITHUB_ACTIONS: 'true', RELAYLAB_PREFIX: prefix },
      ...{ GATE_PROFILE: inputOf('profile'), GATE_EXEC: inputOf('exec'), GATE_REPORT: 'relaylab-report' },
      ...inputs,
    };
    const ended = await run('bash', [join(ROOT, 'ci/action/judge.sh')], { cwd: app, env }).catch(
      (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => error,
    );
    const [output, summary] = Object.values(files).map((file) => readFileSync(file, 'utf8'));
    const said = `${ended.stdout}${ended.stderr}`;
    return { code: 'code' in ended ? ended.code : 0, said, output: output ?? '', summary: summary ?? '' };
  };

  const green = await judge({ GATE_CASES: inputOf('cases') });
  t.equal(green.code, 0, green.said);
  t.match(green.output, /^exit-code=0\nreport=.*app\/relaylab-report\/report\.html\n$/);
  t.match(green.summary, /^## Passed \(partial\): port-relay conformance/);
  t.ok(existsSync(join(app, 'relaylab-report', 'junit.xml')));

  const program = join(app, 'my-relay.mjs');
  const relay = readFileSync(program, 'utf8');
  // a port with a zero in front is not plain decimal
  writeFileSync(program, relay.replace('.write(`', '.write(`0'));
  const red = await judge({ GATE_CASES: 'reg/port-line-pool' });
  t.equal(red.code, 1);
  t.match(red.said, /^::error title=F1 PORT-CTRL-2::port-relay\/reg\/port-line-pool/m);
  t.match(red.output, /^exit-code=1\n/);
  t.match(red.summary, /public port as one decimal line/);

  const nothing = { GATE_CASES: 'reg/port-line-event' };
  t.equal((await judge(nothing)).code, 4, 'nothing was shown');
  const warned = await judge({ ...nothing, GATE_UNDECIDED: 'warn' });
  t.equal(warned.code, 0);
  t.match(warned.said, /^::warning title=relaylab::nothing is broken/m);
  t.match(warned.output, /^exit-code=4\n/);
  t.equal((await judge({ GATE_UNDECIDED: 'maybe' })).code, 2);
  t.equal((await judge({ GATE_PROFILE: 'port-realy' })).code, 2);
  t.equal(execFileSync('git', ['status', '--short', 'ci/sample-workflow'], { cwd: ROOT }).toString(), '');
});
