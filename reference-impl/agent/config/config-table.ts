import { AgentError } from '../agent-error.ts';
import { millisOf, readDuration } from '../duration.ts';
import { nearest, nearestHint } from './nearest.ts';

export type TomlTable = { readonly [key: string]: unknown };

export const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Keys whose values are never printed. */
const SECRET = /pass|secret|token|key|credential|auth|dsn|url|uri|connection/i;

const described = (key: string, value: unknown): string => {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (isTable(value)) return 'a table';
  const type = typeof value === 'bigint' ? 'number' : typeof value;
  return SECRET.test(key)
    ? `a ${type} (not shown)`
    : `${type} ${JSON.stringify(typeof value === 'bigint' ? Number(value) : value)}`;
};

/**
 * A table of the configuration. Every reader notes that its key is known; `done` refuses the keys nobody read, with the nearest
 * right one. A reader without a fallback refuses a missing key. Errors carry the key's path (`plugins.csv.output_path`).
 */
export class ConfigTable {
  /** `plugins.csv`; empty for the whole file. */
  readonly path: string;
  readonly #values: TomlTable;
  readonly #known = new Set<string>();
  readonly #inner: ConfigTable[] = [];

  constructor(path: string, values: TomlTable) {
    this.path = path;
    this.#values = values;
  }

  /** Whether the key is written there. */
  has(key: string): boolean {
    this.#known.add(key);
    return Object.hasOwn(this.#values, key);
  }

  string(key: string, fallback?: string): string {
    return this.#read(key, fallback, 'a string', (value) => (typeof value === 'string' ? value : undefined));
  }

  /** undefined when it is not there. */
  optionalString(key: string): string | undefined {
    return this.has(key) ? this.string(key) : undefined;
  }

  boolean(key: string, fallback?: boolean): boolean {
    return this.#read(key, fallback, 'true or false', (value) =>
      typeof value === 'boolean' ? value : undefined,
    );
  }

  /** A whole number in [least, most]. */
  integer(
    key: string,
    { least, most }: { readonly least: number; readonly most: number },
    fallback?: number,
  ): number {
    return this.#read(key, fallback, `a whole number from ${least} to ${most}`, (value) => {
      const number = typeof value === 'bigint' ? Number(value) : value;
      return typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most
        ? number
        : undefined;
    });
  }

  /** Any number in [least, most]. */
  number(
    key: string,
    { least, most }: { readonly least: number; readonly most: number },
    fallback?: number,
  ): number {
    return this.#read(key, fallback, `a number from ${least} to ${most}`, (value) => {
      const number = typeof value === 'bigint' ? Number(value) : value;
      return typeof number === 'number' && number >= least && number <= most ? number : undefined;
    });
  }

  /** A humantime string, as milliseconds (fractions possible). `moreThanZero`: for periods. */
  duration(
    key: string,
    fallback?: string,
    { moreThanZero = false }: { readonly moreThanZero?: boolean } = {},
  ): number {
    const text = this.string(key, fallback);
    const read = readDuration(text);
    const why =
      read.type === 'invalid'
        ? read.why
        : moreThanZero && read.nanos === 0n
          ? 'it must be more than zero'
          : undefined;
    if (read.type === 'duration' && why === undefined) return millisOf(read.nanos);
    throw new AgentError({
      code: 'CONFIG_DURATION',
      where: this.#at(key),
      expected: 'a duration such as "500ms" or "1m 30s"',
      got: `"${text}"`,
      hint: why ?? '',
    });
  }

  /** One of some words. */
  choice<Word extends string>(key: string, words: readonly Word[], fallback?: Word): Word {
    const text = this.string(key, fallback);
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new AgentError({
      code: 'CONFIG_CHOICE',
      where: this.#at(key),
      expected: words.map((each) => `"${each}"`).join(' or '),
      got: `"${text}"`,
      hint: nearestHint(text, words),
    });
  }

  strings(key: string, fallback?: readonly string[]): readonly string[] {
    return this.#read(key, fallback, 'a list of strings', (value) =>
      Array.isArray(value) && value.every((each) => typeof each === 'string')
        ? (value as readonly string[])
        : undefined,
    );
  }

  /** A table in this one; an empty one when it is not there. */
  table(key: string): ConfigTable {
    return this.#enter(new ConfigTable(this.#at(key), this.values(key)));
  }

  /** What a table in this one has, for somebody else to read and check. */
  values(key: string): TomlTable {
    return this.#read<TomlTable>(key, {}, 'a table', (value) => (isTable(value) ? value : undefined));
  }

  /** `[[key]]`, each named `key[0]`, `key[1]`, ... */
  tables(key: string): readonly ConfigTable[] {
    const list = this.#read<readonly TomlTable[]>(key, [], 'a list of tables ([[...]])', (value) =>
      Array.isArray(value) && value.every(isTable) ? value : undefined,
    );
    return list.map((values, index) => this.#enter(new ConfigTable(`${this.#at(key)}[${index}]`, values)));
  }

  /** A complaint about a key that was read, for rules over several of them. */
  error(key: string, code: string, expected: string, hint: string): AgentError {
    const got = this.has(key) ? described(key, this.#values[key]) : 'nothing';
    return new AgentError({ code, where: this.#at(key), expected, got, hint });
  }

  /** @throws AgentError CONFIG_UNKNOWN_KEY for the first key that no reader asked for, in this table or one that was entered */
  done(): void {
    for (const key of Object.keys(this.#values)) {
      if (this.#known.has(key)) continue;
      throw new AgentError({
        code: 'CONFIG_UNKNOWN_KEY',
        where: this.#at(key),
        expected: 'a key that is known here',
        got: `'${key}'`,
        hint: nearestHint(key, [...this.#known]),
      });
    }
    for (const table of this.#inner) table.done();
  }

  #at(key: string): string {
    const name = /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** Whether a key that nobody asked for so far may be meant for one that is missing. */
  #misspelt(key: string): string | undefined {
    const unasked = Object.keys(this.#values).filter((name) => !this.#known.has(name));
    const meant = nearest(key, unasked);
    return meant === undefined ? undefined : `add it, or rename '${meant}' if that is meant`;
  }

  #enter(table: ConfigTable): ConfigTable {
    this.#inner.push(table);
    return table;
  }

  #read<Value>(
    key: string,
    fallback: Value | undefined,
    expected: string,
    as: (value: unknown) => Value | undefined,
  ): Value {
    if (!this.has(key)) {
      if (fallback !== undefined) return fallback;
      throw new AgentError({
        code: 'CONFIG_MISSING_KEY',
        where: this.#at(key),
        expected,
        got: 'nothing',
        hint: this.#misspelt(key) ?? 'add it',
      });
    }
    const read = as(this.#values[key]);
    if (read !== undefined) return read;
    throw new AgentError({
      code: 'CONFIG_VALUE',
      where: this.#at(key),
      expected,
      got: described(key, this.#values[key]),
      hint: 'change it',
    });
  }
}
