/** The CSV file that a target writes, in Alumet's columns, followed as it grows. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { type CsvRecord, csvRecords, lateAttributes } from '../../../measure/csv-records.ts';

export type StoredPoint = {
  readonly metric: string;
  /** Unix time. */
  readonly secs: number;
  readonly nanos: number;
  readonly value: string;
  /** `cpu_core/3`; `local_machine/` without an id. */
  readonly resource: string;
  readonly consumer: string;
  readonly attributes: ReadonlyMap<string, string>;
};

/** The columns of every file; after them one for each attribute known at its start, and LATE. */
export const COLUMNS = [
  'metric',
  'timestamp',
  'value',
  'resource_kind',
  'resource_id',
  'consumer_kind',
  'consumer_id',
];
const LATE = '__late_attributes';

const timeOf = (text: string): { readonly secs: number; readonly nanos: number } => {
  const [, whole = text, fraction = ''] = /^([^.Z+]*)(?:\.(\d+))?(?:Z|\+00:00)$/.exec(text) ?? [];
  return { secs: Date.parse(`${whole}Z`) / 1_000, nanos: Number(fraction.padEnd(9, '0').slice(0, 9)) };
};

/** One file, read once however many cases look at it side by side. */
export class PointsFile {
  readonly #file: string;
  #at = 0;
  #rest = Buffer.alloc(0);
  #header: CsvRecord | undefined;
  readonly #points = new Map<string, StoredPoint[]>();

  constructor(file: string) {
    this.#file = file;
  }

  /** By the text in the column of the metric. */
  get points(): ReadonlyMap<string, readonly StoredPoint[]> {
    return this.#points;
  }

  /** What is wrong with the file as such; empty when nothing is. */
  get trouble(): string {
    if (!existsSync(this.#file)) return `${this.#file} is not there`;
    const missing = COLUMNS.filter((column) => this.#header?.includes(column) !== true);
    return missing.length === 0 ? '' : `the file has no column ${missing.join(', ')}`;
  }

  /** Takes in what was written since. */
  read(): void {
    if (!existsSync(this.#file)) return;
    const file = openSync(this.#file, 'r');
    try {
      const size = fstatSync(file).size;
      if (size <= this.#at) return;
      const bytes = Buffer.alloc(size - this.#at);
      const count = readSync(file, bytes, 0, bytes.length, this.#at);
      this.#at += count;
      this.#rest = Buffer.concat([this.#rest, bytes.subarray(0, count)]);
    } finally {
      closeSync(file);
    }
    const { records, used } = csvRecords(this.#rest.toString('latin1'), ';');
    this.#rest = this.#rest.subarray(used);
    for (const record of records) this.#take(record.map((field) => Buffer.from(field, 'latin1').toString()));
  }

  #take(record: CsvRecord): void {
    if (this.#header === undefined) {
      this.#header = record;
      return;
    }
    const field = (column: string): string => record[this.#header?.indexOf(column) ?? -1] ?? '';
    const attributes = new Map<string, string>();
    for (const [at, column] of this.#header.entries())
      if (!COLUMNS.includes(column) && column !== LATE && record[at] !== '')
        attributes.set(column, record[at] ?? '');
    for (const [key, value] of lateAttributes(field(LATE))) attributes.set(key, value);
    const stored: StoredPoint = {
      ...{ metric: field('metric'), ...timeOf(field('timestamp')), value: field('value'), attributes },
      resource: `${field('resource_kind')}/${field('resource_id')}`,
      consumer: `${field('consumer_kind')}/${field('consumer_id')}`,
    };
    const same = this.#points.get(stored.metric);
    if (same === undefined) this.#points.set(stored.metric, [stored]);
    else same.push(stored);
  }
}
