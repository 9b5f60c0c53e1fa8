/** What a schema is made of, and what of that an implementation may do without. */
import type { Schema } from './vectors.ts';

/** Types that a useful implementation may lack when it says so; everything else is core. */
export const EXTENDED: ReadonlySet<string> = new Set(['u128', 'i128', 'usize', 'isize', 'def']);

const known = new WeakMap<object, ReadonlySet<string>>();

/** The types in it by name; a recursive one has `def`. */
export const featuresOf = (schema: Schema): ReadonlySet<string> => {
  if (typeof schema === 'string') return new Set([schema]);
  const had = known.get(schema);
  if (had !== undefined) return had;
  const found = new Set<string>();
  const walk = (at: Schema): void => {
    if (typeof at === 'string') {
      found.add(at);
      return;
    }
    found.add(at.type === 'ref' ? 'def' : at.type);
    const inside: readonly (Schema | undefined)[] = [at.of, at.key, at.value];
    for (const one of inside) if (one !== undefined) walk(one);
    for (const one of at.items ?? []) walk(one);
    for (const { schema: one } of at.fields ?? []) walk(one);
    for (const { newtype, tuple, struct } of at.variants ?? []) {
      if (newtype !== undefined) walk(newtype);
      for (const one of tuple ?? []) walk(one);
      for (const { schema: one } of struct ?? []) walk(one);
    }
  };
  walk(schema);
  known.set(schema, found);
  return found;
};
