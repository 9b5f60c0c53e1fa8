/** The eight messages of the protocol, each as the struct it is. Field numbers and sizes: protocol notes, "Cap'n Proto schema facts". */
import { Broken } from '../../outcome.ts';
import { byteString, type Layout, Message, type Struct, struct, tagged, written } from './capnp.ts';

export const KEY_BYTES = 32;
export const NONCE_BYTES = 16;
export const SIGNATURE_BYTES = 64;

export type Hello = {
  readonly randNonce: Buffer;
  readonly srcPublicKey: Buffer;
  /** Whom its sender expects. */
  readonly destPublicKey: Buffer | undefined;
};
export type Exchange = {
  readonly dhPublicKey: Buffer;
  readonly randNonce: Buffer;
  readonly keySalt: Buffer;
  readonly signature: Buffer;
};
export type Rekey = { readonly dhPublicKey: Buffer; readonly keySalt: Buffer };

const unknownTag = (of: string, tag: number): never => {
  throw new Broken(`${of} with a known tag`, `tag ${tag}`);
};

export const helloStruct = ({ randNonce, srcPublicKey, destPublicKey }: Hello): Struct =>
  tagged(
    destPublicKey === undefined ? 0 : 1,
    byteString(randNonce),
    byteString(srcPublicKey),
    destPublicKey === undefined ? undefined : byteString(destPublicKey),
  );

export const readHello = (packed: Buffer): Hello => {
  const { root } = new Message(packed);
  if (root.tag > 1) unknownTag('ExchangeRandNonce', root.tag);
  return {
    randNonce: root.byteString(0, NONCE_BYTES),
    srcPublicKey: root.byteString(1, KEY_BYTES),
    destPublicKey: root.tag === 1 ? root.byteString(2, KEY_BYTES) : undefined,
  };
};

export const exchangeStruct = (exchange: Exchange): Struct =>
  struct(
    0,
    byteString(exchange.dhPublicKey),
    byteString(exchange.randNonce),
    byteString(exchange.keySalt),
    byteString(exchange.signature),
  );

export const readExchange = (packed: Buffer): Exchange => {
  const { root } = new Message(packed);
  return {
    dhPublicKey: root.byteString(0, KEY_BYTES),
    randNonce: root.byteString(1, NONCE_BYTES),
    keySalt: root.byteString(2, KEY_BYTES),
    signature: root.byteString(3, SIGNATURE_BYTES),
  };
};

export const rekeyStruct = ({ dhPublicKey, keySalt }: Rekey): Struct =>
  struct(0, byteString(dhPublicKey), byteString(keySalt));

/** A ChannelMessage. @param content a rekey, or the user's bytes */
export const channelStruct = (padding: Buffer, content: Buffer | Rekey): Struct =>
  struct(0, padding, Buffer.isBuffer(content) ? tagged(1, content) : tagged(0, rekeyStruct(content)));

export type ChannelContent = { readonly padding: number } & (
  | { readonly type: 'user'; readonly bytes: Buffer }
  | { readonly type: 'rekey'; readonly rekey: Rekey }
);

export const readChannel = (packed: Buffer): ChannelContent => {
  const { root } = new Message(packed);
  const padding = root.list(0).length;
  const content = root.struct(1);
  if (content.tag === 1) return { type: 'user', padding, bytes: content.list(0) };
  if (content.tag > 1) unknownTag('ChannelContent', content.tag);
  const rekey = content.struct(0);
  return {
    ...{ type: 'rekey', padding },
    rekey: { dhPublicKey: rekey.byteString(0, KEY_BYTES), keySalt: rekey.byteString(1, KEY_BYTES) },
  };
};

export const kaMessageStruct = (message: Buffer): Struct => tagged(1, message);
export const keepAliveStruct = (): Struct => tagged(0, undefined);

/** @returns undefined for a keepAlive */
export const readKa = (packed: Buffer): Buffer | undefined => {
  const { root } = new Message(packed);
  if (root.tag > 1) unknownTag('KaMessage', root.tag);
  return root.tag === 0 ? undefined : root.list(0);
};

/** The relay messages, ready to be sent inside a KaMessage. */
export const INIT = {
  listen: (): Buffer => written(tagged(0, undefined)),
  accept: (key: Buffer, layout?: Layout): Buffer => written(tagged(1, byteString(key)), layout),
  connect: (key: Buffer, layout?: Layout): Buffer => written(tagged(2, byteString(key)), layout),
} as const;

export type Init =
  | { readonly type: 'listen' }
  | { readonly type: 'accept' | 'connect'; readonly publicKey: Buffer };

export const readInit = (packed: Buffer): Init => {
  const { root } = new Message(packed);
  if (root.tag === 0) return { type: 'listen' };
  if (root.tag > 2) unknownTag('InitConnection', root.tag);
  return { type: root.tag === 1 ? 'accept' : 'connect', publicKey: root.byteString(0, KEY_BYTES) };
};

/** RejectConnection and IncomingConnection look alike. */
export const peerMessage = (publicKey: Buffer): Buffer => written(struct(0, byteString(publicKey)));
export const readPeer = (packed: Buffer): Buffer => new Message(packed).root.byteString(0, KEY_BYTES);
