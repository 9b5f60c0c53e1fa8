import t from 'tap';
import { newFolder, Program } from '../testing/program.ts';

t.setTimeout(240_000);

const newPlace = (): string => {
  const folder = newFolder();
  t.teardown(() => folder.remove());
  return folder.path;
};

t.test('both ends tell at any time what became of every point', async (t) => {
  const server = await Program.server(['--output-file', 'out.csv', '--metrics', '0'], { cwd: newPlace() });
  const client = await Program.agent(
    [
      ...['--relay-out', `127.0.0.1:${server.port}`, '--plugins', 'synthetic', '--metrics', '0'],
      ...['--config-override', "plugins.synthetic = { limit = 300, poll_interval = '10ms' }"],
      ...['--config-override', "plugins.relay-client.buffer_timeout = '50ms'"],
    ],
    { cwd: newPlace() },
  );
  const metricsOf = async (agent: Program): Promise<string> => {
    const { address } = (await agent.logged('metrics')) as unknown as { readonly address: { port: number } };
    return (await fetch(`http://127.0.0.1:${address.port}/metrics`)).text();
  };
  const CLIENT = '{element="relay-client/tcp_client"';
  let text = '';
  for (let look = 0; look < 20_000 && !text.includes(`${CLIENT},state="acknowledged"} 300`); look++)
    text = await metricsOf(client);
  for (const line of [
    ...['received', 'sent', 'acknowledged'].map((state) => `points_total${CLIENT},state="${state}"} 300`),
    `points_total${CLIENT},state="unconfirmed"} 0`,
    ...['buffered', 'spooled'].map((state) => `held_points${CLIENT},state="${state}"} 0`),
    `dropped_points_total${CLIENT},why="left behind"} 0`,
  ])
    t.ok(text.includes(`\nrelay_agent_relay_${line}\n`), line);
  const stored = await metricsOf(server);
  const SERVER = '{element="relay-server/tcp_server"';
  for (const line of [
    ...['received', 'stored', 'acknowledged'].map((state) => `points_total${SERVER},state="${state}"} 300`),
    `held_points${SERVER},state="undelivered"} 0`,
    `dropped_points_total${SERVER},why="metric not registered"} 0`,
  ])
    t.ok(stored.includes(`\nrelay_agent_relay_${line}\n`), line);
  for (const agent of [client, server]) {
    agent.kill('SIGTERM');
    t.equal(await agent.exited(), 0);
  }
});
