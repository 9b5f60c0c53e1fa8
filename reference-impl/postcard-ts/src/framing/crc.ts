import type { Codec } from '../codec/codec.ts';
import { PostcardError } from '../postcard-error.ts';

/** A cyclic redundancy check by its parameters, as the catalogue of parametrised CRC algorithms lists them. */
export type CrcAlgorithm = {
  readonly bits: number;
  readonly poly: bigint;
  readonly init: bigint;
  readonly refin: boolean;
  readonly refout: boolean;
  readonly xorout: bigint;
};

const algorithm = (
  bits: number,
  poly: bigint,
  init: bigint,
  reflected: boolean,
  xorout: bigint,
): CrcAlgorithm => ({ bits, poly, init, refin: reflected, refout: reflected, xorout });

/** Well-known algorithms, by the names the `crc` crate gives them. */
export const CRC = {
  CRC_8_SMBUS: algorithm(8, 0x07n, 0n, false, 0n),
  CRC_8_BLUETOOTH: algorithm(8, 0xa7n, 0n, true, 0n),
  CRC_16_XMODEM: algorithm(16, 0x1021n, 0n, false, 0n),
  CRC_16_MODBUS: algorithm(16, 0x8005n, 0xffffn, true, 0n),
  CRC_16_IBM_SDLC: algorithm(16, 0x1021n, 0xffffn, true, 0xffffn),
  CRC_32_ISCSI: algorithm(32, 0x1edc6f41n, 0xffff_ffffn, true, 0xffff_ffffn),
  CRC_32_ISO_HDLC: algorithm(32, 0x04c11db7n, 0xffff_ffffn, true, 0xffff_ffffn),
  CRC_32_BZIP2: algorithm(32, 0x04c11db7n, 0xffff_ffffn, false, 0xffff_ffffn),
  CRC_64_ECMA_182: algorithm(64, 0x42f0e1eba9ea3693n, 0n, false, 0n),
  CRC_64_XZ: algorithm(64, 0x42f0e1eba9ea3693n, (1n << 64n) - 1n, true, (1n << 64n) - 1n),
  CRC_82_DARC: algorithm(82, 0x308c0111011401440411n, 0n, true, 0n),
} as const satisfies Readonly<Record<string, CrcAlgorithm>>;

const reversed = (value: bigint, bits: number): bigint => {
  let out = 0n;
  for (let i = 0; i < bits; i++) if ((value >> BigInt(i)) & 1n) out |= 1n << BigInt(bits - 1 - i);
  return out;
};

/** The register is kept reflected, whatever the algorithm: then every width is stepped by shifting right. */
const tableOf = ({ bits, poly }: CrcAlgorithm): readonly bigint[] => {
  const taps = reversed(poly, bits);
  return Array.from({ length: 256 }, (_, low) => {
    let register = BigInt(low);
    for (let i = 0; i < 8; i++) register = register & 1n ? (register >> 1n) ^ taps : register >> 1n;
    return register;
  });
};

type Step = (bytes: Uint8Array) => bigint;
const steps = new WeakMap<CrcAlgorithm, Step>();

const stepOf = (of: CrcAlgorithm): Step => {
  const table = tableOf(of);
  const init = reversed(of.init, of.bits);
  // bits of a byte enter in the order of refin
  const order = Uint8Array.from({ length: 256 }, (_, byte) =>
    of.refin ? byte : Number(reversed(BigInt(byte), 8)),
  );
  const finish = (register: bigint): bigint =>
    (of.refout ? register : reversed(register, of.bits)) ^ of.xorout;
  if (of.bits <= 32) {
    const small = Uint32Array.from(table, Number);
    return (bytes) => {
      let register = Number(init);
      for (const byte of bytes)
        register = (small[(register ^ (order[byte] as number)) & 255] as number) ^ (register >>> 8);
      return finish(BigInt(register >>> 0));
    };
  }
  return (bytes) => {
    let register = init;
    for (const byte of bytes)
      register = (table[Number(register & 255n) ^ (order[byte] as number)] as bigint) ^ (register >> 8n);
    return finish(register);
  };
};

/** The checksum of bytes. */
export const crcOf = (bytes: Uint8Array, of: CrcAlgorithm): bigint => {
  let step = steps.get(of);
  if (step === undefined) {
    step = stepOf(of);
    steps.set(of, step);
  }
  return step(bytes);
};

/** Bytes of a checksum on the wire: the unsigned integer that holds it, little-endian. */
export const crcLength = ({ bits }: CrcAlgorithm): number => {
  for (const bytes of [1, 2, 4, 8]) if (bits <= bytes * 8) return bytes;
  return 16;
};

/** A body followed by its checksum: postcard's CRC flavour. */
export const appendCrc = (body: Uint8Array, of: CrcAlgorithm): Uint8Array => {
  const framed = new Uint8Array(body.length + crcLength(of));
  framed.set(body);
  let rest = crcOf(body, of);
  for (let at = body.length; at < framed.length; at++, rest >>= 8n) framed[at] = Number(rest & 255n);
  return framed;
};

/** A value followed by the checksum of its bytes. @throws PostcardError as encode */
export const encodeCrc = <T>(codec: Codec<T>, value: T, of: CrcAlgorithm): Uint8Array =>
  appendCrc(codec.encode(value), of);

/**
 * Reads a value and the checksum right behind it.
 * @returns the value and the offset after the checksum
 * @throws PostcardError DeserializeBadCrc, DeserializeUnexpectedEnd and those of decode
 */
export const decodeCrc = <T>(
  codec: Codec<T>,
  bytes: Uint8Array,
  of: CrcAlgorithm,
): { value: T; end: number } => {
  const { value, end: bodyEnd } = codec.decodePrefix(bytes);
  const end = bodyEnd + crcLength(of);
  if (end > bytes.length)
    throw new PostcardError({
      kind: 'DeserializeUnexpectedEnd',
      path: '',
      offset: bodyEnd,
      expected: `a checksum of ${crcLength(of)} bytes`,
      got: `${bytes.length - bodyEnd} bytes`,
    });
  const wanted = crcOf(bytes.subarray(0, bodyEnd), of);
  let got = 0n;
  for (let at = end - 1; at >= bodyEnd; at--) got = (got << 8n) | BigInt(bytes[at] as number);
  if (got !== wanted)
    throw new PostcardError({
      kind: 'DeserializeBadCrc',
      path: '',
      offset: bodyEnd,
      expected: wanted.toString(16),
      got: got.toString(16),
    });
  return { value, end };
};
