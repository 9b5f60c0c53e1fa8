import t from 'tap';
import { FrameReader } from './frame-reader.ts';
import { BODY_BYTES_MAX } from './messages.ts';

const head = (length: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
};

t.test('a body inside one chunk is a view of it, many come out of one chunk', async (t) => {
  const chunk = Uint8Array.of(0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0);
  const reader = new FrameReader();
  reader.push(chunk);
  const first = reader.next();
  t.same(first, Uint8Array.of(7, 8));
  t.equal(first?.buffer, chunk.buffer);
  t.same(reader.next(), new Uint8Array(0));
  t.same(reader.next(), Uint8Array.of(9));
  t.equal(reader.next(), undefined);
  t.equal(reader.heldBytes, 2, 'half a length');
});

t.test('the longest body is legal, one byte more is not', async (t) => {
  const legal = new FrameReader();
  legal.push(head(BODY_BYTES_MAX));
  t.equal(legal.next(), undefined);
  const beyond = new FrameReader();
  beyond.push(head(BODY_BYTES_MAX + 1));
  t.throws(() => beyond.next(), { code: 'FRAME_TOO_LONG' });
});

t.test('what a length claims is not allocated before it has come', async (t) => {
  const readers = Array.from({ length: 200 }, () => new FrameReader());
  const before = process.memoryUsage().arrayBuffers;
  for (const reader of readers) {
    reader.push(head(BODY_BYTES_MAX));
    reader.push(new Uint8Array(100));
    t.equal(reader.next(), undefined);
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  t.ok(grown < 2 * 1024 * 1024, `${grown} bytes for 200 frames of ${BODY_BYTES_MAX}`);
});

t.test('many chunks of one byte are gathered in time linear in them', async (t) => {
  const length = 300_000;
  const reader = new FrameReader();
  reader.push(head(length));
  let body: Uint8Array | undefined;
  for (let i = 0; i < length; i++) {
    reader.push(Uint8Array.of(i & 255));
    body = reader.next();
  }
  t.equal(body?.length, length);
  t.ok(body?.every((byte, i) => byte === (i & 255)));
});
