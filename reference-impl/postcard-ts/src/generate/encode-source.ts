import type { Limits } from '../codec/options.ts';
import { isNullable, varintLength } from '../schema/bounds.ts';
import { FIXED_BYTES, INT_RANGE, type Node } from '../schema/node.ts';
import { SLACK_BYTES } from '../wire/output.ts';
import { FunctionPlan } from './function-plan.ts';
import { CASES_MAX, Names, property } from './names.ts';
import { placeSource, writtenTextSource } from './written-text-source.ts';

/** Places that remember what they wrote, 4 KiB each; a schema of more strings shares them. */
const PLACES_MAX = 32;
/** Bytes a function may write between two checks; what is left of the slack is for the helpers. */
const UNCHECKED_BYTES_MAX = SLACK_BYTES - 32;

/** One and two bytes inline: what is longer is rare, and code for it in every place costs V8 more time than it saves. */
const varintOf = (x: string, int: string): string =>
  `if(${x}<128)b[p++]=${x};else if(${x}<16384){b[p]=${x}&127|128;b[p+1]=${x}>>>7;p+=2}else p=writeLong(b,p,${x})${int};`;

/**
 * Up to this limit every position of a message is an int32, as a buffer grows to four times as much at worst; V8 is told so by |0
 * behind what makes one. Without, it keeps a position as any value, to be checked and unpacked at each use: 3 % of writing measurements.
 */
const INT_LIMIT_BYTES = 2 ** 28;

const PRIMITIVES = ['', 0, 0n, true, Symbol.iterator].map(Object);
/**
 * Whether looking a field up is enough to tell that a struct is no object: null and undefined throw, and primitives have no property of
 * this name. A look at the type of every object is one part in twenty of writing measurements.
 */
const refusesPrimitives = ([name, { kind }]: readonly [string, Node]): boolean =>
  kind !== 'unit' && kind !== 'option' && kind !== 'lazy' && !PRIMITIVES.some((one) => name in one);

/** Writes the source of functions `(value, p) => p` that write a schema's values to the output. */
export class EncodeSource {
  readonly #names = new Names();
  readonly #plan = new FunctionPlan('w');
  readonly #depthMax: number;
  /** Declarations of tables that are made once, in front of the functions. */
  readonly tables: string[] = [];
  #places = 0;
  /** Bytes written since the last check, at worst. */
  #unchecked = 0;

  /** Behind what makes a position. */
  readonly #int: string;

  constructor({ depth, bytes }: Pick<Limits, 'depth' | 'bytes'>) {
    this.#depthMax = depth;
    this.#int = bytes <= INT_LIMIT_BYTES ? '|0' : '';
  }

  #varint(x: string): string {
    return varintOf(x, this.#int);
  }

  /** @returns declarations, the last of them `encode` */
  source(root: Node): string {
    const functions: string[] = [];
    // an outlined root would be a call more for every message
    const body = this.#code(root, 'x', true);
    functions.push(this.#function('encode', body));
    for (let next = this.#plan.take(); next !== undefined; next = this.#plan.take()) {
      this.#unchecked = 0;
      functions.push(this.#function(next.name, this.#code(next.node, 'x', true)));
    }
    return functions.join('\n');
  }

  /** `s` says whether bytes behind the message may be written over. */
  #function(name: string, body: string): string {
    return `function ${name}(x,p){p=p${this.#int};const s=O.aimedAt===undefined;let b=O.b,v=O.v,lim=O.lim;${this.#checkNow()}\n${body}return p}`;
  }

  #reload(): string {
    return 'b=O.b;v=O.v;lim=O.lim;';
  }

  #checkNow(): string {
    this.#unchecked = 0;
    return `if(p>lim){p=grow(p,0)${this.#int};${this.#reload()}}`;
  }

  /** Accounts for bytes about to be written, with a check first if they may not fit. */
  #room(bytes: number): string {
    const check = this.#unchecked + bytes > UNCHECKED_BYTES_MAX ? this.#checkNow() : '';
    this.#unchecked += bytes;
    return check;
  }

  #code(node: Node, x: string, isRoot = false): string {
    const outlined = isRoot ? undefined : this.#plan.outlined(node);
    if (outlined === undefined) {
      this.#plan.spend();
      return this.#flat(node, x);
    }
    const call = `p=${outlined.name}(${x},p)${this.#int};${this.#reload()}`;
    const check = this.#checkNow();
    if (!outlined.recursive) return call + check;
    return `if(++O.depth>${this.#depthMax})deep();${call}O.depth--;${check}`;
  }

  #flat(node: Node, x: string): string {
    switch (node.kind) {
      case 'unit':
        return '';
      case 'bool':
        return `${this.#room(1)}if(${x}===true)b[p++]=1;else if(${x}===false)b[p++]=0;else bad('bool',${x});\n`;
      case 'u8':
        return `${this.#room(1)}if((${x}&255)!==${x})bad('u8',${x});b[p++]=${x};\n`;
      case 'i8':
        return `${this.#room(1)}if((${x}<<24>>24)!==${x})bad('i8',${x});b[p++]=${x};\n`;
      case 'u16':
      case 'u32':
      case 'i16':
      case 'i32':
        return this.#smallVarint(node.kind, x);
      case 'wide':
        return this.#wide(node, x);
      case 'fixed':
        return this.#fixed(node, x);
      case 'f32':
      case 'f64': {
        const [bytes, set] = node.kind === 'f32' ? [4, 'setFloat32'] : [8, 'setFloat64'];
        return `${this.#room(bytes as number)}if(typeof ${x}!=='number')bad('${node.kind}',${x});v.${set}(p,${x},true);p+=${bytes};\n`;
      }
      case 'char':
        return `${this.#room(5)}p=writeText(b,p,checkChar(${x}))${this.#int};\n`;
      case 'string':
        return this.#string(x);
      case 'bytes':
      case 'byteArray':
        return this.#bytes(node, x);
      case 'option':
        return this.#option(node, x);
      case 'nonZero':
        return `if(${x}===0||${x}===0n)bad('not zero',${x});${this.#code(node.of, x)}`;
      case 'seq':
      case 'array':
        return this.#items(node, x);
      case 'tuple': {
        const items = node.items.map((item, i) => this.#part(item, `${x}[${i}]`)).join('');
        return `${this.#isList(x)}if(${x}.length!==${node.items.length})bad('${node.items.length} items',${x});\n${items}`;
      }
      case 'struct':
        return (
          (node.fields.some(refusesPrimitives)
            ? ''
            : `if(typeof ${x}!=='object'||${x}===null)bad('object',${x});`) +
          node.fields.map(([name, field]) => this.#part(field, property(x, name))).join('')
        );
      case 'enum':
        return this.#enum(node, x);
      case 'names':
        return this.#named(node.names, x);
      case 'map':
      case 'record':
        return this.#map(node, x);
      case 'lazy':
        return this.#code(node, x);
    }
  }

  #part(node: Node, from: string): string {
    const y = this.#names.next('x');
    return `{const ${y}=${from};${this.#code(node, y)}}`;
  }

  #isList(x: string): string {
    return `if(typeof ${x}!=='object'||${x}===null)bad('array',${x});`;
  }

  #smallVarint(kind: 'u16' | 'u32' | 'i16' | 'i32', x: string): string {
    const y = this.#names.next('n');
    const bytes = kind.endsWith('16') ? 3 : 5;
    const [same, coded] = {
      u16: [`${x}&65535`, y],
      u32: [`${x}>>>0`, y],
      i16: [`${x}<<16>>16`, `(${y}<<1^${y}>>31)&65535`],
      i32: [`${x}|0`, `(${y}<<1^${y}>>31)>>>0`],
    }[kind];
    const z = this.#names.next('n');
    const write = coded === y ? this.#varint(y) : `const ${z}=${coded};${this.#varint(z)}`;
    return `${this.#room(bytes)}{const ${y}=${same};if(${y}!==${x})bad('${kind}',${x});${write}}\n`;
  }

  #wide(node: Extract<Node, { kind: 'wide' }>, x: string): string {
    if (node.int === 'u128' || node.int === 'i128')
      return `${this.#room(19)}p=writeWide128(b,p,${x},'${node.int}','${node.form}')${this.#int};\n`;
    const room = this.#room(10);
    const name = node.int === 'u64' ? 'writeU64' : 'writeI64';
    if (node.form === 'bigint') return `${room}p=${name}Big(b,p,${x})${this.#int};\n`;
    const slow = node.form === 'auto' ? `${name}Auto` : name;
    const y = this.#names.next('n');
    if (node.int === 'u64')
      // bit operations on a bigint throw: ask for its type first
      return `${room}if(typeof ${x}==='number'){const ${y}=${x}>>>0;if(${y}===${x}){${this.#varint(y)}}else p=${slow}(b,p,${x})${this.#int};}else p=${slow}(b,p,${x})${this.#int};\n`;
    return `${room}if(typeof ${x}==='number'&&(${x}|0)===${x}){const ${y}=(${x}<<1^${x}>>31)>>>0;${this.#varint(y)}}else p=${slow}(b,p,${x})${this.#int};\n`;
  }

  #fixed(node: Extract<Node, { kind: 'fixed' }>, x: string): string {
    const bytes = FIXED_BYTES[node.int];
    const little = node.endian === 'le';
    const room = this.#room(bytes);
    if (bytes > 4)
      return `${room}p=writeFixedWide(v,p,${x},'${node.int}',${little},'${node.form}')${this.#int};\n`;
    const [min, max] = INT_RANGE[node.int];
    const set = `${node.int.startsWith('u') ? 'setUint' : 'setInt'}${bytes * 8}`;
    return `${room}v.${set}(p,checkSmall(${x},${min},${max},'${node.int}'),${little});p+=${bytes};\n`;
  }

  #string(x: string): string {
    const n = this.#names.next('n');
    const i = this.#places++ % PLACES_MAX;
    if (i === this.#places - 1) this.tables.push(placeSource(i));
    // the check covers all that was written before, and the text itself; its length is new
    this.#unchecked = 5;
    const room = `if(p+${n}*3>lim){p=grow(p,${n}*3)${this.#int};${this.#reload()}}`;
    return `{if(typeof ${x}!=='string')bad('string',${x});const ${n}=${x}.length;${room}${writtenTextSource({ x, n, i, int: this.#int })}}\n`;
  }

  #bytes(node: Extract<Node, { kind: 'bytes' | 'byteArray' }>, x: string): string {
    const n = this.#names.next('n');
    const head =
      node.kind === 'bytes' ? this.#varint(n) : `if(${n}!==${node.length})bad('${node.length} bytes',${x});`;
    this.#unchecked = 5;
    const m = this.#names.next('m');
    const copy = `if(${n}<32)for(let i=0;i<${n};i++)b[p+i]=${x}[i];else b.set(${x},p);p+=${n};`;
    return `{if(!isBytes(${x}))bad('Uint8Array',${x});const ${n}=${x}.length,${m}=${n}<O.cut?${n}:0;if(p+${m}>lim){p=grow(p,${m})${this.#int};${this.#reload()}}${head}if(${m}===${n}){${copy}}else cut(p,${x});}\n`;
  }

  #option(node: Extract<Node, { kind: 'option' }>, x: string): string {
    const room = this.#room(1);
    const before = this.#unchecked;
    const some = isNullable(node.of)
      ? `if(typeof ${x}!=='object'||!('some' in ${x}))bad('{ some } or null',${x});b[p++]=1;${this.#part(node.of, `${x}.some`)}`
      : `b[p++]=1;${this.#code(node.of, x)}`;
    this.#unchecked = Math.max(before, this.#unchecked);
    return `${room}if(${x}===null||${x}===undefined)b[p++]=0;else{${some}}\n`;
  }

  #items(node: Extract<Node, { kind: 'seq' | 'array' }>, x: string): string {
    const [n, i] = [this.#names.next('n'), this.#names.next('i')];
    const head =
      node.kind === 'seq'
        ? `${this.#room(5)}if(${n}>>>0!==${n})bad('array',${x});${this.#varint(n)}`
        : `if(${n}!==${node.length})bad('${node.length} items',${x});`;
    const loop = `for(let ${i}=0;${i}<${n};${i}++){${this.#checkNow()}${this.#part(node.of, `${x}[${i}]`)}}`;
    return `{${this.#isList(x)}const ${n}=${x}.length;${head}\n${loop}${this.#checkNow()}}\n`;
  }

  #map(node: Extract<Node, { kind: 'map' | 'record' }>, x: string): string {
    const [n, k, y] = [this.#names.next('n'), this.#names.next('k'), this.#names.next('x')];
    const room = this.#room(5);
    const check = this.#checkNow();
    if (node.kind === 'map') {
      const pair = this.#code(node.key, k) + this.#code(node.value, y);
      return `{if(!(${x} instanceof Map))bad('Map',${x});const ${n}=${x}.size;${room}${this.#varint(n)}for(const [${k},${y}] of ${x}){${check}${pair}}${this.#checkNow()}}\n`;
    }
    const keys = this.#names.next('k');
    const pair = this.#code({ kind: 'string' }, k) + this.#part(node.value, `${x}[${k}]`);
    return `{if(typeof ${x}!=='object'||${x}===null)bad('object',${x});const ${keys}=Object.keys(${x}),${n}=${keys}.length;${room}${this.#varint(n)}for(const ${k} of ${keys}){${check}${pair}}${this.#checkNow()}}\n`;
  }

  #enum(node: Extract<Node, { kind: 'enum' }>, x: string): string {
    const isUnit = ([, payload]: readonly [string, Node]): boolean => payload.kind === 'unit';
    const units = node.variants.filter(isUnit);
    if (units.length > CASES_MAX) {
      const payloads = node.variants.map((v, i) => [...v, i] as const).filter((v) => !isUnit([v[0], v[1]]));
      const table = `TAGS(${JSON.stringify(node.variants.map((v) => (isUnit(v) ? v[0] : null)))})`;
      return this.#tagged(x, payloads, this.#indexed(table, `${x}.tag`));
    }
    return this.#tagged(
      x,
      node.variants.map((v, i) => [...v, i] as const),
      `bad('a known tag',${x}.tag)`,
    );
  }

  #tagged(x: string, cases: readonly (readonly [string, Node, number])[], otherwise: string): string {
    const room = this.#room(5);
    const before = this.#unchecked;
    let worst = before;
    const code = cases.map(([tag, payload, index]) => {
      this.#unchecked = before;
      const body = payload.kind === 'unit' ? '' : this.#part(payload, `${x}.value`);
      worst = Math.max(worst, this.#unchecked);
      return `case ${JSON.stringify(tag)}:{${this.#index(index)}${body}break}\n`;
    });
    this.#unchecked = worst;
    // null and undefined throw here, and no tag of anything else is known: closures say what is wrong
    return `${room}switch(${x}.tag){${code.join('')}default:{${otherwise}}}\n`;
  }

  #index(index: number): string {
    let code = '';
    let rest = index;
    for (let i = varintLength(index); i > 1; i--, rest >>>= 7) code += `b[p++]=${(rest & 127) | 128};`;
    return `${code}b[p++]=${rest};`;
  }

  #named(names: readonly string[], x: string): string {
    const room = this.#room(5);
    if (names.length > CASES_MAX) return room + this.#indexed(`TAGS(${JSON.stringify(names)})`, x);
    const cases = names.map((name, i) => `case ${JSON.stringify(name)}:${this.#index(i)}break;`).join('');
    return `${room}switch(${x}){${cases}default:bad('a known name',${x})}\n`;
  }

  #indexed(table: string, key: string): string {
    const [t, n] = [`T${this.tables.length}`, this.#names.next('n')];
    this.tables.push(`const ${t}=${table};`);
    return `{const ${n}=${t}.get(${key});if(${n}===undefined)bad('a known tag',${key});${this.#varint(n)}}\n`;
  }
}
