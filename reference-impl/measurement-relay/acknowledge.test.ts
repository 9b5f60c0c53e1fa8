import t from 'tap';
import type { Content } from './messages.ts';
import { MetricRegistry } from './metrics.ts';
import { type RigOptions, ServerRig } from './testing/server-rig.ts';
import {
  ACK_ANSWER,
  frame,
  GREET_ACK,
  joined,
  metric,
  openSpool,
  point,
  register,
  send,
  sendBatch,
} from './testing/wire.ts';

const opened = (rig: ServerRig, conn = 1, spool = 's', first = 1): void => {
  rig.dial(conn);
  rig.say(conn, GREET_ACK, openSpool(spool, first), register(metric(0)));
};
const answered = (options: RigOptions = {}): ServerRig => {
  const rig = new ServerRig(options);
  opened(rig);
  return rig;
};
/** Answers what the host was asked last about this connection's spool. */
const place = (rig: ServerRig, batch: number | undefined): void =>
  rig.tell({ type: 'lastStored', token: rig.told('server.spool').at(-1)?.token ?? 0, batch });
const tokenOf = (rig: ServerRig, at: number): number => rig.batches[at]?.token ?? 0;

t.test('batches are acknowledged when they are stored, each with where it comes from', async (t) => {
  const rig = answered();
  rig.say(1, sendBatch(1, point(1), point(2)), sendBatch(2, point(3)));
  t.same(rig.heard(1), [
    ACK_ANSWER,
    { tag: 'SpoolOpened', value: { stored: null } },
    { tag: 'Acknowledge', value: { through: 1 } },
    { tag: 'Acknowledge', value: { through: 2 } },
  ]);
  t.same(
    rig.batches.map(({ origin }) => origin),
    [1, 2].map((batch) => ({ client: 'leaf', spool: 's', batch })),
  );
  t.match(rig.server.counters, { received: 3, stored: 3, acknowledged: 3 });
});

t.test('the words of the extension, byte by byte', async (t) => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  t.equal(hex(frame(openSpool('ab', 300), 'c')), '00000008016304026162ac02');
  t.equal(hex(frame({ tag: 'SpoolOpened', value: { stored: null } }, '')), '00000003000500');
  t.equal(hex(frame({ tag: 'SpoolOpened', value: { stored: 300 } }, '')), '00000005000501ac02');
  t.equal(hex(frame(sendBatch(300), 'c')), '00000006016306ac0200');
  t.equal(hex(frame({ tag: 'Acknowledge', value: { through: 300 } }, '')), '000000040007ac02');
});

t.test('batches of a spool go to the host one at a time, in order', async (t) => {
  const rig = answered({ holds: true });
  place(rig, undefined);
  rig.bytes(1, joined(frame(sendBatch(1, point(1))), frame(sendBatch(2, point(2)))));
  t.same(rig.values, [1]);
  rig.tell({ type: 'stored', token: tokenOf(rig, 0) });
  t.same(rig.values, [1, 2]);
});

t.test('nothing is taken of a spool before the host has said where it stands', async (t) => {
  const rig = answered({ holds: true });
  rig.say(1, sendBatch(8, point(8)));
  t.same([rig.values, rig.reads(1)], [[], false]);
  place(rig, 7);
  t.same(rig.heard(1).at(-1), { tag: 'SpoolOpened', value: { stored: 7 } });
  t.same([rig.values, rig.reads(1)], [[8], false]);
  rig.tell({ type: 'stored', token: tokenOf(rig, 0) });
  t.ok(rig.reads(1));
});

t.test('a batch that is stored already is acknowledged again and not stored again', async (t) => {
  const rig = new ServerRig();
  rig.lastStored = 5;
  opened(rig);
  rig.say(1, sendBatch(4, point(4)), sendBatch(5, point(5), point(55)), sendBatch(6, point(6)));
  t.same(rig.values, [6]);
  t.same(
    rig.heard(1).slice(2),
    [5, 5, 6].map((through) => ({ tag: 'Acknowledge', value: { through } })),
  );
  t.match(rig.server.counters, { received: 4, stored: 1, dropped: { 'stored before': 3 } });
});

t.test('numbers may be left out', async (t) => {
  const rig = answered();
  rig.say(1, sendBatch(3, point(3)), sendBatch(9, point(9)));
  t.same(rig.values, [3, 9]);
});

t.test('a batch of which no point is good still counts', async (t) => {
  const rig = answered();
  rig.say(1, sendBatch(1, point(1, { metric_id: 9 })), sendBatch(2));
  t.same(
    rig.batches.map(({ points, origin }) => [points.length, origin?.batch]),
    [
      [0, 1],
      [0, 2],
    ],
  );
  t.equal(rig.heard(1).length, 4);
});

t.test('a batch that could not be stored cuts its client off, unacknowledged', async (t) => {
  const rig = answered({ holds: true });
  place(rig, undefined);
  rig.bytes(1, joined(frame(sendBatch(1, point(1))), frame(sendBatch(2, point(2)))));
  rig.tell({ type: 'failed', token: tokenOf(rig, 0) });
  t.same(rig.errors, ['NOT_STORED']);
  t.equal(rig.ending(1), 'reset');
  t.same(rig.values, [1], 'the next one would be stored before it');
  t.equal(rig.heard(1).length, 2);
  opened(rig, 2);
  place(rig, undefined);
  t.same(rig.heard(2).at(-1), { tag: 'SpoolOpened', value: { stored: null } });
});

t.test(
  'a newer connection takes a spool over, once what the older one brought is answered for',
  async (t) => {
    const rig = answered({ holds: true });
    place(rig, undefined);
    rig.bytes(1, joined(frame(sendBatch(1, point(1))), frame(sendBatch(2, point(2)))));
    opened(rig, 2);
    t.same(rig.errors, ['SUPERSEDED']);
    t.equal(rig.ending(1), 'reset');
    t.equal(rig.told('server.spool').length, 1, 'the host is not asked while it may be storing');
    rig.say(2, sendBatch(2, point(2)));
    rig.tell({ type: 'stored', token: tokenOf(rig, 0) });
    t.equal(rig.told('server.spool').length, 2);
    place(rig, undefined);
    t.same(
      rig.heard(2).at(-1),
      { tag: 'SpoolOpened', value: { stored: 1 } },
      'we remember for hosts that cannot say',
    );
    t.same(rig.values, [1, 2]);
  },
);

t.test('a spool that is taken over while the host is asked is asked about once more', async (t) => {
  const rig = answered({ holds: true });
  const [first] = rig.told('server.spool');
  opened(rig, 2);
  opened(rig, 3);
  t.same(rig.errors, ['SUPERSEDED', 'SUPERSEDED']);
  rig.tell({ type: 'lastStored', token: first?.token ?? 0, batch: 4 });
  t.equal(rig.told('server.spool').length, 2);
  place(rig, 4);
  t.same(rig.heard(3).at(-1), { tag: 'SpoolOpened', value: { stored: 4 } });
  t.equal(rig.heard(2).length, 1, 'the one in between heard nothing but the greeting');
});

t.test('a host that cannot tell where a spool stands sends the client away', async (t) => {
  const rig = answered({ holds: true });
  rig.tell({ type: 'failed', token: rig.told('server.spool')[0]?.token ?? 0 });
  t.same(rig.errors, ['NOT_STORED']);
  t.equal(rig.server.counters.open, 0);
});

t.test('spools of different clients do not meet, whatever their names', async (t) => {
  const rig = new ServerRig();
  for (const [conn, client] of ['a', 'b'].entries()) {
    rig.dial(conn);
    for (const content of [GREET_ACK, openSpool('s'), register(metric(0)), sendBatch(1, point(conn))])
      rig.bytes(conn, frame(content, client));
  }
  t.same(rig.values, [0, 1]);
  t.same(rig.errors, []);
});

/** A number that is no safe integer. */
const BEYOND: Content = { tag: 'SendBatch', value: { batch: 2n ** 53n, buf: [point(1)] } };

const WRONG = [
  { name: 'batch 0', said: [sendBatch(0)], code: 'BATCH_NUMBER' },
  { name: 'batch 2^53', said: [BEYOND], code: 'BATCH_NUMBER' },
  { name: 'a second OpenSpool', said: [openSpool('t')], code: 'UNEXPECTED' },
  { name: 'SendMeasurements', said: [send(point(1))], code: 'UNEXPECTED' },
] as const;
for (const { name, said, code } of WRONG)
  t.test(`${name} after OpenSpool ends the connection (${code})`, async (t) => {
    const rig = answered();
    rig.say(1, ...said);
    t.same([rig.errors, rig.values], [[code], []]);
  });

t.test('a batch longer than is handed out in one piece ends the connection', async (t) => {
  const rig = answered({ limits: { batchBytesMax: 1_000 } });
  rig.say(1, sendBatch(1, ...Array.from({ length: 40 }, (_, i) => point(i))));
  t.same([rig.errors, rig.values], [['BATCH_TOO_LONG'], []]);
});

t.test('a client that ends in order gets its last acknowledgement first', async (t) => {
  const rig = answered({ holds: true });
  place(rig, undefined);
  rig.say(1, sendBatch(1, point(1)));
  rig.fin(1);
  t.equal(rig.ending(1), undefined);
  rig.tell({ type: 'stored', token: tokenOf(rig, 0) });
  t.same(rig.heard(1).at(-1), { tag: 'Acknowledge', value: { through: 1 } });
  t.equal(rig.ending(1), 'end');
});

t.test('a stop acknowledges what is stored, then ends in order', async (t) => {
  const rig = answered({ holds: true });
  place(rig, undefined);
  rig.bytes(1, joined(frame(sendBatch(1, point(1))), frame(sendBatch(2, point(2)))));
  rig.feed({ type: 'stop' });
  for (const at of [0, 1]) rig.tell({ type: 'stored', token: tokenOf(rig, at) });
  t.same(rig.heard(1).at(-1), { tag: 'Acknowledge', value: { through: 2 } });
  t.equal(rig.ending(1), 'close', 'FIN behind the acknowledgement, which a reset could overtake');
  t.equal(rig.told('server.stopped').length, 1);
});

t.test('a restarted server knows what its host knows', async (t) => {
  const registry = new MetricRegistry();
  const before = new ServerRig({ registry });
  opened(before);
  before.say(1, sendBatch(1, point(1)), sendBatch(2, point(2)));
  const after = new ServerRig({ registry });
  after.lastStored = before.batches.at(-1)?.origin?.batch;
  opened(after);
  after.say(1, sendBatch(2, point(2)), sendBatch(3, point(3)));
  t.same([...before.values, ...after.values], [1, 2, 3]);
});
