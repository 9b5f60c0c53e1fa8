/** COBS, checksums and the accumulator as requests: the crate's, around the format and no part of its specification. */
import { type Answer, type Ask, type Found, HELD, wrong } from './asking.ts';
import { judgeHex, judgeValue } from './codec-asks.ts';
import { compared, shownJson } from './same-value.ts';
import { featuresOf } from './schema-features.ts';
import { type FramedVector, framed } from './vectors.ts';

const withFeature = (name: string, { schema }: FramedVector): ReadonlySet<string> =>
  new Set([name, ...(schema === undefined ? [] : featuresOf(schema))]);

const refused = (answer: Answer): Found | undefined =>
  typeof answer.error === 'string'
    ? { type: 'stricter', text: `the crate reads it, this refuses: ${answer.error}` }
    : undefined;

const mustRefuse = ({ error, hex, value }: Answer): Found =>
  typeof error === 'string' ? HELD : wrong(`expected an error, got ${shownJson({ hex, value })}`);

/** The crate's frame, or the one its COBS library writes by itself: both decode to the same body. */
export const cobsEncodeAsk = (vector: FramedVector): Ask => ({
  name: vector.name,
  request: { op: 'cobs-encode', body: vector.body },
  features: new Set(['cobs']),
  judge: (answer) =>
    answer.hex !== undefined && answer.hex === vector.alternative ? HELD : judgeHex(answer, vector.frame),
});

/** An empty frame, or one without its terminator, may be refused. */
const isLoose = ({ frame }: FramedVector): boolean => {
  const bytes = Buffer.from(frame, 'hex');
  return bytes[0] === 0 || !bytes.includes(0);
};

/** The bare frame, and a value read out of it. */
export const cobsDecodeAsks = (vector: FramedVector): readonly Ask[] => [
  {
    name: vector.name,
    request: { op: 'cobs-decode', hex: vector.frame },
    features: new Set(['cobs']),
    judge: (answer) => {
      if (vector.cobsError !== null) return mustRefuse(answer);
      return (isLoose(vector) ? refused(answer) : undefined) ?? judgeHex(answer, vector.body ?? '');
    },
  },
  {
    name: vector.name,
    request: { op: 'cobs-decode', schema: vector.schema, hex: vector.frame },
    features: withFeature('cobs', vector),
    judge: (answer) => {
      const { expect, value } = vector.fromBytesCobs;
      if (expect === 'error') return mustRefuse(answer);
      return refused(answer) ?? judgeValue(answer, vector.schema, value, undefined);
    },
  },
];

/** The parameters of an algorithm, as every CRC library takes them. */
const algorithmOf = (name: string): unknown => {
  const found = framed().find((one) => one.kind === 'crc-algorithm' && one.algorithm === name);
  if (found === undefined) throw new Error(`the vectors describe no ${name}`);
  const { bits, poly, init, refin, refout, xorout, check } = found as unknown as Record<string, unknown>;
  return { name, bits, poly, init, refin, refout, xorout, check };
};

export const crcEncodeAsk = (vector: FramedVector): Ask => ({
  name: vector.name,
  request: { op: 'crc-encode', algorithm: algorithmOf(vector.algorithm), body: vector.body },
  features: new Set(['crc']),
  judge: (answer) => judgeHex(answer, vector.framed),
});

export const crcDecodeAsk = (vector: FramedVector): Ask => ({
  name: vector.name,
  request: {
    op: 'crc-decode',
    ...{ algorithm: algorithmOf(vector.algorithm), schema: vector.schema, hex: vector.framed },
  },
  features: withFeature('crc', vector),
  judge: (answer) => {
    if (vector.expect === 'error') return mustRefuse(answer);
    const loose = (vector.remaining ?? '') === '' ? undefined : refused(answer);
    return loose ?? judgeValue(answer, vector.schema, vector.value, undefined);
  },
});

/** What of the events counts: not that bytes were taken, and nothing behind an overflow. */
const counting = (events: FramedVector['events']): FramedVector['events'] => {
  const said = events.filter(({ result }) => result !== 'consumed');
  const overflow = said.findIndex(({ result }) => result === 'overfull');
  return overflow < 0 ? said : said.slice(0, overflow + 1);
};

export const accumulateAsk = (vector: FramedVector): Ask => ({
  name: vector.name,
  request: {
    op: 'accumulate',
    ...{ schema: vector.schema, capacity: vector.capacity, chunks: vector.chunks },
  },
  features: withFeature('accumulator', vector),
  judge: (answer) => {
    if (!Array.isArray(answer.events)) return wrong(`expected events, got ${shownJson(answer)}`);
    const want = counting(vector.events);
    const got = counting(answer.events as FramedVector['events']);
    const names = (events: FramedVector['events']): string => events.map(({ result }) => result).join(', ');
    if (names(want) !== names(got))
      return wrong(`expected ${names(want) || 'nothing'}, got ${names(got) || 'nothing'}`);
    for (const [i, { result, value }] of want.entries()) {
      if (result !== 'success') continue;
      const { differs } = compared(vector.schema, value, got[i]?.value);
      if (differs !== undefined) return wrong(`event ${i}: ${differs}`);
    }
    return HELD;
  },
});
