import fc from 'fast-check';
import t from 'tap';
import { type Blow, MeasurementWorld } from './testing/sim-world.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);
const WORLDS = Number(process.env.RELAYLAB_WORLDS ?? 150);

const blow: fc.Arbitrary<Blow> = fc.record({
  at: fc.nat(10_000),
  what: fc.constantFrom(
    'cut',
    'kill client',
    'stop client',
    'kill server',
    'lose server',
    'stop server',
    'fail',
  ),
  forMillis: fc.nat(6_000),
});

/** What is wrong with a store; undefined: every value once, in order, under its own metric. */
const wrong = ({ stored, polled }: MeasurementWorld): string | undefined => {
  if (stored.length !== polled.length) return `${stored.length} points stored of ${polled.length}`;
  for (const [i, { value, metric }] of stored.entries()) {
    if (value !== polled[i]) return `point ${i} is ${value}, polled was ${polled[i]}`;
    if (metric !== `m${value % 3}`) return `point ${value} is stored as ${metric}`;
  }
  return undefined;
};

t.test('every point is stored exactly once and in order, whichever end dies, and when', async (t) => {
  const seen = new Set<string>();
  let unheard = 0;
  fc.assert(
    fc.property(fc.array(blow, { maxLength: 8 }), fc.nat(1_000_000), (blows, seed) => {
      const world = new MeasurementWorld(seed);
      world.play(blows, 12_000, 600_000);
      const found = wrong(world);
      if (found !== undefined) throw new Error(found);
      let opened = false;
      for (const event of world.reports) {
        seen.add(event.type);
        if (opened && event.type === 'client.acknowledged' && event.points > 0) unheard++;
        opened = event.type === 'client.spoolOpened';
        if (event.type === 'server.dropped' && event.why !== 'not stored')
          throw new Error(`${event.points} points dropped: ${event.why}`);
        if (event.type === 'client.dropped') throw new Error(`${event.points} points dropped: ${event.why}`);
        if (event.type === 'client.gaveUp') throw new Error('gave up');
      }
    }),
    { seed: SEED, endOnFailure: false, numRuns: WORLDS },
  );
  for (const type of [
    'client.failed',
    'client.spoolOpened',
    'client.stopped',
    'server.error',
    'server.stopped',
  ])
    t.ok(seen.has(type), `${type} happened`);
  t.ok(unheard > WORLDS / 10, `${unheard} times a batch was stored and its acknowledgement lost`);
});

t.test('the same seed and blows make the same world', async (t) => {
  const blows: Blow[] = [
    { at: 1_000, what: 'kill server', forMillis: 700 },
    { at: 4_000, what: 'kill client', forMillis: 0 },
    { at: 6_000, what: 'cut', forMillis: 3_000 },
  ];
  const run = (): MeasurementWorld => {
    const world = new MeasurementWorld(7);
    world.play(blows, 12_000, 600_000);
    return world;
  };
  const [first, second] = [run(), run()];
  t.same(first.reports, second.reports);
  t.equal(wrong(first), undefined);
  t.ok(first.stored.length > 500, `${first.stored.length} points`);
});
