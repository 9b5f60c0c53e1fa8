import fc from 'fast-check';
import t from 'tap';
import { type Labels, SeriesBook, standAt } from './known-series.ts';
import type { WirePoint } from './messages.ts';
import { ServerRig } from './testing/server-rig.ts';
import { frame, metric, point, register, send } from './testing/wire.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);

const METRICS = register(metric(0), metric(1, 'f', { value_type: 'F64' }), metric(40_000, 'far'));

/** What a server hands out: every property of each point, the metric by its name. */
const handedOut = (rig: ServerRig): unknown[] =>
  rig.batches.flatMap(({ points }) =>
    points.map((one) => ({ ...one, metric_id: rig.registry.get(one.metric_id)?.name })),
  );

/** A point that a server meets for the first time is read by the codec. */
const byCodec = (points: readonly WirePoint[], sender: string): unknown[] =>
  points.flatMap((one) => {
    const rig = new ServerRig();
    rig.connect(1, METRICS);
    rig.bytes(1, frame(send(one), sender));
    return handedOut(rig);
  });

const text = fc.oneof(
  fc.constantFrom('', 'a', 'local_machine', 'process', '7', 'é', 'relay_client'),
  fc.string({ maxLength: 200 }),
);
const u64 = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.bigInt(2n ** 53n, 2n ** 64n - 1n));
const value = fc.oneof(
  u64.map((value) => ({ tag: 'U64', value }) as const),
  fc.double().map((value) => ({ tag: 'F64', value }) as const),
);
const attribute = fc.tuple(
  text,
  fc.oneof(
    value,
    text.map((value) => ({ tag: 'Str', value }) as const),
    fc.boolean().map((value) => ({ tag: 'Bool', value }) as const),
    fc.array(u64, { maxLength: 3 }).map((value) => ({ tag: 'ListU64', value }) as const),
  ),
);
const anyPoint: fc.Arbitrary<WirePoint> = fc.record({
  metric_id: fc.constantFrom(0, 0, 1, 1, 2, 40_000),
  timestamp: fc.record({
    secs: fc.oneof(fc.constant(1_795_254_101), fc.nat(), u64),
    nanos: fc.oneof(fc.constant(5), fc.nat(4_294_967_295)),
  }),
  value,
  ...{ resource_kind: text, resource_id: text, consumer_kind: text, consumer_id: text },
  attributes: fc.array(attribute, { maxLength: 3 }),
});

t.test(
  'a point means the same whether its labels are new or known, in whatever order they come',
  async (t) => {
    const order = fc.array(fc.nat(5), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(anyPoint, { minLength: 1, maxLength: 6 }), order, (points, places) => {
        const sent = [...places, ...places].map((place) => points[place % points.length] as WirePoint);
        const rig = new ServerRig();
        rig.connect(1, METRICS);
        rig.bytes(1, frame(send(...sent), 'leaf'));
        const [got, expected] = [handedOut(rig), byCodec(sent, 'leaf')];
        t.equal(rig.errors.length, 0);
        if (!t.strictSame(got, expected, 'as the codec has them')) throw new Error('another meaning');
      }),
      { seed: SEED, numRuns: 150, endOnFailure: true },
    );
  },
);

t.test('points of the same labels share them, and each sender has its own', async (t) => {
  const rig = new ServerRig();
  rig.connect(1, METRICS);
  const two = [point(1, { resource_kind: 'a' }), point(2, { resource_kind: 'b' })];
  for (const sender of ['leaf', 'leaf', 'other']) rig.bytes(1, frame(send(...two), sender));
  const [first, second, again, , other] = rig.batches.flatMap(({ points }) => points);
  t.equal(again?.attributes, first?.attributes);
  t.not(second?.attributes, first?.attributes);
  t.strictSame(other?.attributes, [['relay_client', { tag: 'Str', value: 'other' }]]);
});

t.test('known labels with a metric that was registered anew have its new meaning', async (t) => {
  const rig = new ServerRig();
  rig.connect(1, register(metric(0, 'before')), send(point(1), point(2)));
  rig.say(1, register(metric(0, 'after')), send(point(3), point(4)));
  rig.say(1, register(metric(0, 'floats', { value_type: 'F64' })), send(point(5)));
  const names = rig.batches.flatMap(({ points }) =>
    points.map(({ metric_id }) => rig.registry.get(metric_id)?.name),
  );
  t.strictSame(names, ['before', 'before', 'after', 'after']);
  t.equal(rig.server.counters.dropped['value of another type'], 1);
});

t.test('malformed labels are dropped as often as they come', async (t) => {
  const rig = new ServerRig();
  const bad = point(1, { resource_kind: 'cpu_core', resource_id: 'x' });
  rig.connect(1, METRICS, send(bad, bad, bad), send(point(2), bad));
  t.strictSame(rig.values, [2]);
  t.equal(rig.server.counters.dropped['malformed resource'], 4);
});

const LABELS: Labels = {
  ...{ resource_kind: '', resource_id: '', consumer_kind: '', consumer_id: '' },
  ...{ attributes: [], unfit: undefined },
};
const viewOf = (...bytes: readonly number[]): DataView => new DataView(Uint8Array.from(bytes).buffer);

t.test('a book', async (t) => {
  t.test('tells series apart by sender, metric and every byte', async (t) => {
    const book = new SeriesBook();
    const bytes = viewOf(1, 2, 3, 4, 5, 6);
    const kept = book.add('leaf', 7, bytes, 0, 6, LABELS);
    t.equal(book.find('leaf', 7, bytes, 0, 6), kept);
    t.equal(book.find('other', 7, bytes, 0, 6), undefined);
    t.equal(book.find('leaf', 8, bytes, 0, 6), undefined);
    t.equal(book.find('leaf', 7, bytes, 0, 5), undefined);
    for (let i = 0; i < 6; i++) {
      const changed = viewOf(...[1, 2, 3, 4, 5, 6].map((byte, at) => (at === i ? 99 : byte)));
      t.equal(book.find('leaf', 7, changed, 0, 6), undefined, `byte ${i}`);
      if (kept !== undefined) t.notOk(standAt(kept, changed, 0));
    }
  });

  t.test('starts anew when it is full, and does not keep what is long', async (t) => {
    const book = new SeriesBook({ series: 2, bytes: 100 });
    const bytes = viewOf(...Array(5_000).fill(1));
    for (let at = 0; at < 3; at++) book.add('leaf', at, bytes, 0, 6, LABELS);
    t.equal(book.size, 1);
    book.add('leaf', 9, bytes, 0, 95, LABELS);
    t.equal(book.size, 1, 'bytes count too');
    t.equal(new SeriesBook().add('leaf', 0, bytes, 0, 4_097, LABELS), undefined);
  });
});
