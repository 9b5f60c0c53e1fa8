import {
  LAST_DIGIT,
  LOOP_CHARS_MAX,
  REMEMBERED_CHARS_MAX,
  REMEMBERED_CHARS_MIN,
  SLOTS,
} from '../wire/written-text.ts';

/** The declaration of what a place of a schema remembers, by the place's number. */
export const placeSource = (i: number): string =>
  `const P${i}=new WrittenText(),K${i}=P${i}.keys,W${i}=P${i}.words,D${i}=P${i}.doubles;`;

/** Where a string is written. */
export type Place = {
  /** A variable with the string. */
  readonly x: string;
  /** One with its code units. */
  readonly n: string;
  /** The number of what is remembered here. */
  readonly i: number;
  /** What stands behind code for a position, to say that it is an int32. */
  readonly int: string;
};

/** Code that writes a remembered string: what textEncoder of closures/quick-encode.ts does, and why. `f` is its first code unit. */
const remembered = ({ x, n, i, int }: Place): string => {
  const doubles = `v.setFloat64(p+(Math.max(${n},7)-7${int}),D${i}[k*2+1],true);v.setFloat64(p,D${i}[k*2],true)`;
  const words = `v.setInt32(p,W${i}[k*2],true);v.setInt32(p+${n}-3,W${i}[k*2+1],true)`;
  return `const k=(f^${n}<<3)&${SLOTS - 1};if(K${i}[k]===${x}){if(s||${n}>6){${doubles}}else{${words}}p=p+${n}+1${int}}else p=writeNew(P${i},k,b,p,${x})${int};`;
};

/*
 * Ids are short and come in all lengths, so the end of a loop over one is foretold wrongly, which costs as much as ten characters.
 * Up to six characters are read by overlapping pieces instead: nothing depends on the length but which of two pieces of code runs.
 */
const few = ({ x, n, int }: Place, otherwise: string): string =>
  `const h=${n}>>1,c=${x}.charCodeAt(0),d=${x}.charCodeAt(h),e=${x}.charCodeAt(${n}-1);if((c|d|e)<128){b[p]=${n};b[p+1]=c;b[p+1+h]=d;b[p+${n}]=e;p=p+${n}+1${int}}else ${otherwise}`;
const some = ({ x, n, int }: Place, otherwise: string): string => {
  const at = (i: string): string => `${x}.charCodeAt(${i})`;
  return `const c=${at('0')},d=${at('1')},e=${at('2')},g=${at('3')},h=${at(`${n}-2`)},i=${at(`${n}-1`)};if((c|d|e|g|h|i)<128){b[p]=${n};v.setInt32(p+1,c|d<<8|e<<16|g<<24,true);v.setInt16(p+${n}-1,h|i<<8,true);p=p+${n}+1${int}}else ${otherwise}`;
};

/** Code that writes a string where there is room for it. */
export const writtenTextSource = (place: Place): string => {
  const { x, n, int } = place;
  const native = `p=writeText(b,p,${x})${int};`;
  const loop = `let o=0;const q=p+1;for(let i=0;i<${n};i++){const c=${x}.charCodeAt(i);o|=c;b[q+i]=c}if(o<128){b[p]=${n};p=q+${n}${int}}else ${native}`;
  const isRemembered = `(${n}-${REMEMBERED_CHARS_MIN}>>>0)<=${REMEMBERED_CHARS_MAX - REMEMBERED_CHARS_MIN}&&(f=${x}.charCodeAt(0))>${LAST_DIGIT}`;
  return [
    `let f=0;if(${isRemembered}){${remembered(place)}}`,
    `else if(${n}===0)b[p++]=0;`,
    `else if(${n}<4){${few(place, native)}}`,
    `else if(${n}<7){${some(place, native)}}`,
    `else if(${n}<${LOOP_CHARS_MAX}){${loop}}`,
    `else ${native}`,
  ].join('\n');
};
