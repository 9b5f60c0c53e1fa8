import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { Rng } from '../machine/rng.ts';
import { WireError } from '../machine/wire-error.ts';
import { unpack } from './capnp/packing.ts';
import { MessageReader } from './capnp/reader.ts';
import { Scratch } from './capnp/scratch.ts';
import { MessageCodec } from './messages.ts';
import { fromHex, toHex } from './testing/hex.ts';
import { oracleExchangeDh, oracleRandNonce, oracleRekey, oracleUnion, oracleUser } from './testing/oracle.ts';
import { SESSION, UNITS } from './testing/vectors.ts';
import { FAULTS } from './wire-faults.ts';

const UNPACKED_BYTES_MAX = 2 ** 21;
const codec = new MessageCodec(UNPACKED_BYTES_MAX);
const SEED = 20_261_121;
const fuzz = Number(process.env.RELAYLAB_FUZZ ?? 10_000);
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Data as packing likes it and as it does not: sparse, dense, and in long runs of either. */
const data = fc
  .array(fc.record({ length: fc.nat(3_000), kind: fc.nat(3), seed: fc.nat() }), { maxLength: 4 })
  .map((runs) => {
    const pieces = runs.map(({ length, kind, seed }) => {
      const rng = new Rng(seed, kind, 1, 1);
      return Uint8Array.from({ length }, () => {
        if (kind === 0) return 0;
        if (kind === 1) return 1 + rng.below(255);
        return kind === 2 ? rng.below(256) : rng.below(8) === 0 ? rng.below(256) : 0;
      });
    });
    return new Uint8Array(Buffer.concat(pieces));
  });

t.test('capnp-es and our codec read what the other wrote', async (t) => {
  fc.assert(
    fc.property(
      data,
      data,
      bytesOf(32),
      bytesOf(32),
      bytesOf(16),
      bytesOf(64),
      fc.nat(2),
      (padding, user, a, b, nonce, signature, tag) => {
        const ours = codec.packUser(padding, user).slice();
        assert.deepEqual(oracleUser.read(ours), { padding, user });
        assert.deepEqual(codec.readChannel(oracleUser.write(padding, user)), { type: 'user', bytes: user });

        const ka = codec.readChannel(codec.packKa(padding, user).slice());
        assert.equal(ka.type, 'user');
        if (ka.type === 'user')
          assert.deepEqual(oracleUnion.readData(ka.bytes.slice()), { tag: 1, data: user });
        const theirs = codec.readKa(oracleUnion.write(1, user));
        assert.deepEqual(theirs.type === 'message' && theirs.bytes, user);

        const rekey = { dhPublicKey: a, keySalt: b };
        assert.deepEqual(oracleRekey.read(codec.packRekey(padding, rekey).slice()), rekey);

        const dh = { dhPublicKey: a, randNonce: nonce, keySalt: b, signature };
        assert.deepEqual(oracleExchangeDh.read(codec.writeExchangeDh(dh)), [a, nonce, b, signature]);
        assert.deepEqual(codec.readExchangeDh(oracleExchangeDh.write([a, nonce, b, signature])), dh);

        const dest = tag === 0 ? undefined : b;
        const hello = { randNonce: nonce, srcPublicKey: a, optDestPublicKey: dest };
        assert.equal(
          toHex(codec.writeExchangeRandNonce(hello)),
          toHex(oracleRandNonce.write(nonce, a, dest)),
        );

        const init = codec.readInitConnection(oracleUnion.write(tag, undefined, tag === 0 ? undefined : a));
        assert.deepEqual(oracleUnion.readKey(codec.writeInitConnection(init)), {
          tag,
          key: tag === 0 ? new Uint8Array(32) : a,
        });
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
  t.pass(`300 sets of messages, seed ${SEED}`);
});

/** Packs words as no writer does: runs of any length, ended or begun where chance will have it. */
const packedOddly = (words: Uint8Array, rng: Rng): Uint8Array => {
  const packed: number[] = [];
  for (let at = 0; at < words.length; ) {
    const rest = (words.length - at) / 8;
    const word = words.subarray(at, at + 8);
    at += 8;
    if (word.every((byte) => byte === 0) && rng.below(4) > 0) {
      let run = 0;
      while (run < rng.below(6) && words.subarray(at, at + 8).every((byte) => byte === 0) && run < rest - 1) {
        run++;
        at += 8;
      }
      packed.push(0, run);
    } else if (word.every((byte) => byte !== 0) || rng.below(4) === 0) {
      const run = Math.min(rng.below(rng.below(2) === 0 ? 4 : 256), rest - 1);
      packed.push(0xff, ...word, run, ...words.subarray(at, at + run * 8));
      at += run * 8;
    } else {
      const kept = [...word].flatMap((byte, i) => (byte === 0 ? [] : [{ bit: 1 << i, byte }]));
      packed.push(
        kept.reduce((tag, { bit }) => tag | bit, 0),
        ...kept.map(({ byte }) => byte),
      );
      // a tag without bits is always followed by a count
      if (kept.length === 0) packed.push(0);
    }
  }
  return Uint8Array.from(packed);
};

t.test('what came packed in any way is passed on with other padding and reads the same', async (t) => {
  const reader = new MessageReader({ unpackedBytesMax: UNPACKED_BYTES_MAX });
  const words = new Scratch();
  let asItStood = 0;
  let anew = 0;
  fc.assert(
    fc.property(data, data, data, fc.nat(), (padding, other, user, seed) => {
      const length = unpack(codec.packUser(padding, user), words, UNPACKED_BYTES_MAX);
      const odd = packedOddly(words.bytes.subarray(0, length), new Rng(seed, 1, 2, 3));
      const packed = seed % 2 === 0 ? odd : oracleUser.write(padding, user);
      const content = codec.readChannel(packed);
      assert.ok(content.type === 'user');
      assert.deepEqual(content.bytes, user);
      const again = codec.packUserAgain(other, content.bytes).slice();
      assert.deepEqual(codec.readChannel(again), { type: 'user', bytes: user });
      assert.deepEqual(oracleUser.read(again), { padding: other, user });
      const field = reader.data(reader.struct(reader.load(packed), 1), 0);
      if (reader.packedAsLast(field) === undefined) anew++;
      else asItStood++;
    }),
    { seed: SEED, numRuns: 300 },
  );
  t.ok(asItStood > 50 && anew > 50, `${asItStood} as they stood, ${anew} packed anew, seed ${SEED}`);
});

const RECORDED: readonly Uint8Array[] = [
  ...UNITS.encodings.map(({ packed }) => fromHex(packed)),
  ...SESSION.events.flatMap(({ plaintext, content, frame }) => {
    if (plaintext !== undefined) return [fromHex(plaintext), fromHex(content?.user ?? plaintext)];
    return frame === undefined || frame === '00000000' ? [] : [fromHex(frame)];
  }),
];
const READS: readonly ((packed: Uint8Array) => unknown)[] = [
  (packed) => codec.readChannel(packed),
  (packed) => codec.readKa(packed),
  (packed) => codec.readInitConnection(packed),
  (packed) => codec.readExchangeDh(packed),
  (packed) => codec.readExchangeRandNonce(packed),
  (packed) => codec.readPeer(packed),
];

t.test(
  'recorded messages with some bytes changed, cut or added end in a value or a known fault',
  async (t) => {
    const rng = new Rng(SEED, 1, 2, 3);
    let values = 0;
    let faults = 0;
    for (let run = 0; run < fuzz; run++) {
      const original = RECORDED[run % RECORDED.length] as Uint8Array;
      const mutated = original.slice(
        0,
        rng.below(8) === 0 ? rng.below(original.length + 1) : original.length,
      );
      // most of a message is data: what decides is in its first bytes
      const reach = rng.below(2) === 0 ? Math.min(40, mutated.length) : mutated.length;
      for (let i = rng.below(3); i >= 0; i--) mutated[rng.below(reach)] = rng.below(256);
      for (const read of READS)
        try {
          read(mutated);
          values++;
        } catch (error) {
          assert.ok(error instanceof WireError && error.code in FAULTS, `run ${run}: ${String(error)}`);
          faults++;
        }
    }
    t.ok(
      values > fuzz / 10 && faults > fuzz / 10,
      `${values} values, ${faults} faults in ${fuzz} mutations, seed ${SEED}`,
    );
  },
);

t.test('bytes nobody wrote end in a value or a known fault', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const read of READS)
        try {
          read(bytes);
        } catch (error) {
          assert.ok(error instanceof WireError && error.code in FAULTS, String(error));
        }
    }),
    { seed: SEED, numRuns: Math.ceil(fuzz / 10) },
  );
  t.pass(`${Math.ceil(fuzz / 10)} inputs, seed ${SEED}`);
});
