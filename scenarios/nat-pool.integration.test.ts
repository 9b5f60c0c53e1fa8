// One nat-pool per real lab, through the command people type. Without an engine the Docker run is skipped, with the reason; the netns
// lab has Docker's kernel NAT, and its turn is `npm run prove`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { probeEngine } from '../harness/labs/docker/engine.ts';

const RELAYLAB = fileURLToPath(new URL('../harness/cli/relaylab.ts', import.meta.url));
const SIZE = ['--sites', '6', '--clients', '4', '--users', '10', '--duration', '30', '--seed', 'a11'];
const engine = await probeEngine(10_000);
const WHY_NOT: Readonly<Record<string, string | undefined>> = {
  docker: engine.ok ? undefined : engine.reason,
};

const run = (
  lab: string,
  reports: string,
): Promise<{ readonly code: number | null; readonly said: string }> =>
  new Promise((resolve) => {
    const args = [RELAYLAB, 'scenario', 'nat-pool', '--lab', lab, ...SIZE, '--reports', reports];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    child.once('close', (code) => resolve({ code, said }));
  });

for (const lab of ['local', 'docker']) {
  const skip = WHY_NOT[lab] ?? false;
  t.test(`nat-pool passes in the ${lab} lab and leaves its report`, { skip, timeout: 240_000 }, async (t) => {
    const reports = mkdtempSync(join(tmpdir(), 'nat-pool-'));
    t.teardown(() => rmSync(reports, { recursive: true, force: true }));
    const { code, said } = await run(lab, reports);
    if (code !== 0) t.comment(said.slice(-3_000));
    t.equal(code, 0, 'exit code');
    t.match(said, /6 of 6 left a receipt|receipt 6 /, 'every fault is proved');
    const [folder = ''] = readdirSync(join(reports, 'nat-pool'));
    const files = ['junit.xml', 'report.html', 'report.json', 'report.md', 'report.tap', 'trace.ndjson'];
    t.same(readdirSync(join(reports, 'nat-pool', folder)).sort(), files);
  });
}
