import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { BODY_BYTES_MAX } from './messages.ts';
import { ClientRig, memorySpool } from './testing/client-rig.ts';
import { agentPoint } from './testing/wire.ts';

const ends = ({ outputs, conn }: ClientRig): string[] =>
  (outputs as NetOutput<unknown>[]).flatMap((output) =>
    (output.type === 'end' || output.type === 'reset') && output.conn === conn ? [output.type] : [],
  );
const fin = (rig: ClientRig): void => rig.feed({ type: 'ended', conn: rig.conn });

const STOPS: readonly {
  readonly name: string;
  readonly act: (rig: ClientRig) => void;
  readonly left: number;
}[] = [
  { name: 'connected', act: (rig) => rig.up(), left: 0 },
  { name: 'dialling', act: () => {}, left: 0 },
  { name: 'waiting for a retry', act: (rig) => rig.closed('refused'), left: 0 },
];
for (const { name, act, left } of STOPS)
  t.test(`a stop while ${name} delivers what is in the buffer, then ends in order`, async (t) => {
    const rig = new ClientRig();
    rig.append(1, 2);
    act(rig);
    rig.feed({ type: 'stop' });
    if (name !== 'connected') rig.up();
    t.same(rig.batches(), [[1, 2]]);
    t.same(ends(rig), [], 'not before it has left');
    rig.flushed();
    t.same(ends(rig), ['end']);
    fin(rig);
    rig.closed();
    t.match(rig.told('client.stopped'), [{ left }]);
    t.equal(rig.client.counters.unconfirmed, 2);
    t.equal(rig.imbalance(), undefined);
  });

t.test('a stop with nothing to deliver ends at once', async (t) => {
  const rig = new ClientRig();
  rig.feed({ type: 'stop' });
  t.same(ends(rig), ['reset']);
  t.match(rig.told('client.stopped'), [{ left: 0 }]);
  t.equal(rig.client.deadline(), undefined);
});

t.test('a stop is over in time where the server takes nothing, and says what is left', async (t) => {
  const rig = new ClientRig({ bufferMaxLength: 1, bounds: { drainMillis: 2_000 } });
  rig.up();
  rig.append(1);
  rig.feed({ type: 'stop' });
  rig.pass(2_000);
  t.match(rig.told('client.stopped'), [{ left: 1 }]);
  t.match(rig.told('client.dropped'), [{ why: 'left behind', points: 1 }]);
  t.same(ends(rig), ['reset']);
  t.equal(rig.imbalance(), undefined);
});

t.test('a second stop ends at once', async (t) => {
  const rig = new ClientRig();
  rig.append(1);
  rig.feed({ type: 'stop' });
  rig.feed({ type: 'stop' });
  t.match(rig.told('client.stopped'), [{ left: 1 }]);
});

t.test('a spool in memory is bounded: the oldest goes that is not on its way', async (t) => {
  const spool = memorySpool({ bytesMax: 120 });
  const rig = new ClientRig({
    bufferMaxLength: 1,
    spool,
    acknowledge: false,
    bounds: { inFlightBytesMax: 1 },
  });
  rig.up();
  for (let value = 1; value <= 5; value++) rig.append(value);
  const dropped = rig.told('client.dropped').reduce((sum, { points }) => sum + points, 0);
  t.ok(dropped > 0, `${dropped} points`);
  t.match(rig.told('client.dropped'), [{ why: 'dropped for newer' }]);
  for (let i = 0; i < 5; i++) rig.flushed();
  t.same(rig.batches()[0], [1], 'which was on its way');
  t.same(rig.batches().at(-1), [5]);
  t.equal(rig.batches().length, 5 - dropped);
  t.equal(rig.imbalance(), undefined);
});

t.test('points that cannot be sent are dropped one by one, told once a poll', async (t) => {
  const rig = new ClientRig({ bufferMaxLength: 1 });
  rig.up();
  const bad = [
    agentPoint(1, { metric_id: 9 }),
    agentPoint(2, { metric_id: 9 }),
    agentPoint(3, { resource_id: '\ud800' }),
    agentPoint(4, { consumer_id: 'x'.repeat(5_000_000) }),
    agentPoint(5, { consumer_id: 'x'.repeat(40_000_000) }),
    agentPoint(6),
  ];
  rig.feed({ type: 'command', command: { type: 'append', points: bad } });
  t.same(rig.batches(), [[6]]);
  t.match(
    rig.told('client.dropped').map(({ why, points }) => [why, points]),
    [
      ['unknown metric', 2],
      ['unencodable', 1],
      ['too long', 2],
    ],
  );
  t.equal(rig.imbalance(), undefined);
});

t.test('a poll beyond what a frame may hold is the only one that is split, and loses nothing', async (t) => {
  const rig = new ClientRig({ bounds: { inFlightBytesMax: Number.POSITIVE_INFINITY } });
  rig.up();
  const points = Array.from({ length: 120 }, (_, i) => agentPoint(i, { consumer_id: 'x'.repeat(100_000) }));
  rig.feed({ type: 'command', command: { type: 'append', points } });
  rig.feed({ type: 'command', command: { type: 'flush' } });
  t.same(
    rig.batches().flat(),
    points.map((_, i) => i),
  );
  t.ok(rig.batches().length >= 3);
  for (const output of rig.outputs)
    if (output.type === 'send') t.ok(output.bytes.length < BODY_BYTES_MAX / 7);
});

t.test('a name of any length goes with every message', async (t) => {
  const clientName = 'n'.repeat(9_000);
  const rig = new ClientRig({ clientName, bufferMaxLength: 1 });
  rig.up();
  rig.append(1);
  t.ok(rig.said().every(({ sender }) => sender === clientName));
  t.match(rig.said().at(-1), { content: { tag: 'SendMeasurements' } });
});
