import t from 'tap';
import { MessageCodec } from './messages.ts';
import { fromHex, toHex } from './testing/hex.ts';
import { type Encoding, UNITS } from './testing/vectors.ts';

const codec = new MessageCodec(2 ** 21);
const text = (value: unknown): string => value as string;
const bytes = (value: unknown): Uint8Array => fromHex(value as string);
const hexed = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hexed(inner)]));
};

type Rekey = { readonly dhPublicKey: string; readonly keySalt: string };
/** What each type of the vectors reads as and is written by. */
const TYPES: Readonly<
  Record<
    string,
    {
      read(packed: Uint8Array): unknown;
      write(value: Encoding['value']): Uint8Array;
      want(value: Encoding['value']): unknown;
    }
  >
> = {
  ExchangeRandNonce: {
    read: (packed) => codec.readExchangeRandNonce(packed),
    write: (value) =>
      codec.writeExchangeRandNonce({
        randNonce: bytes(value.randNonce),
        srcPublicKey: bytes(value.srcPublicKey),
        optDestPublicKey: value.optDestPublicKey === null ? undefined : bytes(value.optDestPublicKey),
      }),
    want: (value) => ({ ...value, optDestPublicKey: value.optDestPublicKey ?? undefined }),
  },
  ExchangeDh: {
    read: (packed) => codec.readExchangeDh(packed),
    write: (value) =>
      codec.writeExchangeDh({
        dhPublicKey: bytes(value.dhPublicKey),
        randNonce: bytes(value.randNonce),
        keySalt: bytes(value.keySalt),
        signature: bytes(value.signature),
      }),
    want: (value) => value,
  },
  ChannelMessage: {
    read: (packed) => codec.readChannel(packed),
    write: ({ randPadding, content }) => {
      const { user, rekey } = content as { readonly user?: string; readonly rekey?: Rekey };
      if (rekey === undefined) return codec.packUser(bytes(randPadding), bytes(user));
      return codec.packRekey(bytes(randPadding), {
        dhPublicKey: bytes(rekey.dhPublicKey),
        keySalt: bytes(rekey.keySalt),
      });
    },
    want: ({ content }) => {
      const { user, rekey } = content as { readonly user?: string; readonly rekey?: Rekey };
      return rekey === undefined ? { type: 'user', bytes: user } : { type: 'rekey', rekey };
    },
  },
  InitConnection: {
    read: (packed) => codec.readInitConnection(packed),
    write: ({ accept, connect }) => {
      const key = accept ?? connect;
      if (key === undefined) return codec.writeInitConnection({ type: 'listen' });
      return codec.writeInitConnection({
        type: accept === undefined ? 'connect' : 'accept',
        publicKey: bytes(key),
      });
    },
    want: ({ accept, connect }) => {
      if (accept !== undefined) return { type: 'accept', publicKey: accept };
      return connect === undefined ? { type: 'listen' } : { type: 'connect', publicKey: connect };
    },
  },
  RejectConnection: {
    read: (packed) => ({ publicKey: codec.readPeer(packed) }),
    write: ({ publicKey }) => codec.writePeer(bytes(publicKey)),
    want: (value) => value,
  },
};

t.test('every recorded encoding reads as its value and is written to the same bytes', async (t) => {
  let seen = 0;
  for (const { name, type, value, packed } of UNITS.encodings) {
    const how = TYPES[type === 'IncomingConnection' ? 'RejectConnection' : type];
    if (how === undefined) continue;
    seen++;
    t.same(hexed(how.read(fromHex(packed))), how.want(value), `${name} is read`);
    t.equal(toHex(how.write(value)), packed, `${name} is written`);
  }
  t.equal(seen, 18);
});

t.test(
  'a KaMessage is written inside a ChannelMessage, and knows whether it may be passed on as it stands',
  async (t) => {
    let seen = 0;
    for (const { name, type, value, packed } of UNITS.encodings) {
      if (type !== 'KaMessage') continue;
      seen++;
      const message = value.message === undefined ? undefined : bytes(value.message);
      const outer = codec.readChannel(codec.packKa(new Uint8Array(3), message).slice());
      t.equal(outer.type === 'user' && toHex(outer.bytes), packed, `${name} is written`);
      const read = codec.readKa(fromHex(packed));
      t.equal(read.type, message === undefined ? 'keepAlive' : 'message');
      if (read.type === 'message') {
        t.equal(toHex(read.bytes), text(value.message), name);
        t.equal(read.plain, true, `${name} is plain`);
      }
    }
    t.equal(seen, 3);
    // 1,021 words are the last that fit the first segment
    for (const length of [0, 1, 8_160, 8_161, 8_168, 8_169, 65_536, 1_000_000]) {
      const outer = codec.readChannel(codec.packKa(new Uint8Array(3), new Uint8Array(length).fill(7)));
      const read = outer.type === 'user' && codec.readKa(outer.bytes);
      t.same(
        read && read.type === 'message' && [read.plain, read.bytes.length],
        [true, length],
        `${length} bytes are plain`,
      );
    }
  },
);

t.test('a KaMessage laid out otherwise is read, and is not plain', async (t) => {
  for (const { name, packed } of [
    { name: 'with bytes behind its segment', packed: '100450010101011101120368690161' },
    { name: 'with an unused word', packed: '100550010101011101120368690000' },
    { name: 'behind a far pointer', packed: '11010301025001010101110201110112036869' },
    { name: 'behind a double-far pointer', packed: '1102031102015001010101110601110202110112036869' },
    { name: 'in a struct of a newer schema', packed: '1006500202010100001105120000036869' },
  ]) {
    const read = codec.readKa(fromHex(packed));
    t.match(read, { type: 'message', plain: false }, name);
    t.equal(read.type === 'message' && toHex(read.bytes), '6869', name);
  }
  t.match(
    codec.readKa(fromHex('100350010101010000')),
    { bytes: new Uint8Array(0) },
    'a null pointer is empty data',
  );
});

t.test('a user message once read is packed again to the bytes a fresh one has', async (t) => {
  for (const length of [0, 1, 7, 8, 9, 255, 4_096, 8_100, 20_000, 70_000]) {
    const user = Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 5)) & 255);
    const padding = new Uint8Array(length % 256).fill(0x55);
    const first = codec.packUser(padding, user).slice();
    const read = codec.readChannel(first);
    t.equal(read.type, 'user');
    if (read.type !== 'user') return;
    t.same(read.bytes, user, `${length} bytes survive`);
    t.same(codec.packUserAgain(padding, read.bytes), first, `${length} bytes are packed again`);
  }
});

t.test('an unknown member of any union is refused', async (t) => {
  for (const { name, read, packed } of [
    {
      name: 'KaMessage',
      read: (packed: Uint8Array): unknown => codec.readKa(packed),
      packed: '100350010101020000',
    },
    {
      name: 'InitConnection',
      read: (packed: Uint8Array): unknown => codec.readInitConnection(packed),
      packed: '100350010101030000',
    },
    {
      name: 'ExchangeRandNonce',
      read: (packed: Uint8Array): unknown => codec.readExchangeRandNonce(packed),
      packed: '10055001030102000000000000',
    },
    {
      name: 'ChannelContent',
      read: (packed: Uint8Array): unknown => codec.readChannel(packed),
      packed: '10054002000050010101020000',
    },
  ])
    t.throws(() => read(fromHex(packed)), { code: 'UNION_TAG' }, name);
});
