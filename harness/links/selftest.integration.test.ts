/** The measurements over real sockets: true links are never called off, lying ones never pass. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault } from 'chaos-proxy';
import t from 'tap';
import { Bench } from './bench.ts';
import { standardFaults } from './effects.ts';
import { selfTest } from './selftest.ts';
import { selfTestTable } from './table.ts';
import { trustEffects } from './trust.ts';

t.setTimeout(120_000);
const signal = new AbortController().signal;
const options = { atOnce: 1, attempts: 3, withinMillis: 60_000, signal };
/** A link that does something else than it was asked to. */
const lying =
  (instead: readonly Fault[]): typeof Bench.open =>
  (_faults, seed) =>
    Bench.open(instead, seed);

t.test('no effect of ours is off', async (t) => {
  const test = await selfTest(standardFaults(), options);
  t.same(
    test.results.filter(({ standing }) => standing === 'off').map(({ effect, why }) => ({ effect, why })),
    [],
  );
  t.ok(
    test.results.filter(({ standing }) => standing === 'ok').length > test.results.length / 2,
    'and most can be measured even on a busy machine',
  );
  t.match(selfTestTable(test), /effect +quantity +declared +measured +tolerance/);
});

t.test('a link that does not do what it says is not trusted', async (t) => {
  const lies: readonly (readonly [Fault, readonly Fault[]])[] = [
    [
      { kind: 'cutAfter', bytes: 100, how: 'rst', direction: 'up' },
      [{ kind: 'cutAfter', bytes: 100, how: 'close' }],
    ],
    [
      { kind: 'cutAfter', bytes: 100, how: 'fin', direction: 'up' },
      [{ kind: 'cutAfter', bytes: 99, how: 'fin' }],
    ],
    [{ kind: 'refuse', first: 2 }, [{ kind: 'refuse', first: 1 }]],
    [{ kind: 'corrupt', atByte: 17, direction: 'up' }, []],
    [{ kind: 'lossLike', ratio: 0.2, rtoMs: 60, direction: 'up' }, []],
    [{ kind: 'bandwidth', rate: 2_000_000, direction: 'up' }, [{ kind: 'bandwidth', rate: 200_000 }]],
  ];
  for (const [said, done] of lies) {
    const { results } = await selfTest([said], { ...options, attempts: 2, open: lying(done) });
    t.match(results, [{ standing: 'off' }], JSON.stringify(said));
    t.not(results[0]?.why, '', 'the reason is told');
  }
  const slow = await selfTest([{ kind: 'latency', ms: 200 }], { ...options, attempts: 1, open: lying([]) });
  t.not(slow.results[0]?.standing, 'ok', 'nor one that is 200 ms too early');
});

t.test('what cannot be measured is unclear, and says why', async (t) => {
  const broken = await selfTest([{ kind: 'reset' }], {
    ...options,
    open: () => Promise.reject(new Error('no sockets here')),
  });
  t.match(broken.results, [{ standing: 'unclear', why: 'no sockets here' }]);
  const late = await selfTest([{ kind: 'reset' }], { ...options, withinMillis: 0 });
  t.match(late.results, [{ standing: 'unclear', why: /no time left/ }]);
  t.match(selfTestTable(late), /0 of 1 effects within tolerance, 1 unclear/);
});

t.test('before a scenario each effect is measured once, and not again the same day', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-links-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const said: string[] = [];
  const trust = {
    record: join(folder, 'trusted.json'),
    signal,
    progress: (text: string) => void said.push(text),
  };
  const reset: Fault = { kind: 'reset', selector: { every: 3 } };
  const first = await trustEffects([reset, { kind: 'reset' }], trust);
  t.match(first, [
    { kind: 'reset', effect: 'reset:afterMs=0', standing: 'ok', text: 'measured within tolerance' },
  ]);
  t.same(said, ['measuring 1 link effects']);
  const again = await trustEffects([reset], trust);
  t.match(again, [{ standing: 'ok', text: /min ago/ }]);
  t.equal(said.length, 1);
  const cut: Fault = { kind: 'cutAfter', bytes: 10, how: 'rst', direction: 'up' };
  t.match(await trustEffects([cut], { ...trust, open: lying([]) }), [{ kind: 'cutAfter', standing: 'off' }]);
  t.match(
    await trustEffects([cut], trust),
    [{ standing: 'ok', text: 'measured within tolerance' }],
    'only what was ok is kept',
  );
  t.same(await trustEffects([], trust), []);
});
