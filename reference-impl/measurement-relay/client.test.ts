import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { ClientRig } from './testing/client-rig.ts';
import { agentPoint, frame, GREET_ACK, greetAnswer, register } from './testing/wire.ts';

const ends = ({ outputs, conn }: ClientRig): string[] =>
  (outputs as NetOutput<unknown>[]).flatMap((output) =>
    (output.type === 'end' || output.type === 'reset') && output.conn === conn ? [output.type] : [],
  );

t.test('a client greets, registers every metric it knows, and sends', async (t) => {
  const rig = new ClientRig({ bufferMaxLength: 2 });
  rig.registry.define({
    name: 'f',
    valueType: 'F64',
    unit: { base: 's', prefix: 'n' },
    description: 'told to nobody',
  });
  rig.append(1, 2);
  t.same(
    rig.outputs.find(({ type }) => type === 'connect'),
    {
      type: 'connect',
      conn: 1,
      to: { host: 'server', port: 50_051 },
      from: undefined,
    },
  );
  rig.connected();
  t.same(rig.said(), [{ sender: 'leaf', content: GREET_ACK }], 'the server speaks next');
  rig.hear(greetAnswer());
  const [, registered, sent, ...more] = rig.said();
  t.same(registered?.content, {
    tag: 'RegisterMetrics',
    value: {
      metrics: [
        { id: 0, name: 'm0', value_type: 'U64', unit: { base: 'J', prefix: '' } },
        { id: 1, name: 'f', value_type: 'F64', unit: { base: 's', prefix: 'nano' } },
      ],
    },
  });
  t.match(sent, { sender: 'leaf', content: { tag: 'SendMeasurements' } });
  t.same(rig.batches(), [[1, 2]]);
  t.same(more, []);
  rig.flushed();
  t.match(rig.client.counters, { received: 2, sent: 2, unconfirmed: 2, buffered: 0, spooled: 0 });
});

t.test(
  'a metric that comes late is registered before the points that use it, and no other again',
  async (t) => {
    const rig = new ClientRig({ bufferMaxLength: 1 });
    rig.up();
    rig.append(1);
    const late = rig.registry.define({
      name: 'late',
      valueType: 'U64',
      unit: { base: '1', prefix: '' },
      description: '',
    });
    rig.feed({ type: 'command', command: { type: 'append', points: [agentPoint(2, { metric_id: late })] } });
    const [registered, sent] = rig.said().slice(-2);
    t.match(registered?.content, { tag: 'RegisterMetrics', value: { metrics: [{ id: 1, name: 'late' }] } });
    t.match(sent?.content, { value: { buf: [{ metric_id: 1 }] } });
  },
);

/** Polls of so many points, and the batches they must make at a length of 10. */
const BUFFERED: readonly {
  readonly polls: readonly number[];
  readonly batches: readonly number[];
  readonly rest: number;
}[] = [
  { polls: [4, 4], batches: [], rest: 8 },
  { polls: [4, 4, 4], batches: [8], rest: 4 },
  { polls: [5, 5], batches: [10], rest: 0 },
  { polls: [25], batches: [25], rest: 0 },
  { polls: [3, 25, 1], batches: [3, 25], rest: 1 },
  { polls: [0, 0], batches: [], rest: 0 },
  { polls: [10, 0, 10], batches: [10, 10], rest: 0 },
];
for (const { polls, batches, rest } of BUFFERED)
  t.test(`polls of ${polls} points make batches of [${batches}], none split, none empty`, async (t) => {
    const rig = new ClientRig({ bufferMaxLength: 10, acknowledge: false });
    rig.up();
    for (const points of polls) rig.append(...new Array<number>(points).fill(7));
    t.same(
      rig.batches().map(({ length }) => length),
      batches,
    );
    t.equal(rig.client.counters.buffered, rest);
  });

t.test('the buffer is sent when its time has come, without new points', async (t) => {
  const rig = new ClientRig({ bufferTimeoutMillis: 1_000 });
  rig.up();
  rig.append(1);
  rig.pass(999);
  t.same(rig.batches(), []);
  rig.pass(1);
  t.same(rig.batches(), [[1]]);
  rig.pass(500);
  rig.append(2);
  rig.pass(499);
  t.same(rig.batches(), [[1]], 'counted from the last send');
  rig.pass(1);
  t.same(rig.batches(), [[1], [2]]);
  rig.flushed(2);
  t.equal(rig.client.deadline(), undefined, 'nothing to wake up for');
});

t.test('flush sends what there is', async (t) => {
  const rig = new ClientRig();
  rig.up();
  rig.append(1);
  rig.feed({ type: 'command', command: { type: 'flush' } });
  t.same(rig.batches(), [[1]]);
});

t.test('an answer may come byte by byte', async (t) => {
  const rig = new ClientRig();
  rig.connected();
  for (const byte of frame(greetAnswer(), '')) rig.bytes(Uint8Array.of(byte));
  t.equal(rig.told('client.greeted').length, 1);
});

const MISMATCHES = [
  { name: 'accept=false', answer: greetAnswer({ accept: false, protocol_version: 3 }) },
  { name: 'accept=true with another version', answer: greetAnswer({ protocol_version: 3 }) },
  { name: 'accept=false with our version', answer: greetAnswer({ accept: false }) },
];
for (const { name, answer } of MISMATCHES)
  t.test(`${name} is never tried again`, async (t) => {
    const rig = new ClientRig();
    rig.append(1);
    rig.connected();
    rig.hear(answer);
    t.match(rig.told('client.gaveUp'), [{ why: 'version mismatch', left: 1 }]);
    t.same(ends(rig), ['reset']);
    t.equal(rig.told('client.failed').length, 0);
    rig.pass(600_000);
    t.equal(rig.conn, 1, 'no other dial');
    rig.append(2);
    t.match(rig.told('client.dropped'), [{ why: 'gave up', points: 1 }], 'and it says what is lost');
    rig.feed({ type: 'stop' });
    t.match(rig.told('client.stopped'), [{ left: 1 }]);
    t.equal(rig.imbalance(), undefined);
  });

type Act = (rig: ClientRig) => void;
const connectedThen =
  (...acts: readonly Act[]): Act =>
  (rig) => {
    rig.connected();
    for (const act of acts) act(rig);
  };

/** What a server does instead of answering; each is tried again. */
const FAILURES: readonly {
  readonly name: string;
  readonly why: string;
  readonly act: Act;
}[] = [
  { name: 'refuses', why: 'refused', act: (rig) => rig.closed('refused') },
  { name: 'resets', why: 'reset', act: connectedThen((rig) => rig.closed()) },
  { name: 'accepts, then FIN', why: 'server ended', act: connectedThen(fin) },
  {
    name: 'ends inside the head of its answer',
    why: 'server ended',
    act: connectedThen((rig) => rig.bytes(Uint8Array.of(0, 0)), fin),
  },
  {
    name: 'ends inside the body of its answer',
    why: 'server ended',
    act: connectedThen((rig) => rig.bytes(Uint8Array.of(0, 0, 0, 9, 0)), fin),
  },
  {
    name: 'answers what does not decode',
    why: 'unexpected answer',
    act: connectedThen((rig) => rig.bytes(Uint8Array.of(0, 0, 0, 2, 0, 99))),
  },
  {
    name: 'answers a frame beyond the limit',
    why: 'unexpected answer',
    act: connectedThen((rig) => rig.bytes(Uint8Array.of(255, 255, 255, 255))),
  },
  {
    name: 'answers another message',
    why: 'unexpected answer',
    act: connectedThen((rig) => rig.hear(register())),
  },
  { name: 'never answers the dial', why: 'timeout', act: (rig) => rig.pass(10_000) },
  { name: 'never answers the Greet', why: 'timeout', act: connectedThen((rig) => rig.pass(10_000)) },
];
function fin(rig: ClientRig): void {
  rig.feed({ type: 'ended', conn: rig.conn });
}
for (const { name, why, act } of FAILURES)
  t.test(`a server that ${name} is tried again (${why})`, async (t) => {
    const rig = new ClientRig();
    rig.append(1);
    act(rig);
    t.match(rig.told('client.failed'), [{ why, attempt: 0, waitMillis: 500 }]);
    rig.pass(500);
    t.equal(rig.conn, 2);
    rig.up();
    rig.feed({ type: 'command', command: { type: 'flush' } });
    t.same(rig.batches(), [[1]], 'and the points are still there');
  });

t.test('waits double from the initial delay to the limit; after max_times retries it gives up', async (t) => {
  const rig = new ClientRig();
  while (rig.told('client.gaveUp').length === 0) {
    rig.closed('refused');
    rig.pass(4_000);
  }
  t.same(
    rig.told('client.failed').map(({ waitMillis }) => waitMillis),
    [500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000, undefined],
  );
  t.equal(rig.told('client.dialing').length, 9, 'the attempt that failed, and eight retries');
  t.match(rig.told('client.gaveUp'), [{ why: 'retries used up' }]);
});

const SCHEDULES = [
  { maxTimes: 0, initialDelayMillis: 500, maxDelayMillis: 4_000, waits: [undefined] },
  { maxTimes: 1, initialDelayMillis: 500, maxDelayMillis: 4_000, waits: [500, undefined] },
  { maxTimes: 2, initialDelayMillis: 9_000, maxDelayMillis: 4_000, waits: [4_000, 4_000, undefined] },
  { maxTimes: 3, initialDelayMillis: 300, maxDelayMillis: 1_000, waits: [300, 600, 1_000, undefined] },
  { maxTimes: 2, initialDelayMillis: 0, maxDelayMillis: 0, waits: [0, 0, undefined] },
] as const;
for (const { waits, ...retry } of SCHEDULES)
  t.test(`${JSON.stringify(retry)} waits ${waits.join(', ')}`, async (t) => {
    const rig = new ClientRig({ retry });
    for (const _ of waits) {
      rig.closed('refused');
      rig.pass(10_000 - 1);
    }
    t.same(
      rig.told('client.failed').map(({ waitMillis }) => waitMillis),
      waits,
    );
  });

t.test('a success starts afresh, and Infinity never gives up', async (t) => {
  const rig = new ClientRig({
    retry: { maxTimes: Number.POSITIVE_INFINITY, initialDelayMillis: 100, maxDelayMillis: 400 },
  });
  for (let i = 0; i < 50; i++) {
    rig.closed('refused');
    rig.pass(400);
  }
  t.equal(rig.told('client.gaveUp').length, 0);
  rig.up();
  rig.closed();
  t.match(rig.told('client.failed').at(-1), { during: 'send', attempt: 0, waitMillis: 100 });
});

t.test('what had not left comes again on the next connection, after Greet and RegisterMetrics', async (t) => {
  const rig = new ClientRig({ bufferMaxLength: 1, acknowledge: false });
  rig.up();
  rig.append(1);
  rig.append(2);
  rig.flushed();
  fin(rig);
  rig.append(3);
  rig.pass(500);
  rig.up();
  t.same(rig.batches(), [[2], [3]]);
  t.same(
    rig.said().map(({ content }) => content.tag),
    ['Greet', 'RegisterMetrics', 'SendMeasurements', 'SendMeasurements'],
  );
  rig.flushed(2);
  t.match(rig.client.counters, { received: 3, sent: 4, unconfirmed: 3 });
  t.equal(rig.imbalance(), undefined);
});

t.test("a server's FIN is noticed at once, before anything is written to it", async (t) => {
  const rig = new ClientRig({ bufferMaxLength: 1 });
  rig.up();
  fin(rig);
  t.match(rig.told('client.failed'), [{ during: 'send', why: 'server ended' }]);
  rig.append(1);
  t.same(rig.batches(1), []);
});

t.test('a server that stops reading is given up on, and never gets more than the limit', async (t) => {
  const rig = new ClientRig({ bufferMaxLength: 1, bounds: { inFlightBytesMax: 100, sendMillis: 5_000 } });
  rig.up();
  for (let value = 0; value < 50; value++) rig.append(value);
  const inFlight = rig.batches().length;
  t.ok(inFlight > 1 && inFlight < 5, `${inFlight} batches`);
  rig.pass(4_999);
  rig.flushed();
  rig.pass(4_999);
  t.equal(rig.told('client.failed').length, 0, 'one batch moved');
  rig.pass(1);
  t.match(rig.told('client.failed'), [{ during: 'send', why: 'stalled', waitMillis: 500 }]);
  t.same(ends(rig), ['reset']);
});

t.test('what a server says after its greeting is not listened to', async (t) => {
  const rig = new ClientRig({ bufferMaxLength: 1 });
  rig.up();
  rig.bytes(Uint8Array.of(255, 255, 255, 255, 1));
  rig.append(1);
  t.same(rig.batches(), [[1]]);
});
