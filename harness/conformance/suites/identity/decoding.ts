/** Cap'n Proto from the network: every legal layout is read, nothing illegal is followed. */
import { type ServerContext, serverCases } from '../../case.ts';
import { type Layout, segmentTable, struct, tagged, written } from './capnp.ts';
import { framed, frameHeader, VERSION } from './frames.ts';
import { channelStruct, INIT, keepAliveStruct, peerMessage } from './messages.ts';
import { pack } from './packing.ts';
import { dialled, half, joined, listening, newcomer, refusedAs, ticks, tunnel, works } from './society.ts';

const MIB = 1_048_576;
const NO_PADDING = Buffer.alloc(0);

/** One segment whose root pointer is this word. */
const rooted = (word: string, ...more: Buffer[]): Buffer => {
  const words = Buffer.concat([Buffer.from(word, 'hex'), ...more]);
  return pack(Buffer.concat([segmentTable(words.length / 8), words]));
};

/** A plaintext that cannot be decoded. */
const UNDECODABLE: Readonly<Record<string, { readonly title: string; readonly plain: Buffer }>> = {
  empty: { title: 'an empty plaintext', plain: Buffer.alloc(0) },
  cut: {
    title: 'a packed message that is cut',
    plain: written(channelStruct(NO_PADDING, Buffer.alloc(40, 5))).subarray(0, 20),
  },
  'wild-pointer': { title: 'a root pointer beyond its segment', plain: rooted('fc7f000001000100') },
  'wild-segment': {
    title: 'a far pointer to a segment that is not there',
    plain: rooted('0200000009000000'),
  },
  'far-to-itself': { title: 'a far pointer that leads to itself', plain: rooted('0200000000000000') },
  'list-as-root': {
    title: 'a list where a struct belongs',
    plain: rooted('010000000a000000', Buffer.alloc(8)),
  },
  'channel-tag': {
    title: 'a ChannelContent with tag 2',
    plain: written(struct(0, NO_PADDING, tagged(2, written(keepAliveStruct())))),
  },
  'keepalive-tag': {
    title: 'a KaMessage with tag 2',
    plain: written(channelStruct(NO_PADDING, written(tagged(2, peerMessage(Buffer.alloc(32, 7)))))),
  },
  'user-garbage': {
    title: 'user bytes that are no KaMessage',
    plain: written(channelStruct(NO_PADDING, Buffer.from('ff0102', 'hex'))),
  },
};

/** Ten bytes that claim 10^8 segments, and bytes that unpack to 64 MiB. */
const BOMBS = [
  pack(Buffer.concat([Buffer.from('00e1f505', 'hex'), Buffer.alloc(4, 0xff)])),
  Buffer.alloc(64 * 1_024, Buffer.from('00ff', 'hex')),
  pack(segmentTable(0x1fffffff, 0x1fffffff, 0x1fffffff)),
] as const;

const withLayout = (layout: Layout, title: string) => ({
  ...{ name: `decode/${layout}`, title, clause: 'ID-CAPNP-1', needs: [] },
  run: async (it: ServerContext) => {
    const listener = await listening(it);
    const connector = await half(it, listener, newcomer(it), 'connector', layout);
    const acceptor = await joined(it, 'acceptor', listener.identity);
    await acceptor.channel.say(INIT.accept(connector.identity.publicKey, layout), layout);
    await acceptor.channel.say('laid out in segments', layout);
    await connector.channel.expect('laid out in segments', 'a message of several segments');
    await connector.channel.say('x'.repeat(3_000), layout);
    await acceptor.channel.expect('x'.repeat(3_000), 'a message of several segments');
  },
});

/** What a bomb may cost: memory of the target, in MiB. */
const BOMB_MIB_MAX = 48;

export const DECODING = serverCases(
  withLayout('far', 'messages in several segments, joined by far pointers, are read'),
  withLayout('double-far', 'messages in several segments, joined by double far pointers, are read'),
  {
    name: 'decode/struct-sizes',
    title: 'structs that are longer than known, and null ones, are read',
    clause: 'ID-CAPNP-1',
    needs: [],
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      const { channel } = connector;
      // a null root is a struct of zeros: a keepAlive
      await channel.user(rooted('0000000000000000'));
      const data = Buffer.alloc(24);
      data.writeUInt16LE(1);
      await channel.user(written(struct(data, Buffer.from('longer'), undefined, Buffer.from('unknown'))));
      await acceptor.channel.expect('longer', 'the message in a longer struct');
      const longer = struct(
        Buffer.alloc(8),
        NO_PADDING,
        tagged(1, written(tagged(1, Buffer.from('x')))),
        undefined,
      );
      await channel.plain(written(longer));
      await acceptor.channel.expect('x', 'the message in a longer ChannelMessage');
    },
  },
  {
    name: 'decode/bytes-behind',
    title: 'bytes behind the last segment are ignored',
    clause: 'ID-CAPNP-1',
    needs: [],
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      const { channel } = connector;
      await channel.plain(Buffer.concat([channel.message('x'), pack(Buffer.alloc(16, 9))]));
      await acceptor.channel.expect('x', 'the message');
    },
  },
  ...Object.entries(UNDECODABLE).map(([name, { title, plain }]) => ({
    ...{ name: `decode/${name}`, title: `${title} closes the connection`, clause: 'ID-CAPNP-2', needs: [] },
    run: async (it: ServerContext) => {
      const node = await listening(it, undefined, 'node');
      await node.channel.plain(plain);
      await refusedAs(it, node, title);
    },
  })),
  {
    name: 'decode/init-tag',
    title: 'an InitConnection with tag 3 closes the connection',
    clause: 'ID-CAPNP-2',
    needs: [],
    directOnly: true,
    run: async (it) => {
      const node = await joined(it, 'node');
      await node.channel.say(written(tagged(3, undefined)));
      await refusedAs(it, node, 'InitConnection with tag 3', ticks(it, 3));
    },
  },
  {
    name: 'decode/hello-garbage',
    title: 'garbage in place of ExchangeRandNonce closes the connection',
    clause: 'ID-CAPNP-2',
    needs: [],
    run: async (it) => {
      const line = await dialled(it, 'stranger');
      await line.frames.versions();
      await line.frames.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      await refusedAs(it, line, 'garbage in the handshake');
    },
  },
  {
    name: 'decode/bombs',
    title: 'messages that claim much more than they are cost little',
    clause: 'ID-CAPNP-3',
    needs: [],
    directOnly: true,
    alone: 'machine',
    limitMillis: 60_000,
    run: async (it) => {
      await works(it, 'before-');
      const held = await it.holdings();
      for (let round = 1; round <= 4; round++)
        for (const [i, bomb] of BOMBS.entries()) {
          const stranger = await dialled(it, `stranger-${round}-${i}`);
          await stranger.wire.send(Buffer.concat([framed(VERSION), framed(bomb)]));
          const node = await joined(it, `node-${round}-${i}`);
          await node.channel.plain(bomb);
          const user = await joined(it, `user-${round}-${i}`);
          await user.channel.user(bomb);
          for (const line of [stranger, node, user]) await refusedAs(it, line, `bomb ${i + 1}`, 10_000);
        }
      await works(it);
      const after = await it.holdings();
      if (held === undefined || after === undefined) return;
      const grown = (after.rssBytes - held.rssBytes) / MIB;
      it.observe(`memory grew by ${grown.toFixed(1)} MiB, ${after.cpuMillis - held.cpuMillis} ms of CPU`);
      if (grown > BOMB_MIB_MAX)
        it.broken(`at most ${BOMB_MIB_MAX} MiB more memory`, `${grown.toFixed(1)} MiB`);
    },
  },
  {
    name: 'frame/announced',
    title: 'a length that was announced, and what is sent after it, costs no memory',
    clause: 'ID-FRAME-2',
    needs: [],
    directOnly: true,
    alone: 'machine',
    limitMillis: 60_000,
    run: async (it) => {
      await works(it, 'before-');
      const held = await it.holdings();
      const endless = await dialled(it, 'endless');
      void endless.wire.send(frameHeader(2 ** 40));
      const piece = Buffer.alloc(MIB, 7);
      for (let sent = 0; sent < 96 && endless.wire.ended === 'open'; sent++)
        await Promise.race([endless.wire.send(piece), it.wait(200)]);
      const many = await Promise.all(Array.from({ length: 100 }, (_, i) => dialled(it, `announcer-${i}`)));
      await Promise.all(
        many.map(({ wire }) => wire.send(Buffer.concat([framed(VERSION), frameHeader(MIB)]))),
      );
      await works(it);
      const after = await it.holdings();
      it.observe(`a frame of 2^40 bytes: ${endless.wire.ended === 'open' ? 'left open' : 'closed'}`);
      if (held === undefined || after === undefined) {
        if (endless.wire.ended === 'open') it.unclear('what it holds cannot be read from outside');
        return;
      }
      const grown = (after.rssBytes - held.rssBytes) / MIB;
      it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
      if (grown > BOMB_MIB_MAX)
        it.broken(`at most ${BOMB_MIB_MAX} MiB more memory`, `${grown.toFixed(1)} MiB`);
    },
  },
);
