import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { Sim } from './sim.ts';
import { type Answer, Script } from './sim-script.ts';

const listen = (listener: number, port: number): NetOutput<string> => ({
  type: 'listen',
  listener,
  port,
  host: undefined,
});
const onStart =
  (...outputs: NetOutput<string>[]): Answer =>
  (input) =>
    input.type === 'start' ? outputs : undefined;

t.test('answers to listen come as inputs of the same instant, after all outputs before them', async (t) => {
  const sim = new Sim({ seed: 1 });
  const order: string[] = [];
  const machine = new Script(
    onStart(listen(1, 80), { type: 'report', event: 'after listen' }, listen(2, 80)),
  );
  sim.add('a', machine, { report: (event, now) => order.push(`${now} ${event} ${machine.heard.length}`) });
  sim.run(0);
  t.strictSame(order, ['0 after listen 1']);
  t.strictSame(machine.lines, ['0 listening 1 on 80', '0 unlistened 2 in use']);
});

t.test('port 0 searches on from the last port and wraps round', async (t) => {
  const sim = new Sim({ seed: 1 });
  const machine = new Script();
  sim.add('a', machine);
  const ports = 65_536 - 10_000;
  for (let listener = 0; listener < ports; listener++) sim.tell('a', [listen(listener, 0)]);
  sim.run(0);
  t.equal(machine.lines.at(-1), `0 listening ${ports - 1} on 65535`);
  sim.tell('a', [listen(ports, 0)]);
  sim.tell('a', [{ type: 'unlisten', listener: 7 }, listen(ports + 1, 0)]);
  sim.tell('a', [{ type: 'unlisten', listener: 3 }, { type: 'unlisten', listener: 9 }, listen(ports + 2, 0)]);
  sim.run(0);
  t.strictSame(
    machine.lines.filter((line) => line.includes('listen')).slice(-3),
    [
      `0 unlistened ${ports} exhausted`,
      `0 listening ${ports + 1} on 10007`,
      `0 listening ${ports + 2} on 10009`,
    ],
    'one given back is found, and the search goes on behind it',
  );
  t.equal(sim.audit('a').listeners, ports - 1);
});

t.test('a port out of range is denied', async (t) => {
  const sim = new Sim({ seed: 1 });
  const machine = new Script(onStart(listen(1, 65_536), listen(2, -1)));
  sim.add('a', machine);
  sim.run(0);
  t.strictSame(machine.lines, ['0 unlistened 1 denied', '0 unlistened 2 denied']);
});

t.test('a listener number used twice is a mistake of the machine and throws', async (t) => {
  const sim = new Sim({ seed: 1 });
  sim.add('a', new Script(onStart(listen(1, 80), listen(1, 81))));
  t.throws(() => sim.run(0), { message: /a listens twice as listener 1/ });
});

t.test('a deadline is heard at its millisecond, also one moved forward or taken back', async (t) => {
  const sim = new Sim({ seed: 1 });
  const machine = new Script((input, now) => {
    if (input.type === 'start') machine.due = 100;
    if (input.type === 'deadline' && now === 40) machine.due = 99.5;
    return undefined;
  });
  sim.add('a', machine);
  sim.at(10, () => {
    machine.due = 40;
    sim.tell('a', []);
  });
  sim.run(1_000);
  t.strictSame(machine.lines, ['10 command', '40 deadline', '100 deadline']);

  machine.due = 1_500;
  sim.tell('a', []);
  sim.at(1_200, () => {
    machine.due = undefined;
  });
  sim.run(2_000);
  t.equal(machine.lines.length, 4, 'a deadline that is no more is not heard');
});

t.test(
  'dial, be refused, wait, dial again: a new time limit for each dial costs no alarm of its own',
  async (t) => {
    const sim = new Sim({ seed: 1 });
    const rung: number[] = [];
    let due: number | undefined;
    sim.add('a', {
      handle: (now, input) => {
        if (input.type === 'deadline') rung.push(now);
        // a dial's limit when it wakes, the wait for the next dial when it hears of the refusal
        if (input.type === 'deadline' || input.type === 'start') due = now + 5_000;
        else due = now + 100;
        return [];
      },
      deadline: () => due,
    });
    for (let at = 10; at <= 910; at += 150) sim.at(at, () => sim.tell('a', undefined));
    sim.run(1_100);
    t.strictSame(rung, [110, 260, 410, 560, 710, 860, 1_010], 'each wait ends on time');
    const before = sim.events;
    sim.run(5_999);
    t.equal(sim.events - before, 1, 'one old alarm looks and finds it too early');
    t.equal(rung.length, 7);
    sim.run(6_010);
    t.strictSame(rung.slice(7), [6_010], 'and the last limit is kept to the millisecond');
  },
);

t.test('an alarm of before a crash wakes nobody too late after it', async (t) => {
  const sim = new Sim({ seed: 1 });
  const machine = (...times: number[]) => {
    const heard: number[] = [];
    return {
      heard,
      handle: (now: number, input: { readonly type: string }) => {
        if (input.type === 'deadline') heard.push(now);
        if (input.type === 'deadline') times.shift();
        return [];
      },
      deadline: () => times[0],
    };
  };
  sim.add('a', machine(50));
  sim.run(1);
  sim.restart('a', machine(20));
  sim.run(30);
  sim.crash('a', 'reset');
  sim.run(60);
  const last = machine(61, 70, 300);
  sim.restart('a', last);
  sim.run(400);
  t.strictSame(last.heard, [61, 70, 300]);
});

t.test('a machine whose deadline never moves on is refused instead of stopping the clock', async (t) => {
  const sim = new Sim({ seed: 1 });
  sim.add('a', { handle: () => [], deadline: () => 5 });
  t.throws(() => sim.run(10), { message: /a is woken for ever at 5 ms/ });
});

t.test('a thousand machines with one deadline are woken once each', async (t) => {
  const sim = new Sim({ seed: 1 });
  let woken = 0;
  for (let i = 0; i < 2_000; i++) {
    let due: number | undefined = 5;
    sim.add(`host-${i}`, {
      handle: (_now, input) => {
        if (input.type === 'deadline') {
          woken++;
          due = undefined;
        }
        return [];
      },
      deadline: () => due,
    });
  }
  sim.run(10);
  t.equal(woken, 2_000);
});

t.test('stop and commands reach the machine in the order they were given', async (t) => {
  const sim = new Sim({ seed: 1 });
  const machine = new Script();
  sim.add('a', machine);
  sim.tell('a', []);
  sim.stop('a');
  sim.tell('a', []);
  sim.run(5);
  t.strictSame(machine.lines, ['0 command', '0 stop', '0 command']);
  t.equal(sim.now, 5);
  t.throws(() => sim.tell('nobody', []), { message: /no host nobody/ });
});

t.test('calls happen in time, in the order of asking, never in the past', async (t) => {
  const sim = new Sim({ seed: 1 });
  const order: string[] = [];
  const say = (what: string) => () => order.push(`${sim.now} ${what}`);
  sim.at(20, say('b'));
  sim.at(10, say('a'));
  sim.at(20, say('c'));
  sim.at(10.5, say('rounded up'));
  sim.at(20, () => sim.at(3, say('late')));
  sim.run(15);
  t.strictSame(order, ['10 a', '11 rounded up']);
  sim.after(5, say('d'));
  sim.run(100);
  t.strictSame(order.slice(2), ['20 b', '20 c', '20 d', '20 late']);
  t.equal(sim.events, 7);
});

t.test('run leaves the clock at its limit and what is due later where it is', async (t) => {
  const sim = new Sim({ seed: 1 });
  let rang = 0;
  sim.at(100, () => rang++);
  sim.run(99);
  t.equal(sim.now, 99);
  t.equal(rang, 0);
  sim.run(100);
  t.equal(rang, 1);
});

t.test('runUntil stops at the event that makes its predicate true, or says that time is up', async (t) => {
  const sim = new Sim({ seed: 1 });
  let count = 0;
  for (let at = 10; at <= 50; at += 10) sim.at(at, () => count++);
  t.equal(
    sim.runUntil(() => count === 3, 1_000),
    true,
  );
  t.equal(sim.now, 30);
  t.equal(
    sim.runUntil(() => count === 9, 200),
    false,
  );
  t.equal(sim.now, 200);
  t.equal(count, 5);
});

t.test('running from inside a run is refused', async (t) => {
  const sim = new Sim({ seed: 1 });
  sim.at(1, () => sim.run(2));
  t.throws(() => sim.run(5), { message: /runs already/ });
  sim.run(6);
  t.equal(sim.now, 6, 'and the world can go on');
});

t.test('names are given once, whatever becomes of the connections', async (t) => {
  const sim = new Sim({ seed: 1 });
  const names = new Set<number>();
  sim.add('b', new Script((input) => (input.type === 'start' ? [listen(1, 80)] : undefined)));
  const a = new Script((input) =>
    input.type === 'connected' ? [{ type: 'reset', conn: input.conn }] : undefined,
  );
  sim.add('a', a);
  for (let i = 0; i < 50; i++) {
    const conn = sim.name();
    t.notOk(names.has(conn) || names.has(conn + 1), `${conn} is new`);
    names.add(conn).add(conn + 1);
    sim.tell('a', [{ type: 'connect', conn, to: { host: 'b', port: 80 }, from: undefined }]);
    sim.run(sim.now + 10);
  }
  t.strictSame(sim.audit('a'), { conns: 0, listeners: 0, streams: 0, heldBytes: 0 });
  t.strictSame(sim.audit('b'), { conns: 0, listeners: 1, streams: 0, heldBytes: 0 });
});

t.test(
  'a machine that speaks about a connection of another, or dials under a strange number, throws',
  async (t) => {
    const sim = new Sim({ seed: 1 });
    sim.add(
      'a',
      new Script(onStart({ type: 'connect', conn: sim.name(), to: { host: 'b', port: 1 }, from: undefined })),
    );
    sim.add('b', new Script());
    sim.run(0);
    sim.tell('b', [{ type: 'reset', conn: 0 }]);
    t.throws(() => sim.run(0), { message: /b speaks about connection 0 of a/ });
    sim.tell('b', [{ type: 'connect', conn: 77, to: { host: 'a', port: 1 }, from: undefined }]);
    t.throws(() => sim.run(0), { message: /b dials as connection 77/ });
  },
);

t.test(
  'hosts of one place reach each other in no time; rates and latencies count between places',
  async (t) => {
    const sim = new Sim({ seed: 1 });
    const service = new Script((input) => (input.type === 'start' ? [listen(1, 80)] : undefined));
    const link = { latencyMillis: 20, bytesPerMillis: 10 };
    const near = new Script((input) =>
      input.type === 'connected'
        ? [{ type: 'send', conn: input.conn, bytes: new Uint8Array(1_000) }]
        : undefined,
    );
    const far = new Script((input) =>
      input.type === 'connected'
        ? [{ type: 'send', conn: input.conn, bytes: new Uint8Array(1_000) }]
        : undefined,
    );
    sim.add('site/service', service, { place: 'site', link });
    sim.add('site/near', near, { place: 'site', link });
    sim.add('far', far, { link: { latencyMillis: 5, bytesPerMillis: 40 } });
    sim.run(0);
    for (const host of ['site/near', 'far'])
      sim.tell(host, [
        { type: 'connect', conn: sim.name(), to: { host: 'site/service', port: 80 }, from: undefined },
      ]);
    sim.run(1_000);
    t.strictSame(service.lines.slice(1), [
      '0 accepted 1 on 1 from site/near:32768',
      '0 bytes 1 (1000)',
      '25 accepted 3 on 1 from far:32769',
      // 50 ms for connecting, 25 to send at 40 bytes/ms, 25 on the way, 100 to receive at 10 bytes/ms
      '200 bytes 3 (1000)',
    ]);
  },
);

t.test('a dial may name the address it comes from, and a host may have a second one', async (t) => {
  const sim = new Sim({ seed: 1 });
  const server = new Script((input) => (input.type === 'start' ? [listen(1, 80)] : undefined));
  sim.add('server', server, { bind: '192.0.2.1' });
  sim.add('nat', new Script());
  sim.run(0);
  const to = { host: '192.0.2.1', port: 80 };
  sim.tell('nat', [{ type: 'connect', conn: sim.name(), to, from: { host: '203.0.113.9', port: 4_000 } }]);
  sim.tell('nat', [{ type: 'connect', conn: sim.name(), to, from: { host: '203.0.113.9', port: 0 } }]);
  sim.run(10);
  t.strictSame(server.lines.slice(1), [
    '1 accepted 1 on 1 from 203.0.113.9:4000',
    '1 accepted 3 on 1 from 203.0.113.9:32769',
  ]);
  t.throws(() => sim.add('192.0.2.1', new Script()), { message: /two hosts called 192\.0\.2\.1/ });
});

t.test('the wire of a watched host is told in order', async (t) => {
  const sim = new Sim({ seed: 1 });
  const wire: string[] = [];
  const watch = {
    opened: (conn: number, to: string, role: string) => wire.push(`${sim.now} ${conn} opened ${to} ${role}`),
    connected: (conn: number) => wire.push(`${sim.now} ${conn} connected`),
    bytes: (conn: number, dir: string, bytes: Uint8Array) =>
      wire.push(`${sim.now} ${conn} ${dir} ${bytes.length}`),
    ended: (conn: number, dir: string) => wire.push(`${sim.now} ${conn} ended ${dir}`),
    reset: (conn: number) => wire.push(`${sim.now} ${conn} reset`),
    closed: (conn: number, why: string, received: number, sent: number) =>
      wire.push(`${sim.now} ${conn} closed ${why} ${received}/${sent}`),
  };
  const server = new Script((input) => {
    if (input.type === 'start') return [listen(1, 80)];
    if (input.type === 'bytes') return [{ type: 'send', conn: input.conn, bytes: input.bytes }];
    return input.type === 'ended' ? [{ type: 'end', conn: input.conn }] : undefined;
  });
  sim.add('server', server, { watch });
  const client = new Script((input) =>
    input.type === 'connected'
      ? [
          { type: 'send', conn: input.conn, bytes: new Uint8Array(3) },
          { type: 'end', conn: input.conn },
        ]
      : undefined,
  );
  sim.add('client', client, { watch });
  sim.run(0);
  sim.tell('client', [
    { type: 'connect', conn: sim.name(), to: { host: 'server', port: 80 }, from: undefined },
  ]);
  sim.run(100);
  t.strictSame(wire, [
    '0 0 opened server:80 dialled',
    '1 1 opened client:32768 accepted',
    '2 0 connected',
    '2 0 out 3',
    '2 0 ended out',
    '3 1 in 3',
    '3 1 out 3',
    '3 1 ended in',
    '3 1 ended out',
    '3 1 closed end 3/3',
    '4 0 in 3',
    '4 0 ended in',
    '4 0 closed end 3/3',
  ]);
});
