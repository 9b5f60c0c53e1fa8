/** The suite's own channel and codec against what Offset's programs wrote: the same bytes, in every message of every session. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { CaseContext } from '../../case.ts';
import { Message, type Struct, written } from './capnp.ts';
import type { Channel } from './channel.ts';
import { framed } from './frames.ts';
import { ephemeralOf, identityOf, seal, sendKey, sharedSecret } from './keys.ts';
import { Meeting } from './meeting.ts';
import {
  channelStruct,
  exchangeStruct,
  helloStruct,
  INIT,
  kaMessageStruct,
  keepAliveStruct,
  peerMessage,
  readChannel,
  readExchange,
  readHello,
  readInit,
  readKa,
  readPeer,
  rekeyStruct,
} from './messages.ts';
import { pack, unpack } from './packing.ts';

type Json = Record<string, unknown>;
const vectors = (name: string): Json =>
  JSON.parse(
    readFileSync(
      new URL(`../../../../reference-impl/identity-relay/vectors/${name}`, import.meta.url),
      'utf8',
    ),
  );
const hex = (value: unknown): Buffer => Buffer.from(String(value), 'hex');
const strings = (value: unknown): Record<string, string> => value as Record<string, string>;

const rekeyOf = (value: unknown) => {
  const { dhPublicKey, keySalt } = strings(value);
  return { dhPublicKey: hex(dhPublicKey), keySalt: hex(keySalt) };
};

/** How a vector's value is written by us. */
const WRITERS: Readonly<Record<string, (value: Json) => Struct | Buffer>> = {
  ExchangeRandNonce: ({ randNonce, srcPublicKey, optDestPublicKey }) =>
    helloStruct({
      ...{ randNonce: hex(randNonce), srcPublicKey: hex(srcPublicKey) },
      destPublicKey: optDestPublicKey === null ? undefined : hex(optDestPublicKey),
    }),
  ExchangeDh: (value) =>
    exchangeStruct({
      ...rekeyOf(value),
      ...{ randNonce: hex(value.randNonce), signature: hex(value.signature) },
    }),
  Rekey: (value) => rekeyStruct(rekeyOf(value)),
  ChannelMessage: ({ randPadding, content }) => {
    const { user, rekey } = content as Json;
    return channelStruct(hex(randPadding), user === undefined ? rekeyOf(rekey) : hex(user));
  },
  KaMessage: ({ message }) => (message === undefined ? keepAliveStruct() : kaMessageStruct(hex(message))),
  InitConnection: ({ accept, connect }) =>
    accept !== undefined
      ? INIT.accept(hex(accept))
      : connect !== undefined
        ? INIT.connect(hex(connect))
        : INIT.listen(),
  RejectConnection: ({ publicKey }) => peerMessage(hex(publicKey)),
  IncomingConnection: ({ publicKey }) => peerMessage(hex(publicKey)),
};

const READERS: Readonly<Record<string, (packed: Buffer) => unknown>> = {
  ExchangeRandNonce: readHello,
  ExchangeDh: readExchange,
  ChannelMessage: readChannel,
  KaMessage: readKa,
  InitConnection: readInit,
  RejectConnection: readPeer,
  IncomingConnection: readPeer,
};

const segmentsOf = (packed: string): number => unpack(hex(packed), 1 << 20).readUInt32LE(0) + 1;
const UNITS = vectors('units.json');

t.test(
  'every recorded message of one segment is written to the same bytes, and all are read alike',
  async (t) => {
    for (const { name, type, value, packed } of UNITS.encodings as Json[]) {
      const made = WRITERS[String(type)]?.(value as Json);
      if (made === undefined) throw new Error(`no writer for ${type}`);
      const ours = Buffer.isBuffer(made) ? made : written(made);
      if (segmentsOf(String(packed)) === 1) t.equal(ours.toString('hex'), String(packed), String(name));
      const read = READERS[String(type)];
      if (read !== undefined) t.strictSame(read(ours), read(hex(packed)), `${name}, read`);
      if (Buffer.isBuffer(made) || read === undefined) continue;
      for (const layout of ['far', 'double-far'] as const)
        t.strictSame(read(written(made, layout)), read(hex(packed)), `${name}, ${layout}`);
    }
  },
);

t.test('packing is undone by unpacking, whatever the runs', async (t) => {
  for (const words of [0, 1, 2, 255, 256, 257, 600])
    for (const byte of [0, 0xff, 7])
      t.ok(unpack(pack(Buffer.alloc(words * 8, byte)), 1 << 20).equals(Buffer.alloc(words * 8, byte)));
});

t.test('a message that lies about itself is told, not followed', async (t) => {
  for (const packed of ['', '10', '1001', '10ff50010101', '11fe01ff', '1001500101', '10025001'])
    t.throws(() => new Message(hex(packed)).root.struct(0).list(0), { name: 'Broken' }, packed);
});

t.test('keys, signatures, frames and seals are the recorded ones', async (t) => {
  const keys = strings(UNITS.keys);
  const shared = sharedSecret(ephemeralOf(hex(keys.secretA)), hex(keys.publicB)) as Buffer;
  t.equal(shared.toString('hex'), keys.shared);
  t.equal(sendKey(shared, hex(keys.saltA)).toString('hex'), keys.sendKeyA);
  t.equal(sendKey(shared, hex(keys.saltB)).toString('hex'), keys.sendKeyB);
  const signature = strings(UNITS.signature);
  const identity = identityOf(hex(signature.privateKey));
  t.equal(identity.publicKey.toString('hex'), signature.publicKey);
  t.equal(identity.sign(hex(signature.message)).toString('hex'), signature.signature);
  const { key, plaintext, frames } = UNITS.sealed as { key: string; plaintext: string; frames: string[] };
  for (const [i, frame] of frames.entries())
    t.equal(seal(hex(key), i, hex(plaintext)).toString('hex'), frame);
  const frame = strings(UNITS.frame);
  t.equal(framed(hex(frame.payload)).toString('hex'), frame.bytes);
});

/** A context whose chance is what was recorded. */
const recorded = (chance: Buffer[]): CaseContext => {
  let at = 0;
  return {
    rng: {
      below: () => {
        const [first] = chance;
        if (first === undefined) throw new Error('more chance than was recorded');
        const byte = first[at++] as number;
        if (at === first.length) {
          chance.shift();
          at = 0;
        }
        return byte;
      },
    },
    broken: (expected: string, got: string) => {
      throw new Error(`${expected}; got ${got}`);
    },
  } as unknown as CaseContext;
};

type Event = { conn: string; from: string; frame: string; counter?: number; plaintext?: string } & Json;
type Connection = {
  readonly conn: string;
  readonly client: Record<string, string>;
  readonly epochs: readonly Record<string, string>[];
};

/** The salt of a rekey. */
const saltOf = (plaintext: Buffer): Buffer | undefined => {
  const content = readChannel(plaintext);
  return content.type === 'rekey' ? content.rekey.keySalt : undefined;
};
const keepAlive = (): Buffer => written(channelStruct(Buffer.alloc(0), written(keepAliveStruct())));

/** One connection as its client lived it: our channel is given the recorded chance and must say the recorded bytes. */
class Replay {
  readonly sent: string[] = [];
  readonly #chance: Buffer[] = [];
  readonly #events: readonly Event[];
  readonly #own: readonly Event[];
  readonly #theirs: Buffer[] = [];
  readonly #epochs: Connection['epochs'];
  readonly #meeting: Meeting;
  #channel: Channel | undefined;
  #epoch = 0;
  /** A rekey of ours waits for its answer. */
  #asked = false;
  /** The counters that must come next; recordings leave keepAlives out, so they may jump. */
  #next = { client: 0, relay: 0 };

  constructor({ conn, client, epochs }: Connection, events: readonly Event[]) {
    this.#events = events;
    this.#own = events.filter((event) => event.from === 'client');
    this.#epochs = epochs;
    const [, hello, exchange] = this.#own as [Event, Event, Event];
    this.#chance.push(
      readHello(hex(hello.frame)).randNonce,
      hex(epochs[0]?.clientDhSecret),
      readExchange(hex(exchange.frame)).keySalt,
    );
    const carrier = {
      send: async (message: Buffer) => {
        this.sent.push(message.toString('hex'));
      },
      receive: async () => this.#theirs.shift() as Buffer,
    };
    this.#meeting = new Meeting(recorded(this.#chance), conn, carrier, identityOf(hex(client.privateKey)));
  }

  /** @returns the recorded frames that we must have said */
  async run(): Promise<readonly Event[]> {
    const [, hello] = this.#own as [Event, Event];
    const relayFrames = this.#events.filter((event) => event.from === 'relay' && event.counter === undefined);
    this.#theirs.push(...relayFrames.slice(1).map(({ frame }) => hex(frame)));
    this.#channel = await this.#meeting.complete(readHello(hex(hello.frame)).destPublicKey);
    for (const event of this.#events.filter(({ counter }) => counter !== undefined)) {
      if (event.from === 'relay') await this.#hear(event);
      // our answers to rekeys go out by themselves
      else if (!this.sent.includes(event.frame)) await this.#say(event);
    }
    return this.#own.slice(1);
  }

  async #hear(event: Event): Promise<void> {
    const channel = this.#channel as Channel;
    const isRekey = saltOf(hex(event.plaintext)) !== undefined;
    if (isRekey && !this.#asked) {
      const answer = this.#own[this.#own.findIndex(({ frame }) => frame === this.sent.at(-1)) + 1] as Event;
      await this.#idle(answer);
      this.#prepare(answer);
    }
    const key = hex(this.#epochs[this.#epoch - (isRekey ? 1 : 0)]?.relaySendKey);
    for (; isRekey && this.#next.relay < (event.counter as number); this.#next.relay++) {
      this.#theirs.push(seal(key, this.#next.relay, keepAlive()));
      await channel.next('a keepAlive that was left out');
    }
    this.#theirs.push(hex(event.frame));
    const heard = await channel.next('a recorded frame');
    if ((heard.type === 'rekey') !== isRekey) throw new Error('a rekey was taken for something else');
    this.#next.relay = (event.counter as number) + 1;
    if (!isRekey) return;
    this.#next = { client: 0, relay: 0 };
    this.#asked = false;
  }

  async #say(event: Event): Promise<void> {
    const channel = this.#channel as Channel;
    await this.#idle(event);
    this.#prepare(event);
    const content = readChannel(hex(event.plaintext));
    if (content.type === 'rekey') {
      this.#asked = true;
      await channel.rekey();
    } else await channel.user(content.bytes);
    this.#next.client = (event.counter as number) + 1;
  }

  /** Our keepAlives that were left out before this event. */
  async #idle(event: Event): Promise<void> {
    const channel = this.#channel as Channel;
    if (saltOf(hex(event.plaintext)) === undefined) return;
    channel.paddingBytes = 0;
    for (; this.#next.client < (event.counter as number); this.#next.client++) {
      await channel.keepAlive();
      this.sent.pop();
    }
  }

  /** The chance behind this event. */
  #prepare(event: Event): void {
    const plaintext = hex(event.plaintext);
    const salt = saltOf(plaintext);
    if (salt !== undefined) this.#chance.push(hex(this.#epochs[++this.#epoch]?.clientDhSecret), salt);
    const padding = new Message(plaintext).root.list(0);
    (this.#channel as Channel).paddingBytes = padding.length;
    if (padding.length > 0) this.#chance.push(padding);
  }
}

for (const name of ['session.json', 'rekey.json'])
  t.test(`the linear channel says every byte of ${name} again, and understands the other side`, async (t) => {
    const { connections, events } = vectors(name) as { connections: Connection[]; events: Event[] };
    for (const connection of connections) {
      const replay = new Replay(
        connection,
        events.filter(({ conn, frame }) => conn === connection.conn && frame !== undefined),
      );
      const own = await replay.run();
      t.equal(replay.sent.length, own.length, `${connection.conn}: as many frames`);
      for (const [i, { frame, plaintext }] of own.entries())
        if (plaintext === undefined || segmentsOf(plaintext) === 1)
          t.equal(replay.sent[i], frame, `${connection.conn}: our frame ${i}`);
    }
  });
