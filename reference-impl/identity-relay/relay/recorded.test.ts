import t from 'tap';
import type { Conn, NetInput } from '../../machine/machine.ts';
import { FRAME_BYTES_MAX, FrameReader } from '../frames.ts';
import { fromHex, toHex } from '../testing/hex.ts';
import { identityIn, recordedChance } from '../testing/recorded-chance.ts';
import { type RecordedConnection, type Recording, SESSION } from '../testing/vectors.ts';
import { IdentityRelayMachine } from './relay-machine.ts';

/** A relay that draws what the recorded one drew, and what it has said to each connection so far. */
class Replay {
  readonly #machine: IdentityRelayMachine;
  readonly #said: FrameReader[] = [];
  readonly closed = new Set<Conn>();
  #now = 0;

  constructor(recording: Recording) {
    const { connections } = recording;
    this.#machine = new IdentityRelayMachine({
      port: 1,
      identity: identityIn(recording.relay),
      chance: (conn) => recordedChance(recording, connections[conn] as RecordedConnection, 'relay'),
    });
  }

  feed(input: NetInput): void {
    for (const output of this.#machine.handle(this.#now, input)) {
      if (output.type === 'send') this.said(output.conn).push(output.bytes.slice());
      if (output.type === 'close' || output.type === 'end' || output.type === 'reset')
        this.closed.add(output.conn);
    }
  }

  said(conn: Conn): FrameReader {
    this.#said[conn] ??= new FrameReader();
    return this.#said[conn];
  }

  tick(): void {
    this.#now += 1_000;
    if ((this.#machine.deadline() ?? Number.POSITIVE_INFINITY) <= this.#now) this.feed({ type: 'deadline' });
  }

  get stats() {
    return this.#machine.stats();
  }
}

t.test('the recorded session of eight connections is answered byte for byte', async (t) => {
  const replay = new Replay(SESSION);
  const names = SESSION.connections.map(({ conn }) => conn);
  const begun = new Set<Conn>();
  let frames = 0;
  for (const event of SESSION.events) {
    if (event.clock !== undefined) for (let i = Number.parseInt(event.clock, 10); i > 0; i--) replay.tick();
    if (event.note?.startsWith('A closes its end') === true)
      replay.feed({ type: 'ended', conn: names.indexOf('accept-a') });
    if (event.conn === undefined) continue;
    const conn = names.indexOf(event.conn);
    if (!begun.has(conn)) {
      begun.add(conn);
      replay.feed({ type: 'accepted', conn, listener: 1, from: { host: 'a', port: 1 } });
    }
    if (event.closed !== undefined) t.ok(replay.closed.has(conn), `${event.conn} is closed`);
    if (event.frame === undefined) continue;
    const frame = fromHex(event.frame);
    if (event.from === 'client') {
      const bytes = new Uint8Array(8 + frame.length);
      new DataView(bytes.buffer).setUint32(4, frame.length);
      bytes.set(frame, 8);
      replay.feed({ type: 'bytes', conn, bytes });
    } else {
      const said = replay.said(conn).next(FRAME_BYTES_MAX);
      t.equal(toHex(said ?? new Uint8Array(0)), event.frame, `${event.conn} frame ${frames++}`);
    }
  }
  t.ok(frames > 20, `${frames} frames of the relay`);
  for (const conn of begun)
    t.equal(replay.said(conn).next(FRAME_BYTES_MAX), undefined, `${names[conn]} hears nothing more`);
  t.match(replay.stats, { listeners: 1, halfTunnels: 0, tunnels: 0, tunnelsTotal: 1 });
});
