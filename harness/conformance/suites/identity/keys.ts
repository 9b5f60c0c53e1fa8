/** The cryptography of the secure channel, plainly over node:crypto. Source: protocol notes, layer 3; pinned by the recorded sessions. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';

/** Of the counter in front of a sealed text and of the tag behind it. */
export const COUNTER_BYTES = 12;
export const TAG_BYTES = 16;
const CIPHER = 'chacha20-poly1305';
/** DER around 32 raw bytes: RFC 8410. */
const DER = {
  ed25519: { secret: '302e020100300506032b657004220420', open: '302a300506032b6570032100' },
  x25519: { secret: '302e020100300506032b656e04220420', open: '302a300506032b656e032100' },
} as const;

type Curve = keyof typeof DER;

const secretKey = (curve: Curve, secret: Uint8Array): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from(DER[curve].secret, 'hex'), secret]),
    ...{ format: 'der', type: 'pkcs8' },
  });
const openKey = (curve: Curve, open: Uint8Array): KeyObject =>
  createPublicKey({
    key: Buffer.concat([Buffer.from(DER[curve].open, 'hex'), open]),
    ...{ format: 'der', type: 'spki' },
  });
const rawOf = (secret: KeyObject): Buffer =>
  createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32);

export type Identity = {
  /** 32 bytes of ed25519. */
  readonly publicKey: Buffer;
  /** As identity files hold it. */
  readonly seed: Buffer;
  readonly sign: (message: Uint8Array) => Buffer;
};

/** @param seed 32 bytes */
export const identityOf = (seed: Buffer): Identity => {
  const secret = secretKey('ed25519', seed);
  return { publicKey: rawOf(secret), seed, sign: (message) => sign(null, message, secret) };
};

export const isSignedBy = (publicKey: Buffer, message: Buffer, signature: Buffer): boolean => {
  try {
    return verify(null, message, openKey('ed25519', publicKey), signature);
  } catch {
    return false;
  }
};

/** Half of a Diffie-Hellman exchange. */
export type Ephemeral = { readonly publicKey: Buffer; readonly secret: KeyObject };

export const ephemeralOf = (secret: Buffer): Ephemeral => {
  const key = secretKey('x25519', secret);
  return { publicKey: rawOf(key), secret: key };
};

/** @returns undefined for a key of low order, with which everybody shares a secret */
export const sharedSecret = (own: Ephemeral, peer: Buffer): Buffer | undefined => {
  try {
    return diffieHellman({ privateKey: own.secret, publicKey: openKey('x25519', peer) });
  } catch {
    return undefined;
  }
};

/** The key of whoever chose the salt. */
export const sendKey = (shared: Buffer, salt: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha512-256', shared, salt, Buffer.alloc(0), 32));

const nonceOf = (counter: number): Buffer => {
  const nonce = Buffer.alloc(COUNTER_BYTES);
  nonce.writeUIntLE(counter, 0, 6);
  return nonce;
};

export const seal = (key: Buffer, counter: number, plaintext: Buffer): Buffer => {
  const nonce = nonceOf(counter);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

/** @returns undefined where it is not the frame with this counter under this key */
export const unseal = (key: Buffer, counter: number, sealed: Buffer): Buffer | undefined => {
  const nonce = nonceOf(counter);
  if (sealed.length < COUNTER_BYTES + TAG_BYTES || !sealed.subarray(0, COUNTER_BYTES).equals(nonce))
    return undefined;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(COUNTER_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
};

/** What an identity file holds. */
export const identityFile = ({ seed }: Identity): string =>
  JSON.stringify({ privateKey: seed.toString('base64url') }, undefined, 2);

/** What a relay's ticket holds. */
export const ticketFile = (publicKey: Buffer, address: string): string =>
  JSON.stringify({ publicKey: publicKey.toString('base64url'), address }, undefined, 2);
