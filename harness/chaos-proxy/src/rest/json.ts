import { API_ERRORS } from './api-error.ts';

/** A JSON object whose values nobody has looked at. */
export type Row = Readonly<Record<string, unknown>>;

const nameOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

/** The JSON value of a request body. @throws ApiError 400 */
export const parseBody = (text: string): unknown => {
  if (text.trim() === '') throw API_ERRORS.badBody('EOF', 'send a JSON value');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw API_ERRORS.badBody((error as Error).message);
  }
};

/** @throws ApiError 400 */
export const asRow = (value: unknown, what: string): Row => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
  throw API_ERRORS.badBody(`cannot read ${nameOf(value)} as ${what}, which is an object`);
};

/** A member by its name, without regard to case as Toxiproxy does; `null` counts as absent. */
export const member = (row: Row, name: string): unknown => {
  const exact = row[name];
  if (exact !== undefined) return exact ?? undefined;
  const key = Object.keys(row).find((each) => each.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : (row[key] ?? undefined);
};

type Kinds = { readonly string: string; readonly number: number; readonly boolean: boolean };

/** A member of one type; undefined: absent. @throws ApiError 400 */
export const memberOf = <K extends keyof Kinds>(row: Row, name: string, kind: K): Kinds[K] | undefined => {
  const value = member(row, name);
  if (value === undefined) return undefined;
  if (typeof value !== kind) throw API_ERRORS.badBody(`cannot read ${nameOf(value)} as ${name}, a ${kind}`);
  return value as Kinds[K];
};
