import t, { type Test } from 'tap';
import { Rng } from '../machine/rng.ts';
import { type Chance, chanceFrom } from './chance.ts';
import { Conduit } from './conduit.ts';
import { ephemeralOf, identityOf, isSmallOrder, seal, sealingKey, sharedSecret, unseal } from './crypto.ts';
import { linkCodec } from './link.ts';
import { OpeningKey, OpeningKeys, SealingKey } from './sealed-keys.ts';
import { SecureChannel } from './secure-channel.ts';
import { fromHex, toHex } from './testing/hex.ts';
import { identityIn, recordedChance } from './testing/recorded-chance.ts';
import { REKEY, type RecordedEvent, type Recording, SESSION, UNITS } from './testing/vectors.ts';

const codec = linkCodec();
const LIMITS = { keepaliveMillis: 16_000, silenceMillisMax: 32_000, rekeyMillis: 3_601_000 };
const chanceOf = (seed: number): Chance => {
  const rng = new Rng(seed, 2, 3, 4);
  return chanceFrom((length) => Uint8Array.from({ length }, () => rng.below(256)));
};
const IDENTITY = [1, 2, 3].map((seed) => identityOf(new Uint8Array(32).fill(seed)));
type Wanted = { readonly expected?: Uint8Array; readonly identity?: number; readonly chance?: Chance };
const channel = (seed: number, { expected, identity = seed, chance }: Wanted = {}): SecureChannel =>
  new SecureChannel({
    identity: IDENTITY[identity] as (typeof IDENTITY)[number],
    expected,
    chance: chance ?? chanceOf(seed),
    codec,
    headroomBytes: 0,
    sealedBytesMax: 2 ** 20,
    rekeyMillis: LIMITS.rekeyMillis,
  });
const sent = (event: ReturnType<SecureChannel['receive']>): Uint8Array => {
  if (event.type !== 'send') throw new Error(`nothing to send: ${event.type}`);
  return event.message;
};
const say = (from: SecureChannel, text: string): Uint8Array => {
  const bytes = new TextEncoder().encode(text);
  return from.seal((padding) => codec.packUser(padding, bytes), bytes.length);
};
const hear = (at: SecureChannel, message: Uint8Array): string => {
  const event = at.receive(0, message);
  return event.type === 'user' ? new TextDecoder().decode(event.bytes) : event.type;
};
/** Two ends that have shaken hands. */
const pair = (wantedB: Wanted = {}): readonly [SecureChannel, SecureChannel] => {
  const [a, b] = [channel(0), channel(1, wantedB)];
  const [helloA, helloB] = [a.hello(), b.hello()];
  const [dhA, dhB] = [sent(a.receive(0, helloB)), sent(b.receive(0, helloA))];
  a.receive(0, dhB);
  b.receive(0, dhA);
  return [a, b];
};

t.test('keys, a signature and sealed frames are those of the vectors', async (t) => {
  const { secretA, publicA, saltA, secretB, publicB, saltB, shared, sendKeyA, sendKeyB } = UNITS.keys;
  const a = ephemeralOf(fromHex(secretA));
  t.equal(toHex(a.publicKey), publicA);
  t.equal(toHex(sharedSecret(a, fromHex(publicB)) ?? new Uint8Array(0)), shared);
  t.equal(toHex(sharedSecret(ephemeralOf(fromHex(secretB)), fromHex(publicA)) ?? new Uint8Array(0)), shared);
  t.equal(toHex(sealingKey(fromHex(shared), fromHex(saltA))), sendKeyA);
  t.equal(toHex(sealingKey(fromHex(shared), fromHex(saltB))), sendKeyB);
  const { privateKey, publicKey, message, signature } = UNITS.signature;
  const identity = identityOf(fromHex(privateKey));
  t.equal(toHex(identity.publicKey), publicKey);
  t.equal(toHex(identity.sign(fromHex(message))), signature);
  const sealing = new SealingKey(fromHex(UNITS.sealed.key));
  const opening = new OpeningKeys(new OpeningKey(fromHex(UNITS.sealed.key)));
  for (const frame of UNITS.sealed.frames) {
    t.equal(toHex(sealing.seal(fromHex(UNITS.sealed.plaintext), 0)), frame);
    t.equal(toHex(opening.open(fromHex(frame))), UNITS.sealed.plaintext);
  }
});

/** Whom a side put into its hello. */
const expectedIn = (recording: Recording, conn: string, side: string): Uint8Array | undefined => {
  const hello = recording.events.find(
    (event) => event.conn === conn && event.from === side && event.ExchangeRandNonce,
  );
  const key = hello?.ExchangeRandNonce?.optDestPublicKey;
  return typeof key === 'string' ? fromHex(key) : undefined;
};

const LEFT_OUT = /left out, so the counters jump/;

/** The order of a side: what crosses on the way was said before the other's was heard. */
const asSeenBy = (side: string, events: readonly RecordedEvent[]): readonly RecordedEvent[] => {
  const crossing = events.findIndex(({ note }) => note?.startsWith('each side also sends') === true) + 1;
  const four = events.slice(crossing, crossing + 4);
  const own = four.filter(({ from }) => from === side);
  return [
    ...events.slice(0, crossing),
    ...(crossing === 0 ? four : [...own, ...four.filter((event) => !own.includes(event))]),
    ...events.slice(crossing + 4),
  ];
};

/** Plays one side of a recorded connection and compares every frame it sends. @returns how many */
const replay = (t: Test, recording: Recording, conn: string, side: 'client' | 'relay'): number => {
  const connection = recording.connections.find((one) => one.conn === conn);
  if (connection === undefined) throw new Error(conn);
  const identity = identityIn(side === 'relay' ? recording.relay : connection.client);
  const recorded = recordedChance(recording, connection, side);
  let quiet = false;
  const conduit = new Conduit({
    ...LIMITS,
    identity,
    expected: expectedIn(recording, conn, side),
    chance: { ...recorded, padding: () => (quiet ? new Uint8Array(0) : recorded.padding()) },
    codec,
    headroomBytes: 0,
    sealedBytesMax: 2 ** 20,
  });
  const answers: Uint8Array[] = [conduit.hello()];
  let [compared, now, rekeys, own, theirs] = [0, 0, 0, 0, 0];
  const peer = side === 'client' ? 'relay' : 'client';
  /** Both sides say keepAlives that were not recorded, up to the counters that follow. */
  const catchUp = (from: number): void => {
    const later = events.slice(from).filter(({ counter }) => counter !== undefined);
    const next = (who: string): number => later.find((event) => event.from === who)?.counter ?? 0;
    quiet = true;
    for (; own < next(side); own++) conduit.send(now, new Uint8Array(0));
    const key = connection.epochs[rekeys / 2]?.[`${peer}SendKey`] ?? '';
    const sealing = new SealingKey(fromHex(key), theirs);
    const keepAlive = codec.packKa(new Uint8Array(0), undefined).slice();
    for (; theirs < next(peer); theirs++) conduit.receive(now, sealing.seal(keepAlive, 0));
    quiet = false;
  };
  const countRekey = ({ content }: RecordedEvent): void => {
    if (content?.rekey === undefined || ++rekeys % 2 === 1) return;
    own = 0;
    theirs = 0;
  };
  const events = asSeenBy(side, recording.events);
  events.forEach((event, at) => {
    if (LEFT_OUT.test(event.note ?? '')) catchUp(at);
    if (event.conn !== conn || event.frame === undefined || event.version !== undefined) return;
    if (event.from !== side) {
      if (event.counter !== undefined) theirs = event.counter + 1;
      const happened = conduit.receive(now, fromHex(event.frame));
      if (happened.type === 'send') answers.push(happened.message);
      if (happened.type === 'message')
        t.equal(toHex(happened.bytes), event.keepalive?.message, `${conn} ${side} hears ${theirs}`);
      countRekey(event);
      return;
    }
    if (event.counter !== undefined) own = event.counter + 1;
    if (event.keepalive?.message !== undefined)
      answers.push(conduit.send(now, fromHex(event.keepalive.message)));
    else if (event.content?.user !== undefined) {
      now += 16_000;
      answers.push(...conduit.expire(now));
    } else if (event.content?.rekey !== undefined && answers.length === 0)
      answers.push(conduit.rekey() ?? new Uint8Array(0));
    const frame = answers.shift();
    t.equal(toHex(frame ?? new Uint8Array(0)), event.frame, `${conn} ${side} says ${own}`);
    compared++;
    countRekey(event);
  });
  return compared;
};

t.test('every recorded session is reproduced byte for byte, from either side', async (t) => {
  let compared = 0;
  for (const { conn } of SESSION.connections)
    for (const side of ['client', 'relay'] as const) compared += replay(t, SESSION, conn, side);
  const frames = SESSION.events.filter(({ frame, version }) => frame !== undefined && version === undefined);
  t.equal(compared, frames.length);
});

t.test('rekeys of all three forms are reproduced byte for byte, from either side', async (t) => {
  let compared = 0;
  for (const side of ['client', 'relay'] as const) compared += replay(t, REKEY, 'connect-b', side);
  const frames = REKEY.events.filter(({ frame, version }) => frame !== undefined && version === undefined);
  t.equal(compared, frames.length);
});

t.test('both ends hear each other through rekeys by one, by the other and by both', async (t) => {
  const [a, b] = pair();
  t.equal(hear(b, say(a, 'one')), 'one');
  const fromA = a.rekey() as Uint8Array;
  t.equal(a.rekey(), undefined, 'one rekey at a time');
  const under = say(a, 'still the old key');
  const answer = sent(b.receive(0, fromA));
  const early = say(b, 'the new key');
  t.equal(hear(b, under), 'still the old key');
  t.equal(hear(a, answer), 'nothing');
  t.equal(hear(a, early), 'the new key');
  t.equal(hear(b, say(a, 'two')), 'two');
  const [both, too] = [a.rekey() as Uint8Array, b.rekey() as Uint8Array];
  const between = [say(a, 'a between'), say(b, 'b between')] as const;
  t.equal(hear(b, both), 'nothing');
  t.equal(hear(a, too), 'nothing');
  t.equal(hear(b, between[0]), 'a between');
  t.equal(hear(a, between[1]), 'b between');
  t.equal(hear(a, say(b, 'three')), 'three');
  t.equal(hear(b, say(a, 'four')), 'four');
});

t.test('a second rekey under a retired key, and a storm of rekeys, end the channel', async (t) => {
  const [a, b] = pair();
  const first = a.rekey() as Uint8Array;
  b.receive(0, first);
  // a goes on as if it had been answered nothing: its next frame is under the old key too
  const again = a.seal(
    (padding) =>
      codec.packRekey(padding, { dhPublicKey: new Uint8Array(32).fill(9), keySalt: new Uint8Array(32) }),
    0,
  );
  t.throws(() => b.receive(0, again), { code: 'REKEY_REPEATED' });

  const [c, d] = pair();
  const storm = (): void => {
    for (let i = 0; i < 40; i++) {
      c.receive(0, sent(d.receive(0, c.rekey() as Uint8Array)));
      hear(d, say(c, 'on'));
    }
  };
  t.throws(storm, { code: 'REKEY_TOO_OFTEN' });
});

t.test(
  'somebody else, a reflection, a weak key, a wrong signature and a weak secret are refused',
  async (t) => {
    const stranger = channel(0, { expected: fromHex('07'.repeat(32)) });
    t.throws(() => stranger.receive(0, channel(1).hello()), { code: 'PEER_UNEXPECTED' });

    const mirror = channel(0);
    t.throws(() => mirror.receive(0, mirror.hello()), { code: 'NONCE_MISMATCH' }, 'reflected hello');

    const weak = new Uint8Array(32).fill(0, 1);
    weak[0] = 1;
    t.ok(isSmallOrder(weak));
    t.notOk(IDENTITY.some(({ publicKey }) => isSmallOrder(publicKey)));
    const hello = { randNonce: new Uint8Array(16), srcPublicKey: weak, optDestPublicKey: undefined };
    t.throws(() => channel(0).receive(0, codec.writeExchangeRandNonce(hello)), { code: 'PEER_WEAK' });

    for (const { name, code, change } of [
      { name: 'a replayed ExchangeDh', code: 'NONCE_MISMATCH', change: { randNonce: new Uint8Array(16) } },
      { name: 'a signature by nobody', code: 'SIGNATURE', change: { signature: new Uint8Array(64).fill(1) } },
      { name: 'another salt', code: 'SIGNATURE', change: { keySalt: new Uint8Array(32) } },
    ]) {
      const [a, b] = [channel(0), channel(1)];
      const dh = sent(b.receive(0, a.hello()));
      a.receive(0, b.hello());
      const changed = codec.writeExchangeDh({ ...codec.readExchangeDh(dh), ...change });
      t.throws(() => a.receive(0, changed), { code }, name);
    }

    for (const low of ['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`]) {
      const chance = chanceOf(9);
      const [a, b] = [channel(0), channel(1)];
      const dh = codec.readExchangeDh(sent(b.receive(0, a.hello())));
      a.receive(0, b.hello());
      const message = new Uint8Array(80);
      message.set(fromHex(low));
      message.set(dh.randNonce, 32);
      message.set(dh.keySalt, 48);
      const signature = (IDENTITY[1] as (typeof IDENTITY)[number]).sign(message);
      const bad = codec.writeExchangeDh({ ...dh, dhPublicKey: fromHex(low), signature });
      t.throws(
        () => a.receive(0, bad),
        { code: 'DH_WEAK' },
        `${low.slice(0, 4)} with ${chance.keySalt().length}`,
      );
    }
  },
);

t.test('replayed, skipped, changed, short and reflected frames are refused', async (t) => {
  const [a, b] = pair();
  const first = say(a, 'first');
  t.equal(hear(b, first), 'first');
  t.throws(() => b.receive(0, first), { code: 'COUNTER' }, 'replayed');
  say(a, 'lost');
  t.throws(() => b.receive(0, say(a, 'after')), { code: 'COUNTER' }, 'skipped');
  const [c, d] = pair();
  const changed = say(c, 'x');
  changed[15] = (changed[15] as number) ^ 1;
  t.throws(() => d.receive(0, changed), { code: 'SEAL' }, 'changed');
  t.throws(() => c.receive(0, say(c, 'mine')), { code: /SEAL|COUNTER/ }, 'reflected');
  for (const length of [0, 11, 12, 27])
    t.throws(() => d.receive(0, new Uint8Array(length)), { code: 'SEALED_TOO_SHORT' }, `${length} bytes`);
  t.throws(() => d.receive(0, new Uint8Array(28)), { code: 'SEAL' }, 'just long enough');
});

t.test('a counter ends before it could wrap', async (t) => {
  const key = new Uint8Array(32).fill(1);
  const sealing = new SealingKey(key.slice(), 2 ** 48 - 1);
  const opening = new OpeningKeys(new OpeningKey(key.slice(), 2 ** 48 - 1));
  t.same([...opening.open(sealing.seal(new Uint8Array([7]), 0))], [7], 'the last one still goes through');
  t.throws(() => sealing.seal(new Uint8Array(1), 0), { code: 'COUNTER_SPENT' });
  const high = new Uint8Array(29);
  seal(key, fromHex('000000000000000000000001'), new Uint8Array(1), high);
  t.throws(() => opening.open(high), { code: 'COUNTER' }, 'all twelve bytes of the nonce count');
});

t.test('a channel that ends zeroes its keys', async (t) => {
  const key = new Uint8Array(32).fill(1);
  const old = new Uint8Array(32).fill(2);
  const opening = new OpeningKeys(new OpeningKey(old));
  opening.renew(new OpeningKey(key));
  const sealed = new Uint8Array(29);
  seal(key.slice(), new Uint8Array(12), new Uint8Array(1), sealed);
  opening.open(sealed);
  t.same(old, new Uint8Array(32), 'a retired key with the first frame under the new one');
  opening.forget();
  t.same(key, new Uint8Array(32), 'the key of now with the channel');
  const secret = new Uint8Array(32).fill(3);
  ephemeralOf(secret);
  t.same(secret, new Uint8Array(32), 'an ephemeral secret at once');
  t.equal(unseal(key, sealed), undefined);
  const [a] = pair();
  a.close();
  t.throws(() => say(a, 'more'), /no key/);
});
