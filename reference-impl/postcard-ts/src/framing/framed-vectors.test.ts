import { readFileSync } from 'node:fs';
import t from 'tap';
import { toJson, type VectorSchema, vectorSchema } from '../../testing/vector-schema.ts';
import {
  appendCrc,
  CobsAccumulator,
  CRC,
  type CrcAlgorithm,
  compile,
  crcLength,
  crcOf,
  decodeCobs,
  decodeCrc,
  encodeCobs,
  PostcardError,
} from '../index.ts';

type Verdict = { readonly expect: 'ok' | 'error'; readonly value?: unknown; readonly rustError?: string };
type Case = Verdict & {
  readonly name: string;
  readonly kind: string;
  readonly schema: VectorSchema;
  readonly body: string | null;
  readonly frame: string;
  readonly framed: string;
  readonly alternative?: string;
  readonly cobsError: string | null;
  readonly fromBytesCobs: Verdict;
  readonly algorithm: keyof typeof CRC;
  readonly check: string;
  readonly remaining: string;
  readonly capacity: number;
  readonly chunks: readonly string[];
  readonly events: readonly { readonly result: string; readonly value?: unknown }[];
};

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL('../../vectors/framed.json', import.meta.url), 'utf8'),
);
const of = (kind: string): readonly Case[] => cases.filter((one) => one.kind === kind);
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** A value as JSON, or the kind of the refusal. */
const outcome = (schema: VectorSchema, run: () => unknown): unknown => {
  try {
    return { value: toJson(vectorSchema(schema).node, run()) };
  } catch (thrown) {
    if (!(thrown instanceof PostcardError)) throw thrown;
    return { rustError: thrown.kind };
  }
};
const wanted = (verdict: Verdict): unknown =>
  verdict.expect === 'ok' ? { value: verdict.value } : { rustError: verdict.rustError };

t.test('COBS frames are those of the crate, and both its forms are read', async (t) => {
  for (const one of of('cobs-encode')) {
    t.equal(hex(encodeCobs(bytes(one.body ?? ''))), one.frame, one.name);
    t.equal(hex(decodeCobs(bytes(one.frame))), one.body, one.name);
    if (one.alternative !== undefined) t.equal(hex(decodeCobs(bytes(one.alternative))), one.body, one.name);
  }
});

t.test('COBS frames are refused where the crate refuses them', async (t) => {
  for (const one of of('cobs-decode')) {
    const body = outcome('bytes', () => decodeCobs(bytes(one.frame)));
    t.same(
      body,
      one.cobsError === null ? { value: one.body } : { rustError: 'DeserializeBadEncoding' },
      one.name,
    );
    const codec = compile(vectorSchema(one.schema), { trailing: 'ignore' });
    const read = outcome(one.schema, () => codec.decode(decodeCobs(bytes(one.frame))));
    t.same(read, wanted(one.fromBytesCobs), one.name);
  }
});

t.test('checksums of every algorithm are those of the crate', async (t) => {
  const text = new TextEncoder().encode('123456789');
  for (const one of of('crc-algorithm')) {
    t.equal(`0x${crcOf(text, CRC[one.algorithm]).toString(16)}`, one.check, one.name);
    const { bits, poly, init, refin, refout, xorout }: CrcAlgorithm = CRC[one.algorithm];
    const named = { bits, poly: BigInt(poly), init, refin, refout, xorout };
    const given = one as unknown as Record<string, string & boolean & number>;
    t.same(named, {
      ...{ bits: given.bits, refin: given.refin, refout: given.refout },
      ...{ poly: BigInt(given.poly ?? 0), init: BigInt(given.init ?? 0), xorout: BigInt(given.xorout ?? 0) },
    });
  }
  for (const one of of('crc-encode')) {
    t.equal(hex(appendCrc(bytes(one.body ?? ''), CRC[one.algorithm])), one.framed, one.name);
    t.ok(crcLength(CRC[one.algorithm]) <= 16);
  }
});

t.test('a value with its checksum is read or refused as the crate does', async (t) => {
  for (const one of of('crc-decode')) {
    const codec = compile(vectorSchema(one.schema));
    let left = '';
    const read = outcome(one.schema, () => {
      const { value, end } = decodeCrc(codec, bytes(one.framed), CRC[one.algorithm]);
      left = hex(bytes(one.framed).subarray(end));
      return value;
    });
    t.same(read, wanted(one), one.name);
    if (one.expect === 'ok') t.equal(left, one.remaining, one.name);
  }
});

t.test('the accumulator sees what the crate sees, except after an overflow', async (t) => {
  for (const one of of('accumulator')) {
    const codec = compile(vectorSchema(one.schema), { trailing: 'ignore' });
    const accumulator = new CobsAccumulator({ max: one.capacity });
    const events = one.chunks.flatMap((chunk) => accumulator.push(bytes(chunk)));
    const seen = events.map((event) => {
      if (event.type === 'bad-frame')
        return { result: event.error.kind === 'FrameTooLong' ? 'overfull' : 'deser_error' };
      const result = codec.safeDecode(event.body);
      return result.ok
        ? { result: 'success', value: toJson(vectorSchema(one.schema).node, result.value) }
        : { result: 'deser_error' };
    });
    const crate = one.events
      .filter(({ result }) => result !== 'consumed')
      .map(({ result, value }) => (value === undefined ? { result } : { result, value }));
    const overflows = crate.findIndex(({ result }) => result === 'overfull');
    if (overflows < 0) t.same(seen, crate, one.name);
    // ours skips the rest of an overlong frame, the crate reads it as another
    else t.same(seen.slice(0, overflows + 1), crate.slice(0, overflows + 1), one.name);
  }
});
