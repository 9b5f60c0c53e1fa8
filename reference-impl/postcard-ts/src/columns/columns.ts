import { checkedOpen, told } from '../codec/assemble.ts';
import { mayGenerate } from '../codec/compile.ts';
import { type CodecOptions, settingsOf } from '../codec/options.ts';
import { CALLABLE } from '../generate/callable.ts';
import type { Node } from '../schema/node.ts';
import type { Schema } from '../schema/schema.ts';
import { closeInput, input } from '../wire/input.ts';
import { Refusal } from '../wire/refusal.ts';
import { ClosureColumns, type ColumnsFunction } from './closure-columns.ts';
import { type Column, columnOf } from './column.ts';
import { ColumnsSource } from './columns-source.ts';
import { Dictionary } from './dictionary.ts';
import { type Layout, LayoutPlan, type TextForm, type TextForms } from './layout.ts';
import { type RowReader, rowReader } from './rows.ts';
import { RowsEngine } from './rows-engine.ts';
import { Store } from './store.ts';

export type ColumnsOptions = Omit<CodecOptions, 'trailing'> & {
  /** How strings are kept: `dict` (the default) as ids, `ref` as places in the input, which then has to be kept. */
  readonly text?: TextForm;
  /** Other forms for some columns, by path (`consumer_id`, `attributes[0]`); they hold for what lies below, too. */
  readonly columns?: TextForms;
  /** `false`: not by WebAssembly, which reads most rows twice as fast where code may be generated and the platform has it. */
  readonly webAssembly?: boolean;
};

export type ColumnsDecodeOptions<T> = {
  /** A table that is no longer needed: its arrays are used again, and it must not be read any more. */
  readonly reuse?: Table<T> | undefined;
  /** A dictionary to go on with; a fresh one by default. */
  readonly dictionary?: Dictionary | undefined;
};

/** Rows as columns. */
export class Table<T> {
  readonly #layout: Layout;
  readonly #store: Store;
  #root: Column | undefined;
  #reader: RowReader | undefined;

  constructor(layout: Layout, store: Store) {
    this.#layout = layout;
    this.#store = store;
  }

  get length(): number {
    return this.#store.counts[0] as number;
  }

  /** The columns: a `group` where rows are structs or tuples. */
  get root(): Column {
    this.#root ??= columnOf(this.#layout, this.#store);
    return this.#root;
  }

  /** The columns of the fields, where rows are structs. */
  get columns(): { readonly [K in keyof T]: Column } {
    const { root } = this;
    return (root.kind === 'group' ? root.parts : {}) as { readonly [K in keyof T]: Column };
  }

  /** The dictionary's strings. */
  get strings(): readonly string[] {
    return this.#store.dictionary.strings;
  }

  /** What references point into. */
  get bytes(): Uint8Array {
    return this.#store.bytes;
  }

  /** A row as an object. @throws RangeError outside the table; TypeError for a reference that is not UTF-8 */
  row(i: number): T {
    if (!(i >= 0 && i < this.length)) throw new RangeError(`row ${i} of ${this.length}`);
    this.#reader ??= rowReader(this.#layout, this.#store);
    return this.#reader(i) as T;
  }

  /** All rows as objects. @throws TypeError for a reference that is not UTF-8 */
  rows(): T[] {
    return Array.from({ length: this.length }, (_, i) => this.row(i));
  }

  /** The arrays under the table, for the next decode. */
  static storeOf<T>(table: Table<T>): Store {
    return table.#store;
  }
}

/** Reads `seq(row)` into typed arrays. */
export interface ColumnsCodec<T> {
  readonly mode: 'compiled' | 'no-eval' | 'emitted';
  /** Reads a seq of rows that fills the input. @throws PostcardError as a codec of `seq(row)`, but references are not checked */
  decode(bytes: Uint8Array, options?: ColumnsDecodeOptions<T>): Table<T>;
  /** Reads a seq of rows from an offset on. @throws PostcardError */
  decodePrefix(
    bytes: Uint8Array,
    offset?: number,
    options?: ColumnsDecodeOptions<T>,
  ): { table: Table<T>; end: number };
}

/** The body of a function that takes the helpers as `H` and returns the reader of these columns. @throws PostcardError BadSchema */
export const columnsSource = (row: Node, options: ColumnsOptions): string => {
  const plan = new LayoutPlan(row, options.columns ?? {}, options.text ?? 'dict');
  return new ColumnsSource(row, plan.slots, plan.levels, settingsOf(options)).source(row, plan.root);
};

/**
 * Makes the reader of a seq of rows as columns: a few arrays instead of an object a row.
 * @param row the schema of one row, a struct as a rule
 * @throws PostcardError BadSchema for a column that holds no strings, or `mode: 'compiled'` where code generation is forbidden
 */
export const columns = <T>(row: Schema<T>, options: ColumnsOptions = {}): ColumnsCodec<T> => {
  if (!mayGenerate(options.mode)) return assembleColumns<T>(row.node, options, undefined, 'no-eval');
  let made: ColumnsFunction | undefined;
  const own: ColumnsFunction = (p, store) => {
    made ??= new Function('H', columnsSource(row.node, options))(CALLABLE) as ColumnsFunction;
    made(p, store);
  };
  return assembleColumns<T>(row.node, options, own, 'compiled');
};

/** Makes columns of their reader. @param own a generated one; undefined for closures alone */
export const assembleColumns = <T>(
  row: Node,
  options: ColumnsOptions,
  own: ColumnsFunction | undefined,
  mode: ColumnsCodec<T>['mode'],
): ColumnsCodec<T> => {
  const settings = settingsOf(options);
  const plan = new LayoutPlan(row, options.columns ?? {}, options.text ?? 'dict');
  const closures = (): ColumnsFunction => new ClosureColumns(row, settings).build(row, plan.root);
  const read = own ?? closures();
  const rows =
    own === undefined || options.webAssembly === false ? undefined : RowsEngine.of(row, plan, settings);
  const perRow = new Array<number>(plan.levels).fill(0);

  const emptyStore = (bytes: Uint8Array, { reuse, dictionary }: ColumnsDecodeOptions<T>): Store => {
    const store = reuse ? Table.storeOf(reuse) : new Store(plan.slots, plan.levels, perRow);
    if (reuse !== undefined) store.uses++;
    store.clear();
    store.bytes = bytes;
    store.dictionary = dictionary ?? new Dictionary();
    return store;
  };

  const explained = (bytes: Uint8Array, offset: number, thrown: unknown): unknown => {
    let cause = thrown;
    if (own !== undefined)
      try {
        checkedOpen(bytes, offset, settings.limits);
        closures()(input.p, new Store(plan.slots, plan.levels));
      } catch (again) {
        cause = again;
      }
    return told(cause, bytes.byteOffset);
  };

  const decodePrefix: ColumnsCodec<T>['decodePrefix'] = (bytes, offset = 0, how = {}) => {
    checkedOpen(bytes, offset, settings.limits);
    const store = emptyStore(bytes, how);
    try {
      if (rows?.read(input.p, store) !== true) {
        if (rows !== undefined) {
          checkedOpen(bytes, offset, settings.limits);
          store.clear();
        }
        read(input.p, store);
      }
      store.learn();
      return { table: new Table<T>(plan.root, store), end: input.p - input.s };
    } catch (thrown) {
      throw explained(bytes, offset, thrown);
    } finally {
      closeInput();
    }
  };

  return {
    mode,
    decodePrefix,
    decode: (bytes, how) => {
      const { table, end } = decodePrefix(bytes, 0, how);
      const left = bytes.length - end;
      if (left > 0)
        throw new Refusal(
          'DeserializeTrailingBytes',
          end,
          'the end of the input',
          `${left} more bytes`,
        ).toError(0);
      return table;
    },
  };
};
