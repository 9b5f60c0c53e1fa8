import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import type { Conn, Listener, NetInput } from '../../machine/machine.ts';
import { namesFrom } from '../transcript.ts';
import type { RelayOutput } from './books.ts';
import { RelayMachine } from './relay-machine.ts';

type Seen = { listener: Listener; ended: boolean; spliced: boolean; said: boolean };
const TEXTS = ['pool\n', 'event\n', 'new\n', 'x'.repeat(40), '\n', 'multiplex\n'];
const REGISTER = ['pool\nnew\n', 'event\nnew\nearly', 'multiplex\nearly'];
const WHY = ['end', 'reset', 'timeout', 'failed'] as const;

/** A driver that believes nothing: every output must be about something that is there. */
class Doubter {
  readonly machine: RelayMachine;
  readonly #live = new Map<Conn, Seen>();
  readonly #streams = new Set<Conn>();
  readonly #pending = new Map<Listener, number>();
  readonly #open = new Map<Listener, number>();
  /** Ids that clients were told, newest last. */
  readonly #ids: string[] = [];
  #next = 1;
  #now = 0;

  constructor() {
    let ids = 0;
    this.machine = new RelayMachine({
      port: 9000,
      limits: {
        earlyBytesMax: 50,
        earlyBytesTotalMax: 120,
        waitingPerRegistrationMax: 2,
        connectionsPerRegistrationMax: 5,
        connectionsMax: 12,
        registrationsPerAddressMax: 3,
      },
      newId: () => `ID${++ids}`,
      name: namesFrom(1_000_001),
      publicPorts: { from: 9001, to: 9003 },
    });
    this.#feed({ type: 'start' });
  }

  act(kind: number, pick: number): void {
    const idle = [...this.#live].filter(([, seen]) => !seen.spliced);
    const [conn, seen] = idle[pick % Math.max(1, idle.length)] ?? [];
    const listeners = [...this.#open.keys()];
    switch (kind) {
      case 0:
        this.#accept(0);
        return;
      case 1:
        this.#accept(listeners[pick % Math.max(1, listeners.length)] ?? 0);
        return;
      case 2: {
        if (conn === undefined || seen?.ended === true) return;
        const text = TEXTS[pick % TEXTS.length] ?? '';
        this.#say(conn, text);
        return;
      }
      case 7:
        this.#say(this.#accept(0), REGISTER[pick % REGISTER.length] ?? '');
        for (let i = 0; i < 3; i++) this.act(6, 1);
        return;
      case 8:
      case 9: {
        const id = this.#ids.at(-1 - (pick % Math.max(1, Math.min(4, this.#ids.length)))) ?? 'ID';
        this.#say(
          this.#accept(0),
          `${kind === 8 ? 'pool' : 'event'}\n${id}\n${pick % 3 === 0 ? 'early' : ''}`,
        );
        return;
      }
      case 3:
        if (conn === undefined || seen === undefined || seen.ended) return;
        seen.ended = true;
        this.#feed({ type: 'ended', conn });
        return;
      case 4: {
        const all = [...this.#live.keys()];
        const gone = all[pick % Math.max(1, all.length)];
        if (gone !== undefined) this.#close(gone, WHY[pick % WHY.length] ?? 'end');
        return;
      }
      case 5:
        this.#now += [1, 500, 5_000, 31_000][pick % 4] ?? 1;
        this.#feed({ type: 'deadline' });
        return;
      case 6: {
        const [listener, port] = [...this.#pending][pick % Math.max(1, this.#pending.size)] ?? [];
        if (listener === undefined || port === undefined) return;
        this.#pending.delete(listener);
        if (pick % 3 === 0) {
          this.#feed({ type: 'unlistened', listener, why: pick % 2 === 0 ? 'in use' : 'exhausted' });
        } else {
          this.#open.set(listener, port);
          this.#feed({ type: 'listening', listener, port });
        }
        return;
      }
      default:
        return;
    }
  }

  /** Everybody leaves and time passes: nothing may be left. */
  finish(): void {
    while (this.#pending.size > 0) this.act(6, 1);
    for (const conn of [...this.#live.keys()]) if (this.#live.has(conn)) this.#close(conn, 'reset');
    this.#now += 60_000;
    this.#feed({ type: 'deadline' });
    const { connections, registrations, pooled, waiting, tunnels, earlyBytes } = this.machine.stats();
    assert.deepEqual(
      { connections, registrations, pooled, waiting, tunnels, earlyBytes },
      {
        connections: 0,
        registrations: { multiplex: 0, pool: 0, event: 0 },
        pooled: 0,
        waiting: 0,
        tunnels: 0,
        earlyBytes: 0,
      },
    );
    assert.equal(this.machine.deadline(), undefined);
    assert.deepEqual([...this.#open.keys()], [0], 'only the control port is open');
    for (let i = 0; i < 3; i++) this.#say(this.#accept(0), 'event\nnew\n');
    assert.equal(this.#pending.size, 3, 'all ports are free again');
  }

  #say(conn: Conn | undefined, text: string): void {
    if (conn === undefined || !this.#live.has(conn)) return;
    this.#feed({ type: 'bytes', conn, bytes: new TextEncoder().encode(text) });
  }

  #accept(listener: Listener): Conn | undefined {
    if (!this.#open.has(listener)) return undefined;
    const conn = this.#next++;
    this.#live.set(conn, { listener, ended: false, spliced: false, said: true });
    this.#feed({ type: 'accepted', conn, listener, from: { host: '10.0.0.1', port: 1 } });
    return conn;
  }

  #close(conn: Conn, why: (typeof WHY)[number]): void {
    this.#live.delete(conn);
    this.#feed({ type: 'closed', conn, why, received: 0, sent: 0 });
  }

  #feed(input: NetInput): void {
    for (const output of this.machine.handle(this.#now, input)) this.#perform(output);
  }

  #perform(output: RelayOutput): void {
    switch (output.type) {
      case 'listen':
        assert.ok(![...this.#pending.values(), ...this.#open.values()].includes(output.port), 'a free port');
        this.#pending.set(output.listener, output.port);
        return;
      case 'unlisten':
        assert.ok(this.#pending.delete(output.listener) || this.#open.delete(output.listener));
        return;
      case 'open':
        assert.ok(this.#live.has(output.session), 'a session that is there');
        this.#streams.add(output.conn);
        return;
      case 'splice': {
        const [client, user] = [this.#live.get(output.a), this.#live.get(output.b)];
        assert.ok(
          user !== undefined && user.listener !== 0 && !user.spliced && user.said,
          'a user who is there',
        );
        user.spliced = true;
        if (this.#streams.has(output.a)) return;
        assert.ok(client !== undefined && client.listener === 0 && !client.spliced, 'a client that is there');
        assert.ok(!client.ended && client.said, 'and has not ended');
        client.spliced = true;
        return;
      }
      case 'reset':
        assert.ok(this.#live.delete(output.conn), 'reset of what is there');
        return;
      case 'close':
      case 'end':
      case 'send': {
        const seen = this.#live.get(output.conn);
        assert.ok(seen?.said === true && !seen.spliced, `${output.type} before our end`);
        if (output.type === 'send')
          this.#ids.push(...(new TextDecoder().decode(output.bytes).match(/ID\d+/g) ?? []));
        else seen.said = false;
        return;
      }
      case 'pause':
      case 'resume':
      case 'flush':
      case 'mux':
      case 'keepalive':
        assert.ok(this.#live.has(output.conn), `${output.type} of what is there`);
        return;
      case 'connect':
        assert.fail('a relay never dials');
        return;
      case 'report':
        return;
    }
  }
}

t.test(
  'whatever happens in whatever order, the relay never throws, joins the dead or keeps anything',
  (t) => {
    const acts = fc.array(fc.tuple(fc.nat(9), fc.nat(1_000)), { maxLength: 120 });
    fc.assert(
      fc.property(acts, (acts) => {
        const doubter = new Doubter();
        doubter.act(6, 1);
        for (const [kind, pick] of acts) doubter.act(kind, pick);
        doubter.finish();
      }),
      { seed: 20_261_121, numRuns: 1_500 },
    );
    t.pass('1,500 histories of up to 120 events, seed 20261121');
    t.end();
  },
);
