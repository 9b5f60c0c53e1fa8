import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { rngFor } from '../machine/rng.ts';
import { Agenda } from './agenda.ts';
import { chanceFrom } from './chance.ts';
import { FrameReader, framed } from './frames.ts';
import { Outlet } from './outlet.ts';
import { bytesOf, textOf } from './public-key.ts';
import { room, saySend } from './slab.ts';
import { fromHex, toHex } from './testing/hex.ts';
import { UNITS } from './testing/vectors.ts';

t.test('a frame is that of the vectors', async (t) => {
  const payload = fromHex(UNITS.frame.payload);
  const bytes = new Uint8Array(8 + payload.length);
  bytes.set(payload, 8);
  t.equal(toHex(framed(bytes)), UNITS.frame.bytes);
});

t.test('frames read the same however their bytes are cut, and nothing is left over', async (t) => {
  const lengths = fc.array(fc.nat(300), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(lengths, cuts, (lengths, cuts) => {
      const payloads = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const stream = Buffer.concat(
        payloads.map((payload) => framed(new Uint8Array([...new Uint8Array(8), ...payload]))),
      );
      const reader = new FrameReader();
      const read: Uint8Array[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const cut = cuts[i % cuts.length] as number;
        reader.push(new Uint8Array(stream.subarray(at, at + cut)));
        at += cut;
        for (let frame = reader.next(300); frame !== undefined; frame = reader.next(300))
          read.push(frame.slice());
      }
      assert.deepEqual(read, payloads);
      assert.equal(reader.heldBytes, 0);
    }),
    { seed: 20_261_121, numRuns: 300 },
  );
  t.pass('300 streams, seed 20261121');
});

t.test("readers that take each other's spare memory never read each other's frames", async (t) => {
  const rng = rngFor(5, 'spares');
  const readers = Array.from({ length: 6 }, () => new FrameReader());
  const streams = readers.map((_, who) => {
    const frames = Array.from({ length: 12 }, (_, i) => {
      // around the sizes from which memory is kept, and from which it is not
      const payload = new Uint8Array(8 + rng.below(150_000)).fill(who * 16 + i + 1);
      return framed(new Uint8Array([...new Uint8Array(8), ...payload]));
    });
    return { bytes: Buffer.concat(frames), at: 0, frames, read: 0 };
  });
  let wrong = 0;
  while (streams.some(({ at, bytes }) => at < bytes.length)) {
    const who = rng.below(readers.length);
    const stream = streams[who] as (typeof streams)[number];
    const reader = readers[who] as FrameReader;
    const cut = 1 + rng.below(65_536);
    reader.push(new Uint8Array(stream.bytes.subarray(stream.at, stream.at + cut)));
    stream.at += cut;
    for (let frame = reader.next(2 ** 20); frame !== undefined; frame = reader.next(2 ** 20))
      if (!Buffer.from(frame).equals((stream.frames[stream.read++] as Uint8Array).subarray(8))) wrong++;
  }
  t.equal(wrong, 0);
  t.same(
    streams.map(({ read }) => read),
    readers.map(() => 12),
  );
});

t.test('a frame over the limit is refused by its header alone; just at the limit it is read', async (t) => {
  for (const header of ['0000000000000065', 'ffffffffffffffff', '0000000100000000']) {
    const reader = new FrameReader();
    reader.push(fromHex(header));
    t.throws(() => reader.next(100), { code: 'FRAME_TOO_LONG' }, header);
  }
  const reader = new FrameReader();
  reader.push(fromHex(`0000000000000064${'07'.repeat(99)}`));
  t.equal(reader.next(100), undefined);
  reader.push(fromHex('07'));
  t.equal(reader.next(100)?.length, 100);
});

t.test('an agenda names whatever is due, in no wrong time, however deadlines move', async (t) => {
  const rng = rngFor(3, 'agenda');
  const deadlines = new Map<number, number>();
  const agenda = new Agenda<number>((key) => deadlines.get(key));
  let [now, told] = [0, 0];
  for (let step = 0; step < 5_000; step++) {
    const key = rng.below(50);
    const before = deadlines.get(key);
    const at = now + 1 + rng.below(100);
    if (rng.below(10) === 0) deadlines.delete(key);
    else {
      deadlines.set(key, at);
      // only what has become earlier must be said
      if (before === undefined || at < before) agenda.look(key);
    }
    now += rng.below(5);
    for (let due = agenda.due(now); due !== undefined; due = agenda.due(now)) {
      assert.ok((deadlines.get(due) ?? Number.POSITIVE_INFINITY) <= now);
      deadlines.set(due, now + 1 + rng.below(100));
      agenda.look(due);
      told++;
    }
    assert.ok(![...deadlines.values()].some((at) => at <= now), `nothing that is due at ${now} is forgotten`);
    assert.ok((agenda.next() ?? Number.POSITIVE_INFINITY) <= Math.min(...deadlines.values()));
  }
  deadlines.clear();
  t.equal(agenda.next(), undefined, 'nothing is waited for when all are gone');
  t.ok(told > 500, `${told} times`);
});

t.test('an outlet asks when much waits, once at a time, and knows when all is answered', async (t) => {
  const outlet = new Outlet(100);
  t.notOk(outlet.sent(99));
  t.ok(outlet.sent(1));
  t.ok(outlet.full);
  t.notOk(outlet.sent(150), 'one question at a time');
  t.equal(outlet.unsentBytes, 250);
  t.ok(outlet.flushed(), 'much was sent since');
  outlet.last();
  t.notOk(outlet.flushed());
  t.notOk(outlet.settled);
  outlet.flushed();
  t.ok(outlet.settled);
  t.notOk(outlet.full);
});

t.test('bytes as text are base64url, and nothing else is taken for it', async (t) => {
  const rng = rngFor(5, 'text');
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, () => rng.below(256));
    t.equal(textOf(bytes), Buffer.from(bytes).toString('base64url'));
    t.same(bytesOf(textOf(bytes)), bytes);
    t.same(bytesOf(Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_')), bytes);
  }
  for (const text of ['A', 'AB', 'AA=', 'A===', '+A', '/A', 'AAé', 'AA==A', 'AAB'])
    t.equal(bytesOf(text), undefined, text);
});

t.test('padding is random in length and content, and always below 256 bytes', async (t) => {
  const rng = rngFor(9, 'padding');
  const { padding } = chanceFrom((length) => Uint8Array.from({ length }, () => rng.below(256)));
  const lengths = Array.from({ length: 5_000 }, () => padding().length);
  t.equal(Math.max(...lengths), 255);
  t.equal(Math.min(...lengths), 0);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  t.ok(mean > 115 && mean < 140, `${mean} in the mean`);
});

t.test('what is sent side by side leaves in one piece, and what was handed out never changes', async (t) => {
  const rng = rngFor(9, 'slab');
  const out: NetOutput<never>[] = [];
  const said: { readonly conn: number; readonly bytes: Uint8Array; readonly fill: number }[] = [];
  for (let i = 0; i < 2_000; i++) {
    const fill = 1 + (i % 255);
    const bytes = room(rng.below(30) === 0 ? 16_000 + rng.below(800) : rng.below(1_500)).fill(fill);
    const conn = 1 + rng.below(100 < i && i < 200 ? 1 : 2);
    said.push({ conn, bytes, fill });
    if (rng.below(20) === 0) out.push({ type: 'flush', conn });
    saySend(conn, bytes, out);
  }
  t.ok(said.every(({ bytes, fill }) => bytes.every((byte) => byte === fill)));
  for (const conn of [1, 2])
    t.ok(
      Buffer.concat(said.flatMap((one) => (one.conn === conn ? [one.bytes] : []))).equals(
        Buffer.concat(out.flatMap((one) => (one.type === 'send' && one.conn === conn ? [one.bytes] : []))),
      ),
      'every byte, in order',
    );
  const sends = out.filter(({ type }) => type === 'send').length;
  t.ok(sends < 1_500, `${sends} sends of ${said.length}`);
});
