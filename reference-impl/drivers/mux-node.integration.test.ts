import t from 'tap';
import type { NameConn } from '../machine/machine.ts';
import { dial, listening, NodeScript, Outside, pattern, within } from './node-script.ts';
import type { Answer } from './sim-script.ts';

const text = (words: string) => new TextEncoder().encode(words);

/** Turns whoever is accepted into a session of the server role and echoes its streams. */
const echo: Answer = (input) => {
  switch (input.type) {
    case 'accepted':
      return [{ type: 'mux', conn: input.conn, role: 'server', early: undefined }];
    case 'bytes':
      return [{ type: 'send', conn: input.conn, bytes: input.bytes }];
    case 'ended':
      return [{ type: 'end', conn: input.conn }];
    default:
      return undefined;
  }
};

const nothing = (): Answer => () => undefined;

/** Dials a session of the client role. */
const dialSession = async (
  port: number,
  answer: (name: NameConn) => Answer = nothing,
  options: ConstructorParameters<typeof NodeScript>[1] = {},
) => {
  const client = new NodeScript(answer, options);
  const session = client.name();
  client.do({ type: 'connect', conn: session, to: { host: '127.0.0.1', port }, from: undefined });
  await client.hears('connected', session);
  client.do({ type: 'mux', conn: session, role: 'client', early: undefined });
  return { client, session };
};

t.test('streams echo, end by halves and count payload; the session ends with the last', async (t) => {
  await using server = new NodeScript(listening(echo));
  const { client, session } = await dialSession(await server.port());
  await using _ = client;
  const streams = [0, 1, 2].map(() => client.name());
  for (const [at, conn] of streams.entries()) {
    client.do(
      { type: 'open', conn, session },
      { type: 'send', conn, bytes: pattern(1_000_000 + at, at) },
      { type: 'end', conn },
    );
  }
  client.do({ type: 'end', conn: session });
  for (const [at, conn] of streams.entries()) {
    t.match(await client.hears('closed', conn), {
      why: 'end',
      received: 1_000_000 + at,
      sent: 1_000_000 + at,
    });
    const got = Buffer.concat(client.all('bytes', conn).map(({ bytes }) => bytes));
    t.ok(got.equals(pattern(1_000_000 + at, at)), `stream ${at} came back whole`);
  }
  t.match(await client.hears('closed', session), { why: 'end' });
  const { conn: theirs } = await server.hears('accepted');
  t.match(await server.hears('closed', theirs), { why: 'end' });
  t.equal(server.all('ended', theirs).length, 1, 'GoAway and FIN are one end');
  t.equal(client.driver.connections + server.driver.connections, 0);
});

t.test('reset, refusal and a stream on a session that is gone', async (t) => {
  await using server = new NodeScript(
    listening((input) => {
      if (input.type === 'stream') return [{ type: 'reset', conn: input.conn }];
      return input.type === 'accepted' ? echo(input, 0) : undefined;
    }),
  );
  const { client, session } = await dialSession(await server.port());
  await using _ = client;
  const [first, second, third] = [client.name(), client.name(), client.name()];
  client.do({ type: 'open', conn: first, session });
  t.match(await client.hears('closed', first), { why: 'reset' });
  server.do({ type: 'end', conn: (await server.hears('accepted')).conn });
  await client.hears('ended', session);
  client.do({ type: 'open', conn: second, session });
  t.match(await client.hears('closed', second), { why: 'refused' });
  await client.hears('closed', session);
  client.do({ type: 'open', conn: third, session });
  t.match(await client.hears('closed', third), { why: 'refused', received: 0, sent: 0 });
});

t.test('our own reset of a stream reaches the peer and is silent here', async (t) => {
  await using server = new NodeScript(listening(echo));
  const { client, session } = await dialSession(await server.port());
  await using _ = client;
  const conn = client.name();
  client.do({ type: 'open', conn, session }, { type: 'send', conn, bytes: text('hello') });
  await client.hears('bytes', conn);
  client.do({ type: 'reset', conn });
  const { conn: theirs } = await server.hears('stream');
  t.match(await server.hears('closed', theirs), { why: 'reset', received: 5, sent: 5 });
  t.equal(client.all('closed', conn).length, 0);
  t.equal(client.driver.connections, 1, 'the session lives');
});

t.test('one stalled stream does not hold 49 others back', async (t) => {
  await using server = new NodeScript(
    listening((input) => {
      const more = echo(input, 0) ?? [];
      return input.type === 'stream' && server.all('stream').length === 1
        ? [{ type: 'pause', conn: input.conn }]
        : more;
    }),
  );
  const { client, session } = await dialSession(await server.port());
  await using _ = client;
  const size = 600_000;
  const streams = Array.from({ length: 50 }, () => client.name());
  for (const [at, conn] of streams.entries())
    client.do(
      { type: 'open', conn, session },
      { type: 'send', conn, bytes: pattern(size, at) },
      { type: 'end', conn },
    );
  for (const conn of streams.slice(1)) {
    t.match(await client.hears('closed', conn), { why: 'end', received: size });
  }
  const [stalled] = streams as [number];
  t.equal(client.script.bytes(stalled), 0, 'the first stands still');
  const { conn: theirs } = await server.hears('stream');
  t.equal(server.script.bytes(theirs), 0);
  server.do({ type: 'resume', conn: theirs });
  t.match(await client.hears('closed', stalled), { why: 'end', received: size }, 'and then goes on');
});

t.test('when the carrier dies every stream is closed, then the session', async (t) => {
  for (const how of ['reset', 'end'] as const) {
    await using server = new NodeScript(listening(echo));
    const { client, session } = await dialSession(await server.port());
    await using _ = client;
    const streams = [client.name(), client.name()];
    for (const conn of streams)
      client.do({ type: 'open', conn, session }, { type: 'send', conn, bytes: text('hi') });
    for (const conn of streams) await client.hears('bytes', conn);
    const { conn: theirs } = await server.hears('accepted');
    server.do({ type: how === 'reset' ? 'reset' : 'close', conn: theirs });
    await client.hears('closed', session);
    const closed = client.all('closed');
    t.same(
      closed.map(({ conn }) => conn),
      [...streams, session],
      `${how}: the session last`,
    );
    t.same(closed.map(({ why }) => why).slice(0, 2), ['reset', 'reset']);
    t.equal(closed[2]?.why, how, `the session: ${how}`);
    t.equal(server.all('closed').filter(({ conn }) => conn !== theirs).length, 2, 'their streams too');
  }
});

t.test('a peer that breaks yamux fails the session and its streams', async (t) => {
  await using server = new NodeScript(listening(echo));
  const peer = await dial(await server.port());
  // version 0, window update, SYN, stream 1
  peer.socket.write(Uint8Array.from([0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]));
  const { conn } = await server.hears('stream');
  peer.socket.write(Uint8Array.from([9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]));
  t.match(await server.hears('closed', conn), { why: 'failed' });
  const { conn: session } = await server.hears('accepted');
  t.match(await server.hears('closed', session), { why: 'failed', received: 24 });
  await within('our FIN', peer.ended);
  peer.socket.end();
  t.equal(await within('a close', peer.closed), 'end', 'GoAway and FIN, no RST');
});

t.test('early bytes belong to the session', async (t) => {
  await using server = new NodeScript(
    listening((input) => {
      if (input.type !== 'bytes' || server.all('stream').length > 0) return echo0(input);
      return [{ type: 'mux', conn: input.conn, role: 'server', early: input.bytes.subarray(4) }];
    }),
  );
  const echo0 = (input: Parameters<Answer>[0]) => (input.type === 'accepted' ? undefined : echo(input, 0));
  const peer = await dial(await server.port());
  const frames = [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 111, 107];
  peer.socket.write(Uint8Array.from([77, 85, 88, 10, ...frames]));
  const { conn } = await server.hears('stream');
  await server.hears('bytes', conn);
  t.equal(server.script.text(conn), 'ok');
  const { conn: session } = await server.hears('accepted');
  peer.socket.resetAndDestroy();
  t.match(await server.hears('closed', session), { why: 'reset', received: 4 + frames.length });
});

/** A relay: users on listener 1, one agent's session on listener 2; each user is spliced to a stream of its own. */
const relay = (name: NameConn): Answer => {
  let session: number | undefined;
  return (input) => {
    if (input.type === 'start')
      return [
        { type: 'listen', listener: 1, port: 0, host: undefined },
        { type: 'listen', listener: 2, port: 0, host: undefined },
      ];
    if (input.type !== 'accepted') return undefined;
    if (input.listener === 2) {
      session = input.conn;
      return [{ type: 'mux', conn: input.conn, role: 'server', early: undefined }];
    }
    if (session === undefined) return [{ type: 'reset', conn: input.conn }];
    const conn = name();
    return [
      { type: 'open', conn, session },
      { type: 'splice', a: input.conn, b: conn },
    ];
  };
};

/** Splices every stream it is given to a dial of `port`. */
const agent =
  (port: number) =>
  (name: NameConn): Answer =>
  (input) => {
    if (input.type !== 'stream') return undefined;
    const conn = name();
    return [
      { type: 'connect', conn, to: { host: '127.0.0.1', port }, from: undefined },
      { type: 'splice', a: input.conn, b: conn },
    ];
  };

const tunnels = async () => {
  const outside = await Outside.open();
  const server = new NodeScript(relay);
  const ports = await server.until('two listeners', () => {
    const all = server.all('listening');
    return all.length === 2 ? all.toSorted((a, b) => a.listener - b.listener) : undefined;
  });
  const [users, agents] = ports.map(({ port }) => port) as [number, number];
  const { client } = await dialSession(agents, agent(outside.port));
  await server.hears('accepted');
  return { outside, server, client, users };
};

t.test('a splice joins sockets and streams: halves, RST and a slow reader', async (t) => {
  const { outside, server, client, users } = await tunnels();
  using _outside = outside;
  await using _server = server;
  await using _client = client;

  const [user, service] = [await dial(users), await outside.accept()];
  user.socket.end('question');
  await within('the end', service.ended);
  t.equal(service.text, 'question');
  service.socket.end('answer');
  await within('the end', user.ended);
  t.equal(user.text, 'answer');
  t.same([await within('a close', user.closed), await within('a close', service.closed)], ['end', 'end']);

  for (const who of ['user', 'service'] as const) {
    const pair = { user: await dial(users), service: await outside.accept() };
    const [x, y] = who === 'user' ? [pair.user, pair.service] : [pair.service, pair.user];
    x.socket.write('x');
    await y.gets(1);
    x.socket.resetAndDestroy();
    t.equal(await within('a close', y.closed), 'ECONNRESET', `${who} reset`);
  }

  const big = pattern(20_000_000, 9);
  const slow = { user: await dial(users), service: await outside.accept() };
  const quick = { user: await dial(users), service: await outside.accept() };
  slow.service.socket.pause();
  slow.user.socket.end(big);
  quick.user.socket.write(big);
  await quick.service.gets(big.length);
  t.ok(slow.user.socket.writableLength > 0, 'a reader that stops holds its writer back, and nobody else');
  slow.service.socket.resume();
  await within('the end', slow.service.ended);
  t.equal(slow.service.received, big.length);
  quick.service.socket.end(big);
  await within('the end', quick.user.ended);
  t.equal(quick.user.received, big.length, 'downwards as well');
  quick.user.socket.end();
  slow.service.socket.end();
  await within('a close', quick.service.closed);
  await within('a close', slow.user.closed);
  await server.until('all of the splices closed', () => (server.driver.connections === 1 ? true : undefined));
  const whys = server.all('closed').map(({ why }) => why);
  t.equal(whys.filter((why) => why === 'end').length, 6, 'three tunnels ended in order, both sides');
  t.equal(whys.filter((why) => why === 'reset').length, 4, 'two were reset, both sides');
});

t.test('bytes taken before a splice with a stream go first, and an end of before is passed on', async (t) => {
  using outside = await Outside.open();
  await using server = new NodeScript((name) => (input) => {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 0, host: undefined }];
    if (input.type === 'accepted')
      return [{ type: 'mux', conn: input.conn, role: 'server', early: undefined }];
    if (input.type !== 'ended' || server.all('stream', input.conn).length === 0) return undefined;
    const conn = name();
    return [
      { type: 'connect', conn, to: { host: '127.0.0.1', port: outside.port }, from: undefined },
      { type: 'send', conn, bytes: text(server.script.text(input.conn)) },
      { type: 'splice', a: conn, b: input.conn },
    ];
  });
  const { client, session } = await dialSession(await server.port());
  await using _ = client;
  const conn = client.name();
  client.do(
    { type: 'open', conn, session },
    { type: 'send', conn, bytes: text('early') },
    { type: 'end', conn },
  );
  const service = await outside.accept();
  await within('the end', service.ended);
  t.equal(service.text, 'early');
  service.socket.end('late');
  t.match(await client.hears('closed', conn), { why: 'end', received: 4, sent: 5 });
});

t.test('a session that asked for keepalive fails when its pings meet silence, and only then', async (t) => {
  using outside = await Outside.open();
  await using server = new NodeScript(listening(echo));
  const yamux = { pongMillis: 300 };
  const silent = await dialSession(outside.port, nothing, { yamux });
  await using _ = silent.client;
  const peer = await outside.accept();
  const alive = await dialSession(await server.port(), nothing, { yamux });
  await using __ = alive.client;
  const stream = silent.client.name();
  silent.client.do(
    { type: 'open', conn: stream, session: silent.session },
    { type: 'keepalive', conn: silent.session, idleMillis: 100 },
  );
  alive.client.do({ type: 'keepalive', conn: alive.session, idleMillis: 100 });
  t.match(await silent.client.hears('closed', stream), { why: 'failed' });
  t.match(await silent.client.hears('closed', silent.session), { why: 'failed' });
  await within('the end', peer.ended);
  const frames = Buffer.from(peer.text, 'latin1').toString('hex');
  t.match(frames, '000200010000000000000000', 'ping 0 was sent');
  t.equal(alive.client.all('closed').length, 0, 'whoever answers lives');
  const { conn } = await server.hears('accepted');
  t.equal(server.all('closed', conn).length, 0);
});
