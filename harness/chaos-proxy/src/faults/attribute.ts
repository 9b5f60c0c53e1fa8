import { ChaosError } from '../chaos-error.ts';

/** One attribute of a fault: what is checked, and what help and README print. */
export type Attribute = {
  readonly name: string;
  readonly type: 'millis' | 'micros' | 'bytes' | 'rate' | 'ratio' | 'count' | 'word' | 'bytestring';
  /** Printed; `required`: must be given. */
  readonly standard: string;
  readonly words?: readonly string[];
  readonly least?: number;
  readonly note: string;
};

const SCALE: Record<string, Record<string, number>> = {
  millis: { '': 1, ms: 1, s: 1000, min: 60_000 },
  micros: { '': 1, us: 1, ms: 1000, s: 1_000_000 },
  bytes: { '': 1, b: 1, kb: 1000, mb: 1e6, kib: 1024, mib: 1_048_576 },
  rate: {
    '': 1,
    kb: 1000,
    mb: 1e6,
    kib: 1024,
    mib: 1_048_576,
    kbit: 125,
    mbit: 125_000,
    gbit: 125_000_000,
  },
  ratio: { '': 1, '%': 0.01 },
  count: { '': 1 },
};
const EXPECTED: Record<string, string> = {
  millis: 'milliseconds (60, 60ms, 1.5s, 2min)',
  micros: 'microseconds (500, 500us, 2ms)',
  bytes: 'bytes (1460, 64KiB, 1MB)',
  rate: 'bytes per second (125000, 100KB, 12Mbit)',
  ratio: 'a ratio from 0 to 1 (0.01, 1%)',
  count: 'a whole number',
};

/** The value of an attribute out of JSON or command line text. @throws ChaosError ATTRIBUTE_VALUE */
export const readAttribute = (where: string, attribute: Attribute, value: unknown): number | string => {
  const wrong = (expected: string, hint: string): ChaosError =>
    new ChaosError('ATTRIBUTE_VALUE', {
      expected: `${where}.${attribute.name} = ${expected}`,
      got: typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value)),
      hint,
    });
  if (attribute.type === 'word') {
    const words = attribute.words ?? [];
    if (typeof value === 'string' && words.includes(value)) return value;
    throw wrong(words.join(' | '), attribute.note);
  }
  if (attribute.type === 'bytestring') {
    if (typeof value !== 'string' || value === '') throw wrong("text, or 'hex:0d0a'", attribute.note);
    if (value.startsWith('hex:') && !/^hex:([0-9a-f]{2})+$/i.test(value))
      throw wrong("pairs of hexadecimal digits after 'hex:'", attribute.note);
    return value;
  }
  const number = typeof value === 'number' ? value : measured(attribute.type, value);
  const expected = EXPECTED[attribute.type] as string;
  if (number === undefined || !Number.isFinite(number)) throw wrong(expected, attribute.note);
  const least = attribute.least ?? 0;
  if (number < least) throw wrong(`at least ${least}`, attribute.note);
  if (attribute.type === 'ratio' && number > 1) throw wrong(expected, attribute.note);
  if ((attribute.type === 'count' || attribute.type === 'bytes') && !Number.isSafeInteger(number))
    throw wrong(expected, 'no fractions');
  return number;
};

const measured = (type: string, value: unknown): number | undefined => {
  if (typeof value !== 'string') return undefined;
  const match = /^(-?\d+(?:\.\d+)?)([a-z%]*)$/i.exec(value.trim());
  const factor = SCALE[type]?.[(match?.[2] ?? '?').toLowerCase()];
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
};
