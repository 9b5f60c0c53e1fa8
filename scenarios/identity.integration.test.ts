// Nodes by key in the simulator and in the local lab, through the command people type.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const RELAYLAB = fileURLToPath(new URL('../harness/cli/relaylab.ts', import.meta.url));
t.setTimeout(300_000);

const run = async (t: Test, ...args: readonly string[]): Promise<{ code: number | null; said: string }> => {
  const reports = mkdtempSync(join(tmpdir(), 'identity-'));
  t.teardown(() => rmSync(reports, { recursive: true, force: true }));
  const child = spawn(process.execPath, [RELAYLAB, 'scenario', ...args, '--reports', reports], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) t.comment(said.slice(-3_000));
  return { code, said };
};

t.test('three seeds of identity-tunnels in virtual time keep every promise', async (t) => {
  const { code } = await run(t, 'identity-tunnels', '--lab', 'sim', '--seed', '1', '--seeds', '3');
  t.equal(code, 0);
});

t.test('identity-tunnels in the local lab judges every clause', async (t) => {
  const { code, said } = await run(
    ...([t, 'identity-tunnels', '--lab', 'local', '--seed', 'b07'] as const),
    ...['--sites', '2', '--identity', '2'],
  );
  t.equal(code, 0);
  t.match(said, /passed=14 failed=0 inconclusive=0 na=0/);
});

t.test('nat-pool takes nodes by key beside everything else', async (t) => {
  const { code } = await run(t, 'nat-pool', '--lab', 'sim', '--seed', '5', '--identity', '2');
  t.equal(code, 0);
});

t.test('a scenario without nodes by key says so', async (t) => {
  const { code, said } = await run(t, 'multiplex-stall', '--lab', 'sim', '--identity', '2');
  t.equal(code, 2);
  t.match(said, /multiplex-stall has no nodes that are addressed by key/);
});
