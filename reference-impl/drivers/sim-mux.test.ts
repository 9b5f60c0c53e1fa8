import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { Sim, type SimOptions } from './sim.ts';
import { type Answer, type Does, Script } from './sim-script.ts';

const send = (conn: number, bytes: Uint8Array | string): NetOutput<string> => ({
  type: 'send',
  conn,
  bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes,
});
const word = (
  type: 'end' | 'reset' | 'close' | 'pause' | 'resume' | 'flush',
  conn: number,
): NetOutput<string> => ({ type, conn });

/** `client` holds the session on 0, `server` on 1; one way is 1 ms; it is 100 ms. */
const session = (answerServer: Answer = () => undefined, yamux: NonNullable<SimOptions['yamux']> = {}) => {
  const sim = new Sim({ seed: 1, yamux });
  const server = new Script((input, now) => {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 80, host: undefined }];
    if (input.type === 'accepted' && input.conn === 1)
      return [{ type: 'mux', conn: 1, role: 'server', early: undefined }];
    return answerServer(input, now);
  });
  const client = new Script((input) =>
    input.type === 'connected' && input.conn === 0
      ? [{ type: 'mux', conn: 0, role: 'client', early: undefined }]
      : undefined,
  );
  sim.add('client', client);
  sim.add('server', server);
  sim.run(0);
  const does = (host: string, ...outputs: Does): void => sim.tell(host, outputs);
  does('client', { type: 'connect', conn: sim.name(), to: { host: 'server', port: 80 }, from: undefined });
  sim.run(100);
  const heard = (script: Script): readonly string[] =>
    script.lines.filter((line) => !line.endsWith(' command')).slice(script === client ? 1 : 2);
  /** Opens a stream; @returns the client's number of it. The server's is the next even one. */
  const open = (): number => {
    const conn = sim.name();
    does('client', { type: 'open', conn, session: 0 });
    return conn;
  };
  return { sim, client, server, does, heard, open };
};

t.test('a stream opened by one side is a connection on both', async (t) => {
  const { sim, client, server, does, heard, open } = session();
  const conn = open();
  does('client', send(conn, 'hello'), word('flush', conn), word('end', conn));
  sim.run(150);
  const theirs = 4;
  t.strictSame(heard(server), [
    `101 stream ${theirs} of 1`,
    `101 bytes ${theirs} "hello"`,
    `101 ended ${theirs}`,
  ]);
  does('server', send(theirs, 'back'), word('end', theirs));
  sim.run(200);
  t.strictSame(heard(client), [
    `100 flushed ${conn}`,
    `151 bytes ${conn} "back"`,
    `151 ended ${conn}`,
    `151 closed ${conn} end 4/5`,
  ]);
  t.strictSame(heard(server).slice(3), [`150 closed ${theirs} end 5/4`]);
  t.equal(sim.audit('client').streams, 0);
  t.equal(sim.audit('client').conns, 1);
});

t.test('the other side may open streams too', async (t) => {
  const { sim, client, does, heard } = session();
  const conn = sim.name();
  does('server', { type: 'open', conn, session: 1 }, send(conn, 'knock'));
  sim.run(200);
  t.strictSame(heard(client), ['101 stream 4 of 0', '101 bytes 4 "knock"']);
});

t.test('a reset of a stream is heard by the other side only', async (t) => {
  const { sim, client, server, does, heard, open } = session();
  const conn = open();
  sim.run(110);
  does('client', word('reset', conn));
  sim.run(200);
  t.strictSame(heard(server), ['101 stream 4 of 1', '111 closed 4 reset 0/0']);
  t.strictSame(heard(client), []);
  t.equal(sim.audit('client').streams, 0);
});

t.test('a stream that the other side resets at once is reset', async (t) => {
  const { sim, client, heard, open } = session((input) =>
    input.type === 'stream' ? [word('reset', input.conn)] : undefined,
  );
  const conn = open();
  sim.run(200);
  t.equal(heard(client).at(-1), `102 closed ${conn} reset 0/0`);
});

t.test('a stream beyond the number the session allows is refused', async (t) => {
  const { sim, client, heard, open } = session(undefined, { streamsMax: 1 });
  open();
  sim.run(110);
  const second = open();
  sim.run(200);
  t.strictSame(heard(client), [`110 closed ${second} refused 0/0`]);
  t.equal(sim.audit('client').streams, 1);
});

t.test('a stream on a session that is gone is refused', async (t) => {
  const { sim, client, does, heard } = session();
  does('client', word('reset', 0));
  sim.run(150);
  const conn = sim.name();
  does('client', { type: 'open', conn, session: 0 });
  sim.run(200);
  t.strictSame(heard(client), [`150 closed ${conn} refused 0/0`]);
});

t.test('a session that loses its connection ends its streams first, then itself', async (t) => {
  const { sim, client, heard, open } = session();
  const conn = open();
  sim.run(150);
  sim.crash('server', 'reset');
  sim.run(200);
  t.match(heard(client), [new RegExp(`^151 closed ${conn} reset 0/0$`), /^151 closed 0 reset \d+\/\d+$/]);
  t.strictSame(sim.audit('client'), { conns: 0, listeners: 0, streams: 0, heldBytes: 0 });
});

t.test('ending a session lets its streams finish', async (t) => {
  const { sim, client, server, does, heard, open } = session();
  const conn = open();
  sim.run(150);
  does('client', word('end', 0), send(conn, 'still'), word('end', conn));
  sim.run(160);
  does('server', word('end', 4));
  sim.run(300);
  t.ok(heard(server).includes('151 ended 1'));
  t.ok(heard(server).includes('151 bytes 4 "still"'));
  t.match(heard(client).slice(-1), [/^\d+ closed 0 end \d+\/\d+$/]);
  t.match(heard(server).slice(-1), [/^\d+ closed 1 end \d+\/\d+$/]);
  t.equal(sim.audit('client').conns + sim.audit('server').conns, 0);
});

t.test('a stream that is not read holds its sender back, not the session', async (t) => {
  const { sim, client, server, does, open } = session((input) =>
    input.type === 'stream' && input.conn === 4 ? [word('pause', 4)] : undefined,
  );
  const slow = open();
  const chunk = new Uint8Array(50_000);
  for (let i = 0; i < 20; i++) does('client', send(slow, chunk));
  does('client', word('flush', slow));
  sim.run(1_000);
  const quick = open();
  does('client', send(quick, 'quick'));
  sim.run(2_000);
  t.ok(server.lines.some((line) => line.endsWith('"quick"')));
  t.notOk(client.lines.some((line) => line.includes('flushed')));
  does('server', word('resume', 4));
  sim.run(3_000);
  t.equal(server.bytes(4), 1_000_000);
  t.ok(client.lines.some((line) => line.endsWith(`flushed ${slow}`)));
});

t.test('bytes that came before the session are part of it', async (t) => {
  const sim = new Sim({ seed: 1 });
  const server = new Script((input) => {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 80, host: undefined }];
    return input.type === 'bytes' && input.conn === 1
      ? [{ type: 'mux', conn: 1, role: 'server', early: input.bytes.subarray(4) }]
      : undefined;
  });
  const client = new Script((input) =>
    input.type === 'connected'
      ? [
          send(0, 'yes\n'),
          { type: 'mux', conn: 0, role: 'client', early: undefined },
          { type: 'open', conn: 2, session: 0 },
          send(2, 'one'),
        ]
      : undefined,
  );
  sim.add('client', client);
  sim.add('server', server);
  sim.run(0);
  sim.tell('client', [
    { type: 'connect', conn: sim.name(), to: { host: 'server', port: 80 }, from: undefined },
  ]);
  sim.name();
  sim.run(100);
  t.ok(
    server.lines.some((line) => line.endsWith('bytes 4 "one"')),
    server.lines.join('; '),
  );
});

/** The server splices each stream with a dial to `service`, which listens and answers by what it is told. */
const spliced = (answerService: Answer) => {
  const conns: { stream: number; dial: number }[] = [];
  const world = session((input) => {
    if (input.type !== 'stream') return undefined;
    const dial = world.sim.name();
    conns.push({ stream: input.conn, dial });
    return [
      { type: 'connect', conn: dial, to: { host: 'service', port: 80 }, from: undefined },
      { type: 'splice', a: input.conn, b: dial },
    ];
  });
  const service = new Script((input, now) =>
    input.type === 'start'
      ? [{ type: 'listen', listener: 1, port: 80, host: undefined }]
      : answerService(input, now),
  );
  world.sim.add('service', service);
  world.sim.run(100);
  return { ...world, service, conns };
};
const echo: Answer = (input) => {
  if (input.type === 'bytes') return [send(input.conn, input.bytes)];
  return input.type === 'ended' ? [word('end', input.conn)] : undefined;
};

t.test('a stream spliced with a socket carries bytes and half-closes', async (t) => {
  const { sim, client, server, does, heard, open, conns } = spliced(echo);
  const conn = open();
  const big = new Uint8Array(1_000_000).fill(3);
  does('client', send(conn, big), word('end', conn));
  sim.run(5_000);
  t.equal(client.bytes(conn), big.length);
  t.match(heard(client).slice(-2), [/ ended 2$/, / closed 2 end 1000000\/1000000$/]);
  const { stream, dial } = conns[0] as (typeof conns)[0];
  t.strictSame(
    heard(server)
      .slice(1)
      .map((line) => line.replace(/^\d+ /, ''))
      .sort(),
    [`closed ${stream} end 1000000/1000000`, `closed ${dial} end 1000000/1000000`].sort(),
  );
});

t.test('a slow socket holds a spliced stream back: nobody keeps more than its windows', async (t) => {
  const { sim, client, does, service, open } = spliced((input) =>
    input.type === 'accepted' ? [word('pause', input.conn)] : undefined,
  );
  const conn = open();
  for (let i = 0; i < 40; i++) does('client', send(conn, new Uint8Array(50_000)));
  does('client', word('flush', conn));
  sim.run(5_000);
  const held = sim.audit('service').heldBytes + sim.audit('server').heldBytes;
  t.ok(held <= 3 * 262_144, `${held} bytes held`);
  t.notOk(client.lines.some((line) => line.includes('flushed')));
  const accepted = Number(service.lines.find((line) => line.includes('accepted'))?.split(' ')[2]);
  does('service', word('resume', accepted));
  sim.run(10_000);
  t.equal(service.bytes(accepted), 2_000_000);
});

t.test('a slow stream holds a spliced socket back', async (t) => {
  const { sim, client, does, service, open } = spliced(() => undefined);
  const conn = open();
  does('client', word('pause', conn));
  sim.run(200);
  const accepted = Number(service.lines.find((line) => line.includes('accepted'))?.split(' ')[2]);
  for (let i = 0; i < 40; i++) does('service', send(accepted, new Uint8Array(50_000)));
  sim.run(5_000);
  t.ok(sim.audit('service').heldBytes > 2_000_000 - 5 * 262_144, 'most is still with its sender');
  does('client', word('resume', conn));
  sim.run(20_000);
  t.equal(client.bytes(conn), 2_000_000);
});

t.test('a reset goes through a splice of stream and socket, either way', async (t) => {
  const there = spliced(() => undefined);
  const conn = there.open();
  there.sim.run(200);
  there.does('client', word('reset', conn));
  there.sim.run(300);
  t.match(there.service.lines.at(-1), / closed \d+ reset 0\/0$/);
  t.equal(there.heard(there.server).filter((line) => line.includes('reset')).length, 2);

  const back = spliced((input) => (input.type === 'accepted' ? [word('reset', input.conn)] : undefined));
  const other = back.open();
  back.sim.run(300);
  t.match(back.heard(back.client).at(-1), new RegExp(` closed ${other} reset 0/0$`));
  t.strictSame(back.sim.audit('server').streams, 0);
});

t.test('a session whose peer falls silent fails by its keepalive', async (t) => {
  const { sim, client, does, heard, open } = session();
  open();
  does('client', { type: 'keepalive', conn: 0, idleMillis: 10_000 });
  sim.run(60_000);
  t.strictSame(heard(client), [], 'pings are answered');
  sim.crash('server', 'silent');
  sim.run(200_000);
  t.match(heard(client), [/ closed 2 failed 0\/0$/, / closed 0 failed /]);
  t.ok(Number(heard(client)[0]?.split(' ')[0]) <= 60_000 + 10_000 + 10_000 + 1);
});
