import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { Sim } from './sim.ts';
import { type Answer, type Does, Script } from './sim-script.ts';

const text = (chars: string): Uint8Array => new TextEncoder().encode(chars);
const listens: Answer = (input) =>
  input.type === 'start' ? [{ type: 'listen', listener: 1, port: 80, host: undefined }] : undefined;

/** Two hosts in two places 5 ms apart: `a` has dialled (0) and `b` accepted (1), at 10 ms. */
const pair = (answerA?: Answer, answerB: Answer = () => undefined) => {
  const sim = new Sim({ seed: 1 });
  const a = new Script(answerA);
  const b = new Script((input, now) => listens(input, now) ?? answerB(input, now));
  sim.add('a', a, { link: { latencyMillis: 2, bytesPerMillis: Number.POSITIVE_INFINITY } });
  sim.add('b', b, { link: { latencyMillis: 3, bytesPerMillis: Number.POSITIVE_INFINITY } });
  sim.run(0);
  const conn = sim.name();
  const does = (host: string, ...outputs: Does): void => sim.tell(host, outputs);
  does('a', { type: 'connect', conn, to: { host: 'b', port: 80 }, from: undefined });
  sim.run(10);
  const since = (script: Script): readonly string[] =>
    script.lines.filter((line) => !line.endsWith(' command')).slice(script === a ? 1 : 2);
  return { sim, a, b, does, since };
};

t.test('a dial is accepted one way later and connected one way after that', async (t) => {
  const { a, b } = pair();
  t.strictSame(a.lines, ['0 command', '10 connected 0']);
  t.strictSame(b.lines, ['0 listening 1 on 80', '5 accepted 1 on 1 from a:32768']);
});

type Case = {
  readonly name: string;
  readonly steps: readonly (readonly [at: number, host: 'a' | 'b', ...outputs: NetOutput<string>[]])[];
  readonly a: readonly string[];
  readonly b: readonly string[];
};
const send = (conn: number, chars: string): NetOutput<string> => ({ type: 'send', conn, bytes: text(chars) });
const word = (
  type: 'end' | 'reset' | 'close' | 'pause' | 'resume' | 'flush',
  conn: number,
): NetOutput<string> => ({
  type,
  conn,
});

const CASES: readonly Case[] = [
  {
    name: 'bytes arrive in order, one way later',
    steps: [[10, 'a', send(0, 'one'), send(0, 'two')]],
    a: [],
    b: ['15 bytes 1 "one"', '15 bytes 1 "two"'],
  },
  {
    name: 'both ends closing in order is the end on both sides',
    steps: [
      [10, 'a', send(0, 'hi'), word('end', 0)],
      [20, 'b', send(1, 'yo'), word('end', 1)],
    ],
    a: ['25 bytes 0 "yo"', '25 ended 0', '25 closed 0 end 2/2'],
    b: ['15 bytes 1 "hi"', '15 ended 1', '20 closed 1 end 2/2'],
  },
  {
    name: 'a half-closed connection still carries bytes the other way',
    steps: [
      [10, 'a', word('end', 0)],
      [20, 'b', send(1, 'late')],
    ],
    a: ['25 bytes 0 "late"'],
    b: ['15 ended 1'],
  },
  {
    name: 'nothing is sent after our own end',
    steps: [[10, 'a', word('end', 0), send(0, 'never')]],
    a: [],
    b: ['15 ended 1'],
  },
  {
    name: 'a reset is heard by the other side only, behind the bytes before it',
    steps: [[10, 'a', send(0, 'x'), word('reset', 0)]],
    a: [],
    b: ['15 bytes 1 "x"', '15 closed 1 reset 1/0'],
  },
  {
    name: 'a word about a connection that is gone is ignored',
    steps: [[10, 'a', word('reset', 0), send(0, 'x'), word('flush', 0), word('end', 0), word('resume', 0)]],
    a: [],
    b: ['15 closed 1 reset 0/0'],
  },
  {
    name: 'flushed follows what was sent before it',
    steps: [[10, 'a', send(0, 'x'), word('flush', 0)]],
    a: ['10 flushed 0'],
    b: ['15 bytes 1 "x"'],
  },
  {
    name: 'each flush is answered',
    steps: [[10, 'a', word('flush', 0), send(0, 'x'), word('flush', 0)]],
    a: ['10 flushed 0', '10 flushed 0'],
    b: ['15 bytes 1 "x"'],
  },
  {
    name: 'a paused reader hears bytes and end when it resumes',
    steps: [
      [10, 'b', word('pause', 1)],
      [10, 'a', send(0, 'x'), word('end', 0)],
      [50, 'b', word('resume', 1)],
    ],
    a: [],
    b: ['50 bytes 1 "x"', '50 ended 1'],
  },
  {
    name: 'a reset overtakes bytes that a paused reader has not read',
    steps: [
      [10, 'b', word('pause', 1)],
      [12, 'a', send(0, 'x'), word('reset', 0)],
    ],
    a: [],
    b: ['17 closed 1 reset 0/0'],
  },
  {
    name: 'after close what comes is dropped, and it ends when they end',
    steps: [
      [10, 'b', send(1, 'no'), word('close', 1)],
      [11, 'a', send(0, 'still talking')],
      [20, 'a', word('end', 0)],
    ],
    a: ['15 bytes 0 "no"', '15 ended 0', '20 closed 0 end 2/13'],
    b: ['25 closed 1 end 13/2'],
  },
  {
    name: 'after close a peer that never ends is reset after five seconds, and we had ended in order',
    steps: [[10, 'b', word('close', 1)]],
    a: ['15 ended 0', '5015 closed 0 reset 0/0'],
    b: ['5010 closed 1 end 0/0'],
  },
  {
    name: 'close after their end ends at once',
    steps: [
      [10, 'a', word('end', 0)],
      [20, 'b', word('close', 1)],
    ],
    a: ['25 ended 0', '25 closed 0 end 0/0'],
    b: ['15 ended 1', '20 closed 1 end 0/0'],
  },
];

for (const { name, steps, a, b } of CASES)
  t.test(name, async (t) => {
    const world = pair();
    for (const [at, host, ...outputs] of steps) world.sim.at(at, () => world.does(host, ...outputs));
    world.sim.run(10_000);
    t.strictSame(world.since(world.a), a);
    t.strictSame(world.since(world.b), b);
  });
