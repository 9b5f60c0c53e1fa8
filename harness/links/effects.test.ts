import { FAMILIES, type Fault, PROFILES, parseFault } from 'chaos-proxy';
import t from 'tap';
import { bare, EFFECTS, effectOf, faultText, standardFaults } from './effects.ts';
import { TOLERANCES } from './tolerances.ts';

const KINDS = Object.keys(FAMILIES).sort();

t.test('every registered fault has a measurement, a standard value and a tolerance', async (t) => {
  t.same(Object.keys(EFFECTS).sort(), KINDS);
  t.same(Object.keys(TOLERANCES).sort(), KINDS);
  for (const kind of KINDS)
    t.ok(
      standardFaults().some((fault) => fault.kind === kind),
      kind,
    );
});

t.test('what is measured can be typed, and means the same', async (t) => {
  const profiles: readonly Fault[] = Object.values(PROFILES).flatMap(
    ({ faults }): readonly Fault[] => faults,
  );
  for (const fault of [...standardFaults(), ...profiles])
    t.same(parseFault(faultText(fault)), fault, faultText(fault));
});

t.test('the whole self-test fits its half minute, and a short form its second', async (t) => {
  const whole = standardFaults().reduce((sum, fault) => sum + effectOf(fault).takesMillis(fault), 0);
  t.ok(whole < 15_000, `${whole} ms without what the machine adds`);
  const faults: readonly Fault[] = [
    ...standardFaults(),
    ...Object.values(PROFILES).flatMap(({ faults: those }): readonly Fault[] => those),
    { kind: 'stall', onMs: 60_000, offMs: 60_000 },
    { kind: 'latency', ms: 30_000, jitter: 20_000 },
    { kind: 'slice', size: 1, delayUs: 1e9 },
    { kind: 'blackhole', closeMs: 1e6 },
    { kind: 'reset', afterMs: 1e6 },
  ];
  for (const fault of faults) {
    const brief = effectOf(fault).brief(bare(fault));
    t.ok(effectOf(brief).takesMillis(brief) <= 1_000, faultText(brief));
  }
});

t.test('which connections are hit and when is not part of an effect', async (t) => {
  t.same(
    bare({
      kind: 'stall',
      onMs: 5,
      selector: { every: 3 },
      when: { afterMillis: 9 },
      forMillis: 2,
      direction: 'up',
    }),
    { kind: 'stall', onMs: 5, direction: 'up' },
  );
});
