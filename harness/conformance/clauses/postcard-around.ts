import type { Clause } from './clause.ts';

const CRATE = 'the postcard crate (jamesmunns/postcard 1.1.3)';
const KIT = 'the kit (suites/postcard/README.md)';

/** Around the format: choices of the crate, attacks, framing, and the conversation with an adapter. */
export const POSTCARD_AROUND_CLAUSES: readonly Clause[] = [
  {
    id: 'POSTCARD-CRATE-1',
    level: 'MUST',
    title: 'what the crate chose is not chosen otherwise',
    requires:
      'Where the specification is silent and the crate reads something, a reader refuses it, or reads the same.',
    source: `${CRATE}: "from_bytes" and "take_from_bytes" as they are; refusing is stricter, reading otherwise is another format`,
    wire: 'char 02 61 62 is a, or an error',
    breaks: ['several scalars read as a string in place of a char'],
  },
  {
    id: 'POSTCARD-CRATE-2',
    level: 'SHOULD',
    title: 'what the crate reads is read',
    requires: 'Where the specification is silent, a reader reads what the crate reads.',
    source: 'so that no peer of the crate is cut off by a stricter end; nothing obliges it',
    wire: 'u8: 07 08 09 is 7, two bytes left over',
    breaks: ['bytes behind a value refused', 'a limit of depth below 100'],
  },
  {
    id: 'POSTCARD-ROBUST-1',
    level: 'MUST',
    title: 'lengths are checked before memory is taken',
    requires: 'No length makes a reader crash, hang, or take memory without bound.',
    source: `${KIT}: a codec for strangers' input answers every input: within 10 s, in 2 GiB`,
    wire: 'ff ff ff ff ff ff ff ff ff 01 as the length of a string',
    breaks: ['a buffer of the announced length allocated first'],
  },
  {
    id: 'POSTCARD-ROBUST-2',
    level: 'MUST',
    title: 'depth is bounded',
    requires: 'No nesting makes a reader crash or hang.',
    source: `${KIT}: a codec for strangers' input answers every input`,
    wire: '01 a thousand times: a list in a list in a list',
    breaks: ['the stack overflows'],
  },
  {
    id: 'POSTCARD-ROBUST-3',
    level: 'SHOULD',
    title: 'items without bytes are bounded',
    requires:
      'No count of items that take no bytes makes a reader crash, hang, or take memory without bound.',
    source:
      'no sentence of the specification obliges it, and the reference crate counts them; a codec for strangers needs it',
    wire: '80 80 80 80 80 20 as the length of a sequence of unit',
    breaks: ['it counts to 2^40 (postcard 1.1.3 with types other than unit)', 'an array of that length'],
  },
  {
    id: 'POSTCARD-COBS-1',
    level: 'MUST',
    title: 'frames are COBS with a zero behind',
    requires:
      'A frame is the body in COBS and 00; whether a last full block of 254 is followed by 01 is open.',
    source: `${CRATE}: "to_allocvec_cobs"`,
    wire: '00: 01 01 00',
    breaks: ['blocks of 255', 'a zero forgotten at the end'],
  },
  {
    id: 'POSTCARD-COBS-2',
    level: 'MUST',
    title: 'frames are read to their first zero',
    requires:
      'A frame is read back to its body, in both forms of a full last block; what is no COBS is refused.',
    source: `${CRATE}: "from_bytes_cobs"`,
    wire: '05 01 00: an error',
    breaks: ['a code beyond the end read as what is there', 'the 01 behind 254 bytes read as a zero'],
  },
  {
    id: 'POSTCARD-CRC-1',
    level: 'MUST',
    title: 'a checksum follows the value',
    requires: 'The checksum of the bytes of the value stands behind them, little-endian.',
    source: `${CRATE}: "to_stdvec_crc32" and its like of other widths`,
    wire: '"123456789" with CRC-32/ISCSI: ... 83 92 06 e3',
    breaks: ['big-endian', 'reflection mixed up'],
  },
  {
    id: 'POSTCARD-CRC-2',
    level: 'MUST',
    title: 'a wrong checksum is refused',
    requires: 'A value is read only if the checksum behind it is right.',
    source: `${CRATE}: "from_bytes_crc32": DeserializeBadCrc`,
    wire: 'one bit flipped: an error',
    breaks: ['the checksum skipped', 'a missing one taken for 0'],
  },
  {
    id: 'POSTCARD-ACC-1',
    level: 'MUST',
    title: 'an accumulator finds frames in any segmentation',
    requires:
      'Frames fed in pieces, or several at once, give the same values in order, a damaged one an error, and one too long an overflow.',
    source: `${CRATE}: "CobsAccumulator"`,
    wire: '03 0a | 14 00 03: one value, one frame begun',
    breaks: ['the bytes behind a frame lost', 'an overflow not told'],
  },
  {
    id: 'POSTCARD-KIT-1',
    level: 'MUST',
    title: 'requests are answered one by one',
    requires: "Each request is answered by one line of JSON with the request's id.",
    source: `${KIT}: adapters answer {"id": n, ...} to {"id": n, ...}`,
    wire: '{"id":7,"op":"encode",...} -> {"id":7,"hex":"01"}',
    breaks: ['the answer of the request before', 'text of a library on standard output'],
  },
  {
    id: 'POSTCARD-KIT-2',
    level: 'MUST',
    title: 'requests do not know of each other',
    requires: 'An answer depends on its request alone.',
    source: `${KIT}: a codec has no memory: the same bytes are the same value`,
    wire: 'decode, decode again: the same value',
    breaks: ['a buffer used again before it is read', 'a cache keyed by less than it depends on'],
  },
];
