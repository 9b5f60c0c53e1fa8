/** The profile of postcard codecs, behind an adapter that speaks the protocol of README.md. */
import type { AdapterContext, AdapterProfile, Case } from '../../case.ts';
import { type Ask, askAll } from './asking.ts';
import { decodeAsk, encodeAsk, invalidAsk, strictAsk } from './codec-asks.ts';
import { accumulateAsk, cobsDecodeAsks, cobsEncodeAsk, crcDecodeAsk, crcEncodeAsk } from './framing-asks.ts';
import { CRATE_GROUPS, INVALID_GROUPS, ROBUST_GROUPS, VALUE_GROUPS } from './groups.ts';
import { KIT_CASES } from './kit-cases.ts';
import { type FramedVector, framed, invalid, measurements, values } from './vectors.ts';

type AdapterCase = Case<AdapterContext>;

const group = (
  name: string,
  title: string,
  clause: string,
  asks: () => readonly Ask[],
  needs: readonly string[] = [],
): AdapterCase => ({ name, title, clause, needs, run: (it) => askAll(it, asks()) });

const framing = (
  kind: FramedVector['kind'],
  title: string,
  clause: string,
  asks: (vector: FramedVector) => readonly Ask[],
): AdapterCase =>
  group(
    `framing/${kind}`,
    title,
    clause,
    () => framed().flatMap((vector) => (vector.kind === kind ? asks(vector) : [])),
    ['framing'],
  );

const VALUES: readonly AdapterCase[] = VALUE_GROUPS.flatMap(({ name, what, clause, wants }) => [
  group(`encode/${name}`, `the bytes of ${what} are those of the crate`, clause, () =>
    values().filter(wants).map(encodeAsk),
  ),
  group(`decode/${name}`, `the values of ${what} are read from their bytes`, clause, () =>
    values().filter(wants).map(decodeAsk),
  ),
]);

const MEASUREMENTS: readonly AdapterCase[] = [
  group(
    'encode/measurement',
    "the bytes of a measurement relay's messages are those of the crate",
    'POSTCARD-NEST-2',
    () => measurements().map(encodeAsk),
  ),
  group(
    'decode/measurement',
    "a measurement relay's messages are read from their bytes",
    'POSTCARD-NEST-2',
    () => measurements().map(decodeAsk),
  ),
];

const INVALID: readonly AdapterCase[] = INVALID_GROUPS.map(({ name, title, clause, wants }) =>
  group(name, title, clause, () => invalid().filter(wants).map(invalidAsk)),
);

const CRATE: readonly AdapterCase[] = CRATE_GROUPS.flatMap(({ name, what, wants }) => [
  group(`crate/${name}`, `${what}: if it is read, then as the crate reads it`, 'POSTCARD-CRATE-1', () =>
    invalid().filter(wants).map(invalidAsk),
  ),
  group(
    `strict/${name}`,
    `${what}: read as the crate reads it`,
    'POSTCARD-CRATE-2',
    () => invalid().filter(wants).map(strictAsk),
    ['strict'],
  ),
]);

const FRAMING: readonly AdapterCase[] = [
  framing(
    'cobs-encode',
    'COBS frames are written as the crate or its COBS library does',
    'POSTCARD-COBS-1',
    (vector) => [cobsEncodeAsk(vector)],
  ),
  framing('cobs-decode', 'COBS frames are read, and damaged ones refused', 'POSTCARD-COBS-2', cobsDecodeAsks),
  framing('crc-encode', 'a checksum stands behind a value', 'POSTCARD-CRC-1', (vector) => [
    crcEncodeAsk(vector),
  ]),
  framing(
    'crc-decode',
    'a value is read if its checksum is right, and only then',
    'POSTCARD-CRC-2',
    (vector) => [crcDecodeAsk(vector)],
  ),
  framing('accumulator', 'frames are found however they arrive', 'POSTCARD-ACC-1', (vector) => [
    accumulateAsk(vector),
  ]),
];

// what may end the adapter comes last
const ROBUST: readonly AdapterCase[] = ROBUST_GROUPS.map(({ name, title, clause, wants }) =>
  group(name, title, clause, () => invalid().filter(wants).map(invalidAsk)),
);

export const POSTCARD: AdapterProfile = {
  name: 'postcard',
  role: 'adapter',
  summary: 'a postcard codec in any language, behind an adapter (suites/postcard/README.md)',
  capabilities: {
    full: 'u128, i128, usize, isize and recursive types, beyond the core',
    framing: 'COBS, checksums and the accumulator of the crate',
    strict: 'reads what the crate reads where the specification is silent',
  },
  cases: [...KIT_CASES, ...VALUES, ...MEASUREMENTS, ...INVALID, ...CRATE, ...FRAMING, ...ROBUST],
};
