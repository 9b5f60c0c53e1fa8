/** All cryptography of the identity relay, as functions of their arguments: chance is the caller's. Source: protocol notes, layer 3. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';

/** Of the nonce and the tag around a sealed text. */
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

const CIPHER = 'chacha20-poly1305';
const CIPHER_OPTIONS = { authTagLength: TAG_BYTES } as const;
const KEY_BYTES = 32;
const NO_INFO = new Uint8Array(0);

/** Ed25519 points of small order, their sign bit cleared, those written in a second way included: anybody can sign for them. */
const SMALL_ORDER: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => Buffer.from(hex, 'hex'));

/** A key pair that stands for a node or a relay. */
export type Identity = {
  /** 32 bytes of ed25519. */
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
};

/** An X25519 key pair for one exchange. */
export type Ephemeral = { readonly publicKey: Uint8Array; readonly secret: KeyObject };

type Curve = 'ed25519' | 'x25519';

// raw keys go in and out as they are: by way of DER it is 45 us a handshake more
const privateOf = (asymmetricKeyType: Curve, secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: secret, format: 'raw-private', asymmetricKeyType });
const publicOf = (asymmetricKeyType: Curve, raw: Uint8Array): KeyObject =>
  createPublicKey({ key: raw, format: 'raw-public', asymmetricKeyType });
const rawPublicOf = (secret: KeyObject): Uint8Array =>
  new Uint8Array(createPublicKey(secret).export({ format: 'raw-public' }));

/** @param seed 32 bytes; not kept */
export const identityOf = (seed: Uint8Array): Identity => {
  const secret = privateOf('ed25519', seed);
  return { publicKey: rawPublicOf(secret), sign: (message) => sign(null, message, secret) };
};

/** Whether a public key is one that anybody can sign for. */
export const isSmallOrder = (publicKey: Uint8Array): boolean => {
  const unsigned = Buffer.from(publicKey);
  unsigned[KEY_BYTES - 1] = (unsigned[KEY_BYTES - 1] as number) & 0x7f;
  return SMALL_ORDER.some((point) => unsigned.equals(point));
};

/** @returns false also for a key that is no point */
export const isSignedBy = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  try {
    return verify(null, message, publicOf('ed25519', publicKey), signature);
  } catch {
    return false;
  }
};

/** @param secret 32 random bytes; zeroed */
export const ephemeralOf = (secret: Uint8Array): Ephemeral => {
  const key = privateOf('x25519', secret);
  secret.fill(0);
  return { publicKey: rawPublicOf(key), secret: key };
};

/** X25519. @returns undefined when the peer's key has low order; else 32 bytes, the caller's to zero */
export const sharedSecret = (own: Ephemeral, peer: Uint8Array): Uint8Array | undefined => {
  try {
    return diffieHellman({ privateKey: own.secret, publicKey: publicOf('x25519', peer) });
  } catch {
    return undefined;
  }
};

/** HKDF with HMAC-SHA-512/256 and no info. @returns a key of 32 bytes, the caller's to zero */
export const sealingKey = (shared: Uint8Array, salt: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha512-256', shared, salt, NO_INFO, KEY_BYTES));

/**
 * Seals a text behind its nonce: the nonce, the sealed text and its tag.
 * @param to room for just that at its end; what stands in front is left as it is
 */
export const seal = (key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, to: Uint8Array): void => {
  const tagAt = to.length - TAG_BYTES;
  const textAt = tagAt - plaintext.length;
  const cipher = createCipheriv(CIPHER, key, nonce, CIPHER_OPTIONS);
  to.set(nonce, textAt - NONCE_BYTES);
  to.set(cipher.update(plaintext), textAt);
  cipher.final();
  to.set(cipher.getAuthTag(), tagAt);
};

/** Opens what `seal` made. @returns undefined if it was not sealed with this key */
export const unseal = (key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined => {
  const end = sealed.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), CIPHER_OPTIONS);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
};

/** Compares in a time that tells nothing of where two byte strings differ. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);
