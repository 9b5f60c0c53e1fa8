import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { Sim } from './sim.ts';
import { WINDOW_BYTES } from './sim-end.ts';
import { type Does, Script } from './sim-script.ts';

const text = (chars: string): Uint8Array => new TextEncoder().encode(chars);
const send = (conn: number, bytes: Uint8Array | string): NetOutput<string> => ({
  type: 'send',
  conn,
  bytes: typeof bytes === 'string' ? text(bytes) : bytes,
});

/** left --2 ms-- middle --2 ms-- right. The middle holds ends 1 (of left) and 2 (of right, which holds 3), at 100 ms. */
const chain = () => {
  const sim = new Sim({ seed: 1 });
  const listen: NetOutput<string> = { type: 'listen', listener: 1, port: 80, host: undefined };
  const middle = new Script((input) => (input.type === 'start' ? [listen] : undefined));
  const right = new Script((input) => (input.type === 'start' ? [listen] : undefined));
  const left = new Script();
  const link = { latencyMillis: 1, bytesPerMillis: Number.POSITIVE_INFINITY };
  sim.add('left', left, { link });
  sim.add('middle', middle, { link });
  sim.add('right', right, { link });
  sim.run(0);
  const does = (host: string, ...outputs: Does): void => sim.tell(host, outputs);
  does('left', { type: 'connect', conn: sim.name(), to: { host: 'middle', port: 80 }, from: undefined });
  sim.run(0);
  does('middle', { type: 'connect', conn: sim.name(), to: { host: 'right', port: 80 }, from: undefined });
  sim.run(100);
  const from = new Map([left, middle, right].map((script) => [script, script.heard.length]));
  const heard = (script: Script): readonly string[] =>
    script.lines.slice((from.get(script) ?? 1) - 1).filter((line) => !line.endsWith(' command'));
  return { sim, left, middle, right, does, heard };
};
const SPLICE: NetOutput<string> = { type: 'splice', a: 1, b: 2 };

t.test(
  'a splice carries bytes and half-closes both ways, and its machine hears only two closed',
  async (t) => {
    const { sim, left, middle, right, does, heard } = chain();
    does('middle', SPLICE);
    does('left', send(0, 'ask'), { type: 'end', conn: 0 });
    sim.at(200, () => does('right', send(3, 'answer'), { type: 'end', conn: 3 }));
    sim.run(1_000);
    t.strictSame(heard(right), ['104 bytes 3 "ask"', '104 ended 3', '200 closed 3 end 3/6']);
    t.strictSame(heard(left), ['204 bytes 0 "answer"', '204 ended 0', '204 closed 0 end 6/3']);
    t.strictSame(heard(middle), ['202 closed 1 end 3/6', '202 closed 2 end 6/3']);
  },
);

t.test('early bytes go first, and an end seen before the splice is passed on', async (t) => {
  const { sim, left, right, does, heard } = chain();
  does('left', send(0, 'late'), { type: 'end', conn: 0 });
  sim.run(150);
  does('middle', send(2, 'early '), SPLICE);
  sim.run(1_000);
  t.equal(right.text(3), 'early ');
  t.strictSame(heard(right), ['152 bytes 3 "early "', '152 ended 3']);
  t.strictSame(heard(left), []);
});

t.test('bytes that a paused end has not read go through the splice behind the early ones', async (t) => {
  const { sim, right, does } = chain();
  does('middle', { type: 'pause', conn: 1 });
  does('left', send(0, 'unread'), { type: 'end', conn: 0 });
  sim.run(150);
  does('middle', send(2, 'early '), SPLICE);
  sim.run(1_000);
  t.equal(right.text(3), 'early unread');
  t.equal(right.lines.at(-1), '152 ended 3');
});

t.test('a splice with a dial under way carries once it is answered', async (t) => {
  const { sim, middle, right, does, heard } = chain();
  const conn = sim.name();
  does(
    'middle',
    { type: 'connect', conn, to: { host: 'right', port: 80 }, from: undefined },
    { ...SPLICE, b: conn },
  );
  does('left', send(0, 'hello'));
  sim.run(1_000);
  t.equal(right.text(conn + 1), 'hello');
  t.strictSame(heard(middle), [], 'not even connected is said');
});

t.test('a splice with a dial that fails resets the other side', async (t) => {
  const { sim, left, middle, does, heard } = chain();
  const conn = sim.name();
  does(
    'middle',
    { type: 'connect', conn, to: { host: 'right', port: 81 }, from: undefined },
    { ...SPLICE, b: conn },
  );
  sim.run(1_000);
  t.strictSame(heard(middle), [`104 closed ${conn} refused 0/0`, '104 closed 1 reset 0/0']);
  t.strictSame(heard(left), ['106 closed 0 reset 0/0']);
});

t.test('a reset of one half resets the other', async (t) => {
  const { sim, left, middle, right, does, heard } = chain();
  does('middle', SPLICE);
  does('left', send(0, 'abc'), { type: 'reset', conn: 0 });
  sim.run(1_000);
  t.strictSame(heard(middle), ['102 closed 1 reset 3/0', '102 closed 2 reset 0/3']);
  t.strictSame(heard(right), ['104 bytes 3 "abc"', '104 closed 3 reset 3/0']);
  t.strictSame(heard(left), []);
});

t.test('its owner breaks a splice by a reset, and any other word about it is ignored', async (t) => {
  const { sim, left, middle, right, does, heard } = chain();
  does('middle', SPLICE);
  does(
    'middle',
    send(1, 'x'),
    { type: 'pause', conn: 1 },
    { type: 'end', conn: 2 },
    { type: 'close', conn: 1 },
  );
  does('left', send(0, 'through'));
  sim.run(150);
  t.equal(right.text(3), 'through');
  t.strictSame(heard(left), []);
  does('middle', { type: 'reset', conn: 1 });
  sim.run(1_000);
  t.strictSame(heard(middle), ['150 closed 2 reset 0/7']);
  t.strictSame(heard(left), ['152 closed 0 reset 0/7']);
  t.strictSame(heard(right).slice(1), ['152 closed 3 reset 7/0']);
});

t.test('a splice with a connection that is gone resets the other', async (t) => {
  const { sim, middle, right, does, heard } = chain();
  does('middle', { type: 'reset', conn: 1 }, SPLICE);
  sim.run(1_000);
  t.strictSame(heard(middle), ['100 closed 2 reset 0/0']);
  t.strictSame(heard(right), ['102 closed 3 reset 0/0']);
});

t.test('a sender is held back by a window, and its flush is answered when all has left', async (t) => {
  const { sim, left, middle, does } = chain();
  does('middle', { type: 'pause', conn: 1 });
  const big = new Uint8Array(WINDOW_BYTES + 1_000);
  does('left', send(0, big), { type: 'flush', conn: 0 }, send(0, 'behind'));
  sim.run(1_000);
  t.equal(sim.audit('middle').heldBytes, WINDOW_BYTES, 'the reader holds one window');
  t.equal(sim.audit('left').heldBytes, 1_000 + 6);
  t.notOk(left.lines.some((line) => line.includes('flushed')));
  does('middle', { type: 'resume', conn: 1 });
  sim.run(2_000);
  t.equal(left.lines.at(-1), '1002 flushed 0', 'the news of the window takes one way');
  t.equal(middle.bytes(1), big.length + 6);
  t.equal(sim.audit('middle').heldBytes + sim.audit('left').heldBytes, 0);
});

t.test('back-pressure reaches through a splice: two windows and no more', async (t) => {
  const { sim, left, right, does } = chain();
  does('middle', SPLICE);
  does('right', { type: 'pause', conn: 3 });
  const chunk = new Uint8Array(10_000).fill(7);
  for (let i = 0; i < 100; i++) does('left', send(0, chunk), { type: 'flush', conn: 0 });
  sim.run(1_000);
  const held = sim.audit('middle').heldBytes + sim.audit('right').heldBytes;
  t.ok(held > WINDOW_BYTES && held <= 2 * WINDOW_BYTES + chunk.length, `${held} bytes held`);
  t.equal(sim.audit('left').heldBytes, 1_000_000 - held);
  does('right', { type: 'resume', conn: 3 });
  sim.run(2_000);
  t.equal(right.bytes(3), 1_000_000);
  t.equal(left.lines.filter((line) => line.includes('flushed')).length, 100);
});

t.test('a window an RTT bounds the rate of a long path', async (t) => {
  const { sim, right, does } = chain();
  does('middle', SPLICE);
  for (let i = 0; i < 64; i++) does('left', send(0, new Uint8Array(65_536)));
  sim.runUntil(() => right.bytes(3) === 64 * 65_536, 10_000);
  // 16 windows; each hop takes 2 ms there and 2 ms back
  t.ok(sim.now >= 100 + 15 * 4 && sim.now <= 100 + 17 * 4 + 4, `at ${sim.now} ms`);
});
