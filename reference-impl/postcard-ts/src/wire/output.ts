import { refuse } from './refusal.ts';

/** Room kept free behind the limit, so that short things need no check of their own. */
export const SLACK_BYTES = 256;
const POOL_BYTES = 1 << 16;
/** A pool with less room than this is left to those who hold pieces of it. */
const ROOM_BYTES_MIN = 1024;

type Unsafe = { allocUnsafeSlow?: (size: number) => Uint8Array };
const nodeBuffer = (globalThis as { Buffer?: Unsafe }).Buffer;
const allocate = nodeBuffer?.allocUnsafeSlow
  ? (size: number): Uint8Array => {
      const memory = (nodeBuffer.allocUnsafeSlow as (size: number) => Uint8Array)(size);
      return new Uint8Array(memory.buffer as ArrayBuffer, memory.byteOffset, memory.length);
    }
  : (size: number): Uint8Array => new Uint8Array(size);

/**
 * What is being written: a pool that advances, so that messages cost a view and no copy. One for the whole package; a getter that
 * encodes while its object is being encoded gets an output of its own for the time being (see `borrow`).
 */
export class Output {
  b: Uint8Array = allocate(POOL_BYTES);
  v = new DataView(this.b.buffer);
  /** Last position where SLACK_BYTES are still free. */
  lim: number = POOL_BYTES - SLACK_BYTES;
  /** Where the next message may begin. */
  next = 0;
  /** Where this message began. */
  start = 0;
  /** The most bytes this message may take. */
  max = 0;
  depth = 0;
  busy = false;
}

export const output = new Output();

const use = (bytes: Uint8Array): void => {
  output.b = bytes;
  output.v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  output.lim = bytes.length - SLACK_BYTES;
};

const freshPool = (): void => {
  use(allocate(POOL_BYTES));
  output.next = 0;
};

/** Starts a message behind those already written. @param reserve bytes kept free in front of it @returns its first position */
export const begin = (reserve: number, max: number): number => {
  if (output.b.length - output.next < ROOM_BYTES_MIN) freshPool();
  output.start = output.next + reserve;
  output.max = max;
  output.depth = 0;
  return output.start;
};

/** Ends a message. @returns its bytes from a position on; they are never written again */
export const finish = (from: number, end: number): Uint8Array => {
  checkBytes(end - output.start);
  output.next = end;
  const made = new Uint8Array(output.b.buffer as ArrayBuffer, output.b.byteOffset + from, end - from);
  // what grew for one message is that message's alone
  if (output.b.length > POOL_BYTES) freshPool();
  return made;
};

/** Forgets a message that was only measured, or failed. */
export const abandon = (): void => {
  if (output.b.length > POOL_BYTES) freshPool();
};

const checkBytes = (length: number): void => {
  if (length > output.max)
    refuse('LimitBytes', -1, `at most ${output.max} bytes`, `at least ${length} bytes`);
};

/**
 * Makes room for n more bytes (and the slack) by moving this message to a larger buffer.
 * @returns the position there  @throws Refusal LimitBytes
 */
export const grow = (p: number, n: number): number => {
  const { b, start } = output;
  const written = p - start;
  checkBytes(written);
  if (n > output.max * 3) checkBytes(n);
  const bytes = allocate(Math.max(POOL_BYTES, written * 2, written + n) + 2 * SLACK_BYTES + start - origin());
  const lead = start - origin();
  bytes.set(b.subarray(origin(), p), 0);
  use(bytes);
  output.start = lead;
  return lead + written;
};

// what was reserved in front of a message moves with it: never more than this
const RESERVE_BYTES_MAX = 16;
const origin = (): number => Math.max(0, output.start - RESERVE_BYTES_MAX);

/** Runs a write with an output of its own, for a getter that encodes in the middle of an encode. */
export const borrow = <T>(run: () => T): T => {
  const { b, v, lim, next, start, max, depth } = output;
  freshPool();
  output.busy = false;
  try {
    return run();
  } finally {
    Object.assign(output, { b, v, lim, next, start, max, depth });
    output.busy = true;
  }
};

/** The target of the last encodeInto with its views, so that a run of messages into one buffer makes them once. */
let target: Uint8Array | undefined;
let targetBytes: Uint8Array = new Uint8Array(0);
let targetView: DataView = new DataView(targetBytes.buffer);

const aim = (into: Uint8Array): void => {
  if (target === into && targetBytes.length === into.length) return;
  target = into;
  targetBytes = new Uint8Array(into.buffer as ArrayBuffer, into.byteOffset, into.length);
  targetView = new DataView(into.buffer, into.byteOffset, into.length);
};

/**
 * Runs a write straight into foreign bytes while there is slack, in the pool otherwise.
 * @param run writes from a position on, and returns the end
 * @returns the end in the target  @throws Refusal SerializeBufferFull
 */
export const writeInto = (
  into: Uint8Array,
  offset: number,
  max: number,
  run: (p: number) => number,
): number => {
  begin(0, max);
  const { b, v, lim, next } = output;
  const isDirect = into.length - offset > SLACK_BYTES;
  if (isDirect) {
    aim(into);
    output.b = targetBytes;
    output.v = targetView;
    output.lim = into.length - SLACK_BYTES;
    output.start = offset;
  }
  try {
    const end = run(output.start);
    const length = end - output.start;
    checkBytes(length);
    if (isDirect && output.b === targetBytes) return end;
    if (offset + length > into.length)
      refuse('SerializeBufferFull', -1, `${length} bytes from ${offset} on`, `${into.length - offset} bytes`);
    into.set(output.b.subarray(output.start, end), offset);
    return offset + length;
  } finally {
    output.b = b;
    output.v = v;
    output.lim = lim;
    output.next = next;
  }
};
