/** Lines of a CSV file that grows: fields in quotes where they need them (RFC 4180), what is not complete is left. */

export type CsvRecord = readonly string[];

/** @returns all complete records, and how many characters they took */
export const csvRecords = (
  text: string,
  delimiter: string,
): { readonly records: readonly CsvRecord[]; readonly used: number } => {
  const records: CsvRecord[] = [];
  let used = 0;
  while (used < text.length) {
    const read = recordAt(text, used, delimiter);
    if (read === undefined) break;
    records.push(read.record);
    used = read.end;
  }
  return { records, used };
};

/** @returns undefined when the record is not complete */
const recordAt = (
  text: string,
  from: number,
  delimiter: string,
): { readonly record: CsvRecord; readonly end: number } | undefined => {
  const record: string[] = [];
  for (let at = from; ; ) {
    const read = text[at] === '"' ? quotedAt(text, at) : plainAt(text, at, delimiter);
    if (read === undefined) return undefined;
    record.push(read.field);
    const next = text[read.end];
    if (next === undefined) return undefined;
    at = read.end + 1;
    if (next === '\n') return { record, end: at };
  }
};

type Field = { readonly field: string; readonly end: number };

const plainAt = (text: string, from: number, delimiter: string): Field => {
  const line = text.indexOf('\n', from);
  const end = line < 0 ? text.length : line;
  const field = text.indexOf(delimiter, from);
  const stop = field < 0 || field > end ? end : field;
  return { field: text.slice(from, stop).replace(/\r$/, ''), end: stop };
};

/** A quote that nothing closes may be closed by what is written next. */
const quotedAt = (text: string, from: number): Field | undefined => {
  let field = '';
  for (let at = from + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return undefined;
    field += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { field, end: text[quote + 1] === '\r' ? quote + 2 : quote + 1 };
    field += '"';
    at = quote + 2;
  }
};

/** `k=v,k=v`; a backslash before `,` or `=` makes it part of the text. */
export const lateAttributes = (text: string): readonly (readonly [string, string])[] =>
  text === ''
    ? []
    : (text.match(/(?:\\.|[^,\\])+/gs) ?? []).map((part) => {
        const [, key = part, value = ''] = /^((?:\\.|[^=\\])*)=(.*)$/s.exec(part) ?? [];
        return [key.replace(/\\(.)/gs, '$1'), value.replace(/\\(.)/gs, '$1')] as const;
      });
