import fc from 'fast-check';
import t from 'tap';
import type { NetOutput } from '../machine/machine.ts';
import { Sim } from './sim.ts';
import { Script } from './sim-script.ts';

type Step =
  | { readonly do: 'send'; readonly bytes: number }
  | { readonly do: 'pause' | 'resume' | 'cut' | 'restore' | 'end' }
  | { readonly do: 'wait'; readonly millis: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), bytes: fc.nat(200_000) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('pause' as const, 'resume' as const, 'cut' as const, 'restore' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), millis: fc.nat(2_000) }) },
);

/** Byte n of the stream is known from n alone, so that any hole, repeat or exchange shows. */
const pattern = (offset: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (Math.imul(offset + i, 0x9e3779b1) >>> 24) & 255;
  return bytes;
};

const LISTEN: NetOutput<string> = { type: 'listen', listener: 1, port: 80, host: undefined };

/** left - near - far - right; near and far splice, and between them is a socket or a stream of one session. */
const chain = (stream: boolean) => {
  const sim = new Sim({ seed: 1 });
  const link = { latencyMillis: 3, bytesPerMillis: 5_000 };
  const left = new Script();
  const right = new Script((input) => (input.type === 'start' ? [LISTEN] : undefined));
  const session = stream ? sim.name() : -1;
  const dialOn = (accepted: number, host: string): readonly NetOutput<string>[] => {
    const conn = sim.name();
    return [
      { type: 'connect', conn, to: { host, port: 80 }, from: undefined },
      { type: 'splice', a: accepted, b: conn },
    ];
  };
  const near = new Script((input) => {
    if (input.type === 'start') return [LISTEN];
    if (input.type !== 'accepted') return undefined;
    if (!stream) return dialOn(input.conn, 'far');
    const conn = sim.name();
    return [
      { type: 'open', conn, session },
      { type: 'splice', a: input.conn, b: conn },
    ];
  });
  const far = new Script((input) => {
    if (input.type === 'start') return [LISTEN];
    if (input.type === 'accepted' && stream)
      return [{ type: 'mux', conn: input.conn, role: 'server', early: undefined }];
    return input.type === 'accepted' || input.type === 'stream' ? dialOn(input.conn, 'right') : undefined;
  });
  for (const [name, machine] of Object.entries({ left, near, far, right })) sim.add(name, machine, { link });
  sim.run(0);
  if (stream)
    sim.tell('near', [
      { type: 'connect', conn: session, to: { host: 'far', port: 80 }, from: undefined },
      { type: 'mux', conn: session, role: 'client', early: undefined },
    ]);
  sim.run(100);
  const conn = sim.name();
  sim.tell('left', [{ type: 'connect', conn, to: { host: 'near', port: 80 }, from: undefined }]);
  sim.run(1_000);
  const accepted = right.heard.find(({ input }) => input.type === 'accepted')?.input;
  if (accepted?.type !== 'accepted') throw new Error('the chain is not there');
  return { sim, right, conn, accepted: accepted.conn };
};

/** Does the steps, then everything that lets the rest arrive. @returns how many bytes were sent before the end */
const perform = ({ sim, conn, accepted }: ReturnType<typeof chain>, steps: readonly Step[]): number => {
  let sent = 0;
  let ended = false;
  const end: Step = { do: 'end' };
  for (const one of [...steps, { do: 'restore' } as const, { do: 'resume' } as const, end]) {
    switch (one.do) {
      case 'send':
        sim.tell('left', [{ type: 'send', conn, bytes: pattern(sent, one.bytes) }]);
        if (!ended) sent += one.bytes;
        break;
      case 'end':
        ended = true;
        sim.tell('left', [{ type: 'end', conn }]);
        break;
      case 'pause':
      case 'resume':
        sim.tell('right', [{ type: one.do, conn: accepted }]);
        break;
      case 'cut':
        sim.cut('far');
        break;
      case 'restore':
        sim.restore('far');
        break;
      case 'wait':
        sim.run(sim.now + one.millis);
    }
  }
  sim.run(sim.now + 600_000);
  return sent;
};

const carry = (steps: readonly Step[], stream: boolean): void => {
  const world = chain(stream);
  const sent = perform(world, steps);
  let got = 0;
  for (const { input } of world.right.heard) {
    if (input.type !== 'bytes') continue;
    const want = pattern(got, input.bytes.length);
    if (!want.every((byte, i) => byte === input.bytes[i])) throw new Error(`wrong bytes behind ${got}`);
    got += input.bytes.length;
  }
  if (got !== sent) throw new Error(`sent ${sent}, got ${got}`);
  const last = world.right.heard.findLast(({ input }) => input.type !== 'command')?.input;
  if (last?.type !== 'ended') throw new Error('the end has not come, or not last');
  for (const name of ['left', 'near', 'far', 'right'])
    if (world.sim.audit(name).heldBytes !== 0) throw new Error(`${name} still holds bytes`);
};

for (const stream of [false, true])
  t.test(
    `any pauses and cuts deliver every byte in order through ${stream ? 'a stream' : 'sockets'}`,
    async (t) => {
      const seed = 20_261_121;
      t.comment(`seed ${seed}`);
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => carry(steps, stream)),
        { seed, numRuns: 100 },
      );
      t.pass('100 runs');
    },
  );
