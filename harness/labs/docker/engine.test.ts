import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LabError } from '../lab.ts';
import { openEngine, probeEngine } from './engine.ts';
import { probeDocker } from './probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'relaylab-'));
const before = process.env.DOCKER_HOST;
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true });
  if (before === undefined) delete process.env.DOCKER_HOST;
  else process.env.DOCKER_HOST = before;
});

t.test('a machine without an engine is told where it was looked for', async (t) => {
  process.env.DOCKER_HOST = `unix://${folder}/none.sock`;
  t.match(await probeEngine(), { ok: false, reason: /no engine: unix:.*none\.sock does not exist/ });
  t.match(await probeDocker(), { ok: false, reason: /does not exist/ });
  await t.rejects(openEngine(), LabError);
});

t.test('an engine that says nothing is given up', async (t) => {
  const path = join(folder, 'silent.sock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  server.on('connection', (socket) => t.teardown(() => socket.destroy()));
  process.env.DOCKER_HOST = `unix://${path}`;
  t.match(await probeEngine(50), { ok: false, reason: /did not answer within 50 ms/ });
});
