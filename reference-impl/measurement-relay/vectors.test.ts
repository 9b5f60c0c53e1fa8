import t from 'tap';
import { MESSAGE, type Point } from './messages.ts';
import { MetricRegistry } from './metrics.ts';
import { ClientRig } from './testing/client-rig.ts';
import { ServerRig } from './testing/server-rig.ts';
import { GREET, messagesIn, metric, recordedSession, register, vectors } from './testing/wire.ts';

/** Our values as the vectors write them. */
const asVector = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(asVector);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if ('tag' in value && typeof value.tag === 'string') {
    const inner = (value as { value?: unknown }).value;
    return { [value.tag]: value.tag === 'F64' ? float(Number(inner)) : asVector(inner) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asVector(inner)]));
};
const float = (value: number): unknown => {
  if (Object.is(value, -0)) return '-0';
  if (!Number.isNaN(value)) return Number.isFinite(value) ? value : String(value);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  return `NaN(0x${bits.getBigUint64(0).toString(16)})`;
};

for (const { name, about, bytes, decoded } of vectors())
  t.test(`${name} reads as recorded and is written back: ${about}`, async (t) => {
    const body = bytes.subarray(4);
    const { value, end } = MESSAGE.decodePrefix(body);
    t.equal(end, body.length);
    t.same(asVector(value), decoded);
    t.same(MESSAGE.encodeFrame(value), bytes);
  });

t.test('every recorded frame of a client is taken by the server, nothing dropped', async (t) => {
  for (const { name, bytes, direction } of vectors()) {
    if (direction === 'server->client' || name === 'greet') continue;
    const rig = new ServerRig();
    const content = messagesIn(bytes)[0]?.content;
    rig.connect(1);
    if (content?.tag === 'SendMeasurements') {
      const types = new Map(content.value.buf.map((point) => [Number(point.metric_id), point.value.tag]));
      const metrics = [...types].map(([id, tag]) =>
        metric(id, `m${id}`, { value_type: tag as 'F64' | 'U64' }),
      );
      rig.say(1, register(...metrics));
    }
    rig.bytes(1, bytes);
    const points = content?.tag === 'SendMeasurements' ? content.value.buf.length : 0;
    t.same([rig.errors, rig.told('server.dropped'), rig.server.counters.stored], [[], [], points], name);
    if (content?.tag === 'RegisterMetrics')
      t.equal(
        rig.registry.list.length,
        content.value.metrics.length,
        `${name}: all of its metrics are known`,
      );
  }
});

const said = recordedSession().flatMap((line) =>
  line.event === undefined && line.dir === 'client->server' ? [Uint8Array.fromHex(line.hex)] : [],
);
const sent = messagesIn(Uint8Array.from(said.flatMap((bytes) => [...bytes])));
const recordedPoints = sent.flatMap(({ content }) =>
  content.tag === 'SendMeasurements' ? content.value.buf : [],
);

/** The same bytes in other pieces. */
const RECUTS = [
  { name: 'as recorded', chunks: said },
  { name: 'byte by byte', chunks: said.flatMap((bytes) => [...bytes].map((byte) => Uint8Array.of(byte))) },
  { name: 'in one piece', chunks: [Uint8Array.from(said.flatMap((bytes) => [...bytes]))] },
];
for (const { name, chunks } of RECUTS)
  t.test(`a recorded session of an Alumet client, ${name}, is stored whole`, async (t) => {
    const rig = new ServerRig();
    rig.dial(1);
    for (const chunk of chunks) rig.bytes(1, chunk);
    rig.fin(1);
    t.same(rig.errors, []);
    t.same(rig.told('server.dropped'), []);
    t.equal(rig.ending(1), 'end', 'its FIN is answered by ours');
    const stored = rig.batches.flatMap(({ points }) => points);
    t.ok(stored.length > 100, `${stored.length} points`);
    const names = new Map(
      sent.flatMap(({ content }) =>
        content.tag === 'RegisterMetrics'
          ? content.value.metrics.map(({ id, name }) => [id, name] as const)
          : [],
      ),
    );
    t.same(
      stored.map(({ metric_id, ...point }) => [rig.registry.get(metric_id)?.name, point]),
      recordedPoints.map(({ metric_id, ...point }) => [
        names.get(metric_id),
        {
          ...point,
          attributes: [...point.attributes, ['relay_client', { tag: 'Str', value: 'golden-client' }]],
        },
      ]),
    );
    t.same(
      rig.heard(1).map(({ tag }) => tag),
      ['GreetResponse'],
      'nothing is said to Alumet that it does not know',
    );
  });

t.test('our answer to the recorded Greet is the recorded one, byte for byte', async (t) => {
  const rig = new ServerRig();
  rig.dial(1);
  rig.say(1, GREET);
  const answer = vectors().find(({ name }) => name === 'greet-response-accept');
  t.same(
    rig.outputs.flatMap((output) => (output.type === 'send' ? [...output.bytes] : [])),
    [...(answer?.bytes ?? [])],
  );
});

const answered = recordedSession().flatMap((line) =>
  line.event === undefined && line.dir === 'server->client' ? [Uint8Array.fromHex(line.hex)] : [],
);
const ANSWERS = [
  { name: 'as recorded', chunks: answered },
  {
    name: 'byte by byte',
    chunks: answered.flatMap((bytes) => [...bytes].map((byte) => Uint8Array.of(byte))),
  },
];
for (const { name, chunks } of ANSWERS)
  t.test(
    `a recorded session of an Alumet server, ${name}, is told by our client what Alumet's told it`,
    (t) => {
      const registry = new MetricRegistry();
      const rig = new ClientRig({
        registry,
        clientName: 'golden-client',
        acknowledge: false,
        bufferMaxLength: 1,
      });
      const ids = new Map<bigint | number, number>();
      for (const { content } of sent)
        if (content.tag === 'RegisterMetrics')
          for (const { id, name, value_type: valueType, unit } of content.value.metrics)
            if (!ids.has(id)) ids.set(id, registry.define({ name, valueType, unit, description: '' }));
      rig.connected();
      t.same(rig.said(), sent.slice(0, 1), 'the same Greet');
      for (const chunk of chunks) rig.bytes(chunk);
      t.equal(rig.told('client.greeted').length, 1);
      const batches = sent.flatMap(({ content }) =>
        content.tag === 'SendMeasurements' && content.value.buf.length > 0
          ? [
              content.value.buf.map((point) => ({
                ...(point as Point),
                metric_id: ids.get(point.metric_id) as number,
              })),
            ]
          : [],
      );
      for (const points of batches) {
        rig.feed({ type: 'command', command: { type: 'append', points } });
        rig.flushed();
      }
      rig.feed({ type: 'stop' });
      const ours = rig.said().flatMap(({ sender, content }) => {
        t.equal(sender, 'golden-client');
        return content.tag === 'SendMeasurements' ? [content.value.buf] : [];
      });
      t.same(ours, batches, 'every point, in the recorded batches');
      t.equal(rig.imbalance(), undefined);
      t.end();
    },
  );
