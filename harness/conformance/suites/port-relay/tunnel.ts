/** What a tunnel owes its two ends: every byte, and each end as it was. */
import { type ServerContext, serverCases } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';
import { coded, misplaced, TELLING_BYTES } from './coded.ts';
import { eventTunnel, poolTunnel, type Tunnel } from './registered.ts';

const KIB = 1_024;
const MIB = 1_024 * KIB;

const MODES = {
  pool: poolTunnel,
  event: eventTunnel,
} as const satisfies Record<string, (it: ServerContext, name?: string) => Promise<Tunnel>>;

/** Reads coded bytes and says of the first that is not as it was sent what became of it. */
const expectCoded = async (it: ServerContext, end: WireEnd, key: number, length: number): Promise<void> => {
  let odd: { readonly offset: number; readonly came: Buffer } | undefined;
  const tell = (): void => {
    if (odd === undefined) return;
    const { expected, got } = misplaced(key, odd.offset, odd.came);
    it.broken(`on ${end.name}: position-coded bytes, ${expected}`, got);
  };
  try {
    await end.stream(length, 'position-coded bytes', (bytes, offset) => {
      if (odd === undefined) {
        const wanted = coded(key, offset, bytes.length);
        if (bytes.equals(wanted)) return;
        const at = bytes.findIndex((byte, i) => byte !== wanted[i]);
        odd = { offset: offset + at, came: bytes.subarray(at) };
      } else odd = { ...odd, came: Buffer.concat([odd.came, bytes]) };
      if (odd.came.length >= TELLING_BYTES) tell();
    });
  } finally {
    // a stream that ends too early because of it says less than the place where it went wrong
    tell();
  }
};

/** In pieces, each handed over before the next: back-pressure holds us as it holds any program. */
const sendCoded = async (end: WireEnd, key: number, length: number): Promise<void> => {
  for (let at = 0; at < length; at += 64 * KIB)
    await end.send(coded(key, at, Math.min(64 * KIB, length - at)));
};

const both = (
  name: string,
  title: string,
  clause: string,
  run: (it: ServerContext, tunnel: Tunnel) => Promise<void>,
  more: {
    readonly alone?: 'machine';
    readonly limitMillis?: number;
    readonly directOnly?: true;
  } = {},
) =>
  (['pool', 'event'] as const).map((mode) => ({
    ...{ name: `${name}-${mode}`, title: `${title} (${mode})`, clause, needs: [mode] },
    ...more,
    run: async (it: ServerContext) => run(it, await MODES[mode](it)),
  }));

export const TUNNEL = serverCases(
  ...both(
    'close/half-close-user',
    "a user's FIN keeps the answer",
    'PORT-END-1',
    async (it, { user, service }) => {
      await sendCoded(user, 1, 64 * KIB);
      user.end();
      const request = await service.rest("the user's request", 64 * KIB);
      if (!request.equals(coded(1, 0, 64 * KIB)))
        it.broken('the request as it was sent', `${request.length} other bytes`);
      await it.wait(500);
      await sendCoded(service, 2, MIB);
      service.end();
      await expectCoded(it, user, 2, MIB);
      it.closed((await user.expectEnd('the end of the answer')) === 'fin' ? 'in order' : 'reset');
    },
  ),
  ...both(
    'close/half-close-service',
    "a service's FIN leaves the user's half open",
    'PORT-END-1',
    async (it, { user, service }) => {
      await service.send('bye');
      service.end();
      const greeting = await user.rest("the service's last words", 64);
      if (greeting.toString() !== 'bye') it.broken('"bye"', JSON.stringify(greeting.toString()));
      await it.wait(300);
      await sendCoded(user, 3, 64 * KIB);
      user.end();
      await expectCoded(it, service, 3, 64 * KIB);
      await service.expectEnd("the end of the user's half");
    },
  ),
  ...both(
    'close/service-ends',
    'what a service wrote before it closed reaches the user',
    'PORT-END-2',
    async (it, { user, service }) => {
      await user.send('give me all');
      await service.expect('give me all', "the user's request");
      await sendCoded(service, 4, MIB);
      service.end();
      await expectCoded(it, user, 4, MIB);
      await user.expectEnd('the end of the answer');
    },
  ),
  ...both(
    'close/flush-before-fin',
    '8 MiB written and closed at once arrive at a reader that begins late',
    'PORT-END-2',
    async (it, { user, service }) => {
      user.pause();
      const sent = sendCoded(service, 5, 8 * MIB).then(() => service.end());
      await it.wait(700);
      user.resume();
      await expectCoded(it, user, 5, 8 * MIB);
      await sent;
      await user.expectEnd('the end of the answer');
    },
  ),
  ...both(
    'close/abort-user',
    'the service learns that its user has reset',
    'PORT-END-3',
    async (it, { user, service }) => {
      await user.send('x');
      await service.expect('x', "the user's byte");
      user.reset();
      const how = await service.expectEnd('a service whose user has reset');
      it.observe(`the reset of a user arrives as ${how === 'fin' ? 'FIN' : 'RST'}`);
    },
  ),
  ...both(
    'close/abort-service',
    'the user learns that its service has reset',
    'PORT-END-3',
    async (it, { user, service }) => {
      await user.send('x');
      await service.expect('x', "the user's byte");
      service.reset();
      const how = await user.expectEnd('a user whose service has reset');
      it.observe(`the reset of a service arrives as ${how === 'fin' ? 'FIN' : 'RST'}`);
    },
  ),
  ...both(
    'close/abort-visible',
    'a transfer that was reset is not taken for a complete one',
    'PORT-END-4',
    async (it, { user, service }) => {
      await user.send('x');
      await service.expect('x', "the user's byte");
      await service.send(coded(6, 0, 64 * KIB));
      await user.take(1, 'the beginning of the answer');
      service.reset();
      const how = await user.expectEnd('the user of a reset service');
      if (how === 'fin') it.broken('RST', 'FIN, as after a complete answer');
    },
  ),
  ...both(
    'data/large-both-ways',
    '8 MiB in each direction at once arrive as they were sent',
    'PORT-DATA-1',
    async (it, { user, service }) => {
      await Promise.all([
        sendCoded(user, 7, 8 * MIB).then(() => user.end()),
        sendCoded(service, 8, 8 * MIB).then(() => service.end()),
        expectCoded(it, service, 7, 8 * MIB),
        expectCoded(it, user, 8, 8 * MIB),
      ]);
    },
  ),
  ...both(
    'data/one-byte-segments',
    '2,000 single bytes arrive as they were sent',
    'PORT-DATA-1',
    async (it, { user, service }) => {
      const sent = user.sendSliced(coded(9, 0, 2_000), 1);
      await expectCoded(it, service, 9, 2_000);
      await sent;
    },
  ),
  {
    name: 'data/no-crosstalk',
    title: 'a hundred tunnels of both modes at once, half of them aborted, mix no byte',
    clause: 'PORT-DATA-1',
    needs: ['pool', 'event'],
    directOnly: true,
    limitMillis: 60_000,
    run: async (it) => {
      const tunnel = async (n: number): Promise<void> => {
        const { user, service } = await (n % 2 === 0 ? poolTunnel : eventTunnel)(it, `-${n}`);
        const length = 1 + it.rng.below(96 * KIB);
        const aborted = n % 4 === 3;
        const sent = sendCoded(user, 100 + n, length).then(() => {
          if (!aborted) user.end();
        });
        const answered = sendCoded(service, 500 + n, length);
        await expectCoded(it, service, 100 + n, length);
        await expectCoded(it, user, 500 + n, length);
        await Promise.all([sent, answered]);
        if (aborted) user.reset();
        else service.end();
      };
      await Promise.all(Array.from({ length: 100 }, (_, n) => tunnel(n)));
    },
  },
  ...both(
    'flow/slow-consumer-exact',
    'a reader that stops for two seconds gets every byte in the end',
    'PORT-DATA-1',
    async (it, { user, service }) => {
      const sent = sendCoded(service, 10, 24 * MIB).then(() => service.end());
      await user.take(1_000, 'the beginning of the answer');
      user.pause();
      await it.wait(2_000);
      user.resume();
      // the first thousand were taken above
      await user.stream(24 * MIB - 1_000, 'the rest of the answer', (bytes, offset) => {
        if (!bytes.equals(coded(10, offset + 1_000, bytes.length)))
          it.broken(`bytes from offset ${offset + 1_000} as they were sent`, 'others');
      });
      await sent;
    },
    { limitMillis: 60_000, directOnly: true },
  ),
  ...both(
    'flow/slow-consumer-bounded',
    'while a user does not read, the relay holds few bytes for him',
    'PORT-FLOW-1',
    async (it, { user, service }) => {
      const before = await it.holdings();
      user.pause();
      let taken = 0;
      let stalled = false;
      const pump = async (): Promise<void> => {
        while (!stalled && taken < 256 * MIB) {
          await service.send(Buffer.alloc(64 * KIB));
          taken += 64 * KIB;
        }
      };
      void pump();
      let last = -1;
      for (let quiet = 0; quiet < 3 && taken < 256 * MIB; quiet = taken === last ? quiet + 1 : 0) {
        last = taken;
        await it.wait(400);
      }
      stalled = true;
      it.observe(`the service could write ${(taken / MIB).toFixed(1)} MiB before it was held back`);
      if (taken >= 256 * MIB) it.broken('the service is held back', 'it wrote 256 MiB that nobody read');
      const after = await it.holdings();
      if (before !== undefined && after !== undefined) {
        const grown = (after.rssBytes - before.rssBytes) / MIB;
        it.observe(`the relay's memory grew by ${grown.toFixed(1)} MiB`);
        if (grown > 64) it.broken('at most 64 MiB more memory', `${grown.toFixed(0)} MiB more`);
      }
    },
    { alone: 'machine', limitMillis: 60_000, directOnly: true },
  ),
);
