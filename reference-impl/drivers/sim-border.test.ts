import t from 'tap';
import type { Address, NetOutput } from '../machine/machine.ts';
import { Sim } from './sim.ts';
import type { Border } from './sim-border.ts';
import { type Answer, Script } from './sim-script.ts';

const PORT = 80;
const listens: Answer = (input) =>
  input.type === 'start'
    ? [{ type: 'listen', listener: 1, port: PORT, host: undefined }]
    : input.type === 'bytes'
      ? [{ type: 'send', conn: input.conn, bytes: Uint8Array.of(111, 107) }]
      : undefined;

/** Takes 10 ms out and 20 ms in, gives ports from 5001 on, or one of the words. */
class Gate implements Border {
  readonly latencyMillis = 10;
  readonly asked: string[] = [];
  readonly #word: 'silent' | 'refused' | 'unreachable' | undefined;
  #ports = 5_000;

  constructor(word?: 'silent' | 'refused' | 'unreachable') {
    this.#word = word;
  }

  out(from: Address) {
    this.asked.push(`out ${from.host}`);
    return this.#word ?? { host: 'gate', port: ++this.#ports };
  }

  over(port: number): void {
    this.asked.push(`over ${port}`);
  }

  through(at: number, way: 'out' | 'in', bytes: number): number {
    if (bytes > 0) this.asked.push(`${way} ${bytes}`);
    return at + (way === 'out' ? 10 : 20);
  }
}

const world = (gate: Gate) => {
  const sim = new Sim({ seed: 1, connectTimeoutMillis: 3_000 });
  const [server, inside] = [new Script(listens), new Script()];
  sim.add('server', server);
  sim.border('home', gate);
  sim.add('inside', inside, { place: 'home' });
  sim.run(0);
  const does = (...outputs: NetOutput<string>[]): void => sim.tell('inside', outputs);
  const dial = (to = 'server'): number => {
    const conn = sim.name();
    does({ type: 'connect', conn, to: { host: to, port: PORT }, from: undefined });
    return conn;
  };
  return { sim, server, inside, does, dial };
};

t.test(
  'a dial leaves from the port the border gives, and everything takes its time in each direction',
  (t) => {
    const gate = new Gate();
    const { sim, server, inside, does, dial } = world(gate);
    const conn = dial();
    does({ type: 'send', conn, bytes: Uint8Array.of(104, 105) });
    sim.run(1_000);
    t.match(server.lines[1], /^11 accepted \d+ on 1 from gate:5001$/, '1 ms between places and 10 ms out');
    t.strictSame(inside.lines.slice(-2), [`32 connected ${conn}`, `64 bytes ${conn} "ok"`]);
    t.strictSame(gate.asked, ['out inside', 'out 2', 'in 2']);
    does({ type: 'reset', conn });
    sim.run(2_000);
    t.strictSame(gate.asked.slice(3), ['over 5001'], 'the port is free again');
    t.match(sim.audit('server'), { conns: 0 });
    t.end();
  },
);

t.test('who gets no port hears what the border says', (t) => {
  const heard = (word: 'silent' | 'refused' | 'unreachable'): string | undefined => {
    const { sim, server, inside, dial } = world(new Gate(word));
    dial();
    sim.run(10_000);
    t.equal(server.lines.length, 1, 'the server never heard of it');
    return inside.lines.at(-1);
  };
  t.match(heard('refused'), /^0 closed \d+ refused 0\/0$/);
  t.match(heard('unreachable'), /^0 closed \d+ unreachable 0\/0$/);
  t.match(heard('silent'), /^3000 closed \d+ timeout 0\/0$/);
  t.end();
});

t.test('nobody comes in by himself, and neighbours never meet the border', (t) => {
  const gate = new Gate();
  const { sim, server, inside } = world(gate);
  const neighbour = new Script(listens);
  sim.add('neighbour', neighbour, { place: 'home' });
  sim.run(0);
  const [fromOutside, fromInside] = [sim.name(), sim.name()];
  const to = { host: 'neighbour', port: PORT };
  sim.tell('server', [
    { type: 'connect', conn: fromOutside, to, from: undefined },
  ] satisfies NetOutput<string>[]);
  sim.tell('inside', [
    { type: 'connect', conn: fromInside, to, from: undefined },
  ] satisfies NetOutput<string>[]);
  sim.run(1_000);
  t.match(server.lines.at(-1), /^0 closed \d+ unreachable/);
  t.match(inside.lines.at(-1), /^0 connected/);
  t.strictSame(gate.asked, []);
  t.throws(() => sim.border('home', gate), /has a border already/);
  t.end();
});

t.test('a yamux session through a border does not ping, and still finds out when its path goes dark', (t) => {
  const { sim, server, inside, does, dial } = world(new Gate());
  const conn = dial();
  sim.run(100);
  does(
    { type: 'mux', conn, role: 'client', early: undefined },
    { type: 'keepalive', conn, idleMillis: 1_000 },
  );
  sim.run(200);
  const before = sim.events;
  sim.run(60_000);
  t.ok(sim.events - before < 5, `${sim.events - before} events in a minute of silence`);
  t.equal(server.bytes(conn + 1), 0);
  sim.cut('home');
  sim.run(120_000);
  t.match(inside.lines.at(-1), /closed \d+ timeout/);
  t.end();
});

t.test('a dial to a host that is away is refused after a round trip, and takes no port', (t) => {
  const gate = new Gate();
  const { sim, inside, dial } = world(gate);
  sim.crash('server', 'reset');
  dial();
  sim.run(1_000);
  t.match(inside.lines.at(-1), /^20 closed \d+ refused/);
  t.strictSame(gate.asked, []);
  sim.cut('home');
  const lost = dial();
  sim.run(5_000);
  t.equal(inside.lines.at(-1), `4000 closed ${lost} timeout 0/0`, 'in the dark nobody answers');
  t.end();
});
