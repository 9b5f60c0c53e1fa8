import { ChaosError } from '../chaos-error.ts';
import { COMMON, checkFault, nearest } from '../faults/check.ts';
import { FAMILIES, type Fault } from '../faults/registry.ts';
import type { Way } from '../receipt.ts';
import { API_ERRORS, didYouMean } from './api-error.ts';
import { asRow, member, memberOf, type Row } from './json.ts';
import { type Term, TOXIC_TYPES, type ToxicType } from './toxic-types.ts';

/** A toxic: a fault with the name and the stream by which it is known over HTTP. */
export type Toxic = {
  readonly name: string;
  readonly type: ToxicType;
  /** As it was written, in whatever case. */
  readonly stream: string;
  readonly way: Way;
  /** Share of connections; as it was given, also outside 0 to 1. */
  readonly toxicity: number;
  /** Toxiproxy's attributes, and ours as far as they were given. */
  readonly attributes: Row;
  readonly fault: Fault;
};

const WAYS: Readonly<Record<string, Way>> = { upstream: 'up', downstream: 'down' };
/** What every toxic takes in its attributes besides its own. */
const SHARED = [...COMMON.map(({ name }) => name).filter((name) => name !== 'direction'), 'selector', 'when'];
/** Of the bandwidth toxic with rate 0: for ever. */
const FOREVER_MILLIS = Number.MAX_SAFE_INTEGER;

/** A toxic out of the body of a request or an entry of a file. @throws ApiError 400 */
export const readToxic = (json: unknown): Toxic => {
  const row = asRow(json, 'a toxic');
  const typeName = memberOf(row, 'type', 'string') ?? '';
  const stream = memberOf(row, 'stream', 'string') ?? 'downstream';
  const way = WAYS[stream.toLowerCase()];
  if (way === undefined)
    throw API_ERRORS.invalidStream(didYouMean(nearest(stream, ['upstream', 'downstream'])));
  const type = TOXIC_TYPES.get(typeName);
  if (type === undefined)
    throw API_ERRORS.invalidToxicType(didYouMean(nearest(typeName, [...TOXIC_TYPES.keys()])));
  const name = memberOf(row, 'name', 'string') || `${typeName}_${stream}`;
  const toxicity = memberOf(row, 'toxicity', 'number') ?? 1;
  return { name, type, stream, way, toxicity, ...readAttributes(type, way, toxicity, row, {}) };
};

/** The toxic with other attributes or toxicity; what is not given stays. @throws ApiError 400 */
export const changedToxic = (toxic: Toxic, json: unknown): Toxic => {
  const row = asRow(json, 'a toxic');
  const toxicity = memberOf(row, 'toxicity', 'number') ?? toxic.toxicity;
  const { type, way, attributes } = toxic;
  return { ...toxic, toxicity, ...readAttributes(type, way, toxicity, row, attributes) };
};

/** As it is sent and written into files. */
export const toxicJson = ({ name, type, stream, toxicity, attributes }: Toxic): Row => ({
  name,
  type: type.type,
  stream,
  toxicity,
  attributes,
});

const readAttributes = (
  type: ToxicType,
  way: Way,
  toxicity: number,
  row: Row,
  before: Row,
): Pick<Toxic, 'attributes' | 'fault'> => {
  const given = member(row, 'attributes');
  const fresh = given === undefined ? {} : named(type, asRow(given, 'attributes'));
  const merged: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(fresh))
    if (value !== null) merged[name] = value;
    else if (!type.terms.some((term) => term.name === name)) delete merged[name];
  const fault = faultOf(type, way, toxicity, merged);
  return { fault, attributes: attributesOf(type, fault, merged) };
};

/** The attributes under their right names, `selector.first` put into its group. @throws ApiError 400 */
const named = (type: ToxicType, row: Row): Row => {
  const known = [...type.terms, ...type.more].map(({ name }) => name).concat(SHARED);
  const read: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row)) {
    const dot = key.indexOf('.');
    const wanted = (dot < 0 ? key : key.slice(0, dot)).toLowerCase();
    const name = known.find((each) => each.toLowerCase() === wanted);
    if (name === undefined)
      throw API_ERRORS.badBody(
        `${type.type} has no attribute '${key}'`,
        key === 'direction' ? 'the stream says it' : didYouMean(nearest(key, known)),
      );
    if (dot < 0) read[name] = value;
    else read[name] = { ...(read[name] as Row | undefined), [key.slice(dot + 1)]: value };
  }
  return read;
};

const readTerm = (type: ToxicType, { name, least, unit, ...term }: Term, given: unknown): number => {
  const value = given ?? 0;
  const fits =
    typeof value === 'number' &&
    value >= least &&
    (term.type === 'whole' ? Number.isSafeInteger(value) : value <= 1);
  if (fits) return value;
  const wanted = term.type === 'whole' ? `a whole number from ${least} (${unit})` : 'a number from 0 to 1';
  throw API_ERRORS.badBody(`cannot read ${JSON.stringify(value)} as ${type.type}.${name}, ${wanted}`);
};

/** @throws ApiError 400 */
const faultOf = (type: ToxicType, way: Way, toxicity: number, attributes: Row): Fault => {
  const json: Record<string, unknown> = { kind: type.kind, ...type.preset };
  for (const name of [...type.more.map((each) => each.name), ...SHARED])
    if (attributes[name] !== undefined) json[name] = attributes[name];
  for (const term of type.terms) json[term.field] = readTerm(type, term, attributes[term.name]) * term.scale;
  if (FAMILIES[type.kind].directed) json.direction = way;
  const selector = json.selector as Row | undefined;
  if (selector?.probability !== undefined)
    throw API_ERRORS.badBody(`${type.type} has no attribute 'selector.probability'`, 'toxicity says it');
  if (toxicity < 1) json.selector = { ...selector, probability: Math.max(0, toxicity) };
  if (json.closeMs === 0 && type.type === 'timeout') delete json.closeMs;
  try {
    if (type.type === 'bandwidth' && json.rate === 0) return stalled(checkFault({ ...json, rate: 1 }));
    return checkFault(json);
  } catch (error) {
    if (error instanceof ChaosError)
      throw API_ERRORS.badBody(`${type.type}: expected ${error.expected}, got ${error.got}`, error.hint);
    throw error;
  }
};

const stalled = ({ direction, selector, when, forMillis }: Fault): Fault =>
  checkFault({ kind: 'stall', onMs: FOREVER_MILLIS, direction, selector, when, forMillis });

/** The other way: what a fault is in the words of the toxic. */
const attributesOf = (type: ToxicType, fault: Fault, given: Row): Row => {
  const row = fault as unknown as Row;
  const attributes: Record<string, unknown> = {};
  for (const { name, field, scale } of type.terms)
    attributes[name] = fault.kind === type.kind ? ((row[field] as number | undefined) ?? 0) / scale : 0;
  for (const name of [...type.more.map((each) => each.name), ...SHARED]) {
    const value = name === 'selector' ? selectorOf(row) : (row[name] ?? given[name]);
    if (value !== undefined && given[name] !== undefined) attributes[name] = value;
  }
  return attributes;
};

const selectorOf = (row: Row): Row | undefined => {
  if (row.selector === undefined) return undefined;
  const { probability, ...rest } = row.selector as Row;
  return Object.keys(rest).length === 0 ? undefined : rest;
};
