import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { LINGER_BYTES } from './linger.ts';
import { deadPort, dial, listening, NodeScript, Outside, pattern, within } from './node-script.ts';
import type { WireWatch } from './watch.ts';

const text = (words: string) => new TextEncoder().encode(words);

t.test('a listener says its port, and why it cannot be', async (t) => {
  await using first = new NodeScript(listening());
  const port = await first.port();
  t.ok(port > 0, `listens on ${port}`);
  const cases = [
    { why: 'in use', host: undefined, port },
    { why: 'denied', host: '203.0.113.1', port: 0 },
    { why: 'denied', host: undefined, port: 70_000 },
  ] as const;
  for (const { why, ...where } of cases) {
    await using second = new NodeScript(() => (input) => {
      return input.type === 'start' ? [{ type: 'listen', listener: 7, ...where }] : undefined;
    });
    t.match(await second.hears('unlistened'), { listener: 7, why }, `${why}: ${JSON.stringify(where)}`);
  }
});

t.test('unlisten frees the port and refuses callers', async (t) => {
  await using script = new NodeScript(listening());
  const port = await script.port();
  script.do({ type: 'unlisten', listener: 1 }, { type: 'listen', listener: 2, port, host: undefined });
  t.equal((await script.hears('listening', undefined, 1)).port, port, 'the same port at once');
});

t.test('a dial that fails says why, and is closed once', async (t) => {
  const dead = await deadPort();
  await using script = new NodeScript(() => () => undefined);
  const cases = [
    { why: 'refused', to: { host: '127.0.0.1', port: dead }, from: undefined },
    { why: 'unreachable', to: { host: '127.0.0.1', port: 70_000 }, from: undefined },
    { why: 'exhausted', to: { host: '127.0.0.1', port: dead }, from: { host: '203.0.113.1', port: 0 } },
  ] as const;
  for (const { why, to, from } of cases) {
    const conn = script.name();
    script.do({ type: 'connect', conn, to, from });
    t.match(await script.hears('closed', conn), { why, received: 0, sent: 0 }, why);
  }
  t.equal(script.all('closed').length, cases.length, 'one closed each');
  t.equal(script.driver.connections, 0);
});

t.test('a dial leaves from the address it was told to', async (t) => {
  await using script = new NodeScript(listening());
  const to = { host: '127.0.0.1', port: await script.port() };
  const conn = script.name();
  script.do({ type: 'connect', conn, to, from: { host: '127.0.0.2', port: 0 } });
  await script.hears('connected', conn);
  t.equal((await script.hears('accepted')).from.host, '127.0.0.2');
});

t.test('each half ends by itself and the counts are payload', async (t) => {
  await using script = new NodeScript(
    listening((input) => {
      if (input.type !== 'ended') return undefined;
      return [
        { type: 'send', conn: input.conn, bytes: text('answer') },
        { type: 'end', conn: input.conn },
      ];
    }),
  );
  const peer = await dial(await script.port());
  peer.socket.end('question');
  await within('the end', peer.ended);
  t.equal(peer.text, 'answer');
  const { conn, ...closed } = await script.hears('closed');
  t.match(closed, { why: 'end', received: 8, sent: 6 });
  t.equal(script.script.text(conn), 'question');
  const last = script.script.heard.at(-1)?.input;
  t.equal(last?.type, 'closed', 'the last input of all');
});

const descriptors = () => readdirSync('/proc/self/fd').length;

t.test('reset is RST on the wire in every state, and nothing more is heard or leaked', async (t) => {
  const cases: { name: string; before: (conn: number) => NetOutput<string>[]; sees: string }[] = [
    { name: 'established', before: () => [], sees: 'ECONNRESET' },
    { name: 'with unsent bytes', before: sendsMuch, sees: 'ECONNRESET' },
    { name: 'after end', before: (conn) => [{ type: 'end', conn }], sees: 'either' },
  ];
  const base = descriptors();
  for (const { name, before, sees } of cases) {
    await using script = new NodeScript(
      listening((input) =>
        input.type === 'bytes' ? [...before(input.conn), { type: 'reset', conn: input.conn }] : undefined,
      ),
    );
    const peer = await dial(await script.port());
    peer.socket.write('x');
    if (sees === 'either') {
      // the FIN may arrive first; a write finds out
      await within('an end', Promise.race([peer.ended, peer.closed]));
      if (!peer.socket.destroyed) peer.socket.write('y');
      t.match(await within('a close', peer.closed), /ECONNRESET|EPIPE/, name);
    } else {
      t.equal(await within('a close', peer.closed), sees, name);
    }
    script.do({ type: 'unlisten', listener: 1 });
    await within('idle', script.driver.whenIdle());
    t.equal(script.all('closed').length, 0, 'no closed after our own reset');
  }
  t.equal(descriptors(), base, 'no descriptor is left');
});

const sendsMuch = (conn: number): NetOutput<string>[] => [
  { type: 'send', conn, bytes: pattern(8_000_000, 1) },
];

t.test('a dial given up leaves nothing behind', async (t) => {
  using outside = await Outside.open();
  const base = descriptors();
  for (const when of ['in the same turn', 'a turn later'] as const) {
    await using script = new NodeScript(() => () => undefined);
    const conn = script.name();
    const to = { host: '127.0.0.1', port: outside.port };
    const dials: NetOutput<string> = { type: 'connect', conn, to, from: undefined };
    if (when === 'in the same turn') script.do(dials, { type: 'reset', conn });
    else {
      script.do(dials);
      process.nextTick(() => script.do({ type: 'reset', conn }));
    }
    await within('idle', script.driver.whenIdle());
    t.equal(script.all('connected').length + script.all('closed').length, 0, `nothing heard, ${when}`);
    if (when === 'a turn later') {
      const peer = await outside.accept();
      t.equal(await within('a close', peer.closed), 'ECONNRESET', 'RST on the wire');
    }
  }
  t.equal(descriptors(), base, 'no descriptor is left');
});

t.test("the peer's RST is a reset and its FIN is not", async (t) => {
  await using script = new NodeScript(listening());
  const first = await dial(await script.port());
  const { conn } = await script.hears('accepted');
  first.socket.resetAndDestroy();
  t.match(await script.hears('closed', conn), { why: 'reset' });
  t.equal(script.all('ended', conn).length, 0, 'no FIN was seen');
});

t.test('sending to a peer that is gone ends in a reset', async (t) => {
  await using script = new NodeScript(listening());
  const peer = await dial(await script.port());
  const { conn } = await script.hears('accepted');
  peer.socket.destroy();
  await script.hears('ended', conn);
  script.do({ type: 'send', conn, bytes: text('one') }, { type: 'flush', conn });
  await script.hears('flushed', conn);
  script.do({ type: 'send', conn, bytes: text('two') });
  t.match(await script.hears('closed', conn), { why: 'reset' });
});

t.test('flush is answered when everything has left, not before', async (t) => {
  await using script = new NodeScript(listening());
  const peer = await dial(await script.port());
  const { conn } = await script.hears('accepted');
  peer.socket.pause();
  script.do({ type: 'send', conn, bytes: text('a') }, { type: 'flush', conn });
  await script.hears('flushed', conn);
  const much = 24_000_000;
  script.do({ type: 'send', conn, bytes: new Uint8Array(much) }, { type: 'flush', conn });
  // another conversation goes on meanwhile
  const other = await dial(await script.port());
  other.socket.end();
  await script.until('the other end', () => script.all('ended').find((input) => input.conn !== conn));
  t.equal(script.all('flushed', conn).length, 1, 'the peer does not read: no answer');
  peer.socket.resume();
  await script.hears('flushed', conn, 1);
  await peer.gets(much + 1);
  script.do(
    { type: 'send', conn, bytes: new Uint8Array(much) },
    { type: 'end', conn },
    { type: 'flush', conn },
  );
  await script.hears('flushed', conn, 2);
  await within('the end', peer.ended);
});

t.test('pause holds bytes back, resume brings them in order', async (t) => {
  await using script = new NodeScript(
    listening((input) => (input.type === 'accepted' ? [{ type: 'pause', conn: input.conn }] : undefined)),
  );
  const peer = await dial(await script.port());
  const { conn } = await script.hears('accepted');
  peer.socket.end('held');
  const other = await dial(await script.port());
  await script.hears('accepted', undefined, 1);
  other.socket.destroy();
  t.equal(script.script.bytes(conn), 0, 'nothing came');
  script.do({ type: 'resume', conn });
  await script.hears('ended', conn);
  t.equal(script.script.text(conn), 'held');
});

t.test('close answers, then drops what comes: the peer sees FIN and no RST', async (t) => {
  await using script = new NodeScript(
    listening((input) => {
      if (input.type !== 'accepted') return undefined;
      return [
        { type: 'send', conn: input.conn, bytes: text('error: busy\n') },
        { type: 'close', conn: input.conn },
      ];
    }),
  );
  const peer = await dial(await script.port());
  await within('our FIN', peer.ended);
  for (let i = 0; i < 10; i++) peer.socket.write(pattern(65_536, i));
  peer.socket.end();
  t.equal(await within('a close', peer.closed), 'end', 'no RST for a peer that was still sending');
  t.equal(peer.text, 'error: busy\n');
  t.match(await script.hears('closed'), { why: 'end', received: 655_360, sent: 12 });
  t.equal(script.all('bytes').length + script.all('ended').length, 0, 'what came was dropped');
});

t.test('close gives up on a peer that sends without end, or says nothing', async (t) => {
  await using script = new NodeScript(
    listening((input) => (input.type === 'accepted' ? [{ type: 'close', conn: input.conn }] : undefined)),
  );
  const silent = await dial(await script.port());
  const first = await script.hears('accepted');
  const endless = await dial(await script.port());
  const second = await script.hears('accepted', undefined, 1);
  const block = new Uint8Array(1 << 20);
  const more = () => {
    while (endless.socket.writable && endless.socket.write(block));
  };
  endless.socket.on('drain', more);
  more();
  const cut = await script.hears('closed', second.conn);
  t.match(cut, { why: 'end' });
  t.ok(cut.received > LINGER_BYTES, 'after the bound of bytes');
  t.equal(script.all('closed', first.conn).length, 0, 'before the bound of time');
  t.match(await script.hears('closed', first.conn), { why: 'end', received: 0 }, 'after the bound of time');
  silent.socket.destroy();
  await within('the close', endless.closed);
});

t.test('a deadline rings once it has come, not before, and a far one not at once', async (t) => {
  await using script = new NodeScript(() => () => undefined);
  const script0 = script.script;
  script0.due = 30;
  script.do();
  await script.until('a deadline', () => script0.heard.find(({ input }) => input.type === 'deadline'));
  const rang = script0.heard.find(({ input }) => input.type === 'deadline');
  t.ok((rang?.at ?? 0) >= 30, `rang at ${rang?.at}`);
  script0.due = 2 ** 31 + 5_000;
  script.do();
  script0.due = 2 ** 33;
  script.do();
  const peer = await Outside.open();
  const conn = script.name();
  script.do({ type: 'connect', conn, to: { host: '127.0.0.1', port: peer.port }, from: undefined });
  await script.hears('connected', conn);
  peer[Symbol.dispose]();
  t.equal(script.all('deadline').length, 1, 'a delay beyond 31 bits is no delay of 1 ms');
  script0.due = 0;
  script.do();
  await script.hears('deadline', undefined, 1);
});

t.test('inputs never come from within an output', async (t) => {
  let performing = false;
  let entered = false;
  await using script = new NodeScript(
    () => () => {
      entered ||= performing;
      return undefined;
    },
    {
      report: () => {
        performing = true;
        script.do();
        performing = false;
      },
    },
  );
  script.do(
    { type: 'connect', conn: script.name(), to: { host: '127.0.0.1', port: 70_000 }, from: undefined },
    { type: 'listen', listener: 1, port: 70_000, host: undefined },
    { type: 'report', event: 'told' },
  );
  await script.hears('unlistened');
  t.equal(entered, false, 'handle was never entered twice');
  t.same(
    script.script.heard.map(({ input }) => input.type),
    ['start', 'command', 'closed', 'unlistened', 'command'],
    'all of them, in order',
  );
});

t.test(
  'what is reported is stamped with the time it was decided, whoever asks the clock meanwhile',
  async (t) => {
    let now = 0;
    const decided: number[] = [];
    const told: number[] = [];
    await using script = new NodeScript(
      (name) => (input) => {
        if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 0, host: undefined }];
        if (input.type !== 'accepted') return undefined;
        const { conn } = input;
        decided.push(now);
        return [
          { type: 'mux', conn, role: 'client', early: undefined },
          { type: 'open', conn: name(), session: conn },
          { type: 'reset', conn },
          { type: 'report', event: 'told' },
        ];
      },
      // a process that is left waiting between any two looks at the clock
      { clock: () => (now += 40), report: (_, at) => told.push(at) },
    );
    await dial(await script.port());
    await script.hears('closed');
    t.same(told, decided);
  },
);

t.test('stop is fed, destroy resets everything and silences the machine', async (t) => {
  const script = new NodeScript(listening());
  const peer = await dial(await script.port());
  await script.hears('accepted');
  script.driver.stop();
  await script.hears('stop' as 'connected');
  script.driver.destroy();
  t.equal(await within('a close', peer.closed), 'ECONNRESET');
  await within('idle', script.driver.whenIdle());
  const heard = script.script.heard.length;
  script.driver.stop();
  t.equal(script.script.heard.length, heard, 'deaf afterwards');
  t.throws(() => script.driver.start(), /started twice/);
});

t.test(
  'keepalive arms the kernel timer, 0 takes it away',
  { skip: process.platform !== 'linux' },
  async (t) => {
    await using script = new NodeScript(listening());
    const peer = await dial(await script.port());
    const { conn } = await script.hears('accepted');
    const local = `:${(peer.socket.remotePort ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    /** `02`: the keepalive timer runs, source: Linux proc_net_tcp.txt. */
    const timer = () => {
      const rows = readFileSync('/proc/net/tcp', 'latin1')
        .split('\n')
        .map((row) => row.trim().split(/\s+/));
      return rows.find((row) => row[1]?.endsWith(local) && row[3] === '01')?.[5]?.slice(0, 2);
    };
    t.equal(timer(), '00');
    script.do({ type: 'keepalive', conn, idleMillis: 45_000 });
    t.equal(timer(), '02');
    script.do({ type: 'keepalive', conn, idleMillis: 0 });
    t.equal(timer(), '00');
  },
);

t.test('a watch sees the wire of this host', async (t) => {
  const seen: string[] = [];
  const watch: WireWatch = {
    opened: (conn, _to, role) => seen.push(`opened ${conn} ${role}`),
    connected: (conn) => seen.push(`connected ${conn}`),
    bytes: (conn, dir, bytes) => seen.push(`bytes ${conn} ${dir} ${bytes.length}`),
    ended: (conn, dir) => seen.push(`ended ${conn} ${dir}`),
    reset: (conn) => seen.push(`reset ${conn}`),
    closed: (conn, why, received, sent) => seen.push(`closed ${conn} ${why} ${received} ${sent}`),
  };
  await using script = new NodeScript(
    listening((input) => {
      if (input.type === 'bytes') return [{ type: 'send', conn: input.conn, bytes: input.bytes }];
      if (input.type === 'ended') return [{ type: 'end', conn: input.conn }];
      return undefined;
    }),
    { watch },
  );
  const peer = await dial(await script.port());
  peer.socket.write('abc');
  await peer.gets(3);
  peer.socket.end();
  await script.hears('closed');
  t.same(seen, [
    'opened 1 accepted',
    'bytes 1 in 3',
    'bytes 1 out 3',
    'ended 1 in',
    'ended 1 out',
    'closed 1 end 3 3',
  ]);
});
