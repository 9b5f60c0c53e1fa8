import t from 'tap';
import { Rng } from '../../../reference-impl/machine/rng.ts';
import { DelayLine, type DelayLineOptions } from './delay-line.ts';

const line = (options: Partial<DelayLineOptions>): DelayLine<number> =>
  new DelayLine(
    { delayMillis: 0, jitterMillis: 0, dist: 'uniform', reorder: 0, ...options },
    new Rng(1, 2, 3, 4),
  );

t.test('a packet leaves after its delay, not before', async (t) => {
  const delayed = line({ delayMillis: 40 });
  delayed.push(100, 1);
  delayed.push(110, 2);
  t.same(delayed.take(139.9), []);
  t.equal(delayed.due(), 140);
  t.same(delayed.take(140), [1]);
  t.equal(delayed.due(), 150);
  t.same(delayed.take(1000), [2]);
  t.equal(delayed.due(), undefined);
  t.equal(delayed.passed, 2);
});

t.test('jitter spreads packets and keeps their order', async (t) => {
  for (const dist of ['uniform', 'normal', 'pareto'] as const) {
    const jittery = line({ delayMillis: 60, jitterMillis: 25, dist });
    const left: { readonly packet: number; readonly after: number }[] = [];
    // far enough apart that none has to wait for the one before
    for (let packet = 0; packet < 200; packet++) {
      jittery.push(packet * 1000, packet);
      const due = jittery.due() ?? 0;
      for (const out of jittery.take(due)) left.push({ packet: out, after: due - packet * 1000 });
    }
    t.same(
      left.map(({ packet }) => packet),
      Array.from({ length: 200 }, (_, n) => n),
    );
    const middle = left.map(({ after }) => after).sort((a, b) => a - b)[100] ?? 0;
    t.ok(Math.abs(middle - (dist === 'pareto' ? 68 : 60)) < 10, `${dist}: ${middle}`);
    t.ok(
      left.every(({ after }) => after >= 0),
      'none before it came',
    );
  }
});

t.test('a share of packets overtakes', async (t) => {
  const mixed = line({ delayMillis: 50, reorder: 0.25 });
  for (let packet = 0; packet < 400; packet++) mixed.push(packet, packet);
  const early = mixed.take(0);
  t.equal(early.length, mixed.overtook);
  t.ok(Math.abs(mixed.overtook - 100) < 40, `${mixed.overtook} of 400`);
  t.equal(mixed.take(10_000).length, 400 - mixed.overtook);
});

t.test('a full queue drops at its tail', async (t) => {
  const full = line({ delayMillis: 1e6 });
  for (let packet = 0; packet < 20_010; packet++) full.push(0, packet);
  t.equal(full.dropped, 10);
});
