import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { Sim, type SimOptions } from './sim.ts';
import { nextProbe, nextRetry } from './sim-path.ts';
import { type Does, Script } from './sim-script.ts';

const send = (conn: number, chars: string): NetOutput<string> => ({
  type: 'send',
  conn,
  bytes: new TextEncoder().encode(chars),
});
const listener = (): Script =>
  new Script((input) =>
    input.type === 'start' ? [{ type: 'listen', listener: 1, port: 80, host: undefined }] : undefined,
  );
const keepalive = (conn: number, idleMillis: number): NetOutput<string> => ({
  type: 'keepalive',
  conn,
  idleMillis,
});

/** `a` holds 0 and `b` 1 at 1,000 ms; one way is 1 ms. */
const pair = (options: Partial<SimOptions> = {}) => {
  const sim = new Sim({ seed: 1, ...options });
  const a = new Script();
  const b = listener();
  sim.add('a', a, { place: 'home' });
  sim.add('b', b, { place: 'cloud' });
  sim.run(0);
  const does = (host: string, ...outputs: Does): void => sim.tell(host, outputs);
  const dial = (): number => {
    const conn = sim.name();
    does('a', { type: 'connect', conn, to: { host: 'b', port: 80 }, from: undefined });
    return conn;
  };
  dial();
  sim.run(1_000);
  const heard = (script: Script, skip: number): readonly string[] =>
    script.lines.filter((line) => !line.endsWith(' command')).slice(skip);
  return { sim, a, b, does, dial, heardA: () => heard(a, 1), heardB: () => heard(b, 2) };
};

t.test(
  'retransmissions come 200, 600, 1,400, ... ms after what was sent, at most two minutes apart',
  async (t) => {
    const table: readonly (readonly [since: number, from: number, step: number, at: number])[] = [
      [0, 0, 200, 200],
      [0, 200, 200, 200],
      [0, 201, 200, 600],
      [0, 601, 200, 1_400],
      [50, 651, 200, 1_450],
      [0, 60_000, 200, 102_200],
      [0, 204_601, 200, 324_600],
      [0, 1, 1_000, 1_000],
      [0, 3_001, 1_000, 7_000],
    ];
    for (const [since, from, step, at] of table)
      t.equal(nextRetry(since, from, step), at, `${since} ${from} ${step}`);
  },
);

t.test('probes go out after each whole silence', async (t) => {
  t.equal(nextProbe(100, 100, 30), 130);
  t.equal(nextProbe(100, 130, 30), 130);
  t.equal(nextProbe(100, 131, 30), 160);
  t.equal(nextProbe(100, 0, 30), 130);
});

t.test('a short cut only delays: bytes, ends and their order stay', async (t) => {
  const { sim, does, heardA, heardB } = pair();
  sim.cut('home');
  does('a', send(0, 'one'), send(0, 'two'));
  sim.run(1_500);
  does('a', { type: 'end', conn: 0 });
  t.equal(sim.stalledBytes('home'), 6);
  t.strictSame(heardB(), []);
  sim.restore('home');
  t.equal(sim.stalledBytes('home'), 6);
  sim.run(60_000);
  t.strictSame(heardB(), ['1601 bytes 1 "one"', '1601 bytes 1 "two"', '1601 ended 1']);
  t.strictSame(heardA(), []);
  t.equal(sim.stalledBytes('home'), 0);
});

t.test('what is sent after the cut but before the retransmission stays behind it', async (t) => {
  const { sim, does, heardB } = pair();
  sim.cut('cloud');
  does('a', send(0, 'held'));
  sim.run(1_300);
  sim.restore('cloud');
  does('a', send(0, ' behind'));
  sim.run(60_000);
  t.strictSame(heardB(), ['1601 bytes 1 "held"', '1601 bytes 1 " behind"']);
});

t.test('a cut during the wait for a retransmission waits for the next light', async (t) => {
  const { sim, does, heardB } = pair();
  sim.cut('home');
  does('a', send(0, 'x'));
  sim.run(1_300);
  sim.restore('home');
  sim.run(1_400);
  sim.cut('home');
  sim.run(1_700);
  sim.restore('home');
  sim.run(60_000);
  t.strictSame(heardB(), ['2401 bytes 1 "x"']);
});

t.test('hosts of one place do not notice that it is cut', async (t) => {
  const { sim, b, does } = pair();
  sim.add('inside', new Script(), { place: 'cloud' });
  sim.cut('cloud');
  does('inside', { type: 'connect', conn: sim.name(), to: { host: 'b', port: 80 }, from: undefined });
  sim.run(1_000);
  t.equal(b.lines.at(-1), '1000 accepted 3 on 1 from inside:32769');
});

t.test('an idle connection does not notice a cut shorter than its keepalive', async (t) => {
  const { sim, does, heardA, heardB } = pair();
  does('a', keepalive(0, 30_000));
  sim.run(5_000);
  const before = sim.events;
  sim.cut('home');
  sim.run(20_000);
  sim.restore('home');
  sim.run(500_000);
  t.strictSame(heardA(), []);
  t.ok(sim.events - before <= 2, 'and it costs no more than its one judgement');
  does('a', send(0, 'alive'));
  sim.run(501_000);
  t.strictSame(heardB(), ['500001 bytes 1 "alive"']);
});

t.test(
  'a cut longer than keepalive times the end out that asked for it; the other one never knows',
  async (t) => {
    const { sim, does, heardA, heardB } = pair();
    does('a', keepalive(0, 30_000));
    sim.run(5_000);
    sim.cut('home');
    sim.run(100_000);
    // last heard of at 2 ms (connected), probe at 30,002, ten more seconds of probes
    t.strictSame(heardA(), ['40002 closed 0 timeout 0/0']);
    sim.restore('home');
    sim.run(10_000_000);
    t.strictSame(heardB(), []);
    t.equal(sim.audit('b').conns, 1, 'half-open for ever');
    does('b', send(1, 'anybody?'));
    sim.run(10_001_000);
    t.strictSame(heardB(), ['10000002 closed 1 reset 0/8']);
  },
);

t.test('keepalive asked for in the dark is judged from there', async (t) => {
  const { sim, does, heardA } = pair();
  sim.cut('home');
  sim.run(5_000);
  does('a', keepalive(0, 10_000));
  sim.run(100_000);
  t.strictSame(heardA(), ['20002 closed 0 timeout 0/0']);
});

t.test('keepalive switched off is not judged', async (t) => {
  const { sim, does, heardA } = pair();
  does('a', keepalive(0, 10_000));
  sim.cut('home');
  sim.run(5_000);
  does('a', keepalive(0, 0));
  sim.run(1_000_000);
  t.strictSame(heardA(), []);
});

t.test(
  'unacknowledged bytes are given up after the retransmission time, whatever keepalive says',
  async (t) => {
    const { sim, does, heardA } = pair({ retransmitTimeoutMillis: 60_000 });
    does('a', keepalive(0, 5_000));
    sim.run(2_000);
    sim.cut('home');
    does('a', send(0, 'x'));
    sim.run(1_000_000);
    t.strictSame(heardA(), ['62000 closed 0 timeout 0/1']);
  },
);

t.test('a dial in the dark is tried again, or times out', async (t) => {
  const { sim, dial, heardA } = pair();
  sim.cut('cloud');
  const conn = dial();
  sim.run(2_500);
  sim.restore('cloud');
  sim.run(10_000);
  t.strictSame(heardA(), [`4002 connected ${conn}`], 'SYN again after 1 s and 3 s');
  sim.cut('cloud');
  const lost = dial();
  sim.run(500_000);
  t.strictSame(heardA().slice(1), [`137000 closed ${lost} timeout 0/0`]);
  t.equal(sim.audit('a').conns, 2);
});

t.test('a dial that is given up in the dark is heard of by nobody', async (t) => {
  const { sim, dial, does, heardA, heardB } = pair();
  sim.cut('cloud');
  const conn = dial();
  sim.run(1_500);
  does('a', { type: 'reset', conn });
  sim.restore('cloud');
  sim.run(500_000);
  t.strictSame([...heardA(), ...heardB()], []);
});

t.test('a crash that its kernel survives resets its peers and refuses dials', async (t) => {
  const { sim, b, dial, heardA } = pair();
  sim.crash('b', 'reset');
  sim.run(2_000);
  const conn = dial();
  sim.run(3_000);
  t.strictSame(heardA(), ['1001 closed 0 reset 0/0', `2002 closed ${conn} refused 0/0`]);
  t.equal(b.lines.length, 2, 'a dead machine hears nothing');
  t.strictSame(sim.audit('b'), { conns: 0, listeners: 0, streams: 0, heldBytes: 0 });
});

t.test('a silent crash is learnt of by keepalive, by sending, or never', async (t) => {
  const { sim, does, dial, heardA } = pair({ retransmitTimeoutMillis: 300_000 });
  const talking = dial();
  const forgotten = dial();
  sim.run(2_000);
  does('a', keepalive(0, 20_000));
  sim.crash('b', 'silent');
  does('a', send(talking, 'x'));
  sim.run(1_000);
  const dialled = dial();
  sim.run(2_000_000);
  t.strictSame(heardA().slice(2), [
    '30002 closed 0 timeout 0/0',
    `129000 closed ${dialled} timeout 0/0`,
    `302000 closed ${talking} timeout 0/1`,
  ]);
  t.equal(sim.audit('a').conns, 1);
  does('a', { type: 'reset', conn: forgotten });
  sim.run(2_000_100);
  t.equal(sim.audit('a').conns, 0);
});

t.test('a host that comes back answers RST to what it does not know', async (t) => {
  const { sim, does, dial, heardA } = pair();
  const talking = dial();
  const probing = dial();
  sim.run(2_000);
  does('a', keepalive(probing, 60_000));
  sim.crash('b', 'silent');
  does('a', send(talking, 'x'));
  sim.run(10_000);
  const back = listener();
  sim.restart('b', back);
  sim.run(10_000);
  t.strictSame(back.lines, ['10000 listening 1 on 80']);
  sim.run(1_000_000);
  t.strictSame(heardA().slice(2), [
    // sent at 2,000: again 200, 600, 1,400, ... 12,600 ms later, and RST after a round trip
    `14602 closed ${talking} reset 0/1`,
    `61002 closed ${probing} reset 0/0`,
  ]);
  does('a', send(0, 'y'));
  sim.run(1_000_100);
  t.equal(heardA().at(-1), '1000002 closed 0 reset 0/1');
});

t.test('a restart of a running host crashes it first, and the old machine hears nothing more', async (t) => {
  const { sim, b, heardA } = pair();
  const back = listener();
  sim.tell('b', [send(1, 'for the old one')]);
  sim.restart('b', back);
  sim.run(2_000);
  t.strictSame(heardA(), ['1001 closed 0 reset 0/0']);
  t.equal(b.lines.length, 2);
  t.strictSame(back.lines, ['1000 listening 1 on 80']);
});

t.test('a removed host is unreachable by name, and the name is free again', async (t) => {
  const { sim, dial, heardA } = pair();
  sim.remove('b');
  const conn = dial();
  sim.run(2_000);
  t.strictSame(heardA(), [`1000 closed ${conn} unreachable 0/0`, '1001 closed 0 reset 0/0']);
  sim.add('b', listener());
  sim.run(2_000);
  const again = dial();
  sim.run(3_000);
  t.equal(heardA().at(-1), `2002 connected ${again}`);
});

t.test('a crash in the dark is learnt of when the light is back', async (t) => {
  const { sim, does, dial, heardA } = pair();
  const probing = dial();
  sim.run(2_000);
  does('a', keepalive(probing, 20_000), keepalive(0, 500_000));
  sim.run(2_000);
  sim.cut('cloud');
  sim.crash('b', 'reset');
  sim.run(5_000);
  sim.restore('cloud');
  sim.run(100_000);
  t.strictSame(heardA().slice(1), [`31002 closed ${probing} reset 0/0`]);
  does('a', send(0, 'x'));
  sim.run(101_000);
  t.equal(heardA().at(-1), '100002 closed 0 reset 0/1');
});

t.test('bytes of an end that has closed in order survive a cut', async (t) => {
  const { sim, does, heardA, heardB } = pair();
  does('b', { type: 'end', conn: 1 });
  sim.run(2_000);
  sim.cut('home');
  does('a', send(0, 'last words'), { type: 'end', conn: 0 });
  sim.run(2_100);
  t.strictSame(heardA(), ['1001 ended 0', '2000 closed 0 end 0/10']);
  sim.restore('home');
  sim.run(60_000);
  t.strictSame(heardB(), ['2201 bytes 1 "last words"', '2201 ended 1', '2201 closed 1 end 10/0']);
});

t.test('a window that opens in the dark is told of when the light is back', async (t) => {
  const { sim, a, b, does } = pair();
  does('b', { type: 'pause', conn: 1 });
  const bytes = new Uint8Array(400_000);
  does('a', { type: 'send', conn: 0, bytes }, { type: 'flush', conn: 0 });
  sim.run(2_000);
  sim.cut('home');
  does('b', { type: 'resume', conn: 1 });
  sim.run(3_000);
  t.equal(b.bytes(1), 262_144);
  sim.restore('home');
  sim.run(60_000);
  t.equal(b.bytes(1), 400_000);
  t.ok(a.lines.at(-1)?.endsWith('flushed 0'));
});
