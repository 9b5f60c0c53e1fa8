import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import type { CommandInput, Conn, NetInput } from '../../machine/machine.ts';
import { client } from './client-cases.ts';
import type { ClientCommand, ClientOutput } from './client-report.ts';

const MODES = ['pool', 'event', 'multiplex'] as const;
const GOOD = ['9001\nAB\n', 'AB\n', '9001\nAB\nCD\nearly', 'a', '9001\n'];
const BAD = ['x'.repeat(300), '\n', 'HTTP/1.1 400\n'];
const WHY = ['end', 'reset', 'refused', 'timeout', 'failed'] as const;
type Seen = { connected: boolean; ended: boolean; spliced: boolean; said: boolean; muxed: boolean };

/** A driver that believes nothing: every output must be about a connection that is there. */
class Doubter {
  readonly #machine;
  readonly #live = new Map<Conn, Seen>();
  readonly reports: string[] = [];
  #stream = 1_000_001;
  #now = 0;

  constructor(mode: (typeof MODES)[number]) {
    this.#machine = client(mode, { poolSize: 3 });
    this.#feed({ type: 'start' });
  }

  act(kind: number, pick: number): void {
    const all = [...this.#live];
    const [conn, seen] = all[pick % Math.max(1, all.length)] ?? [];
    if (kind === 5 && pick % 3 > 0) return;
    if (kind === 5) {
      this.#now += [1, 450, 4_000, 10_001][pick % 4] ?? 1;
      this.#feed({ type: 'deadline' });
      return;
    }
    if (kind === 6 && pick % 20 === 0) this.#feed({ type: 'command', command: { type: 'drop' } });
    if (kind > 6) {
      const [dialled, waiting] = all.find(([, { connected }]) => !connected) ?? [];
      if (dialled === undefined || waiting === undefined) return;
      waiting.connected = true;
      this.#feed({ type: 'connected', conn: dialled });
      return;
    }
    if (conn === undefined || seen === undefined) return;
    if (kind < 3 && seen.connected && seen.muxed) {
      const stream = this.#stream++;
      this.#live.set(stream, { connected: true, ended: false, spliced: false, said: true, muxed: false });
      this.#feed({ type: 'stream', conn: stream, session: conn });
    } else if (kind < 3 && seen.connected && !seen.spliced && !seen.ended) {
      const texts = pick % 29 === 0 ? BAD : GOOD;
      const bytes = new TextEncoder().encode(texts[pick % texts.length]);
      this.#feed({ type: 'bytes', conn, bytes });
    } else if (kind === 3 && seen.connected && !seen.spliced && !seen.ended) {
      seen.ended = true;
      this.#feed({ type: 'ended', conn });
    } else if (kind === 4 && pick % 2 === 0) this.#close(conn, WHY[pick % WHY.length] ?? 'end');
  }

  /** The owner stops it, everybody leaves, time passes. */
  finish(): void {
    this.#feed({ type: 'stop' });
    for (const conn of [...this.#live.keys()]) if (this.#live.has(conn)) this.#close(conn, 'reset');
    this.#now += 20_000;
    this.#feed({ type: 'deadline' });
    assert.equal(this.#live.size, 0, 'nothing is left open');
    assert.equal(this.reports.filter((type) => type === 'client.stopped').length, 1, 'it says so once');
    assert.equal(this.#machine.deadline(), undefined);
  }

  #close(conn: Conn, why: (typeof WHY)[number]): void {
    this.#live.delete(conn);
    this.#feed({ type: 'closed', conn, why, received: 0, sent: 0 });
  }

  #feed(input: NetInput | CommandInput<ClientCommand>): void {
    for (const output of this.#machine.handle(this.#now, input)) this.#perform(output);
  }

  #perform(output: ClientOutput): void {
    switch (output.type) {
      case 'connect':
        assert.ok(!this.#live.has(output.conn), 'a new name');
        this.#live.set(output.conn, {
          connected: false,
          ended: false,
          spliced: false,
          said: true,
          muxed: false,
        });
        return;
      case 'splice':
        for (const conn of [output.a, output.b]) {
          const seen = this.#live.get(conn);
          assert.ok(seen?.connected === true && !seen.spliced && seen.said, 'splice of what is there');
          seen.spliced = true;
        }
        return;
      case 'reset':
        assert.ok(this.#live.delete(output.conn), 'reset of what is there');
        return;
      case 'mux': {
        const seen = this.#live.get(output.conn);
        assert.ok(seen !== undefined && !seen.muxed);
        seen.muxed = true;
        return;
      }
      case 'send':
      case 'close':
      case 'end': {
        const seen = this.#live.get(output.conn);
        assert.ok(seen?.connected === true && seen.said && !seen.spliced, `${output.type} before our end`);
        if (output.type !== 'send') seen.said = false;
        return;
      }
      case 'report':
        this.reports.push(output.event.type);
        return;
      case 'pause':
      case 'resume':
      case 'keepalive':
        assert.ok(this.#live.has(output.conn), `${output.type} of what is there`);
        return;
      default:
        assert.fail(`a client has no use for ${output.type}`);
    }
  }
}

for (const mode of MODES) {
  t.test(
    `${mode}: whatever happens in whatever order, nothing is thrown, leaked or said to the dead`,
    (t) => {
      const acts = fc.array(fc.tuple(fc.nat(10), fc.nat(1_000)), { minLength: 20, maxLength: 120 });
      let tunnels = 0;
      fc.assert(
        fc.property(acts, (acts) => {
          const doubter = new Doubter(mode);
          for (const [kind, pick] of acts) doubter.act(kind, pick);
          doubter.finish();
          tunnels += doubter.reports.filter((type) => type === 'client.tunnel').length;
        }),
        { seed: 20_261_121, numRuns: 1_500 },
      );
      t.ok(tunnels > 500, `1,500 histories with ${tunnels} tunnels, seed 20261121`);
      t.end();
    },
  );
}
