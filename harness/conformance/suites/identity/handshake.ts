/** Version and handshake: who is there, proven both ways. */
import { type ServerContext, serverCases } from '../../case.ts';
import { Channel, randomBytes } from './channel.ts';
import { Frames, framed, frameHeader, VERSION } from './frames.ts';
import { identityOf, sendKey } from './keys.ts';
import { Meeting } from './meeting.ts';
import { INIT, KEY_BYTES, NONCE_BYTES, SIGNATURE_BYTES } from './messages.ts';
import {
  dialled,
  half,
  joined,
  listening,
  met,
  newcomer,
  notTaken,
  RELAY,
  refusedAs,
  ticks,
  works,
} from './society.ts';

/** The key the relay must show: of the identity it was given, the one we were told, or what it showed before. */
const relayKey = async (it: ServerContext): Promise<Buffer> => {
  if (it.files.has('idfile')) return RELAY.publicKey;
  if (it.targetKey !== undefined) return Buffer.from(it.targetKey);
  const { peer } = (await joined(it, 'asking')).channel;
  it.observe(`the relay's key is ${peer.toString('base64url')}`);
  return peer;
};

const versionRefused = (name: string, title: string, frame: Buffer) => ({
  ...{ name: `version/${name}`, title, clause: 'ID-VERSION-2', needs: [] },
  run: async (it: ServerContext) => {
    const line = await dialled(it, 'stranger');
    await line.wire.send(frame);
    await refusedAs(it, line, 'a first frame that is not version 0');
  },
});

/** A handshake that goes wrong at its last message. */
const exchangeRefused = (
  name: string,
  title: string,
  clause: string,
  exchange: (it: ServerContext, meeting: Meeting) => Buffer,
) => ({
  ...{ name: `shake/${name}`, title, clause, needs: [] },
  run: async (it: ServerContext) => {
    const line = await met(it, 'impostor');
    await line.frames.send(exchange(it, line.meeting));
    await notTaken(it, line, title, () => line.meeting.heard());
  },
});

/** X25519 points with which every secret is shared by everybody, and an ed25519 key for which everybody can sign. */
const LOW_ORDER = [Buffer.alloc(KEY_BYTES), Buffer.from([1, ...Buffer.alloc(KEY_BYTES - 1)])] as const;
const SIGNED_BY_NOBODY = Buffer.from([1, ...Buffer.alloc(SIGNATURE_BYTES - 1)]);

const SEGMENT_BYTES = 7;

export const HANDSHAKE = serverCases(
  {
    name: 'version/zero',
    title: 'the first frame of the relay is version 0',
    clause: 'ID-VERSION-1',
    needs: [],
    run: async (it) => {
      const { frames } = await dialled(it, 'node');
      await frames.send(VERSION);
      await frames.hearVersion();
    },
  },
  versionRefused('other-number', 'version 1 is closed', framed(Buffer.from('00000001', 'hex'))),
  versionRefused('too-long', 'a version of five bytes is closed', framed(Buffer.alloc(5))),
  versionRefused('empty', 'an empty first frame is closed', frameHeader(0)),
  {
    name: 'shake/complete',
    title: 'the relay proves its key, takes ours, and two nodes meet',
    clause: 'ID-SHAKE-1',
    needs: [],
    run: async (it) => {
      await works(it, '');
    },
  },
  {
    name: 'shake/relay-key',
    title: 'the relay shows the key of its identity file on every connection',
    clause: 'ID-SHAKE-2',
    needs: [],
    run: async (it) => {
      const key = await relayKey(it);
      for (const name of ['node-1', 'node-2']) {
        const line = await dialled(it, name);
        await line.frames.versions();
        await new Meeting(it, name, line.frames, newcomer(it)).complete(key);
      }
    },
  },
  {
    name: 'shake/names-the-relay',
    title: "a node that names the relay's key as the one it expects is served",
    clause: 'ID-SHAKE-1',
    needs: [],
    run: async (it) => {
      const key = await relayKey(it);
      const line = await dialled(it, 'listener');
      await line.frames.versions();
      const identity = newcomer(it);
      const channel = await new Meeting(it, 'listener', line.frames, identity).complete(key);
      await channel.say(INIT.listen());
      await half(it, { ...line, identity, channel });
    },
  },
  {
    name: 'shake/fresh',
    title: 'nonce, key and salt of the relay are new on every connection',
    clause: 'ID-SHAKE-5',
    needs: [],
    run: async (it) => {
      const seen = new Map<string, string>();
      for (let n = 1; n <= 4; n++) {
        const { frames, meeting } = await met(it, `node-${n}`);
        await frames.send(meeting.exchange());
        const { randNonce } = meeting.heardHello;
        const { dhPublicKey, keySalt } = await meeting.hearExchange();
        for (const [name, value] of Object.entries({ randNonce, dhPublicKey, keySalt })) {
          const text = value.toString('hex');
          const before = seen.get(text);
          if (before !== undefined)
            it.broken(`a fresh ${name} on connection ${n}`, `${text}, the ${before} before`);
          seen.set(text, `${name} of connection ${n}`);
        }
      }
    },
  },
  exchangeRefused(
    'bad-signature',
    'a signature with one bit turned is closed',
    'ID-SHAKE-3',
    (_, meeting) => {
      const signature = meeting.signature(meeting.identity);
      signature[3] = (signature[3] as number) ^ 1;
      return meeting.exchange({ signature });
    },
  ),
  exchangeRefused('other-signer', 'a signature by another key is closed', 'ID-SHAKE-3', (it, meeting) =>
    meeting.exchange({ signature: meeting.signature(newcomer(it)) }),
  ),
  exchangeRefused(
    'other-nonce',
    'an answer to a nonce of our own making is closed',
    'ID-SHAKE-4',
    (it, meeting) => meeting.exchange({ randNonce: randomBytes(it, NONCE_BYTES) }),
  ),
  {
    name: 'shake/replayed',
    title: 'a handshake of before, sent again, is closed',
    clause: 'ID-SHAKE-4',
    needs: [],
    run: async (it) => {
      const first = await met(it, 'node');
      const exchange = first.meeting.exchange();
      await first.frames.send(exchange);
      await first.meeting.hearExchange();
      const again = await dialled(it, 'eavesdropper');
      const meeting = new Meeting(it, 'eavesdropper', again.frames, first.meeting.identity, first.meeting);
      await again.frames.versions();
      await again.frames.send(meeting.hello());
      await meeting.hearHello();
      await again.frames.send(exchange);
      await notTaken(it, again, 'a handshake that was recorded', () => meeting.heard());
    },
  },
  {
    name: 'shake/low-order-dh',
    title: 'an X25519 key of low order opens no channel',
    clause: 'ID-SHAKE-6',
    needs: [],
    run: async (it) => {
      for (const [i, dhPublicKey] of LOW_ORDER.entries()) {
        const line = await met(it, `node-${i + 1}`);
        await line.frames.send(line.meeting.exchange({ dhPublicKey }));
        await notTaken(it, line, `dhPublicKey ${dhPublicKey.toString('hex')}`, async () => {
          const { keySalt } = await line.meeting.hearExchange();
          const shared = Buffer.alloc(KEY_BYTES);
          const keys = {
            sending: sendKey(shared, line.meeting.keySalt),
            receiving: sendKey(shared, keySalt),
          };
          return new Channel(it, line.wire.name, line.frames, keys, RELAY.publicKey);
        });
      }
    },
  },
  {
    name: 'shake/low-order-identity',
    title: 'a public key for which everybody can sign is nobody',
    clause: 'ID-SHAKE-6',
    needs: [],
    run: async (it) => {
      const nobody = { ...identityOf(Buffer.alloc(KEY_BYTES)), publicKey: LOW_ORDER[1] };
      const line = await dialled(it, 'nobody');
      const meeting = new Meeting(it, 'nobody', line.frames, nobody);
      await line.frames.versions();
      await line.frames.send(meeting.hello());
      await meeting.hearHello();
      await line.frames.send(meeting.exchange({ signature: SIGNED_BY_NOBODY }));
      await notTaken(it, line, `srcPublicKey ${nobody.publicKey.toString('hex')}`, () => meeting.heard());
    },
  },
  {
    name: 'shake/reflected',
    title: 'a relay that is sent its own messages opens no channel',
    clause: 'ID-SHAKE-6',
    needs: [],
    directOnly: true,
    run: async (it) => {
      const line = await dialled(it, 'mirror');
      await line.frames.versions();
      await line.frames.send(await line.frames.receive('ExchangeRandNonce, at once'));
      const exchange = await line.frames.receive('ExchangeDh').catch(() => undefined);
      if (exchange !== undefined) await line.frames.send(exchange);
      // without InitConnection it is closed after 4 ticks in any case
      await refusedAs(it, line, 'its own handshake', ticks(it, 3));
    },
  },
  {
    name: 'frame/small-segments',
    title: 'a handshake in segments of seven bytes is a handshake',
    clause: 'ID-FRAME-1',
    needs: [],
    directOnly: true,
    run: async (it) => {
      const wire = await it.dial('listener');
      const frames = new Frames(wire);
      const carrier = {
        send: (message: Buffer) => wire.sendSliced(framed(message), SEGMENT_BYTES),
        receive: frames.receive.bind(frames),
      };
      const began = performance.now();
      await carrier.send(VERSION);
      await frames.hearVersion();
      const identity = newcomer(it);
      const channel = await new Meeting(it, 'listener', carrier, identity).complete();
      await channel.say(INIT.listen());
      const passed = performance.now() - began;
      if (passed > ticks(it, 4)) it.unclear(`the machine took ${Math.round(passed)} ms to say a handshake`);
      await half(it, { wire, frames, identity, channel });
    },
  },
  {
    name: 'frame/coalesced',
    title: 'what follows a frame in its segment is the next frame',
    clause: 'ID-FRAME-1',
    needs: [],
    run: async (it) => {
      const wire = await it.dial('listener');
      const frames = new Frames(wire);
      const identity = newcomer(it);
      const meeting = new Meeting(it, 'listener', frames, identity);
      await wire.send(Buffer.concat([framed(VERSION), framed(meeting.hello())]));
      await frames.hearVersion();
      await meeting.hearHello();
      await meeting.hearExchange();
      const channel = meeting.channel();
      const first = channel.sealed(channel.message(INIT.listen()));
      await wire.send(Buffer.concat([framed(meeting.exchange()), framed(first)]));
      await half(it, { wire, frames, identity, channel });
    },
  },
  {
    name: 'shake/stalled',
    title: 'who stops in the handshake, or before saying what he wants, is closed within half a minute',
    clause: 'ID-SHAKE-7',
    needs: [],
    directOnly: true,
    limitMillis: 50_000,
    run: async (it) => {
      const silent = await dialled(it, 'silent');
      const versioned = await dialled(it, 'versioned');
      await versioned.frames.send(VERSION);
      const greeted = await met(it, 'greeted');
      const shaken = await joined(it, 'shaken');
      const began = performance.now();
      const lines = [silent, versioned, greeted, shaken];
      await Promise.all(
        lines.map(async ({ wire }) => {
          await wire.expectEnd('a connection that does not go on', 30_000);
          it.observe(`${wire.name}: closed after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
        }),
      );
    },
  },
  {
    name: 'shake/refused-harms-nobody',
    title: 'a listener hears of its connectors while handshakes around it are refused',
    clause: 'ID-CROWD-3',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      for (let n = 1; n <= 5; n++) {
        const line = await met(it, `impostor-${n}`);
        await line.frames.send(line.meeting.exchange({ signature: Buffer.alloc(SIGNATURE_BYTES) }));
        await half(it, listener, newcomer(it), `connector-${n}`);
      }
    },
  },
);
