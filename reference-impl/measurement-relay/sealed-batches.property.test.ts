import fc from 'fast-check';
import t from 'tap';
import { type Sealed, SealedBatches } from './sealed-batches.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);

type Step =
  | { readonly do: 'add'; readonly skip: number; readonly bytes: number }
  | { readonly do: 'trim'; readonly ahead: number }
  | { readonly do: 'room'; readonly over: number; readonly sent: number }
  | { readonly do: 'flood' };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('add'), skip: fc.nat(2), bytes: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('trim'), ahead: fc.nat(6) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('room'),
      over: fc.integer({ min: -2, max: 30 }),
      sent: fc.nat(4),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'flood' }) },
);

t.test('sealed batches are those of a plain list, whatever is added, forgotten and dropped', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const sealed = new SealedBatches<Sealed>();
      let list: Sealed[] = [];
      let last = 0;
      const add = (skip: number, bytes: number): void => {
        last += 1 + skip;
        const batch = { number: last, points: bytes + 1, bytes };
        sealed.add(batch);
        list.push(batch);
      };
      const trim = (through: number): void => {
        const gone = sealed.trim(through);
        if (gone.length !== list.filter(({ number }) => number <= through).length)
          throw new Error(`trim ${gone.length}`);
        list = list.filter(({ number }) => number > through);
      };
      for (const one of steps) {
        const first = list[0]?.number ?? last;
        if (one.do === 'add') add(one.skip, one.bytes);
        else if (one.do === 'trim') trim(first - 1 + one.ahead);
        else if (one.do === 'flood') {
          for (let i = 0; i < 1_500; i++) add(0, 1);
          trim(last - 3);
        } else {
          const room = sealed.room(one.over, 'drop oldest', first - 1 + one.sent);
          if (room !== undefined) sealed.makeRoom(room);
          const gone = new Set(room?.batches);
          if (room !== undefined && room.bytes < one.over) throw new Error('too little room');
          if ([...gone].some(({ number }) => number < first + one.sent))
            throw new Error('one on its way was dropped');
          list = list.filter((batch) => !gone.has(batch));
        }
        const sum = (what: 'points' | 'bytes'): number =>
          list.reduce((total, batch) => total + batch[what], 0);
        if (sealed.count !== list.length || sealed.points !== sum('points') || sealed.bytes !== sum('bytes'))
          throw new Error(`${sealed.count} batches, ${list.length} expected`);
        for (let at = first - 1; at < first + 8; at++)
          if (sealed.from(at) !== list.find(({ number }) => number >= at)) throw new Error(`from ${at}`);
      }
    }),
    { seed: SEED, endOnFailure: false, numRuns: 400 },
  );
  t.pass();
});
