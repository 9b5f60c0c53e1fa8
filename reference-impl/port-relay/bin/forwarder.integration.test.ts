import t from 'tap';
import { eventually, openService, Peer } from '../live.ts';
import { Program } from './program.ts';

t.setTimeout(120_000);

t.test(
  'a forwarder puts a plain server on a relay, and back after the relay was gone',
  { timeout: 60_000 },
  async (t) => {
    const echo = await openService((peer) => peer.socket.pipe(peer.socket));
    const relay = await Program.relay();
    const forwarder = new Program([
      `--localForwardPort=${echo.port}`,
      '--retry-base-millis',
      '20',
      '--retry-cap-millis',
      '100',
      '127.0.0.1',
      String(relay.port),
    ]);
    const ask = async (port: number): Promise<string> => {
      const user = await Peer.say(port, 'hello');
      user.socket.end();
      await user.over();
      return user.heard.toString();
    };
    const [, first] = await forwarder.said(/^established relay address: 127\.0\.0\.1:(\d+)\n/);
    t.equal(await ask(Number(first)), 'hello');
    relay.kill('SIGKILL');
    await relay.exited();
    await eventually('the loss is noticed', () => forwarder.stderr.includes('client.lost'));
    const back = await Program.relay([], relay.port);
    const [, second] = await forwarder.said(/^established relay address: 127\.0\.0\.1:(\d+)\n/);
    t.equal(await ask(Number(second)), 'hello');
    echo.server.close();
    const unserved = await Peer.say(Number(second), 'hello');
    await unserved.over();
    t.equal(unserved.heard.length, 0, 'a service that is gone costs one tunnel');
    t.equal(forwarder.child.exitCode, null, 'and not the forwarder');
    forwarder.kill('SIGTERM');
    t.equal(await forwarder.exited(), 0);
    back.kill('SIGTERM');
    t.equal(await back.exited(), 0);
  },
);

t.test('a forwarder waits for a relay that is not there yet', async (t) => {
  const free = await Program.relay();
  const { port } = free;
  free.kill('SIGTERM');
  await free.exited();
  const forwarder = new Program([
    '--localForwardPort=80',
    '--retry-base-millis',
    '20',
    '127.0.0.1',
    String(port),
  ]);
  await eventually('it tries', () => forwarder.stderr.includes('"why":"refused"'));
  const relay = await Program.relay([], port);
  await forwarder.said(/^established relay address: /);
  forwarder.kill('SIGINT');
  t.equal(await forwarder.exited(), 0);
  relay.kill('SIGTERM');
  t.equal(await relay.exited(), 0);
});
