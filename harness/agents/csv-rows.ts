/** Reads the CSV file of a measurement server in Alumet's columns: the store of whoever has no database of ours. */
import { type FileHandle, open } from 'node:fs/promises';
import { type CsvRecord, csvRecords, lateAttributes } from '../measure/csv-records.ts';
import type { StoredPoint } from '../measure/store-watch.ts';
import type { SourceMetric } from './measurement-spec.ts';
import type { StoreRows } from './store-reader.ts';

const DELIMITER = ';';
/** Read at once; a row that is longer is none. */
const BYTES_MAX = 1 << 20;
const ROW_SHOWN = 60;
const NEEDED = ['metric', 'timestamp', 'value', 'consumer_id'] as const;
const CLIENT = 'relay_client';
const LATE = '__late_attributes';

/** How Alumet writes units for people; what is absent is written as it is. */
const PREFIXES: Readonly<Record<string, string>> = {
  ...{ nano: 'n', micro: 'μ', milli: 'm', kilo: 'k', mega: 'M', giga: 'G' },
};
const BASES: Readonly<Record<string, string>> = { '1': '', Cel: '°C', '[degF]': '°F', 'W.h': 'Wh', By: 'B' };

type Unit = SourceMetric['unit'];
const unitTexts = ({ prefix, base }: Unit): readonly string[] => [
  `${PREFIXES[prefix] ?? prefix}${BASES[base] ?? base}`,
  `${prefix}${base}`,
];

/**
 * The name of a metric without the unit behind it: `power_W` is `power`, `shared_relay-client-a_mW` is `shared_relay-client-a`.
 * @param metrics those whose names are known; others stay as they are written
 */
export const metricIn = (text: string, metrics: readonly Pick<SourceMetric, 'name' | 'unit'>[]): string => {
  for (const { name, unit } of metrics) {
    if (!text.startsWith(name)) continue;
    const suffix = unitTexts(unit).find(
      (one) => one !== '' && text.length > name.length && text.endsWith(`_${one}`),
    );
    if (suffix !== undefined) return text.slice(0, -suffix.length - 1);
  }
  return text;
};

/** A number as text, of either type: `7`, `7.0`. undefined: none, so that no point has it. */
const valueIn = (text: string): number | undefined =>
  /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;

/** Microseconds within the second of `2025-06-15T15:06:40.123456000Z`; -1: no such time. */
const microsIn = (text: string): number => {
  const fraction = /^[^.]+T\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:Z|\+00:00)$/.exec(text);
  return fraction === null ? -1 : Math.floor(Number((fraction[1] ?? '').padEnd(9, '0')) / 1_000);
};

/** What cannot be read as a point: of nobody, so that it is counted and nobody's point is taken for stored. */
const unreadable = (row: string): StoredPoint => ({
  ...{ client: '', consumer: '', metric: row.slice(0, ROW_SHOWN), value: undefined, micros: -1 },
});

/**
 * The points in a CSV file that grows. A row counts once its end is there, so what a killed server has torn does not; a file that was
 * begun anew (or is another one now) is read from its beginning, and what had been read of the old one stays read.
 */
export class CsvRows implements StoreRows {
  readonly live = true;
  readonly #path: string;
  readonly #metrics: readonly Pick<SourceMetric, 'name' | 'unit'>[];
  #file: number | undefined;
  /** Behind the last whole row. */
  #at = 0;
  #header: CsvRecord | undefined;

  /** @param metrics whose units may stand behind their names */
  constructor(path: string, metrics: readonly Pick<SourceMetric, 'name' | 'unit'>[]) {
    this.#path = path;
    this.#metrics = metrics;
  }

  /** The file is this run's own. */
  begin(): void {}

  /** @throws what the system says of a file that is there and cannot be read */
  async next(): Promise<readonly StoredPoint[]> {
    let file: FileHandle;
    try {
      file = await open(this.#path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    try {
      for (;;) {
        const found = await this.#read(file);
        // rows that hold no point (a header) are not the end
        if (found === undefined || found.length > 0) return found ?? [];
      }
    } finally {
      await file.close();
    }
  }

  async close(): Promise<void> {}

  /** @returns undefined when no whole row is left */
  async #read(file: FileHandle): Promise<readonly StoredPoint[] | undefined> {
    const { ino, size } = await file.stat();
    if (ino !== this.#file || size < this.#at) {
      this.#file = ino;
      this.#at = 0;
      this.#header = undefined;
    }
    const bytes = Buffer.alloc(Math.min(BYTES_MAX, size - this.#at));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, this.#at);
    // one character a byte, so that what was used is counted in bytes
    const text = bytes.toString('latin1', 0, bytesRead);
    const { records, used } = csvRecords(text, DELIMITER);
    if (used === 0 && bytesRead === BYTES_MAX) {
      this.#at += bytesRead;
      return [unreadable(text)];
    }
    if (used === 0) return undefined;
    this.#at += used;
    return records.flatMap((record) => this.#pointOf(record.map(utf8)) ?? []);
  }

  /** @returns undefined: it is a header */
  #pointOf(record: CsvRecord): StoredPoint | undefined {
    // a server that was started again may write its header again
    if (NEEDED.every((column) => record.includes(column))) {
      this.#header = record;
      return undefined;
    }
    const header = this.#header;
    if (header === undefined || header.length !== record.length) return unreadable(record.join(DELIMITER));
    const field = (column: string): string => record[header.indexOf(column)] ?? '';
    const late = new Map(lateAttributes(field(LATE)));
    return {
      client: late.get(CLIENT) ?? field(CLIENT),
      consumer: field('consumer_id'),
      metric: metricIn(field('metric'), this.#metrics),
      value: valueIn(field('value')),
      micros: microsIn(field('timestamp')),
    };
  }
}

const utf8 = (field: string): string => Buffer.from(field, 'latin1').toString();
