import fc from 'fast-check';
import t from 'tap';
import { ACTS, History, type Step } from '../testing/history.ts';

const SEED = 20_261_121;
const fuzz = Number(process.env.RELAYLAB_FUZZ ?? 10_000);
const RUNS = Math.ceil(fuzz / 200);

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom(...ACTS),
  who: fc.nat(1_000),
  whom: fc.nat(1_000),
  amount: fc.nat(400),
});

t.setTimeout(120_000);

t.test(
  'whatever nodes do in whatever order, each hears its partner and nobody else, no half tunnel outlives its time, and nothing is left',
  async (t) => {
    const seen: Record<string, number> = {};
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 160, size: 'max' }), (steps) => {
        const history = new History();
        for (const one of steps) history.step(one);
        history.finish();
        for (const [what, count] of Object.entries(history.seen)) seen[what] = (seen[what] ?? 0) + count;
      }),
      { seed: SEED, numRuns: RUNS },
    );
    for (const [what, count] of Object.entries(seen)) t.ok(count >= RUNS / 10, `${what}: ${count}`);
    t.pass(`${RUNS} histories, seed ${SEED}`);
  },
);
