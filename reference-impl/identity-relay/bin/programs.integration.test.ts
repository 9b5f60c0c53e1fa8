import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import t from 'tap';
import { readIdentityFile } from '../files/identity-file.ts';
import { readTicketFile, relayAddress } from '../files/ticket-file.ts';
import { connectToRelay } from '../node/library.ts';
import { eventually, newIdentity, within } from '../testing/live.ts';
import { Workplace } from './testing/program.ts';

t.setTimeout(120_000);
const place = new Workplace();
t.teardown(() => place.remove());

/** A port that was free a moment ago, below those that the system gives to dials. */
const freePort = async (): Promise<number> => {
  for (let port = 20_000 + (process.pid % 10_000); ; port++) {
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
};

/** The command block of Offset's relay page, with another port and address. */
const documented = (port: number): string => `
# Public facing relay address
RELAY_ADDRESS="127.0.0.1"

# Public facing relay port
RELAY_PORT=${port}

# Create a directory for the relay's data
mkdir relay

# Generate a new identity for the relay
stmgr gen-ident --output relay/relay.ident

# Generate relay ticket
stmgr relay-ticket \\
        --address $RELAY_ADDRESS:$RELAY_PORT \\
        --idfile relay/relay.ident \\
        --output relay/relay.relay

# Start the relay:
strelay --idfile relay/relay.ident --laddr 0.0.0.0:$RELAY_PORT &
`;

t.test('the documented commands start a relay that nodes meet at by its ticket, until SIGTERM', async (t) => {
  const program = place.shell(`${documented(await freePort())}\necho "pid $!"\nwait`);
  await eventually(
    'the relay listens',
    () => program.stdout.includes('strelay listening on 0.0.0.0:'),
    20_000,
  );
  const ticket = readTicketFile(place.file('relay/relay.relay'));
  t.same(ticket.publicKey, readIdentityFile(place.file('relay/relay.ident')).publicKey);
  const relay = relayAddress(ticket, 'relay.relay');
  const a = connectToRelay({ relay, relayKey: ticket.publicKey, identity: newIdentity() });
  const b = connectToRelay({ relay, relayKey: ticket.publicKey, identity: newIdentity(), listen: false });
  a.on('tunnel', (tunnel) => tunnel.on('message', (bytes) => tunnel.send(bytes)));
  await within(10_000, 'a listens', once(a, 'listening'));
  await eventually('the relay logs it', () => program.stderr.includes('strelay.listener'));
  const tunnel = await within(10_000, 'a tunnel', b.connect(a.publicKey));
  tunnel.send(new TextEncoder().encode('hello'));
  const [echo] = await within(10_000, 'the echo', once(tunnel, 'message'));
  t.equal(Buffer.from(echo as Uint8Array).toString(), 'hello');
  t.notOk(program.stderr.includes(a.publicKey), 'no whole key in the log');
  await Promise.all([a.close(), b.close()]);
  const [, pid] = /^pid (\d+)$/m.exec(program.stdout) ?? [];
  process.kill(Number(pid), 'SIGTERM');
  await program.exited();
  t.match(program.stderr, 'strelay.drained');
});

t.test('strelay says in one line why it cannot run', async (t) => {
  t.equal(await place.run('stmgr', 'gen-ident', '-o', 'x.ident').exited(), 0);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  for (const { args, code, says } of [
    {
      args: ['-i', 'x.ident', '-l', `127.0.0.1:${port}`],
      code: 1,
      says: /^strelay: port \d+ of 127\.0\.0\.1 is in use\n$/,
    },
    { args: ['-i', 'nowhere', '-l', '127.0.0.1:0'], code: 1, says: /there is no such file; [^\n]+\n$/ },
    { args: ['-i', 'x.ident', '-l', 'localhost:1'], code: 2, says: /no host name[^\n]+\n$/ },
    { args: ['-i', 'x.ident'], code: 2, says: /--laddr[^\n]+\n$/ },
    {
      args: ['-i', 'x.ident', '-l', '127.0.0.1:0', '--handshakes-max', 'many'],
      code: 2,
      says: /whole number/,
    },
  ]) {
    const program = place.run('strelay', ...args);
    t.equal(await program.exited(), code, args.join(' '));
    t.match(program.stderr, says);
    t.equal(program.stdout, '');
  }
  taken.close();
});

t.test('metrics, limits and the drain work as those of the port relay', async (t) => {
  const program = place.run(
    'strelay',
    '-i',
    'x.ident',
    '-l',
    '127.0.0.1:0',
    '--metrics',
    '0',
    '--log-format',
    'json',
    '--handshakes-max',
    '100',
  );
  await eventually('it listens', () => /listening on 127\.0\.0\.1:\d+\n/.test(program.stdout));
  const port = Number(/:(\d+)\n/.exec(program.stdout)?.[1]);
  const metricsPort = /"address":"127\.0\.0\.1","family":"IPv4","port":(\d+)/.exec(program.stderr)?.[1];
  const node = connectToRelay({
    relay: { host: '127.0.0.1', port },
    relayKey: readIdentityFile(place.file('x.ident')).publicKey,
    identity: newIdentity(),
  });
  await within(10_000, 'it listens', once(node, 'listening'));
  const bad = connect(port, '127.0.0.1');
  bad.resume();
  bad.write(Buffer.from('00000000001000010', 'hex'));
  bad.write(Buffer.alloc(64, 255));
  await within(10_000, 'the bad one is closed', once(bad, 'close'));
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  t.match(text, /^strelay_listeners 1$/m);
  t.match(text, /^strelay_refusals_total\{why="FRAME_TOO_LONG"\} 1$/m);
  t.match(text, /^strelay_messages_total 0$/m);
  program.child.kill('SIGTERM');
  t.equal(await program.exited(), 0);
  await node.close();
});
