import fc from 'fast-check';
import t from 'tap';
import { FrameReader } from './frame-reader.ts';
import type { Content } from './messages.ts';
import { ClientRig } from './testing/client-rig.ts';
import { ServerRig } from './testing/server-rig.ts';
import {
  frame,
  GREET_ACK,
  joined,
  metric,
  openSpool,
  point,
  register,
  send,
  sendBatch,
  vectors,
} from './testing/wire.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);
const FUZZ = Number(process.env.RELAYLAB_FUZZ ?? 2_000);
const RUNS = { seed: SEED, endOnFailure: false, numRuns: FUZZ } as const;

/** Cuts bytes at some places. */
const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
};

t.test('frames come out as they went in, however the stream is cut', async (t) => {
  const body = fc.uint8Array({ maxLength: 3_000 });
  const places = fc.array(fc.nat(20_000), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(body, { maxLength: 8 }), places, (bodies, cuts) => {
      const reader = new FrameReader();
      const got: Uint8Array[] = [];
      const stream = joined(
        ...bodies.flatMap((one) => [Uint8Array.of(0, 0, one.length >> 8, one.length), one]),
      );
      for (const chunk of cut(stream, cuts)) {
        reader.push(chunk);
        for (let next = reader.next(); next !== undefined; next = reader.next()) got.push(next.slice());
      }
      const whole =
        got.length === bodies.length &&
        got.every((one, i) => Buffer.compare(one, bodies[i] as Uint8Array) === 0);
      if (!whole || reader.heldBytes !== 0)
        throw new Error(`${got.length} of ${bodies.length} bodies, ${reader.heldBytes} left`);
    }),
    { ...RUNS, numRuns: Math.min(FUZZ, 20_000) },
  );
  t.pass();
});

const GOOD: readonly Content[] = [
  GREET_ACK,
  openSpool('s'),
  register(metric(0), metric(1, 'f', { value_type: 'F64' })),
  sendBatch(1, point(1), point(2)),
  sendBatch(2, point(3, { attributes: [['a', { tag: 'ListU64', value: [1, 2] }]] })),
  send(point(4)),
];
const STREAM = joined(...GOOD.map((content) => frame(content)), ...vectors().map(({ bytes }) => bytes));

/** A stream of frames with some bytes changed, left out or put in, or plain noise. */
const hostile = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.nat(STREAM.length - 1),
        fc.array(fc.tuple(fc.nat(STREAM.length - 1), fc.nat(255), fc.constantFrom('set', 'drop', 'insert')), {
          minLength: 1,
          maxLength: 6,
        }),
      )
      .map(([length, changes]) => {
        const bytes = [...STREAM.subarray(0, 300 + length)];
        for (const [at, byte, how] of changes)
          if (how === 'set') bytes[at % bytes.length] = byte;
          else if (how === 'drop') bytes.splice(at % bytes.length, 1);
          else bytes.splice(at % bytes.length, 0, byte);
        return Uint8Array.from(bytes);
      }),
  },
);

t.test('whatever a client sends, the server lives, counts every point and serves the next', async (t) => {
  let ended = 0;
  fc.assert(
    fc.property(hostile, fc.array(fc.nat(5_000), { maxLength: 5 }), (bytes, cuts) => {
      const rig = new ServerRig();
      rig.dial(1);
      for (const chunk of cut(bytes, cuts)) rig.bytes(1, chunk);
      rig.fin(1);
      ended += rig.errors.length;
      const { received, stored, undelivered, dropped } = rig.server.counters;
      const lost = Object.values(dropped).reduce((sum, points) => sum + points, 0);
      if (received !== stored + undelivered + lost)
        throw new Error(`${received} points: ${stored} + ${undelivered} + ${lost}`);
      rig.connect(2, register(metric(0, 'after')), send(point(99)));
      if (rig.values.at(-1) !== 99) throw new Error('the next client is not served');
    }),
    RUNS,
  );
  t.ok(ended > FUZZ / 10, `${ended} connections were ended for what they said`);
});

t.test('whatever a server sends, the client lives, and loses no point', async (t) => {
  const said = fc.oneof(hostile, fc.uint8Array({ maxLength: 30 }));
  fc.assert(
    fc.property(said, fc.boolean(), (bytes, greeted) => {
      const rig = new ClientRig({
        bufferMaxLength: 1,
        retry: { maxTimes: 1, initialDelayMillis: 1, maxDelayMillis: 1 },
      });
      rig.append(1);
      if (greeted) rig.up();
      else rig.connected();
      rig.bytes(bytes);
      rig.append(2);
      rig.pass(200_000);
      const imbalance = rig.imbalance();
      if (imbalance !== undefined) throw new Error(imbalance);
    }),
    RUNS,
  );
  t.pass();
});
