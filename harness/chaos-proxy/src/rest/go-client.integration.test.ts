import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { ServedApi } from '../../testing/served-api.ts';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../../../../ci/peers/toxiproxy-client', import.meta.url));
const UPSTREAM = '127.0.0.1:9';
const OFFLINE =
  /no such host|dial tcp|i\/o timeout|connection refused|lookup disabled|toolchain not available/;

type Line = { readonly step: string; readonly got?: unknown; readonly error?: string };

/** Builds our program around the client; a word why not: there is no Go, or no way to its modules. */
const built = async (folder: string): Promise<{ program: string } | { why: string }> => {
  const program = join(folder, 'toxiproxy-client');
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly -buildvcs=false' };
  try {
    await run('go', ['build', '-o', program, '.'], { cwd: SOURCE, env });
    return { program };
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT') return { why: 'no Go on this machine' };
    if (OFFLINE.test(stderr)) return { why: 'the Go client cannot be downloaded here' };
    throw error;
  }
};

const error = (text: string): Partial<Line> => ({ error: text });
const one = { name: 'one', listen: /^127\.0\.0\.1:\d+$/, upstream: UPSTREAM, enabled: true };
const latency = (toxicity: number, attributes: object): Partial<Line> => ({
  got: { name: 'latency_downstream', type: 'latency', stream: 'downstream', toxicity, attributes },
});
const stall = {
  name: 'third',
  type: 'stall',
  attributes: { onMs: 1000, selector: { connections: [2, 5] }, when: { marker: 'hex:0d0a' } },
};
const EXPECTED: readonly (readonly [step: string, line: object])[] = [
  ['version', { got: /^\{"version": "2\.12\.0/ }],
  ['blank name', error('Create: HTTP 400: missing required field: name')],
  ['blank upstream', error('Create: HTTP 400: missing required field: upstream')],
  ['create', { got: one }],
  ['duplicate', error('Create: HTTP 409: proxy already exists')],
  ['unknown proxy', error('HTTP 404: proxy not found')],
  ['add', latency(1, { latency: 100, jitter: 10 })],
  ['conflict', error('AddToxic: HTTP 409: toxic already exists')],
  ['bad stream', error('AddToxic: HTTP 400: stream was invalid, can be either upstream or downstream')],
  ['bad type', error('AddToxic: HTTP 400: invalid toxic type')],
  ['add upstream', { got: { name: 'limit_data_upstream', toxicity: 0.2, attributes: { bytes: 5 } } }],
  ['add ours', { got: stall }],
  ['update', latency(0.5, { latency: 1000, jitter: 10 })],
  ['update again', latency(0.5, { latency: 1000, jitter: 0 })],
  ['toxics', { got: [{ name: 'limit_data_upstream' }, stall, { name: 'latency_downstream' }] }],
  ['remove', { step: 'remove' }],
  ['remove again', error('HTTP 404: toxic not found')],
  ['disable', { step: 'disable' }],
  ['disabled', { got: { ...one, enabled: false, toxics: [stall, { type: 'latency' }] } }],
  [
    'populate',
    {
      got: [
        { name: 'one', enabled: false },
        { name: 'two', enabled: true },
      ],
    },
  ],
  ['bad listen', error('Populate: HTTP 500: listen tcp: address local373: missing port in address')],
  ['add by options', { got: { name: 'bandwidth_downstream', attributes: { rate: 30 } } }],
  ['reset', { step: 'reset' }],
  ['after reset', { got: { one: { enabled: true, toxics: [] }, two: { enabled: true, toxics: [] } } }],
  ['enable', { step: 'enable' }],
  ['delete', { step: 'delete' }],
  ['delete again', error('Delete: HTTP 404: proxy not found')],
];

t.test("Toxiproxy's Go client drives the server, errors included", { timeout: 240_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'toxiproxy-client-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const build = await built(folder);
  if ('why' in build) {
    t.pass(build.why, { skip: build.why });
    return;
  }
  const api = await ServedApi.start();
  t.teardown(() => api.close());
  const { stdout } = await run(build.program, [api.url, UPSTREAM]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line): Line => JSON.parse(line));
  t.same(
    lines.map(({ step }) => step),
    EXPECTED.map(([step]) => step),
  );
  for (const [i, [step, expected]] of EXPECTED.entries()) {
    t.match(lines[i], expected, step);
    t.equal(lines[i]?.error, (expected as Line).error, `${step}: the very words`);
  }
});
