type Unsafe = {
  allocUnsafeSlow?: (size: number) => Uint8Array;
  prototype?: {
    copy?: (this: Uint8Array, to: Uint8Array, at: number, start: number, end: number) => number;
    indexOf?: (this: Uint8Array, byte: number, from: number) => number;
  };
};
const nodeBuffer = (globalThis as { Buffer?: Unsafe }).Buffer;

/** Memory that the caller is about to overwrite: not zeroed where the platform can leave that out. All of an ArrayBuffer of its own. */
export const allocate: (size: number) => Uint8Array = nodeBuffer?.allocUnsafeSlow
  ? (size) => {
      const memory = (nodeBuffer.allocUnsafeSlow as (size: number) => Uint8Array)(size);
      return new Uint8Array(memory.buffer as ArrayBuffer, memory.byteOffset, memory.length);
    }
  : (size) => new Uint8Array(size);

const SHARED_BYTES = 1 << 16;
const SHARED_PART_MAX = SHARED_BYTES >> 2;
let shared = new Uint8Array(0);
let taken = 0;

/** As allocate, but small pieces are cut from a larger one, which lives as long as any of them. */
export const allocatePart = (size: number): Uint8Array => {
  if (size > SHARED_PART_MAX) return allocate(size);
  if (shared.length - taken < size) {
    shared = allocate(SHARED_BYTES) as Uint8Array<ArrayBuffer>;
    taken = 0;
  }
  const part = new Uint8Array(shared.buffer, shared.byteOffset + taken, size);
  taken += size;
  return part;
};

const nativeCopy = nodeBuffer?.prototype?.copy;
/** Copies bytes from start to end of one array to a place in another, without making a view where the platform can. */
export const copyBytes: (from: Uint8Array, start: number, end: number, to: Uint8Array, at: number) => void =
  nativeCopy
    ? (from, start, end, to, at) => {
        nativeCopy.call(from, to, at, start, end);
      }
    : (from, start, end, to, at) => {
        to.set(from.subarray(start, end), at);
      };

const nativeIndexOf = nodeBuffer?.prototype?.indexOf;
/** Where the next 00 is, or -1. Node's search for a byte is many times faster than the one of typed arrays. */
export const zeroAt: (bytes: Uint8Array, from: number) => number = nativeIndexOf
  ? (bytes, from) => nativeIndexOf.call(bytes, 0, from)
  : (bytes, from) => bytes.indexOf(0, from);
