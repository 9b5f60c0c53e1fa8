import { closest } from 'fastest-levenshtein';
import { ChaosError } from '../chaos-error.ts';
import { type Attribute, readAttribute } from './attribute.ts';
import type { Family } from './fault.ts';
import { FAMILIES, type Fault } from './registry.ts';

/** The known word nearest to what was written. */
export const nearest = (word: string, known: readonly string[]): string =>
  known.find((name) => name.toLowerCase() === word.toLowerCase()) ?? closest(word, [...known]);

/** What every fault may say besides its own attributes; help and README print these too. */
export const COMMON: readonly Attribute[] = [
  {
    name: 'direction',
    type: 'word',
    standard: 'both',
    words: ['up', 'down', 'both'],
    note: 'up: towards the upstream; down: back',
  },
  { name: 'forMillis', type: 'millis', standard: 'until removed', note: 'how long it acts once begun' },
];
/** Which connections. `connections` takes an ordinal, `2-5` (JSON: [2, 5]) or `all`. */
export const SELECTOR: readonly Attribute[] = [
  { name: 'connections', type: 'word', standard: 'all', note: 'an ordinal from 1, a range 2-5, or all' },
  { name: 'first', type: 'count', standard: 'all', note: 'the first n connections' },
  { name: 'every', type: 'count', standard: '1', least: 1, note: 'every n-th connection' },
  { name: 'probability', type: 'ratio', standard: '1', note: 'drawn once for each connection' },
];
/** Which moment; one of afterMillis, byte, marker, event. */
export const WHEN: readonly Attribute[] = [
  { name: 'afterMillis', type: 'millis', standard: '0', note: 'from when the fault was put on the link' },
  { name: 'byte', type: 'bytes', standard: '', note: 'from this offset of the direction on' },
  { name: 'marker', type: 'bytestring', standard: '', note: 'behind these bytes: text, or hex:0d0a' },
  { name: 'occurrence', type: 'count', standard: '1', least: 1, note: 'which occurrence of the marker' },
  {
    name: 'event',
    type: 'word',
    standard: '',
    words: ['accept', 'connect', 'firstByte', 'fin'],
    note: 'of each connection',
  },
];

type Row = Readonly<Record<string, unknown>>;

/**
 * A fault out of JSON: every name and value is checked, numbers may be written with units ('1.5s', '12Mbit', '1%').
 * @throws ChaosError FAULT_UNKNOWN, ATTRIBUTE_UNKNOWN (naming the nearest), ATTRIBUTE_MISSING, ATTRIBUTE_VALUE
 */
export const checkFault = (json: unknown): Fault => {
  const row = rowOf(json, 'a fault');
  const { kind, selector, when, ...rest } = row;
  const kinds = Object.keys(FAMILIES);
  if (typeof kind !== 'string' || !Object.hasOwn(FAMILIES, kind))
    throw new ChaosError('FAULT_UNKNOWN', {
      expected: kinds.join(' | '),
      got: typeof kind === 'string' ? `'${kind}'` : String(kind),
      hint:
        typeof kind === 'string'
          ? `did you mean '${nearest(kind, kinds)}'?`
          : "name the fault, for example { kind: 'latency', ms: 60 }",
    });
  const family = FAMILIES[kind as Fault['kind']] as Family<Fault>;
  const known = [...family.attributes, ...COMMON];
  const fault: Record<string, unknown> = { kind, ...readAll(kind, known, rest, ['selector', 'when']) };
  for (const { name, standard } of family.attributes)
    if (standard === 'required' && fault[name] === undefined)
      throw new ChaosError('ATTRIBUTE_MISSING', {
        expected: `${kind}.${name}`,
        got: 'nothing',
        hint: `for example ${family.example}`,
      });
  if (selector !== undefined) fault.selector = checkSelector(kind, rowOf(selector, `${kind}.selector`));
  if (when !== undefined) fault.when = checkWhen(family, rowOf(when, `${kind}.when`));
  const problem = family.check?.(fault as Fault) ?? directionProblem(family, fault as Fault);
  if (problem !== undefined)
    throw new ChaosError('ATTRIBUTE_VALUE', {
      expected: `${kind} with ${problem}`,
      got: JSON.stringify(fault),
      hint: `for example ${family.example}`,
    });
  return fault as Fault;
};

/** A fault as the command line writes it: `latency:ms=60,jitter=25,direction=down,when.afterMillis=2s`. Throws as checkFault. */
export const parseFault = (text: string): Fault => {
  const colon = text.indexOf(':');
  const kind = (colon < 0 ? text : text.slice(0, colon)).trim();
  const json: Record<string, unknown> = { kind };
  const parts = colon < 0 ? [] : text.slice(colon + 1).split(',');
  for (const part of parts) {
    const equals = part.indexOf('=');
    const path = part.slice(0, equals).trim();
    if (equals < 1)
      throw new ChaosError('FAULT_SYNTAX', {
        expected: 'kind:key=value,key=value',
        got: `'${part}' in '${text}'`,
        hint: 'a marker with a comma can be written as hex:2c',
      });
    const dot = path.indexOf('.');
    const value = part.slice(equals + 1);
    const group = dot < 0 ? undefined : path.slice(0, dot);
    if (group === undefined) json[path] = value;
    else json[group] = { ...(json[group] as object | undefined), [path.slice(dot + 1)]: value };
  }
  return checkFault(json);
};

const rowOf = (value: unknown, what: string): Row => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
  throw new ChaosError('FAULT_SYNTAX', {
    expected: `${what} as an object`,
    got: JSON.stringify(value) ?? String(value),
    hint: "for example { kind: 'latency', ms: 60, when: { afterMillis: 2000 } }",
  });
};

const readAll = (
  where: string,
  known: readonly Attribute[],
  row: Row,
  others: readonly string[] = [],
): Record<string, number | string> => {
  const names = known.map(({ name }) => name);
  const read: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value === undefined) continue;
    const attribute = known.find((each) => each.name === name);
    if (attribute === undefined)
      throw new ChaosError('ATTRIBUTE_UNKNOWN', {
        expected: `one of ${[...names, ...others].join(', ')}`,
        got: `${where}.${name}`,
        hint: `did you mean '${nearest(name, [...names, ...others])}'?`,
      });
    read[name] = readAttribute(where, attribute, value);
  }
  return read;
};

const checkSelector = (kind: string, row: Row): Row => {
  const { connections, ...rest } = row;
  const where = `${kind}.selector`;
  const read: Record<string, unknown> = readAll(where, SELECTOR, rest);
  if (connections !== undefined) read.connections = checkConnections(where, connections);
  return read;
};

const checkConnections = (where: string, value: unknown): number | readonly [number, number] | 'all' => {
  const range = typeof value === 'string' ? /^(\d+)(?:-(\d+))?$/.exec(value) : null;
  const [low, high] = Array.isArray(value)
    ? value
    : range === null
      ? [value, value]
      : [Number(range[1]), Number(range[2] ?? range[1])];
  if (value === 'all') return 'all';
  if (Number.isSafeInteger(low) && Number.isSafeInteger(high) && low >= 1 && high >= low)
    return low === high ? low : [low, high];
  throw new ChaosError('ATTRIBUTE_VALUE', {
    expected: `${where}.connections = an ordinal from 1, a range 2-5 or [2, 5], or all`,
    got: JSON.stringify(value) ?? String(value),
    hint: 'ordinals count connections in the order they are accepted',
  });
};

const checkWhen = (family: Family<Fault>, row: Row): Row => {
  const where = `${family.kind}.when`;
  const read = readAll(where, WHEN, row);
  const { occurrence, ...moments } = read;
  const [moment, ...others] = Object.keys(moments);
  const wrong = (expected: string): ChaosError =>
    new ChaosError('ATTRIBUTE_VALUE', {
      expected: `${where} with ${expected}`,
      got: JSON.stringify(row),
      hint: 'two moments need two faults',
    });
  if (moment === undefined || others.length > 0) throw wrong('one of afterMillis, byte, marker, event');
  if (occurrence !== undefined && moment !== 'marker') throw wrong('occurrence only together with marker');
  if (family.triggers === 'time' && moment !== 'afterMillis')
    throw wrong(`afterMillis only: ${family.kind} acts on whole connections`);
  return read;
};

const directionProblem = (family: Family<Fault>, fault: Fault): string | undefined =>
  family.directed || fault.direction === undefined || fault.direction === 'both'
    ? undefined
    : 'no direction: it acts on whole connections';
