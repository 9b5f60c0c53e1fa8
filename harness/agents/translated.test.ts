import t from 'tap';
import type { CommandInput, NetInput, NetMachine } from '../../reference-impl/machine/machine.ts';
import { order } from './testing/hand.ts';
import { commandless, retold, translated } from './translated.ts';

const SEND = { type: 'end', conn: 1 } as const;
const say = (event: number) => ({ type: 'report', event }) as const;
const ready = (port: number) => ({ type: 'host.ready', port }) as const;
/** Even numbers are nobody's business; 9 is said twice. */
const words = (n: number) => (n % 2 === 0 ? [] : n === 9 ? [ready(n), ready(n)] : [ready(n)]);

t.test('reports are retold in their place among the other outputs', (t) => {
  const told = (port: number) => ({ type: 'report', event: ready(port) });
  t.same(retold([SEND, say(1), SEND, say(2), say(9), SEND], words), [
    SEND,
    told(1),
    SEND,
    told(9),
    told(9),
    SEND,
  ]);
  const plain = [SEND, SEND];
  t.equal(retold(plain, words), plain, 'without reports the very list');
  t.same(retold([], words), []);
  t.end();
});

t.test('commands are translated, and those for others never reach the machine', (t) => {
  const heard: (NetInput | CommandInput<string>)[] = [];
  const inner: NetMachine<number, string> = {
    deadline: () => 42,
    handle: (_now, input) => {
      heard.push(input);
      return [say(3)];
    },
  };
  const machine = translated(inner, (command) => (command.do === 'push' ? 'push!' : undefined), words);
  t.equal(machine.deadline(), 42);
  t.same(machine.handle(0, { type: 'command', command: order() }), []);
  t.same(machine.handle(0, { type: 'command', command: { do: 'push', round: 0, bytes: 1 } }), [
    { type: 'report', event: ready(3) },
  ]);
  machine.handle(1, { type: 'start' });
  t.same(heard, [{ type: 'command', command: 'push!' }, { type: 'start' }]);
  t.end();
});

t.test('a machine that speaks the words itself is passed on as it is, but hears no commands', (t) => {
  const heard: NetInput[] = [];
  const said = [{ type: 'report', event: ready(7) }] as const;
  const machine = commandless({
    deadline: () => 42,
    handle: (_now, input) => {
      heard.push(input as NetInput);
      return said;
    },
  });
  t.equal(machine.deadline(), 42);
  t.same(machine.handle(0, { type: 'command', command: order() }), []);
  t.equal(machine.handle(1, { type: 'start' }), said, 'the very list');
  t.same(heard, [{ type: 'start' }]);
  t.end();
});
