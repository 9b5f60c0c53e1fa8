import t from 'tap';
import type { Happening } from '../trace/trace.ts';
import { TraceWire } from './wire-watch.ts';

const watch = (): [TraceWire, Happening[]] => {
  const events: Happening[] = [];
  return [new TraceWire((event) => events.push(event)), events];
};
const block = (length: number): Uint8Array => new Uint8Array(length).fill(0xab);

t.test('a conversation is written down from open to close', (t) => {
  const [wire, events] = watch();
  wire.opened(1, 'relay:4000', 'dialled');
  wire.connected(1);
  wire.bytes(1, 'out', Buffer.from('pool\n'));
  wire.bytes(1, 'in', Buffer.from('4001\n'));
  wire.ended(1, 'in');
  wire.closed(1, 'end', 5, 5);
  t.same(events, [
    { type: 'conn.opened', conn: 1, to: 'relay:4000', role: 'dialled' },
    { type: 'conn.connected', conn: 1 },
    { type: 'conn.bytes', conn: 1, dir: 'out', offset: 0, length: 5, hex: '706f6f6c0a' },
    { type: 'conn.bytes', conn: 1, dir: 'in', offset: 0, length: 5, hex: '343030310a' },
    { type: 'conn.ended', conn: 1, dir: 'in' },
    { type: 'conn.closed', conn: 1, why: 'end', received: 5, sent: 5 },
  ]);
  t.end();
});

t.test(
  'of each direction what begins in the first 256 bytes is written, 64 bytes of a piece at most',
  (t) => {
    const [wire, events] = watch();
    wire.opened(1, 'x:1', 'accepted');
    for (const length of [255, 1_000, 10]) wire.bytes(1, 'in', block(length));
    wire.bytes(1, 'out', block(3));
    const seen = events.flatMap((event) =>
      event.type === 'conn.bytes' ? [[event.dir, event.offset, event.length, event.hex.length / 2]] : [],
    );
    t.same(seen, [
      ['in', 0, 255, 64],
      ['in', 255, 1_000, 64],
      ['out', 0, 3, 3],
    ]);
    t.end();
  },
);

t.test('after its reset nothing is said of a connection’s bytes', (t) => {
  const [wire, events] = watch();
  wire.opened(1, 'x:1', 'stream');
  wire.reset(1);
  wire.bytes(1, 'in', block(3));
  t.same(events.slice(1), [{ type: 'conn.reset', conn: 1 }]);
  t.end();
});
