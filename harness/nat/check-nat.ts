/** From JSON to a `Nat`, or a typed error that names the nearest right word. */
import { distance } from 'fastest-levenshtein';
import type { Exhaustion, Filtering, Mapping, Nat, Notify, Unsolicited } from './nat.ts';
import { IDLE_MILLIS_MAX, PORTS_MAX } from './nat.ts';
import type { PresetName } from './presets.ts';
import { PRESET_NAMES, PRESETS } from './presets.ts';

export const NAT_ERRORS = {
  NAT_SHAPE: 'not an object where one belongs, or not the preset name that may stand for it',
  NAT_MISSING: 'a field is missing and no preset supplies it',
  NAT_UNKNOWN_FIELD: 'a field nobody knows',
  NAT_UNKNOWN_WORD: 'a word that is none of the allowed ones',
  NAT_OUT_OF_RANGE: 'a number that is not whole or not within its limits',
} as const;
export type NatErrorCode = keyof typeof NAT_ERRORS;

/** A description of a NAT that cannot be meant. */
export class NatError extends Error {
  override readonly name = 'NatError';
  readonly code: NatErrorCode;
  /** Where in the value: `nat.idle.notify`. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
  /** What to try. */
  readonly hint: string;
  constructor(code: NatErrorCode, path: string, expected: string, got: string, hint: string) {
    super(`${code} at ${path}: expected ${expected}, got ${got} - ${hint}`);
    this.code = code;
    this.path = path;
    this.expected = expected;
    this.got = got;
    this.hint = hint;
  }
}

/** The word of `words` that needs the fewest changes. */
export const nearest = (word: string, words: readonly string[]): string => {
  let best = words[0] ?? '';
  let steps = Number.POSITIVE_INFINITY;
  for (const candidate of words) {
    const here = distance(word.toLowerCase(), candidate);
    if (here < steps) {
      steps = here;
      best = candidate;
    }
  }
  return best;
};

const MAPPINGS = ['preserving', 'random', 'range'] as const satisfies readonly Mapping['kind'][];
const FILTERINGS: readonly Filtering[] = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
];
const UNSOLICITED: readonly Unsolicited[] = ['drop', 'reset'];
const NOTIFIES: readonly Notify[] = ['silent', 'rst', 'rebind'];
const EXHAUSTIONS: readonly Exhaustion[] = ['silent', 'rst', 'icmp'];
const FIELDS = ['mapping', 'filtering', 'unsolicited', 'idle', 'exhaustion', 'depth', 'hairpin'] as const;

const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'bigint' || typeof value === 'symbol' ? String(value) : JSON.stringify(value);
  return (text ?? typeof value).slice(0, 60);
};

const object = (
  value: unknown,
  path: string,
  fields: readonly string[],
): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new NatError(
      'NAT_SHAPE',
      path,
      `an object with ${fields.join(', ')}`,
      shown(value),
      'see harness/nat/README.md',
    );
  }
  for (const key of Object.keys(value)) {
    if (!fields.includes(key)) {
      const hint = `did you mean "${nearest(key, fields)}"?`;
      throw new NatError('NAT_UNKNOWN_FIELD', `${path}.${key}`, fields.join(', '), shown(key), hint);
    }
  }
  return value as Readonly<Record<string, unknown>>;
};

const given = (value: unknown, path: string, expected: string): unknown => {
  if (value !== undefined) return value;
  throw new NatError(
    'NAT_MISSING',
    path,
    expected,
    'nothing',
    'write it, or start from a preset: { "preset": "home", ... }',
  );
};

const word = <Word extends string>(value: unknown, path: string, words: readonly Word[]): Word => {
  const found = words.find((one) => one === given(value, path, words.join(' | ')));
  if (found !== undefined) return found;
  const hint = `did you mean "${nearest(String(value), words)}"?`;
  throw new NatError('NAT_UNKNOWN_WORD', path, words.join(' | '), shown(value), hint);
};

const whole = (value: unknown, path: string, max: number): number => {
  const expected = `a whole number from 1 to ${max}`;
  const number = given(value, path, expected);
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new NatError(
    'NAT_OUT_OF_RANGE',
    path,
    expected,
    shown(value),
    'milliseconds and ports are counted in whole numbers',
  );
};

const mappingOf = (value: unknown, path: string): Mapping => {
  const raw = object(given(value, path, 'an object with kind'), path, ['kind', 'ports']);
  const kind = word(raw.kind, `${path}.kind`, MAPPINGS);
  if (kind === 'range') return { kind, ports: whole(raw.ports, `${path}.ports`, PORTS_MAX) };
  if (raw.ports === undefined) return { kind };
  throw new NatError(
    'NAT_UNKNOWN_FIELD',
    `${path}.ports`,
    `only kind for ${kind}`,
    'ports',
    'ports belong to kind "range"',
  );
};

const depthOf = (value: unknown, path: string): 1 | 2 => {
  const depth = given(value, path, '1 or 2');
  if (depth === 1 || depth === 2) return depth;
  throw new NatError(
    'NAT_OUT_OF_RANGE',
    path,
    '1 or 2',
    shown(value),
    '2 is a home NAT behind a carrier-grade one',
  );
};

const hairpinOf = (value: unknown, path: string): boolean => {
  const hairpin = given(value, path, 'true or false');
  if (typeof hairpin === 'boolean') return hairpin;
  throw new NatError('NAT_UNKNOWN_WORD', path, 'true or false', shown(value), 'without quotes');
};

/**
 * Reads a NAT: the name of a preset, a whole value, or `{ "preset": name, ...what differs }` (`idle` may be given in part).
 * @param path how errors call the place, `nat` unless told
 * @throws NatError
 */
export const checkNat = (json: unknown, path = 'nat'): Nat => {
  if (typeof json === 'string') return PRESETS[word<PresetName>(json, path, PRESET_NAMES)];
  const raw = object(json, path, ['preset', ...FIELDS]);
  const base: Partial<Nat> =
    raw.preset === undefined ? {} : PRESETS[word<PresetName>(raw.preset, `${path}.preset`, PRESET_NAMES)];
  const idlePath = `${path}.idle`;
  const idleWords = ['establishedMillis', 'notify'];
  const idle = object(given(raw.idle ?? base.idle, idlePath, 'an object'), idlePath, idleWords);
  return {
    mapping: mappingOf(raw.mapping ?? base.mapping, `${path}.mapping`),
    filtering: word(raw.filtering ?? base.filtering, `${path}.filtering`, FILTERINGS),
    unsolicited: word(raw.unsolicited ?? base.unsolicited, `${path}.unsolicited`, UNSOLICITED),
    idle: {
      establishedMillis: whole(
        idle.establishedMillis ?? base.idle?.establishedMillis,
        `${idlePath}.establishedMillis`,
        IDLE_MILLIS_MAX,
      ),
      notify: word(idle.notify ?? base.idle?.notify, `${idlePath}.notify`, NOTIFIES),
    },
    exhaustion: word(raw.exhaustion ?? base.exhaustion, `${path}.exhaustion`, EXHAUSTIONS),
    depth: depthOf(raw.depth ?? base.depth, `${path}.depth`),
    hairpin: hairpinOf(raw.hairpin ?? base.hairpin, `${path}.hairpin`),
  };
};
