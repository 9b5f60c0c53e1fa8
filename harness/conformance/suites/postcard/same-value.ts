/**
 * Whether an adapter's JSON is the value a vector has. Exact, with what the kit leaves open: pairs of a map in any order, the
 * last of equal keys; no payload and a payload of unit; a signalling NaN that came back quieted, or a NaN
 * with another sign (ECMA-262 leaves the bits of a NaN open, and an engine that optimises a loop may change its sign).
 */
import type { Schema, Variant } from './vectors.ts';

type Scope = { readonly name: string; readonly of: Schema; readonly outer: Scope } | undefined;

/** A difference, or the note that a NaN was quieted or changed its sign. */
export type Comparison = { readonly differs: string | undefined; readonly quieted: boolean };

const SHOWN_CHARS = 120;

/** What a reader would not see, or take for something else. */
const INVISIBLE = /[\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff0-\uffff]/g;

/** JSON for a line of a report, bounded. */
export const shownJson = (value: unknown): string => {
  const text = (JSON.stringify(value) ?? 'nothing').replace(
    INVISIBLE,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}...` : text;
};

/** JSON with the keys of objects in one order. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** What arithmetic units and engines may make of a NaN that is only passed on: the quiet bit set, the sign another; never its payload. */
const isPassedOn = (want: string, got: string): boolean => {
  if (want.length !== got.length || !/^0x[\da-f]+$/.test(got)) return false;
  const [sign, exponent, quiet] =
    want.length > 10
      ? [0x8000000000000000n, 0x7ff0000000000000n, 0x0008000000000000n]
      : [0x80000000n, 0x7f800000n, 0x00400000n];
  const number = BigInt(want);
  const isNan = (number & exponent) === exponent && (number & (quiet * 2n - 1n)) !== 0n;
  return isNan && ((number | quiet) & ~sign) === (BigInt(got) & ~sign);
};

type Payload = Schema | undefined;

/** The payload of the variant called `name`. */
const payloadOf = (variants: readonly Variant[], name: string): Payload => {
  const found = variants.find((variant) => variant.name === name);
  if (found?.newtype !== undefined) return found.newtype;
  if (found?.tuple !== undefined) return { type: 'tuple', items: found.tuple };
  if (found?.struct !== undefined) return { type: 'struct', fields: found.struct };
  return undefined;
};

class Comparing {
  quieted = false;

  /** The first difference, `path: expected ..., got ...`. */
  differs(schema: Schema, want: unknown, got: unknown, path: string, scope: Scope): string | undefined {
    if (typeof schema === 'string') return this.#plain(schema, want, got, path);
    const { of = 'unit', items = [] } = schema;
    switch (schema.type) {
      case 'unit_struct':
        return got === null || got === undefined ? undefined : this.#wrong(path, null, got);
      case 'newtype':
        return this.differs(of, want, got, path, scope);
      case 'def':
        return this.differs(of, want, got, path, { name: schema.name ?? '', of, outer: scope });
      case 'ref':
        return this.#ref(schema.name ?? '', want, got, path, scope);
      case 'option':
        return this.#option(of, want, got, path, scope);
      case 'seq':
      case 'array':
        return this.#list(() => of, want, got, path, scope);
      case 'tuple':
      case 'tuple_struct':
        return this.#list((i) => items[i] ?? 'unit', want, got, path, scope);
      case 'map':
        return this.#map([schema.key ?? 'unit', schema.value ?? 'unit'], want, got, path, scope);
      case 'struct':
        return this.#struct(schema, want, got, path, scope);
      case 'enum':
        return this.#enum(schema.variants ?? [], want, got, path, scope);
      default:
        throw new Error(`a vector has the type ${schema.type}, which nobody knows`);
    }
  }

  #wrong(path: string, want: unknown, got: unknown): string {
    return `${path === '' ? '' : `at ${path}: `}expected ${shownJson(want)}, got ${shownJson(got)}`;
  }

  #plain(type: string, want: unknown, got: unknown, path: string): string | undefined {
    if (type === 'unit') return got === null || got === undefined ? undefined : this.#wrong(path, null, got);
    if (want === got) return undefined;
    if ((type === 'f32' || type === 'f64') && typeof got === 'string' && isPassedOn(want as string, got)) {
      this.quieted = true;
      return undefined;
    }
    return this.#wrong(path, want, got);
  }

  #ref(name: string, want: unknown, got: unknown, path: string, scope: Scope): string | undefined {
    let found = scope;
    while (found !== undefined && found.name !== name) found = found.outer;
    if (found === undefined) throw new Error(`a vector refers to ${name}, which no def names`);
    return this.differs(found.of, want, got, path, found);
  }

  #option(of: Schema, want: unknown, got: unknown, path: string, scope: Scope): string | undefined {
    if (want === null) return got === null ? undefined : this.#wrong(path, want, got);
    if (typeof got !== 'object' || got === null || !Object.hasOwn(got, 'some'))
      return this.#wrong(path, want, got);
    const inner = [want, got].map((option) => (option as { readonly some: unknown }).some);
    return this.differs(of, inner[0], inner[1], `${path}?`, scope);
  }

  #list(
    of: (i: number) => Schema,
    want: unknown,
    got: unknown,
    path: string,
    scope: Scope,
  ): string | undefined {
    const wanted = want as readonly unknown[];
    if (!Array.isArray(got) || got.length !== wanted.length) return this.#wrong(path, want, got);
    for (let i = 0; i < wanted.length; i++) {
      const found = this.differs(of(i), wanted[i], got[i], `${path}[${i}]`, scope);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #map(
    [key, value]: readonly [Schema, Schema],
    want: unknown,
    got: unknown,
    path: string,
    scope: Scope,
  ): string | undefined {
    if (!Array.isArray(got) || got.some((pair) => !Array.isArray(pair) || pair.length !== 2))
      return this.#wrong(path, want, got);
    const byKey = (pairs: readonly (readonly [unknown, unknown])[]) =>
      new Map(pairs.map((pair) => [canonical(pair[0] ?? null), pair]));
    const wanted = byKey(want as readonly (readonly [unknown, unknown])[]);
    const had = byKey(got as readonly (readonly [unknown, unknown])[]);
    if (wanted.size !== had.size) return this.#wrong(path, want, got);
    for (const [name, pair] of wanted) {
      const other = had.get(name);
      if (other === undefined) return this.#wrong(path, want, got);
      const found =
        this.differs(key, pair[0], other[0], `${path} key ${name}`, scope) ??
        this.differs(value, pair[1], other[1], `${path}{${name}}`, scope);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #struct(
    schema: Exclude<Schema, string>,
    want: unknown,
    got: unknown,
    path: string,
    scope: Scope,
  ): string | undefined {
    const { fields = [] } = schema;
    if (typeof got !== 'object' || got === null || Array.isArray(got)) return this.#wrong(path, want, got);
    const extra = Object.keys(got).find((name) => !fields.some((field) => field.name === name));
    if (extra !== undefined) return this.#wrong(`${path}.${extra}`, undefined, got);
    for (const { name, schema: of } of fields) {
      // a field called __proto__ is a field
      const [wanted, had] = [want, got].map((object) => Object.getOwnPropertyDescriptor(object, name)?.value);
      const found = this.differs(of, wanted, had, `${path}.${name}`, scope);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #enum(
    variants: readonly Variant[],
    want: unknown,
    got: unknown,
    path: string,
    scope: Scope,
  ): string | undefined {
    const wanted = want as { readonly variant: string; readonly value?: unknown };
    const had = got as typeof wanted;
    if (typeof got !== 'object' || got === null || had.variant !== wanted.variant)
      return this.#wrong(path, want, got);
    const payload = payloadOf(variants, wanted.variant);
    const inside = `${path}<${wanted.variant}>`;
    return this.differs(payload ?? 'unit', wanted.value ?? null, had.value ?? null, inside, scope);
  }
}

/** @param got what the adapter answered under `value` */
export const compared = (schema: Schema, want: unknown, got: unknown): Comparison => {
  const comparing = new Comparing();
  const differs = comparing.differs(schema, want, got, '', undefined);
  return { differs, quieted: comparing.quieted };
};
