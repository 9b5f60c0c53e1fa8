import t from 'tap';
import { ServerRig } from './testing/server-rig.ts';
import { frame, GREET, joined, metric, point, register, send } from './testing/wire.ts';

const SEND = (value: number): Uint8Array => frame(send(point(value)));

t.test('a client that is silent before its Greet is cut off, one after it is not', async (t) => {
  const rig = new ServerRig({ limits: { greetMillis: 1_000 } });
  rig.dial(1);
  rig.connect(2);
  t.equal(rig.server.deadline(), 1_000);
  rig.pass(1_000);
  t.same(rig.errors, ['GREET_LATE']);
  t.equal(rig.ending(1), 'reset');
  t.equal(rig.server.deadline(), undefined);
  t.equal(rig.ending(2), undefined);
});

t.test('connections beyond the limit are reset, and there is room again when one goes', async (t) => {
  const rig = new ServerRig({ limits: { connectionsMax: 2 } });
  for (const conn of [1, 2, 3]) rig.dial(conn);
  t.same(rig.errors, ['CROWDED']);
  t.equal(rig.ending(3), 'reset');
  rig.feed({ type: 'closed', conn: 1, why: 'reset', received: 0, sent: 0 });
  rig.connect(4, register(metric(0)), send(point(4)));
  t.same(rig.values, [4]);
});

t.test('bytes of incomplete frames are bounded over all connections', async (t) => {
  const rig = new ServerRig({ limits: { heldBytesMax: 10_000 } });
  const half = joined(Uint8Array.of(0, 1, 0, 0), new Uint8Array(6_000));
  rig.connect(1);
  rig.connect(2, register(metric(0)));
  rig.bytes(1, half);
  rig.bytes(2, half);
  t.same(rig.errors, ['MEMORY']);
  t.equal(rig.ending(2), 'reset', 'who went beyond it');
  t.equal(rig.ending(1), undefined);
  rig.bytes(1, new Uint8Array(65_536 - 6_000));
  t.same(
    rig.errors,
    ['MEMORY', 'VERSION'],
    'the other frame is complete: zeros, which read as a Greet of version 0',
  );
  rig.connect(3, register(metric(0)), send(point(3)));
  t.same(rig.values, [3], 'what they held is free again');
});

t.test(
  'a connection is not read while the host has as many batches as it may, and goes on in order',
  async (t) => {
    const rig = new ServerRig({ holds: true, limits: { undeliveredMax: 2 } });
    rig.connect(1, register(metric(0)));
    rig.bytes(1, joined(SEND(1), SEND(2), SEND(3), SEND(4)));
    t.same(rig.values, [1, 2]);
    t.notOk(rig.reads(1));
    t.equal(rig.server.counters.undelivered, 2);
    rig.tell({ type: 'stored', token: rig.batches[0]?.token ?? 0 });
    t.same(rig.values, [1, 2, 3]);
    t.notOk(rig.reads(1));
    rig.tell({ type: 'stored', token: rig.batches[1]?.token ?? 0 });
    rig.tell({ type: 'stored', token: rig.batches[2]?.token ?? 0 });
    t.same(rig.values, [1, 2, 3, 4]);
    t.ok(rig.reads(1), 'read again once nothing waits');
    t.match(rig.server.counters, { received: 4, undelivered: 1, stored: 3 });
  },
);

t.test('the bytes of all undelivered batches are bounded, and who waits longest goes on first', async (t) => {
  const one = SEND(1).length;
  const rig = new ServerRig({ holds: true, limits: { undeliveredBytesMax: one } });
  for (const conn of [1, 2, 3]) rig.connect(conn, register(metric(0)));
  rig.bytes(1, joined(SEND(1), SEND(11)));
  rig.bytes(2, SEND(2));
  rig.bytes(3, SEND(3));
  for (let i = 0; i < 4; i++) rig.tell({ type: 'stored', token: rig.batches[i]?.token ?? 0 });
  t.same([...rig.values].sort(), [1, 11, 2, 3].sort(), 'each comes');
  t.equal(rig.server.counters.undelivered, 0);
  t.same(
    [1, 2, 3].map((conn) => rig.reads(conn)),
    [true, true, true],
  );
});

t.test('a long frame is handed out in several batches, never as a whole', async (t) => {
  const points = Array.from({ length: 5_000 }, (_, i) => point(i));
  const rig = new ServerRig({ limits: { batchBytesMax: 16_384, undeliveredMax: 1 }, holds: true });
  rig.connect(1, register(metric(0)));
  rig.bytes(1, joined(frame(send(...points)), SEND(5_000)));
  const sizes: number[] = [];
  for (let batch = rig.batches[0]; batch !== undefined; batch = rig.batches[sizes.length]) {
    sizes.push(batch.points.length);
    rig.tell({ type: 'stored', token: batch.token });
  }
  t.ok(sizes.length > 5, `${sizes}`);
  t.ok(Math.max(...sizes) < 1_000, `${sizes}`);
  t.same(
    rig.values,
    Array.from({ length: 5_001 }, (_, i) => i),
  );
});

t.test('what has come of a client that was reset meanwhile is stored all the same', async (t) => {
  const rig = new ServerRig({ holds: true, limits: { undeliveredMax: 1 } });
  rig.connect(1, register(metric(0)));
  rig.bytes(1, joined(SEND(1), SEND(2)));
  rig.feed({ type: 'closed', conn: 1, why: 'reset', received: 0, sent: 0 });
  t.same(rig.values, [1]);
  rig.tell({ type: 'stored', token: rig.batches[0]?.token ?? 0 });
  t.same(rig.values, [1, 2]);
  rig.tell({ type: 'stored', token: rig.batches[1]?.token ?? 0 });
  t.equal(rig.server.counters.open, 0, 'and then it is forgotten');
  t.equal(rig.told('server.closed').length, 1);
});

t.test(
  'points that could not be stored are counted, and a client without acknowledgement goes on',
  async (t) => {
    const rig = new ServerRig({ holds: true });
    rig.connect(1, register(metric(0)), send(point(1)), send(point(2)));
    rig.tell({ type: 'failed', token: rig.batches[0]?.token ?? 0 });
    rig.tell({ type: 'stored', token: rig.batches[1]?.token ?? 0 });
    rig.tell({ type: 'stored', token: rig.batches[1]?.token ?? 0 });
    t.match(rig.server.counters, { received: 2, stored: 1, undelivered: 0, dropped: { 'not stored': 1 } });
    t.same(rig.errors, []);
  },
);

t.test(
  'a stop hands out what has come, waits for the host, and resets clients that know no acknowledgement',
  async (t) => {
    const rig = new ServerRig({ holds: true, limits: { undeliveredMax: 1 } });
    rig.connect(1, register(metric(0)));
    rig.dial(2);
    rig.bytes(1, joined(SEND(1), SEND(2)));
    rig.feed({ type: 'stop' });
    t.match(
      rig.outputs.filter(({ type }) => type === 'unlisten'),
      [{ listener: 1 }],
    );
    t.equal(rig.ending(2), 'reset', 'nobody waits for a Greet');
    t.equal(rig.ending(1), undefined);
    for (const at of [0, 1]) rig.tell({ type: 'stored', token: rig.batches[at]?.token ?? 0 });
    t.same(rig.values, [1, 2]);
    t.equal(rig.ending(1), 'reset', 'so that its next write fails, before it loses a batch');
    t.equal(rig.told('server.stopped').length, 1);
    rig.feed({ type: 'stop' });
    t.equal(rig.told('server.stopped').length, 2, 'asked again, it says so again');
  },
);

t.test('a stop does not wait for ever for a host that does not answer', async (t) => {
  const rig = new ServerRig({ holds: true, limits: { drainMillis: 2_000 } });
  rig.connect(1, register(metric(0)), send(point(1)));
  rig.feed({ type: 'stop' });
  t.equal(rig.server.deadline(), 2_000);
  rig.pass(2_000);
  t.equal(rig.ending(1), 'reset');
  t.match(rig.server.counters, { undelivered: 0, dropped: { 'not stored': 1 } });
  t.equal(rig.told('server.stopped').length, 1);
});

t.test('a port in use is said at once', async (t) => {
  const rig = new ServerRig();
  rig.feed({ type: 'unlistened', listener: 1, why: 'in use' });
  t.match(rig.told('server.unlistened'), [{ why: 'in use' }]);
});

t.test('a slow Greet, byte by byte, is read as it comes', async (t) => {
  const rig = new ServerRig();
  rig.dial(1);
  for (const byte of frame(GREET)) {
    rig.pass(100);
    rig.bytes(1, Uint8Array.of(byte));
  }
  t.equal(rig.heard(1).length, 1);
});
