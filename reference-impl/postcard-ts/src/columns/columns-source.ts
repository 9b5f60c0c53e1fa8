import type { Settings } from '../codec/options.ts';
import { CALLABLE } from '../generate/callable.ts';
import { DecodeSource, PAST_END } from '../generate/decode-source.ts';
import { idUse } from '../generate/text-source.ts';
import { minSizes } from '../schema/bounds.ts';
import type { Node } from '../schema/node.ts';
import type { Layout, Slot } from './layout.ts';

/**
 * Stores an item where it is, before the loop: what V8 has to know of an array (its kind, its length, where it lies) it then knows at
 * every store inside, where it would look at all of that again. Arrays are constant there for the same reason, and one byte is read
 * through the view of the input for the same end. References into arrays used again, in one process: the arrays made it 1.2 times as
 * fast, together with long varints out of one word; the view 1.1 times.
 */
const known = (at: number): string => `q${at}[0]=q${at}[0];`;

/**
 * Rows of one call. A call for all rows stayed in the code that V8 makes for a loop that is already running, which knows nothing of what
 * stands before the loop; a function that is called often gets code of its own.
 */
const ROWS_AT_ONCE = 128;

/** Writes the source of a function `(p, store)` that reads a seq of rows into a store. */
export class ColumnsSource {
  readonly #slots: readonly Slot[];
  /** Levels of nested lists. */
  readonly #lists: readonly number[];
  readonly #values: DecodeSource;
  #last = 0;

  constructor(row: Node, slots: readonly Slot[], levels: number, { limits, firstChar }: Settings) {
    this.#slots = slots;
    this.#lists = Array.from({ length: levels - 1 }, (_, i) => i + 1);
    this.#values = new DecodeSource({
      depth: limits.depth,
      items: limits.items,
      firstChar,
      minSize: minSizes(row),
    });
  }

  /** @returns the body of a function that takes the helpers as `H` and returns the reader */
  source(row: Node, root: Layout): string {
    const count = this.#values.count('n', row);
    const body = this.#read(root, 'i');
    const main = [
      `function read(p,S){const b=C.b,e=C.e;${count}S.begin(n);C.p=p;for(let i=0;i<n;)i=rows(i,Math.min(n,i+${ROWS_AT_ONCE}),S)}`,
      'function rows(i,n,S){const b=C.b,v=C.v,e=C.e,s=C.s,D=S.dictionary,d=D.owner,A=S.arrays;let p=C.p;v.getInt8(s);',
      ...this.#slots.map((slot, at) => `const q${at}=A[${at}];${slot.array === 'any' ? '' : known(at)}`),
      ...this.#lists.map((level) => `let c${level}=S.counts[${level}];const m${level}=S.rooms[${level}];`),
      `for(;i<n;i++){${this.#rowStart()}${body}${PAST_END}}`,
      ...this.#lists.map((level) => `S.counts[${level}]=c${level};`),
      'C.p=p;return n}',
    ].join('\n');
    const functions = [main, ...this.#values.outlined()].join('\n');
    const names = Object.keys(CALLABLE).filter((name) => new RegExp(`\\b${name}\\b`).test(functions));
    return [
      "'use strict';",
      `const {${names.join()}}=H;`,
      ...this.#values.tables,
      functions,
      'return read;',
    ].join('\n');
  }

  #name(prefix: string): string {
    return `${prefix}_${this.#last++}`;
  }

  #length(n: string): string {
    return `${this.#values.length(n)}${this.#values.fits(n)}`;
  }

  /** Code that puts a string's id somewhere. */
  #textId(target: string, n: string): string {
    return `${this.#length(n)}${this.#values.text(n, idUse(n, target), `${target}=${n}===0?0:textId(b,v,p,${n},D)`)}p+=${n};`;
  }

  /** Slots of plain arrays: enums' other payloads are appended to theirs. */
  #appended(): readonly number[] {
    return this.#slots.flatMap((slot, at) => (slot.array === 'any' ? [at] : []));
  }

  /** Notes where a row begins, to read it again when a list of it finds no room. */
  #rowStart(): string {
    if (this.#lists.length === 0) return '';
    const counts = this.#lists.map((level) => `,from${level}=c${level}`).join('');
    const lengths = this.#appended()
      .map((at) => `,held${at}=q${at}.length`)
      .join('');
    return `const p0=p,claims=C.claims,empties=C.empties${counts}${lengths};`;
  }

  /** Makes room and goes back to the start of the row, so that arrays never change inside the loop. */
  #again(level: number, count: string): string {
    const counts = this.#lists.map((list) => `S.counts[${list}]=from${list};`).join('');
    const lengths = this.#appended()
      .map((at) => `q${at}.length=held${at};`)
      .join('');
    return `{${counts}${lengths}S.reserve(${level},${count});C.p=p0;C.claims=claims;C.empties=empties;return i}`;
  }

  #read(layout: Layout, i: string): string {
    switch (layout.kind) {
      case 'none':
        return '';
      case 'number':
      case 'wide':
      case 'plain': {
        const y = this.#name('v');
        return `${this.#values.value(layout.node, y)}q${layout.slot}[${i}]=${y};\n`;
      }
      case 'bool': {
        const y = this.#name('v');
        return `${this.#values.value(layout.node, y)}q${layout.slot}[${i}]=${y}?1:0;\n`;
      }
      case 'dict': {
        const n = this.#name('n');
        return `${this.#textId(`q${layout.slot}[${i}]`, n)}\n`;
      }
      case 'ref':
      case 'bytes': {
        const n = this.#name('n');
        return `${this.#length(n)}q${layout.offsets}[${i}]=p-s;q${layout.lengths}[${i}]=${n};p+=${n};\n`;
      }
      case 'group':
        return layout.parts.map(([, part]) => this.#read(part, i)).join('');
      case 'option':
        return this.#option(layout, i);
      case 'list':
        return this.#list(layout, i);
      case 'choice':
        return this.#choice(layout, i);
    }
  }

  #option({ present, of }: Extract<Layout, { kind: 'option' }>, i: string): string {
    const x = this.#name('x');
    return `if(p>=e)end(p);const ${x}=b[p++];if(${x}>1)badOption(p-1);q${present}[${i}]=${x};if(${x}===1){${this.#read(of, i)}}else{${this.#skip(of, i)}}\n`;
  }

  #skip(layout: Layout, i: string): string {
    if (layout.kind === 'list') return `q${layout.ends}[${i}]=c${layout.level};`;
    if (layout.kind === 'plain') return `q${layout.slot}[${i}]=undefined;`;
    if (layout.kind === 'group') return layout.parts.map(([, part]) => this.#skip(part, i)).join('');
    if (layout.kind === 'option') return `q${layout.present}[${i}]=0;${this.#skip(layout.of, i)}`;
    return '';
  }

  #list({ ends, level, of, node }: Extract<Layout, { kind: 'list' }>, i: string): string {
    const [n, k] = [this.#name('n'), this.#name('k')];
    const grow = `if(c${level}+${n}>m${level})${this.#again(level, `c${level}+${n}`)}`;
    return `${this.#values.count(n, node)}${grow}for(let ${k}=0;${k}<${n};${k}++){${this.#read(of, `c${level}`)}c${level}++;${PAST_END}}q${ends}[${i}]=c${level};\n`;
  }

  #choice(layout: Extract<Layout, { kind: 'choice' }>, i: string): string {
    const { cases, tags, numbers, lengths, others, text } = layout;
    const x = this.#name('x');
    const code = cases.map(([, form, node], index) => {
      const [y, n] = [this.#name('v'), this.#name('n')];
      const read = {
        none: () => `q${numbers}[${i}]=0;`,
        number: () => `${this.#values.value(node, y)}q${numbers}[${i}]=${y};`,
        bool: () => `${this.#values.value(node, y)}q${numbers}[${i}]=${y}?1:0;`,
        text: () =>
          text === 'dict'
            ? this.#textId(`q${numbers}[${i}]`, n)
            : `${this.#length(n)}q${numbers}[${i}]=p-s;q${lengths}[${i}]=${n};p+=${n};`,
        other: () =>
          `${this.#values.value(node, y)}q${numbers}[${i}]=q${others}.length;q${others}.push(${y});`,
      }[form];
      return `case ${index}:{${read()}break}\n`;
    });
    return `${this.#values.index(x, cases.length)}q${tags}[${i}]=${x};switch(${x}){${code.join('')}}\n`;
  }
}
