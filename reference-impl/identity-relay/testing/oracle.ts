/** The schema by hand for capnp-es, which reads and writes it by its own means: what our codec is compared with. */
import { Message, ObjectSize, Struct, utils } from 'capnp-es';

const structOf = (id: string, dataWords: number, pointers: number) =>
  class extends Struct {
    static override readonly _capnp = { displayName: id, id, size: new ObjectSize(dataWords * 8, pointers) };
  };

const Outer = structOf('outer', 0, 1);
const RandNonceMessage = structOf('ExchangeRandNonce', 1, 3);
const DhMessage = structOf('ExchangeDh', 0, 4);
const Pair = structOf('pair', 0, 2);
const Union = structOf('union', 1, 1);
const WORDS = { 2: structOf('2', 2, 0), 4: structOf('4', 4, 0), 8: structOf('8', 8, 0) } as const;

type Words = keyof typeof WORDS;
const wordsOf = (length: number): Words => (length / 8) as Words;

const putBytes = (at: number, bytes: Uint8Array, of: Struct): void => {
  const inner = utils.initStructAt(0, WORDS[wordsOf(bytes.length)], utils.initStructAt(at, Outer, of));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < bytes.length; i += 8) utils.setUint64(i, view.getBigUint64(i), inner);
};
const takeBytes = (at: number, words: Words, of: Struct): Uint8Array => {
  const inner = utils.getStruct(0, WORDS[words], utils.getStruct(at, Outer, of));
  const bytes = new Uint8Array(words * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < bytes.length; i += 8) view.setBigUint64(i, utils.getUint64(i, inner));
  return bytes;
};
const putData = (at: number, bytes: Uint8Array, of: Struct): void => {
  utils.initData(at, bytes.length, of).copyBuffer(bytes);
};
const takeData = (at: number, of: Struct): Uint8Array => utils.getData(at, of).toUint8Array().slice();
const written = (message: Message): Uint8Array => new Uint8Array(message.toPackedArrayBuffer());
const opened = (packed: Uint8Array): Message => new Message(packed.slice().buffer, true);

/** A message with a KaMessage's shape: a union of nothing (0) and data (1), or of nothing and keys. */
export const oracleUnion = {
  write: (tag: number, data: Uint8Array | undefined, key?: Uint8Array): Uint8Array => {
    const message = new Message();
    const root = message.initRoot(Union);
    utils.setUint16(0, tag, root);
    if (data !== undefined) putData(0, data, root);
    if (key !== undefined) putBytes(0, key, root);
    return written(message);
  },
  readData: (packed: Uint8Array): { tag: number; data: Uint8Array } => {
    const root = opened(packed).getRoot(Union);
    return { tag: utils.getUint16(0, root), data: takeData(0, root) };
  },
  readKey: (packed: Uint8Array): { tag: number; key: Uint8Array } => {
    const root = opened(packed).getRoot(Union);
    return { tag: utils.getUint16(0, root), key: takeBytes(0, 4, root) };
  },
};

export const oracleUser = {
  write: (padding: Uint8Array, user: Uint8Array): Uint8Array => {
    const message = new Message();
    const root = message.initRoot(Pair);
    putData(0, padding, root);
    const content = utils.initStructAt(1, Union, root);
    utils.setUint16(0, 1, content);
    putData(0, user, content);
    return written(message);
  },
  padding: (packed: Uint8Array): Uint8Array => takeData(0, opened(packed).getRoot(Pair)),
  read: (packed: Uint8Array): { padding: Uint8Array; user: Uint8Array } => {
    const root = opened(packed).getRoot(Pair);
    return { padding: takeData(0, root), user: takeData(0, utils.getStruct(1, Union, root)) };
  },
};

export const oracleRekey = {
  read: (packed: Uint8Array): { dhPublicKey: Uint8Array; keySalt: Uint8Array } => {
    const rekey = utils.getStruct(0, Pair, utils.getStruct(1, Union, opened(packed).getRoot(Pair)));
    return { dhPublicKey: takeBytes(0, 4, rekey), keySalt: takeBytes(1, 4, rekey) };
  },
};

export const oracleExchangeDh = {
  write: (fields: readonly Uint8Array[]): Uint8Array => {
    const message = new Message();
    const root = message.initRoot(DhMessage);
    fields.forEach((bytes, at) => {
      putBytes(at, bytes, root);
    });
    return written(message);
  },
  read: (packed: Uint8Array): readonly Uint8Array[] => {
    const root = opened(packed).getRoot(DhMessage);
    return ([4, 2, 4, 8] as const).map((words, at) => takeBytes(at, words, root));
  },
};

export const oracleRandNonce = {
  write: (randNonce: Uint8Array, src: Uint8Array, dest: Uint8Array | undefined): Uint8Array => {
    const message = new Message();
    const root = message.initRoot(RandNonceMessage);
    putBytes(0, randNonce, root);
    putBytes(1, src, root);
    if (dest !== undefined) {
      utils.setUint16(0, 1, root);
      putBytes(2, dest, root);
    }
    return written(message);
  },
};
