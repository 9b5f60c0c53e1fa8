import { readdirSync } from 'node:fs';
import t from 'tap';
import { type Row, recorded, said } from '../recorded.ts';
import { namesFrom } from '../transcript.ts';
import type { RelayOutput } from './books.ts';
import { RelayMachine } from './relay-machine.ts';

/** The least a driver does: names, listeners, and a splice that passes on bytes and ends. */
class Replay {
  readonly received = new Map<string, string>();
  readonly gone = new Set<string>();
  readonly reports: string[] = [];
  readonly #machine: RelayMachine;
  readonly #conns = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #partner = new Map<string, string>();
  readonly #listeners = new Map<number, number>();
  #now = 0;

  /** Ids and ports as the recorded relay gave them, so that bytes can be compared as they are. */
  constructor(ids: readonly string[], firstPort: number) {
    let next = 0;
    this.#machine = new RelayMachine({
      port: 7000,
      limits: {},
      newId: () => ids[next++] ?? `NEW${next}`,
      name: namesFrom(101),
      publicPorts: { from: firstPort, to: firstPort + 1 },
    });
    this.#perform(this.#machine.handle(0, { type: 'start' }));
  }

  row(row: Row): void {
    const conn = this.#conns.get(row.conn);
    if (row.note === 'open') this.#open(row.conn);
    else if (conn === undefined || (this.gone.has(row.conn) && !this.#partner.has(row.conn))) return;
    else if (row.bytes.length > 0) this.#bytes(row.conn, conn, row.bytes);
    else if (row.note === 'fin') this.#end(row.conn, conn);
    else if (row.note === 'reset') {
      this.gone.add(row.conn);
      this.#perform(
        this.#machine.handle(this.#now, { type: 'closed', conn, why: 'reset', received: 0, sent: 0 }),
      );
    }
  }

  pass(millis: number): void {
    this.#now += millis;
    this.#perform(this.#machine.handle(this.#now, { type: 'deadline' }));
  }

  #open(name: string): void {
    const conn = this.#conns.size + 1;
    const listener = name.startsWith('user') ? [...this.#listeners.keys()].find((key) => key > 0) : 0;
    if (listener === undefined) {
      this.gone.add(name);
      return;
    }
    this.#conns.set(name, conn);
    this.#names.set(conn, name);
    const from = { host: '10.0.0.1', port: 5000 + conn };
    this.#perform(this.#machine.handle(this.#now, { type: 'accepted', conn, listener, from }));
  }

  #bytes(name: string, conn: number, bytes: Uint8Array): void {
    const partner = this.#partner.get(name);
    if (partner !== undefined) this.#hear(partner, bytes);
    else this.#perform(this.#machine.handle(this.#now, { type: 'bytes', conn, bytes }));
  }

  #end(name: string, conn: number): void {
    const partner = this.#partner.get(name);
    if (partner !== undefined) this.gone.add(partner);
    else this.#perform(this.#machine.handle(this.#now, { type: 'ended', conn }));
  }

  #hear(name: string, bytes: Uint8Array): void {
    this.received.set(name, (this.received.get(name) ?? '') + Buffer.from(bytes).toString('latin1'));
  }

  #perform(outputs: readonly RelayOutput[]): void {
    for (const output of outputs) {
      switch (output.type) {
        case 'listen': {
          const { listener, port } = output;
          this.#listeners.set(listener, port);
          this.#perform(this.#machine.handle(this.#now, { type: 'listening', listener, port }));
          break;
        }
        case 'unlisten':
          this.#listeners.delete(output.listener);
          break;
        case 'send':
          this.#hear(this.#names.get(output.conn) ?? '', output.bytes);
          break;
        case 'close':
        case 'reset':
        case 'end':
          this.gone.add(this.#names.get(output.conn) ?? '');
          break;
        case 'splice': {
          const a = this.#names.get(output.a) ?? `stream ${output.a}`;
          const b = this.#names.get(output.b) ?? '';
          this.#partner.set(a, b).set(b, a);
          break;
        }
        case 'report':
          this.reports.push(output.event.type);
          break;
        default:
          break;
      }
    }
  }
}

const replay = (rows: readonly Row[], ids: readonly string[], port: number): Replay => {
  const relay = new Replay(ids, port);
  for (const row of rows) if (row.from !== 'relay') relay.row(row);
  return relay;
};

t.test('pool: the recorded users and clients hear the recorded bytes', (t) => {
  const rows = recorded('pool');
  const relay = replay(rows, ['4F356C83F4'], 7701);
  for (const conn of ['control-1', 'control-2', 'control-3', 'control-4', 'user-1', 'user-2', 'user-3']) {
    t.equal(relay.received.get(conn) ?? '', said(rows, conn, 'relay'), conn);
  }
  t.ok(relay.gone.has('control-4'), 'an id nobody was given');
  t.notOk(relay.gone.has('user-4'), 'without a pause the port is still open');
  t.end();
});

t.test('pool: the port closes when no connection waited for ten seconds', (t) => {
  const rows = recorded('pool');
  const last = rows.findIndex((row) => row.conn === 'user-4' && row.note === 'open');
  const relay = replay(rows.slice(0, last), ['4F356C83F4'], 7701);
  relay.pass(10_000);
  for (const row of rows.slice(last)) relay.row(row);
  t.ok(relay.gone.has('user-4'));
  t.end();
});

t.test('event: the recorded users and clients hear the recorded bytes, and the listener ends all', (t) => {
  const rows = recorded('event');
  const leaves = rows.findIndex((row) => row.note === 'the listener leaves');
  const relay = replay(rows, ['561BEAF955', '23878B6227', '8ACFB76B08'], 7801);
  const good = rows.slice(0, leaves);
  for (const conn of ['control-1', 'control-2', 'control-3', 'control-4', 'control-5', 'user-1', 'user-2']) {
    t.equal(relay.received.get(conn) ?? '', said(good, conn, 'relay'), conn);
  }
  for (const conn of ['control-4', 'control-5', 'user-3', 'user-4']) t.ok(relay.gone.has(conn), conn);
  t.end();
});

for (const [name, port, users] of [
  ['multiplex', 7901, 2],
  ['forwarder', 8001, 3],
] as const) {
  t.test(`${name}: the recorded port line, and a tunnel for every user`, (t) => {
    const rows = recorded(name);
    const relay = replay(rows, [], port);
    t.equal(relay.received.get('control-1'), `${port}\n`);
    t.equal(relay.reports.filter((type) => type === 'relay.tunnel').length, users);
    t.end();
  });
}

t.test('half-close: the request and its end reach the service, the answer reaches the user', (t) => {
  for (const [name, port, ids, service] of [
    ['half-close-pool', 8101, ['D72F34160F'], 'control-1'],
    ['half-close-event', 8201, ['C3907B52C9'], 'control-2'],
  ] as const) {
    const rows = recorded(name);
    const relay = replay(rows, ids, port);
    t.ok(relay.received.get(service)?.endsWith('request\n'), `${name}: request`);
    t.ok(relay.gone.has(service), `${name}: end`);
  }
  const pool = replay(recorded('half-close-pool'), ['D72F34160F'], 8101);
  t.equal(pool.received.get('user-1'), 'pool answers after the end\n');
  t.end();
});

/** Recordings whose first connection asks for something we grant; all others are to be closed. */
const GRANTED = ['error-crlf', 'error-leading-space', 'error-one-segment'];
for (const file of readdirSync(new URL('../vectors/', import.meta.url)).sort()) {
  const name = file.replace('.jsonl', '');
  if (!name.startsWith('error-')) continue;
  const granted = GRANTED.includes(name);
  t.test(`${name}: ${granted ? 'granted' : 'closed'}, and the next registration is answered`, (t) => {
    const rows = recorded(name);
    const first = rows.filter((row) => row.conn === 'control-1');
    const relay = new Replay(['A', 'B'], 9001);
    for (const row of first) if (row.from !== 'relay') relay.row(row);
    const late = name === 'error-no-line';
    if (!granted && !late) t.ok(relay.gone.has('control-1'), 'closed at once');
    if (late) relay.pass(10_000);
    t.equal(relay.gone.has('control-1'), !granted);
    if (granted) t.equal(relay.received.get('control-1'), '9001\nA\n');
    for (const row of rows) if (row.conn === 'control-2' && row.from === 'client') relay.row(row);
    t.match(relay.received.get('control-2'), /^900[12]\n[AB]\n$/);
    t.end();
  });
}
