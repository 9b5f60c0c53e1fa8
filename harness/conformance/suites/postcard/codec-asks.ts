/** Vectors as requests to encode and to decode. */
import { type Answer, type Ask, type Found, HELD, wrong } from './asking.ts';
import { compared, shownJson } from './same-value.ts';
import { featuresOf } from './schema-features.ts';
import type { InvalidVector, Schema, ValueVector } from './vectors.ts';

const SHOWN_CHARS = 120;
const cut = (text: string): string =>
  text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}... (${text.length / 2} bytes)` : text;

const errorOf = ({ error, kind, skip }: Answer): string | undefined => {
  if (error !== undefined)
    return `refused: ${String(error)}${kind === undefined ? '' : ` (${String(kind)})`}`;
  return skip === undefined ? undefined : `skipped, which is no pass: ${String(skip)}`;
};

/** The answer says `hex`. */
export const judgeHex = (answer: Answer, want: string): Found => {
  const error = errorOf(answer);
  if (error !== undefined) return wrong(`expected ${cut(want)}, got ${error}`);
  if (typeof answer.hex !== 'string')
    return wrong(`expected hex, got an answer without: ${shownJson(answer)}`);
  return answer.hex === want ? HELD : wrong(`expected ${cut(want)}, got ${cut(answer.hex)}`);
};

/** The answer has the value, and says how many bytes it was read from where `consumed` is given. */
export const judgeValue = (
  answer: Answer,
  schema: Schema,
  want: unknown,
  consumed: number | null | undefined,
): Found => {
  const error = errorOf(answer);
  if (error !== undefined)
    return wrong(`expected ${want === undefined ? 'it to be read' : shownJson(want)}, got ${error}`);
  // a value that a vector leaves out is huge, or nested too deep to be written
  const { differs, quieted } =
    want === undefined ? { differs: undefined, quieted: false } : compared(schema, want, answer.value);
  if (differs !== undefined) return wrong(differs);
  if (consumed != null && answer.consumed !== consumed)
    return wrong(`expected ${consumed} bytes consumed, got ${shownJson(answer.consumed)}`);
  return { type: quieted ? 'quieted' : 'held' };
};

const isQuieted = (schema: Schema, hex: string, want: string): boolean => {
  const bits = (text: string): string => `0x${Buffer.from(text, 'hex').reverse().toString('hex')}`;
  return (schema === 'f32' || schema === 'f64') && compared(schema, bits(want), bits(hex)).quieted;
};

export const encodeAsk = ({ name, schema, value, hex }: ValueVector): Ask => ({
  name,
  request: { op: 'encode', schema, value },
  features: featuresOf(schema),
  judge: (answer) =>
    typeof answer.hex === 'string' && answer.hex.length === hex.length && isQuieted(schema, answer.hex, hex)
      ? { type: 'quieted' }
      : judgeHex(answer, hex),
});

export const decodeAsk = ({ name, schema, value, hex }: ValueVector): Ask => ({
  name,
  request: { op: 'decode', schema, hex },
  features: featuresOf(schema),
  judge: (answer) => judgeValue(answer, schema, value, hex.length / 2),
});

const judgeRefusal = (answer: Answer): Found => {
  if (typeof answer.error === 'string') return HELD;
  if (answer.skip !== undefined) return wrong(`skipped, which is no pass: ${String(answer.skip)}`);
  const { value, consumed } = answer;
  return wrong(`expected an error, got ${shownJson({ value, consumed })}`);
};

/** By its class: what the format fixes must be so, what the crate chose may be refused, an attack is only to be survived. */
export const invalidAsk = (vector: InvalidVector): Ask => {
  const { name, schema, hex, expect, value, consumed } = vector;
  const judge = (answer: Answer): Found => {
    if (vector.class === 'robust') return HELD;
    if (expect === 'error') return judgeRefusal(answer);
    if (vector.class === 'crate' && typeof answer.error === 'string')
      return { type: 'stricter', text: `the crate reads it, this refuses: ${answer.error}` };
    return judgeValue(answer, schema, value, consumed);
  };
  return { name, request: { op: 'decode', schema, hex }, features: featuresOf(schema), judge };
};

/** What the crate chose, as if it were obligatory. */
export const strictAsk = (vector: InvalidVector): Ask => {
  const { schema, value, consumed } = vector;
  return { ...invalidAsk(vector), judge: (answer) => judgeValue(answer, schema, value, consumed) };
};
