import { readFileSync } from 'node:fs';
import t from 'tap';
import { codecsOf, MODES, type Mode } from '../testing/modes.ts';
import { comparable, fromJson, toJson, type VectorSchema, vectorSchema } from '../testing/vector-schema.ts';
import { type Codec, PostcardError, type Schema } from './index.ts';
import { maxSize } from './schema/bounds.ts';

type Case = {
  readonly name: string;
  readonly schema: VectorSchema;
  readonly value: never;
  readonly hex: string;
  readonly tags?: readonly string[];
  readonly frameHeader?: string;
  readonly expect: 'ok' | 'error';
  readonly class: 'spec' | 'crate' | 'robust';
  readonly rustError: string | null;
  readonly consumed: number | null;
  readonly canonical?: string;
  readonly maxSize: number | null;
};

const load = (name: string): readonly Case[] =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

type Prepared = { readonly one: Case; readonly schema: Schema<unknown>; readonly codec: Codec<unknown> };

const prepare = async (mode: Mode, cases: readonly Case[], depth = 10_001): Promise<readonly Prepared[]> => {
  const schemas = new Map<string, Schema<unknown>>();
  for (const { schema } of cases) schemas.set(JSON.stringify(schema), vectorSchema(schema));
  const keys = [...schemas.keys()];
  const codecs = await codecsOf(mode, [...schemas.values()], { limits: { depth } });
  return cases.map((one) => {
    const key = JSON.stringify(one.schema);
    return {
      one,
      schema: schemas.get(key) as Schema<unknown>,
      codec: codecs[keys.indexOf(key)] as Codec<unknown>,
    };
  });
};

/** The crate's names and ours, where they differ: serde's derived code says "custom" for an unknown variant. */
const KINDS: Readonly<Record<string, string>> = { SerdeDeCustom: 'DeserializeBadEnum' };

for (const mode of MODES) {
  t.test(`${mode}: every value of the golden data is written and read exactly`, async (t) => {
    const cases = [...load('values'), ...load('measurement')];
    let passed = 0;
    for (const { one, schema, codec } of await prepare(mode, cases)) {
      const value = fromJson(schema.node, one.value);
      const written = hex(codec.encode(value));
      const signalling = one.tags?.includes('signalling-nan') === true;
      if (written !== one.hex && !signalling) t.equal(written, one.hex, one.name);
      const back = codec.decode(bytes(one.hex));
      const same = JSON.stringify(comparable(toJson(schema.node, back)));
      const wanted = JSON.stringify(comparable(one.value));
      if (same !== wanted && !signalling) t.equal(same, wanted, one.name);
      if (codec.size(value) !== one.hex.length / 2) t.fail(`size of ${one.name}`);
      if (one.frameHeader !== undefined)
        t.equal(hex(codec.encodeFrame(value)), one.frameHeader + one.hex, one.name);
      passed++;
    }
    t.equal(passed, cases.length, `${passed} cases`);
  });

  t.test(`${mode}: invalid input is refused as the crate refuses it, legal input accepted`, async (t) => {
    const cases = load('invalid');
    for (const { one, schema, codec } of await prepare(mode, cases, 128)) {
      const input = bytes(one.hex);
      try {
        const { value, end } = codec.decodePrefix(input);
        if (one.class === 'spec' && one.expect === 'error') t.fail(`${one.name} was accepted`);
        if (one.expect === 'ok' && one.consumed !== null && end !== one.consumed)
          t.equal(end, one.consumed, one.name);
        if (one.expect === 'ok' && one.value !== undefined && !/dup|signalling/.test(one.name))
          t.same(comparable(toJson(schema.node, value)), comparable(one.value), one.name);
      } catch (error) {
        if (!(error instanceof PostcardError)) throw error;
        if (one.class !== 'spec') continue;
        if (one.expect === 'ok') t.fail(`${one.name} was refused: ${error.message}`);
        else {
          const wanted = KINDS[one.rustError ?? ''] ?? one.rustError;
          // the crate has no depth limit, so it reads on to where these end
          const isDepth = one.name.startsWith('depth/') && error.kind === 'LimitDepth';
          if (error.kind !== wanted && !isDepth) t.equal(error.kind, wanted, one.name);
        }
      }
    }
    t.ok(cases.length > 1300, `${cases.length} cases`);
  });
}

t.test("chars: 'first' reads what the crate reads", async (t) => {
  const cases = load('invalid').filter(({ name, expect }) => name.startsWith('char/') && expect === 'ok');
  for (const mode of MODES) {
    const codecs = await codecsOf(
      mode,
      cases.map(({ schema }) => vectorSchema(schema)),
      { chars: 'first' },
    );
    cases.forEach((one, i) => {
      const { value, end } = (codecs[i] as Codec<unknown>).decodePrefix(bytes(one.hex));
      t.same([value, end], [one.value, one.consumed], `${mode} ${one.name}`);
    });
  }
});

t.test('sizes without bound are told from those with one', async (t) => {
  for (const one of load('schema'))
    t.equal(maxSize(vectorSchema(one.schema).node), one.maxSize ?? undefined, one.name);
});
