/** The golden data of the wire format, read when a case first asks for it. */
import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../../../reference-impl/postcard-ts/vectors/', import.meta.url);

export type Field = { readonly name: string; readonly schema: Schema };
export type Variant = {
  readonly name?: string;
  readonly newtype?: Schema;
  readonly tuple?: readonly Schema[];
  readonly struct?: readonly Field[];
  readonly repeat?: number;
  readonly prefix?: string;
};
/** The schema language of the kit (README.md of this folder). */
export type Schema =
  | string
  | {
      readonly type: string;
      readonly name?: string;
      readonly of?: Schema;
      readonly len?: number;
      readonly items?: readonly Schema[];
      readonly key?: Schema;
      readonly value?: Schema;
      readonly fields?: readonly Field[];
      readonly variants?: readonly Variant[];
    };

export type ValueVector = {
  /** `group/detail`. */
  readonly name: string;
  readonly schema: Schema;
  readonly value: unknown;
  readonly hex: string;
};

export type InvalidVector = {
  readonly name: string;
  readonly schema: Schema;
  readonly hex: string;
  readonly expect: 'ok' | 'error';
  /** How binding the outcome is: fixed by the format, a choice of the crate's, or only to be survived. */
  readonly class: 'spec' | 'crate' | 'robust';
  readonly rustError: string | null;
  readonly consumed: number | null;
  readonly value?: unknown;
};

type Verdict = { readonly expect: 'ok' | 'error'; readonly value?: unknown };

export type FramedVector = {
  readonly name: string;
  readonly kind:
    | 'cobs-encode'
    | 'cobs-decode'
    | 'crc-algorithm'
    | 'crc-encode'
    | 'crc-decode'
    | 'accumulator';
  readonly schema: Schema;
  readonly body: string | null;
  readonly frame: string;
  readonly alternative?: string;
  readonly cobsError: string | null;
  readonly fromBytesCobs: Verdict;
  readonly algorithm: string;
  readonly framed: string;
  readonly expect: 'ok' | 'error';
  readonly value?: unknown;
  readonly remaining?: string;
  readonly capacity: number;
  readonly chunks: readonly string[];
  readonly events: readonly { readonly result: string; readonly value?: unknown }[];
};

const cache = new Map<string, readonly unknown[]>();

const load = <Vector>(name: string): readonly Vector[] => {
  const known = cache.get(name) as readonly Vector[] | undefined;
  if (known !== undefined) return known;
  const read = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as readonly Vector[];
  cache.set(name, read);
  return read;
};

/** @throws Error when the data is not there: the gate needs a checkout, not a package */
export const values = (): readonly ValueVector[] => load('values');
export const measurements = (): readonly ValueVector[] => load('measurement');
export const invalid = (): readonly InvalidVector[] => load('invalid');
export const framed = (): readonly FramedVector[] => load('framed');
