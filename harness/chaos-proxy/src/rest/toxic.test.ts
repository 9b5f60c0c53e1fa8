import fc from 'fast-check';
import t from 'tap';
import type { ApiError } from './api-error.ts';
import { ProxyStore } from './proxy-store.ts';
import { changedToxic, readToxic, toxicJson } from './toxic.ts';
import { TOXIC_TYPES } from './toxic-types.ts';

const down = { direction: 'down' };
const FAULTS: readonly (readonly [type: string, attributes: object | undefined, fault: object])[] = [
  ['latency', { latency: 100, jitter: 5 }, { kind: 'latency', ms: 100, jitter: 5, ...down }],
  ['latency', undefined, { kind: 'latency', ms: 0, jitter: 0, ...down }],
  [
    'latency',
    { latency: 9, dist: 'normal', unit: '1KiB' },
    { kind: 'latency', ms: 9, jitter: 0, dist: 'normal', unit: 1024, ...down },
  ],
  ['bandwidth', { rate: 30 }, { kind: 'bandwidth', rate: 30_000, ...down }],
  ['bandwidth', { rate: 0 }, { kind: 'stall', onMs: Number.MAX_SAFE_INTEGER, ...down }],
  ['slow_close', { delay: 7 }, { kind: 'slowClose', ms: 7, ...down }],
  ['timeout', { timeout: 7 }, { kind: 'blackhole', closeMs: 7, ...down }],
  ['timeout', { timeout: 0 }, { kind: 'blackhole', ...down }],
  ['reset_peer', { timeout: 7 }, { kind: 'reset', afterMs: 7, ...down }],
  [
    'slicer',
    { average_size: 9, size_variation: 3, delay: 4 },
    { kind: 'slice', size: 9, variation: 3, delayUs: 4, ...down },
  ],
  ['limit_data', { bytes: 9 }, { kind: 'cutAfter', bytes: 9, how: 'close', ...down }],
  ['limit_data', { bytes: 9, how: 'rst' }, { kind: 'cutAfter', bytes: 9, how: 'rst', ...down }],
  [
    'packet_loss',
    { loss_rate: 0.1, correlation: 0.5 },
    { kind: 'lossLike', ratio: 0.1, correlation: 0.5, ...down },
  ],
  ['noop', {}, { kind: 'latency', ms: 0, ...down }],
  ['down', {}, { kind: 'down' }],
  ['refuse', { first: 2 }, { kind: 'refuse', first: 2 }],
  ['cutAfter', { marker: 'x', how: 'rst' }, { kind: 'cutAfter', marker: 'x', how: 'rst', ...down }],
  [
    'stall',
    { onMs: '1.5s', WHEN: { event: 'fin' }, forMillis: 9 },
    { kind: 'stall', onMs: 1500, when: { event: 'fin' }, forMillis: 9, ...down },
  ],
  [
    'noop',
    { 'selector.first': 2, 'when.afterMillis': 5 },
    { kind: 'latency', ms: 0, selector: { first: 2 }, when: { afterMillis: 5 }, ...down },
  ],
];

t.test('every toxic becomes the fault it stands for, and is written back as it was', (t) => {
  for (const [type, attributes, fault] of FAULTS) {
    const toxic = readToxic({ type, attributes });
    t.same(toxic.fault, fault, `${type} ${JSON.stringify(attributes)}`);
    const again = readToxic(JSON.parse(JSON.stringify(toxicJson(toxic))));
    t.same(again, toxic);
  }
  t.same(new Set(FAULTS.map(([type]) => type)).size, 13, 'all of Toxiproxy and some of ours');
  t.end();
});

t.test('toxicity is the chance of a connection; stream and name have defaults', (t) => {
  const probability = (toxicity: number): number | undefined =>
    readToxic({ type: 'noop', toxicity }).fault.selector?.probability;
  t.same([1, 0.25, 0, -3, 20].map(probability), [undefined, 0.25, 0, 0, undefined]);
  t.equal(readToxic({ type: 'noop', toxicity: 20 }).toxicity, 20, 'told as it was given');
  t.match(readToxic({ type: 'down', stream: 'upstream' }), { name: 'down_upstream', stream: 'upstream' });
  t.match(readToxic({ type: 'noop', name: '' }), { name: 'noop_downstream' });
  t.end();
});

const WRONG: readonly (readonly [type: string, attributes: unknown, error: RegExp, hint?: string])[] = [
  ['latency', { latency: -1 }, /cannot read -1 as latency.latency, a whole number from 0 \(ms\)/],
  ['latency', { latency: 1.5 }, /cannot read 1.5/],
  ['latency', { latency: 2 ** 53 }, /cannot read 9007199254740992/],
  ['latency', { latency: true }, /cannot read true/],
  ['latency', { latncy: 1 }, /latency has no attribute 'latncy'/, "did you mean 'latency'?"],
  ['latency', { direction: 'up' }, /no attribute 'direction'/, 'the stream says it'],
  ['latency', { ms: 1 }, /no attribute 'ms'/],
  ['latency', { dist: 'norml' }, /expected latency.dist = uniform \| normal \| pareto/],
  ['latency', [], /cannot read array as attributes/],
  ['slicer', {}, /cannot read 0 as slicer.average_size, a whole number from 1/],
  ['slicer', { average_size: 5, size_variation: 5 }, /a variation below size/],
  ['packet_loss', { loss_rate: 30 }, /cannot read 30 as packet_loss.loss_rate, a number from 0 to 1/],
  ['timeout', { timeout: 5, forMillis: 5 }, /closeMs instead of forMillis/],
  ['stall', {}, /expected stall.onMs, got nothing/],
  ['noop', { selector: { probability: 0.5 } }, /no attribute 'selector.probability'/, 'toxicity says it'],
  ['noop', { selector: { frst: 1 } }, /got latency.selector.frst/, "did you mean 'first'?"],
  ['refuse', { first: 1, 'when.event': 'fin' }, /afterMillis only/],
];

t.test('attributes that do not fit are told by name', (t) => {
  for (const [type, attributes, error, hint] of WRONG)
    t.throws(
      () => readToxic({ type, attributes }),
      { status: 400, message: error, ...(hint === undefined ? {} : { hint }) },
      `${type} ${JSON.stringify(attributes)}`,
    );
  t.end();
});

t.test('a bandwidth of nothing can be changed to something and back', (t) => {
  const closed = readToxic({ type: 'bandwidth', attributes: { rate: 0, burst: 9 } });
  const open = changedToxic(closed, { attributes: { rate: 2 } });
  t.match(open.fault, { kind: 'bandwidth', rate: 2000, burst: 9 });
  t.same(changedToxic(open, { attributes: { rate: 0 } }), closed);
  t.end();
});

const whole = fc.nat({ max: 1e6 });
const toxicArbitrary = fc
  .record({
    toxicity: fc.double({ min: 0, max: 1, noNaN: true }),
    stream: fc.constantFrom('upstream', 'downstream'),
    of: fc.oneof(
      fc.record({ latency: whole, jitter: whole }).map((attributes) => ({ type: 'latency', attributes })),
      fc.record({ rate: whole }).map((attributes) => ({ type: 'bandwidth', attributes })),
      fc.record({ timeout: whole }).map((attributes) => ({ type: 'timeout', attributes })),
      fc
        .record({ loss_rate: fc.double({ min: 0, max: 1, noNaN: true }) })
        .map((attributes) => ({ type: 'packet_loss', attributes })),
      fc.record({ onMs: whole, offMs: whole }).map((attributes) => ({ type: 'stall', attributes })),
    ),
    extras: fc.record(
      {
        selector: fc.record({ first: whole }),
        when: fc.oneof(
          fc.record({ afterMillis: whole }),
          fc.record({ marker: fc.constant('hex:0d0a'), occurrence: fc.constant(2) }),
        ),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ of: { type, attributes }, extras, ...rest }) => ({
    type,
    ...rest,
    attributes: { ...attributes, ...extras },
  }));

t.test('a dump of a running set-up is a file that starts it again', async (t) => {
  const proxies = fc.uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[a-z_]{1,9}$/),
      upstream: fc.constantFrom('127.0.0.1:9', 'localhost:80', '[::1]:70'),
      enabled: fc.boolean(),
      toxics: fc
        .array(toxicArbitrary, { maxLength: 4 })
        .map((all) => all.map((each, i) => ({ ...each, name: `t${i}` }))),
    }),
    { selector: ({ name }) => name, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(proxies, fc.nat(), async (list, seed) => {
      const first = new ProxyStore(seed);
      const { error } = await first.populate(list);
      const dump = JSON.stringify(first.dump());
      await first.close();
      const second = new ProxyStore(seed + 1);
      const populated = await second.populate(JSON.parse(dump));
      const again = JSON.stringify(second.dump());
      await second.close();
      // Somebody else may have taken a port meanwhile.
      fc.pre(!populated.error?.message.includes('in use'));
      return error === undefined && populated.error === undefined && again === dump;
    }),
    { seed: 20260704, numRuns: 60 },
  );
  t.pass('same addresses, seeds, toxics in the same order');
});

t.test('seeds of proxies follow from the seed and their names, not from their order', async (t) => {
  const seeds = async (seed: number, names: readonly string[]): Promise<unknown> => {
    const store = new ProxyStore(seed);
    await store.populate(names.map((name) => ({ name, upstream: ':9', enabled: false })));
    return store.dump().map((row) => row.seed);
  };
  t.same(await seeds(1, ['a', 'b']), await seeds(1, ['b', 'a']));
  t.notSame(await seeds(1, ['a']), await seeds(2, ['a']));
  t.notSame(await seeds(1, ['a']), await seeds(1, ['b']));
});

t.test('every type of toxic can be made with what its table says', (t) => {
  const needed: Readonly<Record<string, object>> = {
    slicer: { average_size: 1 },
    slice: { size: 1 },
    coalesce: { windowMs: 1 },
    cutAfter: { bytes: 1, how: 'fin' },
    slowClose: { ms: 1 },
    stall: { onMs: 1 },
    refuse: { first: 1 },
    acceptDelay: { ms: 1 },
    lossLike: { ratio: 0.5 },
    corrupt: { atByte: 1 },
  };
  for (const type of TOXIC_TYPES.keys()) {
    let failed: ApiError | undefined;
    try {
      readToxic({ type, attributes: needed[type] ?? {} });
    } catch (error) {
      failed = error as ApiError;
    }
    t.equal(failed?.message, undefined, type);
  }
  t.end();
});
