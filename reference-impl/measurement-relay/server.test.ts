import t from 'tap';
import { BODY_BYTES_MAX, type Content, type WirePoint } from './messages.ts';
import type { ServerDrop, ServerError } from './server-report.ts';
import { ServerRig } from './testing/server-rig.ts';
import {
  frame,
  GREET,
  GREET_ACK,
  greetAnswer,
  joined,
  metric,
  point,
  register,
  send,
} from './testing/wire.ts';

const SECS_END = 8_640_000_000_000;

/** What ends a connection; what came before it is kept. */
const ENDINGS: readonly {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code: ServerError;
  readonly greeted?: false;
}[] = [
  { name: 'points without a Greet', greeted: false, bytes: frame(send(point(1))), code: 'NO_GREET' },
  { name: 'metrics without a Greet', greeted: false, bytes: frame(register(metric(0))), code: 'NO_GREET' },
  { name: 'a GreetResponse', bytes: frame(greetAnswer()), code: 'UNEXPECTED' },
  { name: 'a frame of no bytes', bytes: Uint8Array.of(0, 0, 0, 0), code: 'UNDECODABLE' },
  { name: 'a variant nobody knows', bytes: Uint8Array.of(0, 0, 0, 2, 0, 8), code: 'UNDECODABLE' },
  { name: 'a name that is not UTF-8', bytes: Uint8Array.of(0, 0, 0, 4, 1, 255, 3, 0), code: 'UNDECODABLE' },
  { name: 'a body too short', bytes: Uint8Array.of(0, 0, 0, 3, 0, 3, 1), code: 'UNDECODABLE' },
  {
    name: 'thirty million points in a frame of ten bytes',
    bytes: Uint8Array.of(0, 0, 0, 10, 0, 3, 0x80, 0x87, 0xa7, 0x0e, 0, 0, 0, 0),
    code: 'UNDECODABLE',
  },
  {
    name: 'a length beyond the limit',
    bytes: Uint8Array.of(...u32(BODY_BYTES_MAX + 1)),
    code: 'FRAME_TOO_LONG',
  },
  {
    name: 'a metric id of 65,536',
    bytes: frame(register(metric(1, 'good'), metric(65_536))),
    code: 'METRIC_ID',
  },
  {
    name: 'a metric id of 2^64-1',
    bytes: frame(register(metric(0, 'x', { id: 2n ** 64n - 1n }))),
    code: 'METRIC_ID',
  },
  { name: 'a name of 1,025 characters', bytes: frame(send(), 'x'.repeat(1_025)), code: 'SENDER_TOO_LONG' },
  {
    name: 'an OpenSpool that was not agreed on',
    bytes: frame({ tag: 'OpenSpool', value: { spool: 's', first: 1 } }),
    code: 'UNEXPECTED',
  },
  {
    name: 'a SendBatch that was not agreed on',
    bytes: frame({ tag: 'SendBatch', value: { batch: 1, buf: [] } }),
    code: 'UNEXPECTED',
  },
  { name: 'an Acknowledge', bytes: frame({ tag: 'Acknowledge', value: { through: 1 } }), code: 'UNEXPECTED' },
];

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

for (const { name, bytes, code, greeted } of ENDINGS)
  t.test(`${name} ends its connection and no other (${code})`, async (t) => {
    const rig = new ServerRig();
    rig.connect(2, register(metric(0, 'other')));
    rig.dial(1);
    if (greeted !== false) rig.say(1, GREET, register(metric(0, 'mine')), send(point(1)));
    rig.bytes(1, bytes);
    t.same(rig.errors, [code]);
    t.equal(rig.ending(1), 'reset');
    t.equal(rig.server.counters.errors[code], 1);
    rig.bytes(1, frame(send(point(2))));
    rig.say(2, send(point(3)));
    t.same(rig.values, greeted === false ? [3] : [1, 3], 'what came before it, and what others send');
    t.equal(rig.registry.named('good'), undefined, 'a refused list leaves no name behind');
    t.equal(rig.server.counters.open, 1);
  });

const OTHER_VERSIONS = [0, 1, 3, 4_294_967_295];
for (const version of OTHER_VERSIONS)
  t.test(`version ${version} is answered, refused and closed`, async (t) => {
    const rig = new ServerRig();
    rig.dial(1);
    rig.say(1, { tag: 'Greet', value: { ...GREET.value, protocol_version: version } } as Content);
    t.match(rig.heard(1), [{ tag: 'GreetResponse', value: { accept: false, protocol_version: 2 } }]);
    t.equal(rig.ending(1), 'close', 'the answer gets out');
    rig.say(1, register(metric(0)), send(point(1)));
    t.same(rig.values, [], 'nothing of it is taken');
    t.match(rig.told('server.greeted'), [{ accepted: false, protocolVersion: version }]);
  });

t.test('every Greet is answered, also a second one', async (t) => {
  const rig = new ServerRig();
  rig.connect(1, GREET, register(metric(0)), GREET, send(point(1)));
  t.equal(rig.heard(1).length, 3);
  t.same(rig.values, [1]);
});

const DROPS: readonly {
  readonly name: string;
  readonly bad: Partial<WirePoint>;
  readonly why: ServerDrop;
}[] = [
  { name: 'a metric that was not registered', bad: { metric_id: 7 }, why: 'metric not registered' },
  { name: 'a metric id of 2^64-1', bad: { metric_id: 2n ** 64n - 1n }, why: 'metric not registered' },
  { name: 'an F64 of a U64 metric', bad: { value: { tag: 'F64', value: 1 } }, why: 'value of another type' },
  { name: 'a Bool', bad: { value: { tag: 'Bool', value: true } }, why: 'value of another type' },
  { name: 'a Str', bad: { value: { tag: 'Str', value: '1' } }, why: 'value of another type' },
  { name: 'a ListU64', bad: { value: { tag: 'ListU64', value: [1] } }, why: 'value of another type' },
  {
    name: 'seconds of 2^64-1',
    bad: { timestamp: { secs: 2n ** 64n - 1n, nanos: 1e9 } },
    why: 'timestamp out of range',
  },
  {
    name: 'the first second beyond',
    bad: { timestamp: { secs: SECS_END, nanos: 0 } },
    why: 'timestamp out of range',
  },
  {
    name: 'nanoseconds that carry beyond',
    bad: { timestamp: { secs: SECS_END - 1, nanos: 1e9 } },
    why: 'timestamp out of range',
  },
  { name: 'cpu_core/abc', bad: { resource_kind: 'cpu_core', resource_id: 'abc' }, why: 'malformed resource' },
  {
    name: 'cpu_core of 2^32',
    bad: { resource_kind: 'cpu_core', resource_id: '4294967296' },
    why: 'malformed resource',
  },
  { name: 'cpu_package/', bad: { resource_kind: 'cpu_package', resource_id: '' }, why: 'malformed resource' },
  { name: 'dram/-1', bad: { resource_kind: 'dram', resource_id: '-1' }, why: 'malformed resource' },
  { name: 'local_machine/x', bad: { resource_id: 'x' }, why: 'malformed resource' },
  { name: 'process/x', bad: { consumer_kind: 'process', consumer_id: 'x' }, why: 'malformed consumer' },
];
for (const { name, bad, why } of DROPS)
  t.test(`a point with ${name} is dropped (${why}), the rest of its batch is kept`, async (t) => {
    const rig = new ServerRig();
    rig.connect(1, register(metric(0)), send(point(1), point(2, bad), point(3, bad), point(4)));
    t.same(rig.values, [1, 4]);
    t.match(rig.told('server.dropped'), [{ conn: 1, client: 'leaf', why, points: 2 }]);
    t.equal(rig.server.counters.dropped[why], 2);
    t.equal(rig.server.counters.received, 4);
    t.same(rig.errors, [], 'the connection goes on');
  });

const KEPT: readonly { readonly name: string; readonly good: Partial<WirePoint> }[] = [
  { name: 'a year beyond 9999', good: { timestamp: { secs: 253_402_300_800, nanos: 0 } } },
  { name: 'the last second', good: { timestamp: { secs: SECS_END - 1, nanos: 999_999_999 } } },
  { name: 'a U64 of 2^64-1', good: { value: { tag: 'U64', value: 2n ** 64n - 1n } } },
  { name: 'cpu_core/4294967295', good: { resource_kind: 'cpu_core', resource_id: '4294967295' } },
  { name: 'cpu_core/+07, as Rust reads it', good: { resource_kind: 'cpu_core', resource_id: '+07' } },
  { name: 'a custom resource without an id', good: { resource_kind: '', resource_id: '' } },
  { name: 'a gpu', good: { resource_kind: 'gpu', resource_id: '00000000:01:00.0' } },
  { name: 'consumer local_machine/x, a custom one', good: { consumer_id: 'x' } },
  { name: 'a cgroup', good: { consumer_kind: 'cgroup', consumer_id: '/user.slice' } },
];
for (const { name, good } of KEPT)
  t.test(`a point with ${name} passes unchanged`, async (t) => {
    const rig = new ServerRig();
    rig.connect(1, register(metric(0)), send(point(1, good)));
    const [stored] = rig.batches[0]?.points ?? [];
    t.match(stored, good);
    t.same(rig.told('server.dropped'), []);
  });

t.test('NaN, infinities and -0 pass through', async (t) => {
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0];
  const rig = new ServerRig();
  const points = values.map((value) => point(0, { value: { tag: 'F64', value } }));
  rig.connect(1, register(metric(0, 'f', { value_type: 'F64' })), send(...points));
  t.ok(rig.batches[0]?.points.every(({ value }, i) => Object.is(value.value, values[i])));
});

t.test('nanoseconds of a second and more carry into the seconds', async (t) => {
  const rig = new ServerRig();
  const late = (nanos: number) => point(1, { timestamp: { secs: 10, nanos } });
  rig.connect(1, register(metric(0)), send(late(999_999_999), late(1_000_000_000), late(4_294_967_295)));
  t.same(
    rig.batches[0]?.points.map(({ timestamp }) => timestamp),
    [
      { secs: 10, nanos: 999_999_999 },
      { secs: 11, nanos: 0 },
      { secs: 14, nanos: 294_967_295 },
    ],
  );
});

t.test(
  'points carry the sender of their own message; relayed ones keep the client they came from',
  async (t) => {
    const rig = new ServerRig();
    rig.connect(1, register(metric(0)));
    rig.bytes(1, frame(send(point(1)), 'renamed'));
    const from = (name: string): [string, { tag: 'Str'; value: string }] => [
      'relay_client',
      { tag: 'Str', value: name },
    ];
    rig.bytes(
      1,
      frame(send(point(2, { attributes: [['a', { tag: 'U64', value: 1 }], from('leaf')] })), 'hop'),
    );
    t.same(
      rig.batches.map(({ points }) => points[0]?.attributes),
      [[from('renamed')], [['a', { tag: 'U64', value: 1 }], from('leaf')]],
    );
  },
);

t.test('bytes behind the value are reported, and the frame is used', async (t) => {
  const rig = new ServerRig();
  rig.connect(1);
  const longer = (content: Content): Uint8Array => {
    const bytes = joined(frame(content), Uint8Array.of(9, 9, 9));
    bytes.set(u32(bytes.length - 4));
    return bytes;
  };
  rig.bytes(1, longer(register(metric(0))));
  rig.bytes(1, longer(send(point(1), point(2))));
  t.same(rig.values, [1, 2]);
  t.match(rig.told('server.trailing'), [{ bytes: 3 }, { bytes: 3 }]);
});

t.test('a varint padded within its width decodes', async (t) => {
  const rig = new ServerRig();
  rig.connect(1, register(metric(0)));
  const plain = frame(send(point(1)));
  // the count 01, which follows length, name and variant, as 81 80 00
  const at = 4 + 5 + 1;
  const padded = joined(plain.subarray(0, at), Uint8Array.of(0x81, 0x80, 0), plain.subarray(at + 1));
  padded.set(u32(padded.length - 4));
  rig.bytes(1, padded);
  t.same(rig.values, [1]);
});

t.test('an empty registration and an empty batch are legal and bring nothing', async (t) => {
  const rig = new ServerRig();
  rig.connect(1, register(), send(), register(metric(0)), send(), send(point(1)));
  t.same(rig.values, [1]);
  t.equal(rig.batches.length, 1);
  t.same(rig.errors, []);
});

t.test('two hundred frames in one read and a FIN behind them: all is stored', async (t) => {
  const rig = new ServerRig();
  rig.connect(1, register(metric(0)));
  const frames = Array.from({ length: 200 }, (_, i) =>
    frame(send(...Array.from({ length: 100 }, (_, k) => point(100 * i + k)))),
  );
  rig.bytes(1, joined(...frames));
  rig.fin(1);
  t.same(
    rig.values,
    Array.from({ length: 20_000 }, (_, i) => i),
  );
  t.equal(rig.ending(1), 'end');
});

for (const cut of [1, 3, 4, 9])
  t.test(
    `the end of the stream ${cut} bytes into a frame costs that frame and ends the connection`,
    async (t) => {
      const rig = new ServerRig();
      rig.connect(1, register(metric(0)));
      rig.bytes(1, joined(frame(send(point(1))), frame(send(point(2))).subarray(0, cut)));
      rig.fin(1);
      t.same(rig.values, [1]);
      t.same(rig.errors, ['TRUNCATED']);
      t.equal(rig.server.deadline(), undefined, 'nothing goes on');
    },
  );

t.test('two connections may use the same name', async (t) => {
  const rig = new ServerRig();
  rig.connect(1, register(metric(0, 'a')));
  rig.connect(2, register(metric(0, 'b')));
  rig.say(1, send(point(1)));
  rig.say(2, send(point(2)));
  t.same(
    rig.batches.map(({ points }) => rig.registry.get(points[0]?.metric_id ?? -1)?.name),
    ['a', 'b'],
    'ids are those of the connection',
  );
});

t.test('registering an id again replaces its meaning', async (t) => {
  const rig = new ServerRig();
  rig.connect(1, register(metric(0, 'a')), send(point(1)), register(metric(0, 'b')), send(point(2)));
  t.same(
    rig.batches.map(({ points }) => rig.registry.get(points[0]?.metric_id ?? -1)?.name),
    ['a', 'b'],
  );
});

t.test(
  'a metric beyond the limits is refused, its points are dropped, and the connection goes on',
  async (t) => {
    const rig = new ServerRig();
    rig.connect(1, register(metric(0), metric(1, 'n'.repeat(1_025))));
    rig.say(1, send(point(1), point(2, { metric_id: 1 })));
    t.same(rig.values, [1]);
    t.match(rig.told('server.refused'), [{ why: 'name too long' }]);
    t.match(rig.told('server.dropped'), [{ why: 'metric refused', points: 1 }]);
  },
);

t.test(
  'a client that asks for acknowledgement is as any other where the server has it switched off',
  async (t) => {
    const rig = new ServerRig({ acknowledge: false });
    rig.dial(1);
    rig.say(1, GREET_ACK, register(metric(0)), send(point(1)));
    t.match(rig.heard(1), [{ value: { server_relay_plugin_version: '0.6.0' } }]);
    t.same(rig.values, [1]);
    rig.say(1, { tag: 'OpenSpool', value: { spool: 's', first: 1 } });
    t.same(rig.errors, ['UNEXPECTED']);
  },
);
