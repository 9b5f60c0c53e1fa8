import type { Node } from '../schema/node.ts';
import { literalKey, Names } from './names.ts';

/** Structs, tuples and numbers of a schema: in a longer message what is saved no longer counts. */
const NODES_MAX = 48;

const NUMBERS: ReadonlySet<string> = new Set(['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64']);
const isNumber = (node: Node): boolean =>
  NUMBERS.has(node.kind) || (node.kind === 'wide' && node.int === 'u64' && node.form === 'number');

const partsOf = (node: Node): readonly Node[] | undefined => {
  if (node.kind === 'tuple') return node.items;
  return node.kind === 'struct' ? node.fields.map(([, of]) => of) : undefined;
};

/** What is left of so many nodes behind this one; below 0 when they are not enough, or it holds more than numbers. */
const roomBehind = (node: Node, room: number): number => {
  if (room <= 0) return -1;
  if (isNumber(node)) return room - 1;
  let left = room - 1;
  for (const part of partsOf(node) ?? []) {
    left = roomBehind(part, left);
    if (left < 0) break;
  }
  return partsOf(node) === undefined ? -1 : left;
};

/**
 * Writes the source of a function `bytes => value` for a small struct of numbers, which reads from the bytes themselves. The decoder of
 * every schema reads from the buffer under them, with positions in the one input of the package; to ask for the buffer and to open and
 * close the input took a third of reading a message of eight numbers.
 *
 * It refuses nothing. Where it meets anything but a whole value of usual bytes it returns undefined, and the decoder judges.
 */
class DirectSource {
  readonly #names = new Names();

  source(root: Node): string {
    const value = this.#value(root, 'r');
    // `undefined`, from behind the end, passes all comparisons: the last one tells
    return `const W=new DataView(new ArrayBuffer(8));\nfunction direct(b){const e=b.length;let p=0;${value}\nif(p!==e)return;return r}`;
  }

  #value(node: Node, out: string): string {
    switch (node.kind) {
      case 'bool': {
        const x = this.#names.next('x');
        return `const ${x}=b[p++];if(${x}>1)return;const ${out}=${x}===1;`;
      }
      case 'u8':
        return `const ${out}=b[p++];`;
      case 'i8':
        return `const ${out}=b[p++]<<24>>24;`;
      case 'u16':
      case 'u32':
        return this.#varint(out, node.kind);
      case 'i16':
      case 'i32': {
        const x = this.#names.next('x');
        return `${this.#varint(x, node.kind === 'i16' ? 'u16' : 'u32')}const ${out}=${x}>>>1^-(${x}&1);`;
      }
      case 'f32':
        return `if(e-p<4)return;${this.#word(0)}const ${out}=W.getFloat32(0,true);p+=4;`;
      case 'f64':
        return `if(e-p<8)return;${this.#word(0)}${this.#word(4)}const ${out}=W.getFloat64(0,true);p+=8;`;
      case 'wide':
        return this.#u64(out);
      default:
        return this.#composite(node, out);
    }
  }

  #composite(node: Node, out: string): string {
    const parts = (partsOf(node) ?? []).map((part) => [part, this.#names.next('v')] as const);
    const code = parts.map(([part, y]) => this.#value(part, y)).join('\n');
    if (node.kind !== 'struct') return `${code}\nconst ${out}=[${parts.map(([, y]) => y).join()}];`;
    const keys = node.fields.map(([name], i) => `${literalKey(name)}:${parts[i]?.[1]}`);
    return `${code}\nconst ${out}={${keys.join()}};`;
  }

  #word(at: number): string {
    const bytes = [0, 1, 2, 3].map((i) => `b[p+${at + i}]<<${8 * i}`);
    return `W.setInt32(${at},${bytes.join('|')},true);`;
  }

  #varint(out: string, type: 'u16' | 'u32'): string {
    const y = this.#names.next('y');
    const more = (shift: number, then: string): string =>
      `${y}=b[p++];${out}|=(${y}&127)<<${shift};if(${y}>127){${then}}`;
    const third = `${y}=b[p++];if(${y}>3)return;${out}|=${y}<<14`;
    const fifth = `${y}=b[p++];if(${y}>15)return;${out}|=${y}<<28`;
    const rest = type === 'u16' ? third : `${more(14, more(21, fifth))}${out}>>>=0`;
    return `let ${out}=b[p++];if(${out}>127){${out}&=127;let ${more(7, rest)}}`;
  }

  /** Up to seven bytes, which hold 2^49: times and counters have so many. */
  #u64(out: string): string {
    const [y, m] = [this.#names.next('y'), this.#names.next('m')];
    const high = `${y}=b[p++];let ${m}=${y}&127;if(${y}>127){${y}=b[p++];${m}|=(${y}&127)<<7;if(${y}>127){${y}=b[p++];if(${y}>127)return;${m}|=${y}<<14}}${out}+=${m}*268435456`;
    const low = `${y}=b[p++];${out}|=(${y}&127)<<14;if(${y}>127){${y}=b[p++];${out}|=(${y}&127)<<21;if(${y}>127){${high}}}`;
    return `let ${out}=b[p++];if(${out}>127){let ${y}=b[p++];${out}=${out}&127|(${y}&127)<<7;if(${y}>127){${low}}}`;
  }
}

/** @returns the source that declares `direct`; undefined for what is not a struct or tuple of a few numbers */
export const directSource = (root: Node): string | undefined =>
  partsOf(root) !== undefined && roomBehind(root, NODES_MAX) >= 0
    ? new DirectSource().source(root)
    : undefined;
