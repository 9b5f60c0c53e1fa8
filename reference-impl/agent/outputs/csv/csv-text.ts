/** How labels become fields of a CSV file, and fields are read. */
import type { Attribute, Point, TypedValue } from '../../../measurement-relay/messages.ts';
import type { LabelOptions } from '../metric-label.ts';
import { plainText } from '../value-text.ts';

export type CsvFormat = LabelOptions & {
  /** Between fields; one character. */
  readonly delimiter: string;
  /** Between the attributes in the last column; one character. */
  readonly lateDelimiter: string;
};

/** The columns of every file. After them: a column for each attribute known at its start, then LATE. */
export const COLUMNS = [
  'metric',
  'timestamp',
  'value',
  'resource_kind',
  'resource_id',
  'consumer_kind',
  'consumer_id',
] as const;
export const LATE = '__late_attributes';

/** A field in quotes where it holds a delimiter, quote or line break; quotes are doubled (RFC 4180). */
export const field = (text: string, delimiter: string): string =>
  text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** `=`, the delimiter and backslashes inside a key or value get a backslash. */
const latePart = (text: string, lateDelimiter: string): string => {
  let escaped = text.replaceAll('\\', '\\\\').replaceAll('=', '\\=');
  if (lateDelimiter !== '\\' && lateDelimiter !== '=')
    escaped = escaped.replaceAll(lateDelimiter, `\\${lateDelimiter}`);
  return escaped;
};

/** `k=v,k=v`. */
export const lateField = (
  attributes: Iterable<readonly [string, TypedValue]>,
  lateDelimiter: string,
): string =>
  Array.from(
    attributes,
    ([key, value]) => `${latePart(key, lateDelimiter)}=${latePart(plainText(value), lateDelimiter)}`,
  ).join(lateDelimiter);

/** Keys of attributes, each once, in order: the columns of a new file. */
export const attributeKeys = (points: readonly Point[]): readonly string[] => {
  const keys = new Set<string>();
  let last: readonly Attribute[] | undefined;
  for (const { attributes } of points) {
    if (attributes === last) continue;
    for (const [key] of attributes) keys.add(key);
    last = attributes;
  }
  return [...keys].sort();
};

/** The first line of a file. */
export const headerLine = (attributes: readonly string[], { delimiter }: CsvFormat): string =>
  `${[...COLUMNS, ...attributes, LATE].map((name) => field(name, delimiter)).join(delimiter)}\n`;

/** The fields of one line. @returns undefined when a quote is not closed or not at the border of a field */
export const fieldsOf = (line: string, delimiter: string): readonly string[] | undefined => {
  const fields: string[] = [];
  for (let at = 0; ; ) {
    if (line[at] === '"') {
      let text = '';
      let end = at + 1;
      for (;;) {
        const quote = line.indexOf('"', end);
        if (quote < 0) return undefined;
        text += line.slice(end, quote);
        end = quote + 1;
        if (line[end] !== '"') break;
        text += '"';
        end++;
      }
      fields.push(text);
      at = end;
      if (at < line.length && line[at] !== delimiter) return undefined;
    } else {
      const end = line.indexOf(delimiter, at);
      fields.push(line.slice(at, end < 0 ? undefined : end));
      at = end < 0 ? line.length : end;
    }
    if (at >= line.length) return fields;
    at++;
  }
};
