import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually, newFolder, Program } from '../testing/program.ts';

t.setTimeout(240_000);

const folderWith = (files: Readonly<Record<string, string>> = {}): string => {
  const folder = newFolder(files);
  t.teardown(() => folder.remove());
  return folder.path;
};

/** A poll of the source is larger than what a spool of the least size keeps free. */
const clientOf = (port: number, spool: string): string => `source_channel_size = 2
[plugins.synthetic]
rate = 20_000
cardinality = 1
[plugins.relay-client]
relay_server = "127.0.0.1:${port}"
drain_timeout = "200ms"
${spool}
retry = { forever = true, initial_delay = "20ms", max_delay = "100ms" }
`;
const ON_DISK = 'spool_path = "spool"\nspool_max_bytes = 65536';
/** Port 1 of loopback: nobody listens there. */
const NOWHERE = 1;

const valuesIn = (file: string): readonly number[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('synthetic_sequence;'))
    .map((line) => Number(line.split(';')[2]));

/** Each number from 0 on, once. */
const isWhole = (values: readonly number[]): boolean =>
  values.length > 0 && [...values].sort((a, b) => a - b).every((value, index) => value === index);

t.test('a spool that is full holds sources back, and their points survive SIGTERM', async (t) => {
  const cwd = folderWith({ 'client.toml': clientOf(NOWHERE, ON_DISK) });
  const client = await Program.agent(['--config', 'client.toml'], { cwd });
  await client.logged('the spool is full');
  client.kill('SIGTERM');
  t.equal(await client.exited(), 0, client.stderr);
  const { points } = (await client.logged('kept in the spool')) as { readonly points?: number };
  const server = await Program.server(['--output-file', 'out.csv'], { cwd });
  writeFileSync(join(cwd, 'client.toml'), clientOf(server.port, ON_DISK));
  const second = await Program.agent(['--config', 'client.toml', '--plugins', 'relay-client'], { cwd });
  await eventually('all points', () => valuesIn(join(cwd, 'out.csv')).length >= (points ?? Infinity));
  for (const agent of [second, server]) {
    agent.kill('SIGTERM');
    t.equal(await agent.exited(), 0, agent.stderr);
  }
  t.equal(valuesIn(join(cwd, 'out.csv')).length, points);
  t.ok(isWhole(valuesIn(join(cwd, 'out.csv'))));
});

t.test('a reload puts right where a client reports to, also when its spool is full', async (t) => {
  const cwd = folderWith({ 'client.toml': clientOf(NOWHERE, ON_DISK) });
  const server = await Program.server(['--output-file', 'out.csv'], { cwd });
  const client = await Program.agent(['--config', 'client.toml'], { cwd });
  await client.logged('the spool is full');
  writeFileSync(join(cwd, 'client.toml'), clientOf(server.port, ON_DISK));
  client.kill('SIGHUP');
  await client.logged('reloaded');
  for (const agent of [client, server]) {
    agent.kill('SIGTERM');
    t.equal(await agent.exited(), 0, agent.stderr);
  }
  t.ok(isWhole(valuesIn(join(cwd, 'out.csv'))));
});

t.test(
  'without a spool a reload loses what the old server does not take, tells it, and goes on',
  async (t) => {
    const cwd = folderWith({ 'client.toml': clientOf(NOWHERE, '') });
    const server = await Program.server(['--output-file', 'out.csv'], { cwd });
    const client = await Program.agent(['--config', 'client.toml'], { cwd });
    // four waits, in which the source was asked
    await eventually('attempts', () => client.log.filter(({ msg }) => msg === 'client.failed').length > 4);
    writeFileSync(join(cwd, 'client.toml'), clientOf(server.port, ''));
    client.kill('SIGHUP');
    await client.logged('reloaded');
    await client.logged('client.greeted');
    client.kill('SIGTERM');
    t.equal(await client.exited(), 1, 'not everything was written');
    t.match(client.stderr, /relay-agent: .* got \d+ points that were not; set spool_path/);
    server.kill('SIGTERM');
    t.equal(await server.exited(), 0);
    t.ok(valuesIn(join(cwd, 'out.csv')).length > 0);
  },
);
