import { isNullable } from '../schema/bounds.ts';
import { FIXED_BYTES, type Node } from '../schema/node.ts';
import { FunctionPlan } from './function-plan.ts';
import { CASES_MAX, literalKey, Names } from './names.ts';
import { INLINED_TEXTS_MAX, type ShortUse, shortSource, textUse } from './text-source.ts';

export type DecodeSourceOptions = {
  readonly depth: number;
  readonly items: number;
  /** A char of several scalars reads as the first. */
  readonly firstChar: boolean;
  readonly minSize: (node: Node) => number;
};

/**
 * The end of the input is not looked for at every byte, which costs a small message a fifth of its time: single bytes behind it may
 * be read (they are somebody else's, or undefined), and whoever makes something of them looks first. Comparisons are written so that
 * they refuse undefined.
 */
export const PAST_END = 'if(p>e)end(p);';

/** The bytes after the first of a varint of at most 3 or 5 bytes, whose first is in x and above 127. */
const rest32 = (names: Names, x: string, bytesMax: 3 | 5): string => {
  const y = names.next('y');
  const type = bytesMax === 3 ? 'u16' : 'u32';
  const last = bytesMax === 3 ? 3 : 15;
  let code = '';
  for (let i = bytesMax - 1; i >= 1; i--) {
    const read = `${i === 1 ? 'let ' : ''}${y}=b[p++];${i === 1 ? `${x}&=127;` : ''}`;
    code =
      i === bytesMax - 1
        ? `${read}if(${y}>${last})badVarint(p-1,'${type}');${x}|=${y}<<${7 * i};`
        : `${read}${x}|=(${y}&127)<<${7 * i};if(${y}>127){${code}}`;
  }
  return `{${code}${bytesMax === 5 ? `${x}>>>=0` : ''}}`;
};

/**
 * The rest of a u64 of up to seven bytes inline, which holds 2^49; beyond, and near the end, `slow` reads it again from its first byte.
 * Up to five bytes each has a branch; the sixth and seventh are taken from one word without any, as lengths of measured values vary.
 * It takes 2 to 4 % off reading references; the same for the first five bytes did not pay.
 */
const rest64 = (names: Names, x: string, slow: string): string => {
  const [y, s, w, t, m] = ['y', 's', 'w', 't', 'm'].map((prefix) => names.next(prefix));
  const again = `${x}=${slow}(${s});p=C.p`;
  const septets = `${w}&127|${w}>>>1&16256|${w}>>>2&2080768`;
  const few = `const ${m}=${t}^${t}-1;${w}&=${m};${x}+=(${septets})*268435456;p+=3-(Math.clz32(${m})>>>3)`;
  const word = `let ${w}=v.getInt32(p-1,true);const ${t}=~${w}&8421504;if(${t}===0){${again}}else{${few}}`;
  const fifth = `${y}=b[p++];if(${y}<128)${x}+=${y}*268435456;else if(e-p<3){${again}}else{${word}}`;
  return `{const ${s}=p-1;let ${y}=b[p++];${x}=${x}&127|(${y}&127)<<7;if(${y}>127){${y}=b[p++];${x}|=(${y}&127)<<14;if(${y}>127){${y}=b[p++];${x}|=(${y}&127)<<21;if(${y}>127){${fifth}}}}}`;
};

/** Writes the source of functions `p => value` that read a schema's values from the input and leave C.p behind them. */
export class DecodeSource {
  readonly tables: string[] = [];
  readonly #names = new Names();
  readonly #plan = new FunctionPlan('r');
  readonly #options: DecodeSourceOptions;
  #texts = 0;

  constructor(options: DecodeSourceOptions) {
    this.#options = options;
  }

  /** @returns declarations, the first of them `decode` */
  source(root: Node): string {
    return [this.#function('decode', root), ...this.outlined()].join('\n');
  }

  /** The functions that code written so far calls. */
  outlined(): readonly string[] {
    const functions: string[] = [];
    for (let next = this.#plan.take(); next !== undefined; next = this.#plan.take())
      functions.push(this.#function(next.name, next.node));
    return functions;
  }

  /** Code that declares `out` and reads a value into it, perhaps from behind the input: `PAST_END` has to follow. */
  value(node: Node, out: string): string {
    return this.#code(node, out);
  }

  #function(name: string, node: Node): string {
    this.#plan.spend();
    this.#texts = 0;
    return `function ${name}(p){const b=C.b,v=C.v,e=C.e;${this.#flat(node, 'r')}\n${PAST_END}C.p=p;return r}`;
  }

  /** Code that declares `out` and reads a value into it. */
  #code(node: Node, out: string): string {
    const outlined = this.#plan.outlined(node);
    if (outlined === undefined) {
      this.#plan.spend();
      return this.#flat(node, out);
    }
    const call = `const ${out}=${outlined.name}(p);p=C.p;`;
    return outlined.recursive ? `enter(p,${this.#options.depth});${call}C.depth--;` : call;
  }

  #flat(node: Node, out: string): string {
    switch (node.kind) {
      case 'unit':
        return `const ${out}=undefined;`;
      case 'bool': {
        const x = this.#names.next('x');
        return `const ${x}=b[p++];if(${x}>1)badBool(p-1);const ${out}=${x}===1;`;
      }
      case 'u8':
        return `const ${out}=b[p++];`;
      case 'i8':
        return `const ${out}=b[p++]<<24>>24;`;
      case 'u16':
      case 'u32':
        return this.#varint(out, node.kind === 'u16' ? 3 : 5);
      case 'i16':
      case 'i32': {
        const x = this.#names.next('x');
        return `${this.#varint(x, node.kind === 'i16' ? 3 : 5)}const ${out}=${x}>>>1^-(${x}&1);`;
      }
      case 'wide':
        return this.#wide(node, out);
      case 'fixed':
        return this.#fixed(node, out);
      case 'f32':
        return `if(e-p<4)end(p);const ${out}=v.getFloat32(p,true);p+=4;`;
      case 'f64':
        return `if(e-p<8)end(p);const ${out}=v.getFloat64(p,true);p+=8;`;
      case 'char': {
        const [s, n] = [this.#names.next('s'), this.#names.next('n')];
        return `const ${s}=p;${this.length(n)}${PAST_END}const ${out}=readChar(${s},p,${n},${this.#options.firstChar});p=C.p;`;
      }
      case 'string': {
        const n = this.#names.next('n');
        return `${this.length(n)}${this.fits(n)}let ${out};${this.text(n, textUse(n, out), `${out}=textAt(b,v,p,${n})`)}p+=${n};`;
      }
      case 'bytes': {
        const n = this.#names.next('n');
        return `${this.length(n)}${this.fits(n)}${this.#view(out, n, node.copy)}`;
      }
      case 'byteArray':
        return `if(${node.length}>e-p)end(p);${this.#view(out, String(node.length), node.copy)}`;
      case 'nonZero': {
        const s = this.#names.next('s');
        return `const ${s}=p;${this.#code(node.of, out)}if(${out}===0||${out}===0n)badZero(${s});`;
      }
      default:
        return this.#composite(node, out);
    }
  }

  #composite(node: Node, out: string): string {
    switch (node.kind) {
      case 'option': {
        const [x, y] = [this.#names.next('x'), this.#names.next('v')];
        const some = isNullable(node.of) ? `{some:${y}}` : y;
        return `const ${x}=b[p++];let ${out}=null;if(${x}===1){${this.#code(node.of, y)}${out}=${some}}else if(${x}!==0)badOption(p-1);`;
      }
      case 'seq': {
        const n = this.#names.next('n');
        return `${this.count(n, node.of)}${this.#loop(node.of, out, n)}`;
      }
      case 'array':
        return this.#loop(node.of, out, String(node.length));
      case 'tuple': {
        const parts = node.items.map((item) => [item, this.#names.next('v')] as const);
        const code = parts.map(([item, y]) => this.#code(item, y)).join('\n');
        return `${code}const ${out}=[${parts.map(([, y]) => y).join()}];`;
      }
      case 'struct': {
        const parts = node.fields.map(([name, field]) => [name, field, this.#names.next('v')] as const);
        const code = parts.map(([, field, y]) => this.#code(field, y)).join('\n');
        return `${code}\nconst ${out}={${parts.map(([name, , y]) => `${literalKey(name)}:${y}`).join()}};`;
      }
      case 'enum':
        return this.#enum(node, out);
      case 'names': {
        const x = this.#names.next('x');
        const { length } = node.names;
        return `${this.index(x, length)}const ${out}=${this.#table(node.names)}[${x}];`;
      }
      case 'map':
      case 'record':
        return this.#map(node, out);
      case 'lazy':
        return this.#code(node, out);
      default:
        throw new Error(`no code for ${node.kind}`);
    }
  }

  #varint(out: string, bytesMax: 3 | 5): string {
    return `let ${out}=b[p++];if(${out}>127)${rest32(this.#names, out, bytesMax)}`;
  }

  #wide(node: Extract<Node, { kind: 'wide' }>, out: string): string {
    if (node.int === 'u128' || node.int === 'i128')
      return `const ${out}=readWide128(p,'${node.int}','${node.form}');p=C.p;`;
    const form = { number: '', bigint: 'Big', auto: 'Auto' }[node.form];
    const slow = `${node.int === 'u64' ? 'readU64' : 'readI64'}${form}`;
    if (node.form === 'bigint') return `const ${out}=${slow}(p);p=C.p;`;
    if (node.int === 'u64') return `let ${out}=b[p++];if(${out}>127)${rest64(this.#names, out, slow)}`;
    // one and two bytes inline, the rest in the helper
    return `let ${out}=b[p];if(${out}<128){p++;${out}=${out}>>>1^-(${out}&1)}else{${out}=${slow}(p);p=C.p}`;
  }

  #fixed(node: Extract<Node, { kind: 'fixed' }>, out: string): string {
    const bytes = FIXED_BYTES[node.int];
    const little = node.endian === 'le';
    if (bytes > 4) return `const ${out}=readFixedWide(p,'${node.int}',${little},'${node.form}');p=C.p;`;
    const get = `${node.int.startsWith('u') ? 'getUint' : 'getInt'}${bytes * 8}`;
    return `if(e-p<${bytes})end(p);const ${out}=v.${get}(p,${little});p+=${bytes};`;
  }

  #view(out: string, n: string, copy: boolean): string {
    return `const ${out}=${copy ? `b.slice(p,p+${n})` : `new Uint8Array(C.buffer,p,${n})`};p+=${n};`;
  }

  /** Declares n and reads a length; what is longer than one byte is rare enough for a helper. */
  length(n: string): string {
    return `let ${n}=b[p++];if(${n}>127){${n}=readLength(p-1);p=C.p}`;
  }

  /** Refuses a length of bytes that are not there. */
  fits(n: string): string {
    return `if(!(${n}<=e-p))end(p);`;
  }

  /** Code that finds the short string of n bytes at p and uses it, or else `called`, which can find any. */
  text(n: string, use: ShortUse, called: string): string {
    this.#texts++;
    return this.#texts > INLINED_TEXTS_MAX ? `${called};` : shortSource(n, use, called);
  }

  /** Declares n and reads the length of a collection, which the input must be able to hold. */
  count(n: string, ...of: readonly Node[]): string {
    const least = of.reduce((total, node) => total + this.#options.minSize(node), 0);
    const claim =
      least === 0 ? `takeEmpties(p,${n});` : `if((C.claims-=${least === 1 ? n : `${n}*${least}`})<0)end(p);`;
    return `${this.length(n)}${PAST_END}${claim}if(${n}>${this.#options.items})checkItems(p,${n},${this.#options.items});`;
  }

  #loop(of: Node, out: string, n: string): string {
    const [i, y] = [this.#names.next('i'), this.#names.next('v')];
    return `const ${out}=new Array(${n});for(let ${i}=0;${i}<${n};${i}++){${this.#code(of, y)}${out}[${i}]=${y}}`;
  }

  #map(node: Extract<Node, { kind: 'map' | 'record' }>, out: string): string {
    const [n, i, k, y] = ['n', 'i', 'k', 'v'].map((prefix) => this.#names.next(prefix)) as [
      string,
      string,
      string,
      string,
    ];
    const key: Node = node.kind === 'map' ? node.key : { kind: 'string' };
    const [made, put] =
      node.kind === 'map'
        ? ['new Map()', `${out}.set(${k},${y})`]
        : ['Object.create(null)', `${out}[${k}]=${y}`];
    return `${this.count(n, key, node.value)}const ${out}=${made};for(let ${i}=0;${i}<${n};${i}++){${this.#code(key, k)}${this.#code(node.value, y)}${put}}`;
  }

  /** Declares x and reads the index of a variant. */
  index(x: string, variants: number): string {
    const longer = `if(${x}>127){${x}=readU32(p-1);p=C.p}`;
    const check = `if(!(${x}<${variants}))badEnum(p-1,${x},${variants});`;
    // what one byte may say is told from all else by one comparison
    const read = variants > 128 ? longer + check : `if(!(${x}<${variants})){${longer}${check}}`;
    return `let ${x}=b[p++];${read}`;
  }

  #table(names: readonly (string | null)[]): string {
    const t = `N${this.tables.length}`;
    this.tables.push(`const ${t}=${JSON.stringify(names)};`);
    return t;
  }

  #enum(node: Extract<Node, { kind: 'enum' }>, out: string): string {
    const x = this.#names.next('x');
    const { variants } = node;
    const manyUnits = variants.filter(([, payload]) => payload.kind === 'unit').length > CASES_MAX;
    const cases = variants.flatMap(([tag, payload], index) => {
      if (payload.kind !== 'unit') {
        const y = this.#names.next('v');
        return `case ${index}:{${this.#code(payload, y)}${out}={tag:${JSON.stringify(tag)},value:${y}};break}\n`;
      }
      return manyUnits ? [] : `case ${index}:${out}={tag:${JSON.stringify(tag)}};break;\n`;
    });
    const others = manyUnits ? `${out}={tag:${this.#table(variants.map(([tag]) => tag))}[${x}]}` : '';
    return `${this.index(x, variants.length)}let ${out};switch(${x}){${cases.join('')}default:${others}}\n`;
  }
}
