import t from 'tap';
import { eventually, Peer } from '../live.ts';
import { Program } from './program.ts';

t.setTimeout(120_000);

/** Registers a pool as a raw client. */
const pool = async (port: number): Promise<{ peer: Peer; port: number; id: string }> => {
  const peer = await Peer.say(port, 'pool\nnew\n');
  return { peer, port: Number(await peer.line()), id: await peer.line() };
};
/** A user in a tunnel to a raw client, with one byte on its way. */
const tunnel = async (port: number): Promise<{ client: Peer; user: Peer }> => {
  const { peer, port: publicPort } = await pool(port);
  const user = await Peer.say(publicPort, 'x');
  await peer.bytes(1);
  return { client: peer, user };
};

t.test('a wrong command line ends with 2 and one line on stderr', async (t) => {
  for (const args of [
    ['--bindd', 'x'],
    ['--localForwardPort=80', 'no-such-host.invalid', '9000'],
  ]) {
    const program = new Program(args);
    t.equal(await program.exited(), 2, args.join(' '));
    t.match(program.stderr, /^relay: [^\n]*\n$/);
    t.equal(program.stdout, '');
  }
});

t.test('help names every option and both forms, version is a version', async (t) => {
  const help = new Program(['--help']);
  t.equal(await help.exited(), 0);
  t.match(help.stdout, 'relay --localForwardPort=<port> [options] <host> <port>');
  t.match(help.stdout, '--registrations-per-address-max');
  const version = new Program(['--version']);
  t.equal(await version.exited(), 0);
  t.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

t.test('a port in use ends with 1 and one line', async (t) => {
  const first = await Program.relay();
  const second = new Program([String(first.port), '--bind', '127.0.0.1']);
  t.equal(await second.exited(), 1);
  t.equal(second.stderr, `relay: port ${first.port} of 127.0.0.1 is in use\n`);
  first.kill('SIGTERM');
  t.equal(await first.exited(), 0);
});

t.test('without --bind every interface is served', async (t) => {
  const relay = new Program(['0']);
  const [, port] = await relay.said(/^relay listening on (?:\[::\]|0\.0\.0\.0):(\d+)\n/);
  const { peer, port: publicPort } = await pool(Number(port));
  t.ok(publicPort > Number(port), 'public ports go upward from the control port');
  peer.reset();
  relay.kill('SIGINT');
  t.equal(await relay.exited(), 0);
});

t.test('SIGTERM takes no more clients, lets a tunnel end, and exits 0', async (t) => {
  const relay = await Program.relay();
  const { client, user } = await tunnel(relay.port);
  relay.kill('SIGTERM');
  const late = async (): Promise<string> => {
    for (;;) {
      try {
        (await Peer.dial(relay.port)).socket.destroy();
      } catch (error) {
        // one that was accepted before the signal was heard is reset
        const { code = '' } = error as NodeJS.ErrnoException;
        if (code !== 'ECONNRESET') return code;
      }
    }
  };
  t.equal(await late(), 'ECONNREFUSED');
  user.socket.end('still here');
  await client.over();
  t.equal(client.heard.toString(), 'xstill here');
  client.socket.end('bye');
  await user.over();
  t.equal(user.heard.toString(), 'bye');
  t.equal(await relay.exited(), 0);
});

t.test('a tunnel that outlives the drain time is reset, and the exit is still 0', async (t) => {
  const relay = await Program.relay(['--drain-millis', '200']);
  const { client, user } = await tunnel(relay.port);
  relay.kill('SIGTERM');
  t.equal(await relay.exited(), 0);
  t.strictSame([await user.over(), await client.over()], ['rst', 'rst']);
});

t.test('a second signal ends at once with its own code', async (t) => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const relay = await Program.relay();
    const { client, user } = await tunnel(relay.port);
    relay.kill('SIGTERM');
    await eventually('the drain begins', () => relay.stderr.includes('stopping'));
    // one that comes too soon is taken for the first
    const again = setInterval(() => relay.kill(signal), 100);
    t.equal(await relay.exited(), code);
    clearInterval(again);
    client.socket.destroy();
    user.socket.destroy();
  }
});

t.test('a ^C that comes by several ways is one: tunnels may end', async (t) => {
  const relay = await Program.relay();
  const { client, user } = await tunnel(relay.port);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT'] as const) relay.kill(signal);
  await eventually('the drain begins', () => relay.stderr.includes('stopping'));
  client.socket.end();
  user.socket.end();
  t.equal(await relay.exited(), 0);
});

t.test('metrics are served as Prometheus reads them, on loopback, and count what happens', async (t) => {
  const probe = await Program.relay(['--metrics', '0']);
  await eventually('metrics have a port', () => probe.stderr.includes('"msg":"metrics"'));
  const [, metricsPort] = /"address":"127\.0\.0\.1","family":"IPv4","port":(\d+)/.exec(probe.stderr) ?? [];
  const { client, user } = await tunnel(probe.port);
  const bad = await Peer.say(probe.port, 'nonsense\n');
  await bad.over();
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  t.match(response.headers.get('content-type'), 'text/plain');
  const text = await response.text();
  for (const line of [
    'relay_tunnels 1',
    'relay_tunnels_total 1',
    'relay_registrations{mode="pool"} 1',
    'relay_refusals_total{why="unknown mode"} 1',
  ]) {
    t.ok(text.includes(`\n${line}\n`), line);
  }
  t.equal((await fetch(`http://127.0.0.1:${metricsPort}/`)).status, 404);
  for (const peer of [client, user, bad]) peer.socket.destroy();
  probe.kill('SIGTERM');
  t.equal(await probe.exited(), 0);
});

t.test('logs are JSON lines on stderr and hold no id', async (t) => {
  const relay = await Program.relay(['--log-format', 'json', '--log-level', 'debug']);
  const { peer, port, id } = await pool(relay.port);
  const user = await Peer.say(port, 'x');
  await peer.bytes(1);
  const guess = await Peer.say(relay.port, `pool\n${'F'.repeat(32)}\n`);
  await guess.over();
  for (const end of [peer, user, guess]) end.socket.destroy();
  relay.kill('SIGTERM');
  t.equal(await relay.exited(), 0);
  const messages = relay.stderr
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
  for (const wanted of [
    'relay.listening',
    'relay.registered',
    'relay.tunnel',
    'relay.refused',
    'relay.drained',
  ]) {
    t.ok(messages.includes(wanted), wanted);
  }
  t.notOk(relay.stderr.includes(id) || relay.stderr.includes('FFFF'), 'no id');
});

t.test('a flood that takes every descriptor is outlived', { timeout: 60_000 }, async (t) => {
  const relay = await Program.relay(['--linger-millis', '200'], 0, 'ulimit -n 128;');
  const { client, user } = await tunnel(relay.port);
  const dials = await Promise.allSettled(Array.from({ length: 300 }, () => Peer.dial(relay.port)));
  const flood = dials.flatMap((dial) => (dial.status === 'fulfilled' ? [dial.value] : []));
  t.ok(flood.length > 128, `${flood.length} connections`);
  for (const peer of flood) peer.reset();
  const again = await Peer.say(relay.port, 'event\nnew\n');
  t.match(await again.line(), /^\d+$/, 'a registration is answered after the flood');
  user.socket.end('on');
  await client.over();
  t.equal(client.heard.toString(), 'xon', 'the tunnel has lived on');
  for (const peer of [client, user, again]) peer.socket.destroy();
  relay.kill('SIGTERM');
  t.equal(await relay.exited(), 0);
});
