import { type Fault, PROFILES } from 'chaos-proxy';
import t from 'tap';
import { isPacket, packetFormText, packetLink, packetRefusal } from './packet-form.ts';

t.test('every profile has a packet form', async (t) => {
  for (const [name, { faults }] of Object.entries(PROFILES))
    for (const fault of faults as readonly Fault[]) t.equal(packetRefusal(fault, 'site'), undefined, name);
  t.match(packetLink(PROFILES.satellite.faults), {
    up: { delayMillis: 300, jitterMillis: 15, dist: 'normal', loss: 0.005, rate: 375_000 },
    down: { rate: 2_500_000 },
    stalls: [],
  });
  t.same(packetLink(PROFILES.stalling.faults).stalls, [
    { ways: ['up', 'down'], afterMillis: 2000, onMillis: 1500, offMillis: 4500 },
  ]);
});

t.test('what a link is made of is told', async (t) => {
  for (const [name, without, with_] of [
    ['clean', 'packet: nothing in the way; resets by stream', 'packet: nothing in the way; resets by stream'],
    ['lossy', 'packet: nft loss + vxlan userspace; resets by stream', 'packet: netem; resets by stream'],
    ['mobile', 'packet: tbf + vxlan userspace; resets by stream', 'packet: netem; resets by stream'],
    [
      'stalling',
      'packet: vxlan userspace + nft drop while stalled; resets by stream',
      'packet: netem + nft drop while stalled; resets by stream',
    ],
  ] as const) {
    t.equal(packetFormText(packetLink(PROFILES[name].faults), false), without);
    t.equal(packetFormText(packetLink(PROFILES[name].faults), true), with_);
  }
});

t.test('two losses and two delays add up, the narrowest rate wins', async (t) => {
  const link = packetLink([
    { kind: 'lossLike', ratio: 0.5 },
    { kind: 'lossLike', ratio: 0.5, direction: 'up' },
    { kind: 'latency', ms: 10 },
    { kind: 'latency', ms: 20, jitter: 5, direction: 'up' },
    { kind: 'bandwidth', rate: 900, scope: 'link' },
    { kind: 'bandwidth', rate: 100, scope: 'link', direction: 'down' },
  ]);
  t.match(link.up, { loss: 0.75, delayMillis: 30, jitterMillis: 5, rate: 900 });
  t.match(link.down, { loss: 0.5, delayMillis: 10, jitterMillis: 0, rate: 100 });
});

t.test('a fault without a packet form is refused by name; a reset stays one of streams', async (t) => {
  const refused: readonly (readonly [Fault, 'site' | 'timeline'])[] = [
    [{ kind: 'slice', size: 5 }, 'site'],
    [{ kind: 'cutAfter', bytes: 5, how: 'rst' }, 'timeline'],
    [{ kind: 'reset' }, 'site'],
    [{ kind: 'latency', ms: 5 }, 'timeline'],
    [{ kind: 'latency', ms: 5, correlation: 0.5 }, 'site'],
    [{ kind: 'latency', ms: 5, selector: { first: 2 } }, 'site'],
    [{ kind: 'bandwidth', rate: 5 }, 'site'],
    [{ kind: 'lossLike', ratio: 0.1, burst: 3 }, 'site'],
    [{ kind: 'stall', onMs: 5, selector: { every: 2 } }, 'timeline'],
    [{ kind: 'stall', onMs: 5, when: { byte: 3 } }, 'timeline'],
  ];
  for (const [fault, where] of refused)
    t.match(packetRefusal(fault, where), new RegExp(`^${fault.kind}`), JSON.stringify(fault));
  t.equal(packetRefusal({ kind: 'reset', selector: { every: 3 } }, 'timeline'), undefined);
  t.equal(packetRefusal({ kind: 'stall', onMs: 5 }, 'timeline'), undefined);
  t.notOk(isPacket({ kind: 'reset' }));
  t.ok(isPacket({ kind: 'stall', onMs: 5 }));
});
