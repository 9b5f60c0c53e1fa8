import t from 'tap';
import type { Content } from './messages.ts';
import { MetricRegistry } from './metrics.ts';
import { ClientRig, type ClientRigOptions, memorySpool } from './testing/client-rig.ts';
import { ACK_ANSWER, GREET, messagesIn, openSpool, recordedSession } from './testing/wire.ts';

const OPENED = (stored: number | null): Content => ({ tag: 'SpoolOpened', value: { stored } });
const ACK = (through: number): Content => ({ tag: 'Acknowledge', value: { through } });

/** Connected to a server that acknowledges. */
const acknowledged = (options: ClientRigOptions = {}, stored: number | null = null): ClientRig => {
  const rig = new ClientRig({ bufferMaxLength: 1, ...options });
  rig.connected();
  rig.hear(ACK_ANSWER, OPENED(stored));
  return rig;
};

t.test('acknowledgement is asked for in the Greet, and used when the answer has it too', async (t) => {
  const spool = memorySpool();
  const rig = new ClientRig({ bufferMaxLength: 1, spool });
  rig.append(1);
  rig.connected();
  rig.hear(ACK_ANSWER);
  t.same(rig.said().at(-1)?.content, openSpool(spool.id, 1));
  t.same(rig.batches(), [], 'nothing before the server has said what it has');
  rig.hear(OPENED(null));
  t.match(rig.said().at(-1)?.content, { tag: 'SendBatch', value: { batch: 1 } });
  t.match(rig.client.counters, { spooled: 1, acknowledged: 0 });
  rig.hear(ACK(1));
  t.match(rig.client.counters, { spooled: 0, acknowledged: 1, unconfirmed: 0 });
});

t.test('switched off, the Greet is as Alumet writes it', async (t) => {
  const rig = new ClientRig({ acknowledge: false });
  rig.connected();
  t.same(rig.said()[0]?.content, GREET);
  rig.hear(ACK_ANSWER);
  t.match(rig.told('client.greeted'), [{ acknowledges: false }], 'whatever the server announces');
});

t.test('what is not acknowledged comes again under its number; what the server has does not', async (t) => {
  const rig = acknowledged();
  for (const value of [1, 2, 3]) rig.append(value);
  rig.hear(ACK(1));
  rig.closed();
  rig.pass(500);
  rig.connected();
  rig.hear(ACK_ANSWER);
  t.match(rig.said().at(-1)?.content, { value: { first: 2 } });
  rig.hear(OPENED(2));
  t.same(rig.batches(), [[3]]);
  t.match(rig.said().at(-1)?.content, { tag: 'SendBatch', value: { batch: 3 } });
  t.match(rig.client.counters, { acknowledged: 2, spooled: 1 });
  t.equal(rig.imbalance(), undefined);
});

t.test('leaving the machine is no delivery', async (t) => {
  const rig = acknowledged();
  rig.append(1);
  rig.flushed();
  t.match(rig.client.counters, { spooled: 1, unconfirmed: 0 });
});

t.test('a server that stops acknowledging is given up on', async (t) => {
  const rig = acknowledged({ bounds: { ackMillis: 3_000 } });
  rig.append(1);
  rig.append(2);
  rig.pass(2_000);
  rig.hear(ACK(1));
  rig.pass(2_999);
  t.equal(rig.told('client.failed').length, 0);
  rig.pass(1);
  t.match(rig.told('client.failed'), [{ why: 'no acknowledgement', waitMillis: 500 }]);
});

t.test('no more is on its way than the limit, and one batch always is', async (t) => {
  const rig = acknowledged({ bounds: { inFlightBytesMax: 1 } });
  for (const value of [1, 2, 3]) rig.append(value);
  t.same(rig.batches(), [[1]]);
  rig.hear(ACK(1));
  t.same(rig.batches(), [[1], [2]]);
});

t.test('a spool that was set back gets another name, and the batches come as new ones', async (t) => {
  const spool = memorySpool();
  const before = spool.id;
  const rig = new ClientRig({ bufferMaxLength: 1, spool });
  rig.append(1);
  rig.connected();
  rig.hear(ACK_ANSWER, OPENED(7));
  t.match(rig.told('client.spoolRenewed'), [{ stored: 7, next: 2 }]);
  t.not(spool.id, before);
  t.equal(rig.conn, 2, 'at once: nothing has failed');
  rig.connected();
  rig.hear(ACK_ANSWER, OPENED(null));
  t.same(rig.batches(), [[1]]);
});

const WRONG: readonly { readonly name: string; readonly said: Content }[] = [
  { name: 'an acknowledgement of what was never sent', said: ACK(5) },
  { name: 'a second SpoolOpened', said: OPENED(1) },
  { name: 'a second GreetResponse', said: ACK_ANSWER },
];
for (const { name, said } of WRONG)
  t.test(`${name} ends the connection, and it is tried again`, async (t) => {
    const rig = acknowledged();
    rig.append(1);
    rig.hear(said);
    t.match(rig.told('client.failed'), [{ why: 'unexpected answer', waitMillis: 500 }]);
    t.equal(rig.client.counters.acknowledged, 0);
  });

t.test('a stop waits for the last acknowledgement', async (t) => {
  const rig = acknowledged({ bufferMaxLength: 10 });
  rig.append(1);
  rig.feed({ type: 'stop' });
  t.same(rig.batches(), [[1]]);
  t.notOk(rig.outputs.some(({ type }) => type === 'end'));
  rig.hear(ACK(1));
  t.ok(rig.outputs.some(({ type }) => type === 'end'));
  rig.closed();
  t.match(rig.told('client.stopped'), [{ left: 0 }]);
});

t.test('an Alumet server after one of ours gets the same spool as it understands it', async (t) => {
  const rig = acknowledged();
  rig.append(1);
  rig.closed();
  rig.pass(500);
  rig.up();
  t.match(rig.said().at(-1)?.content, { tag: 'SendMeasurements' });
  rig.flushed();
  t.match(rig.client.counters, { unconfirmed: 1, acknowledged: 0, spooled: 0 });
});

t.test('the recorded session is what our client sends for the same polls, byte for byte', async (t) => {
  const lines = recordedSession();
  const side = (dir: string): Uint8Array =>
    Uint8Array.from(
      lines.flatMap((line) =>
        line.event === undefined && line.dir === dir ? [...Uint8Array.fromHex(line.hex)] : [],
      ),
    );
  const recorded = messagesIn(side('client->server')).map(({ content }) => content);
  const rig = new ClientRig({
    clientName: 'golden-client',
    acknowledge: false,
    registry: registryOf(recorded),
  });
  rig.connected();
  for (const byte of side('server->client')) rig.bytes(Uint8Array.of(byte));
  t.equal(rig.told('client.greeted').length, 1, 'the recorded answer is understood');
  const sends = recorded.filter(({ tag }) => tag === 'SendMeasurements');
  for (const content of sends) {
    if (content.tag !== 'SendMeasurements') continue;
    const points = content.value.buf as never;
    rig.feed({ type: 'command', command: { type: 'append', points } });
    rig.feed({ type: 'command', command: { type: 'flush' } });
  }
  const said = rig.said().map(({ content }) => content);
  t.same(said[0], recorded[0], 'Greet');
  t.same(
    said.filter(({ tag }) => tag === 'SendMeasurements'),
    sends,
  );
  t.ok(sends.length > 3, `${sends.length} batches`);
});

/** A registry that gives the metrics of a session the ids they have there. */
function registryOf(contents: readonly Content[]): MetricRegistry {
  const made = new MetricRegistry();
  const metrics = contents.flatMap((content) =>
    content.tag === 'RegisterMetrics' ? content.value.metrics : [],
  );
  for (const { name, value_type, unit } of metrics.toSorted((a, b) => Number(a.id) - Number(b.id)))
    made.define({ name, valueType: value_type, unit, description: '' });
  return made;
}
