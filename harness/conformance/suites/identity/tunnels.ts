/** What a tunnel carries: messages, whole and in order, and ends. */
import { type ServerContext, serverCases } from '../../case.ts';
import { type Channel, randomBytes } from './channel.ts';
import { FRAME_BYTES_MAX } from './frames.ts';
import {
  accepting,
  half,
  keptAwake,
  listening,
  type Node,
  newcomer,
  refusedAs,
  soon,
  type Tunnel,
  tunnel,
  works,
} from './society.ts';

const KIB = 1_024;
const LARGE_BYTES = 900 * KIB;
const PIECE_BYTES = 512 * KIB;
const PIECES = 96;
const HELD_MIB_MAX = 32;

/** Bytes that do not pack, cheaply: one random block again and again. */
const noise = (it: ServerContext, count: number): Buffer => {
  const block = randomBytes(it, 4 * KIB).map((byte) => byte | 1);
  return Buffer.alloc(count, block);
};

/** Messages of every kind: empty, zeros, noise. */
const assorted = (it: ServerContext): readonly Buffer[] => [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.alloc(0),
  Buffer.alloc(3_000),
  noise(it, 12_000),
  Buffer.alloc(1),
  Buffer.alloc(2_047, 0xff),
  ...Array.from({ length: 40 }, (_, i) => Buffer.from(`number ${i}`)),
  randomBytes(it, 300),
];

const says = async (channel: Channel, messages: readonly Buffer[]): Promise<void> => {
  for (const message of messages) await channel.say(message);
};
const hears = async (channel: Channel, messages: readonly Buffer[]): Promise<void> => {
  for (const [i, message] of messages.entries()) await channel.expect(message, `message ${i + 1}`);
};

const ends = (name: string, title: string, sides: (all: Tunnel) => readonly [Node, Node]) => ({
  ...{ name: `tun/end-of-${name}`, title, clause: 'ID-TUN-4', needs: [] },
  run: async (it: ServerContext) => {
    // joined, before one of them leaves
    const [leaving, staying] = sides(await works(it, ''));
    const last = Array.from({ length: 20 }, (_, i) => noise(it, 60_000 + i));
    // what waits inside the relay when the end comes is part of it
    staying.wire.pause();
    void says(leaving.channel, last).then(() => leaving.wire.end());
    await it.wait(300);
    staying.wire.resume();
    await hears(staying.channel, last);
    await refusedAs(it, staying, 'the end of a tunnel that was left');
  },
});

export const TUNNELS = serverCases(
  {
    name: 'tun/order',
    title: 'messages of every kind arrive as they were sent, both ways at once',
    clause: 'ID-TUN-1',
    needs: [],
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      const [up, down] = [assorted(it), assorted(it)];
      await Promise.all([
        says(connector.channel, up),
        says(acceptor.channel, down),
        hears(acceptor.channel, up),
        hears(connector.channel, down),
      ]);
    },
  },
  {
    name: 'tun/early',
    title: 'what was said before the accept comes behind it, in order',
    clause: 'ID-TUN-2',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      const connector = await half(it, listener);
      const early = [Buffer.from('first'), Buffer.alloc(0), Buffer.alloc(2_000, 'e')];
      await says(connector.channel, early);
      await it.wait(200);
      const acceptor = await accepting(it, listener.identity, connector.identity);
      await connector.channel.say('later');
      await hears(acceptor.channel, [...early, Buffer.from('later')]);
    },
  },
  {
    name: 'tun/keepalive-stays',
    title: 'keepAlives of either end are no messages of the tunnel',
    clause: 'ID-TUN-3',
    needs: [],
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      for (const [from, to] of [
        [connector, acceptor],
        [acceptor, connector],
      ] as const) {
        for (let n = 0; n < 3; n++) await from.channel.keepAlive();
        await from.channel.say('x');
        await to.channel.expect('x', 'the message behind three keepAlives');
      }
    },
  },
  ends(
    'connector',
    'what a connector said before its FIN arrives, then the end',
    ({ connector, acceptor }) => [connector, acceptor],
  ),
  ends(
    'acceptor',
    'what an acceptor said before its FIN arrives, then the end',
    ({ connector, acceptor }) => [acceptor, connector],
  ),
  {
    name: 'tun/reset',
    title: 'an end that is reset ends the other one',
    clause: 'ID-TUN-4',
    needs: [],
    run: async (it) => {
      // joined, before it is cut
      const first = await works(it, '1-');
      first.connector.wire.reset();
      await first.acceptor.wire.expectEnd('the acceptor of a connector that was reset', soon(it));
      const second = await works(it, '2-');
      second.acceptor.wire.reset();
      await second.connector.wire.expectEnd('the connector of an acceptor that was reset', soon(it));
    },
  },
  {
    name: 'tun/side-by-side',
    title: 'twelve tunnels at once carry each its own words',
    clause: 'ID-TUN-5',
    needs: [],
    run: async (it) => {
      const groups = await Promise.all(
        [1, 2, 3, 4].map(async (group) => {
          const listener = await listening(it, newcomer(it), `listener-${group}`);
          const tunnels = [];
          for (const n of [1, 2, 3]) tunnels.push(await tunnel(it, `${group}${n}-`, listener));
          return tunnels;
        }),
      );
      await Promise.all(
        groups.flat().map(async ({ connector, acceptor }, i) => {
          for (let round = 0; round < 10; round++) {
            await connector.channel.say(`up ${i} ${round}`);
            await acceptor.channel.say(`down ${i} ${round}`);
            await acceptor.channel.expect(`up ${i} ${round}`, `the words of tunnel ${i}`);
            await connector.channel.expect(`down ${i} ${round}`, `the words of tunnel ${i}`);
          }
        }),
      );
    },
  },
  {
    name: 'tun/same-pair',
    title: 'two tunnels between the same two nodes do not mix',
    clause: 'ID-TUN-5',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      const identity = newcomer(it);
      const pairs = [];
      for (const n of [1, 2]) {
        const connector = await half(it, listener, identity, `connector-${n}`);
        const acceptor = await accepting(it, listener.identity, identity, `acceptor-${n}`);
        await connector.channel.say(`tunnel ${n}`);
        await acceptor.channel.expect(`tunnel ${n}`, 'the words of its tunnel');
        pairs.push({ connector, acceptor });
      }
      for (const [i, { connector, acceptor }] of pairs.entries()) {
        await acceptor.channel.say(`back ${i}`);
        await connector.channel.expect(`back ${i}`, 'the words of its tunnel');
      }
    },
  },
  {
    name: 'tun/large',
    title: 'a message of 900 KiB that does not pack passes both ways',
    clause: 'ID-TUN-6',
    needs: [],
    directOnly: true,
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      const large = noise(it, LARGE_BYTES);
      await connector.channel.say(large);
      await acceptor.channel.expect(large, 'the large message');
      await acceptor.channel.say(large);
      await connector.channel.expect(large, 'the large message');
      let full = noise(it, FRAME_BYTES_MAX - 10_000);
      for (let spare = 1; spare > 0; ) {
        spare = FRAME_BYTES_MAX - 28 - connector.channel.message(full).length;
        full = noise(it, full.length + Math.max(spare - 16, 0));
        if (spare < 64) break;
      }
      await connector.channel.say(full);
      const passed = await acceptor.channel.hear('a frame at the limit', 2_000).catch(() => undefined);
      it.observe(`a message whose frame has ${FRAME_BYTES_MAX} bytes ${passed ? 'passes' : 'does not pass'}`);
    },
  },
  {
    name: 'tun/stopped-reader',
    title: 'an end that does not read holds the other back, and then reads everything',
    clause: 'ID-TUN-7',
    needs: [],
    alone: 'machine',
    directOnly: true,
    limitMillis: 120_000,
    run: async (it) => {
      const { listener, connector, acceptor } = await tunnel(it);
      // who does not read is not dead
      keptAwake(it, [listener, connector, acceptor]);
      const before = await it.holdings();
      acceptor.wire.pause();
      const piece = noise(it, PIECE_BYTES);
      let said = 0;
      const all = (async () => {
        for (; said < PIECES && connector.wire.ended === 'open'; said++) {
          piece.writeUInt32BE(said);
          await connector.channel.say(piece);
        }
      })();
      // until it stands still
      for (let seen = -1; said < PIECES && said !== seen; ) {
        seen = said;
        await it.wait(700);
      }
      const after = await it.holdings();
      it.observe(`${((said * PIECE_BYTES) / KIB / KIB).toFixed(0)} MiB were taken before it stood still`);
      if (before !== undefined && after !== undefined) {
        const grown = (after.rssBytes - before.rssBytes) / KIB / KIB;
        it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
        if (grown > HELD_MIB_MAX)
          it.broken(`at most ${HELD_MIB_MAX} MiB more memory`, `${grown.toFixed(1)} MiB`);
      }
      acceptor.wire.resume();
      for (let n = 0; n < PIECES; n++) {
        const got = await acceptor.channel.hear(`piece ${n + 1} of ${PIECES}`, 15_000);
        if (got.length !== PIECE_BYTES || got.readUInt32BE() !== n)
          it.broken(
            `piece ${n + 1} of ${PIECE_BYTES} bytes`,
            `${got.length} bytes of piece ${got.readUInt32BE() + 1}`,
          );
      }
      await all;
    },
  },
  {
    name: 'tun/without-listener',
    title: 'a running tunnel goes on when its listener has left',
    clause: 'ID-TUN-8',
    needs: [],
    run: async (it) => {
      const { listener, connector, acceptor } = await tunnel(it);
      await connector.channel.say('one');
      await acceptor.channel.expect('one', 'a message');
      listener.wire.end();
      await listener.wire.expectEnd('a listener that has left');
      await connector.channel.say('two');
      await acceptor.channel.expect('two', 'a message after the listener has left');
      await acceptor.channel.say('three');
      await connector.channel.expect('three', 'a message after the listener has left');
    },
  },
);
