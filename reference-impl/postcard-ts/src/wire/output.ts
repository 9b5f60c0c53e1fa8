import { allocate } from './memory.ts';
import { refuse } from './refusal.ts';

/** Room kept free behind the limit, so that short things need no check of their own. */
export const SLACK_BYTES = 256;
const POOL_BYTES = 1 << 16;
/** In a longer target a position may be no int32, as generated code has it: what is meant for such a one is copied there. */
const TARGET_BYTES_MAX = 2 ** 30;
/** A pool with less room than this, or than a message like the last one needs, is left to those who hold pieces of it. */
const ROOM_BYTES_MIN = 1024;

/** A byte array that is not copied: it belongs behind so many bytes of the message's own. */
export type Cut = { readonly at: number; readonly bytes: Uint8Array };

/**
 * What is being written: a pool that advances, so that messages cost a view and no copy. One for the whole package; a getter that
 * encodes while its object is being encoded gets an output of its own for the time being (see `borrow`).
 */
export class Output {
  b: Uint8Array = allocate(POOL_BYTES);
  v = new DataView(this.b.buffer);
  /** The memory of the pool, which messages are views of: to ask b for it costs a fifth of a small message. */
  memory: ArrayBuffer = this.b.buffer as ArrayBuffer;
  /** Last position where SLACK_BYTES are still free. */
  lim: number = POOL_BYTES - SLACK_BYTES;
  /** Where the next message may begin. */
  next = 0;
  /** Where this message began. */
  start = 0;
  /** The most bytes this message may take. */
  max = 0;
  depth = 0;
  /** Room for a message somewhat longer than the last: to move one that does not fit costs more than the rest of a pool. */
  expected = ROOM_BYTES_MIN;
  busy = false;
  /** Byte arrays from this length on are left where they are, and become parts of their own. */
  cut = Number.POSITIVE_INFINITY;
  cuts: Cut[] = [];
  /** The foreign bytes that messages go into, if not into the pool; they stay it until the pool is asked for. */
  aimedAt: Uint8Array | undefined = undefined;
}

export const output = new Output();

const use = (bytes: Uint8Array): void => {
  output.b = bytes;
  output.memory = bytes.buffer as ArrayBuffer;
  output.v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  output.lim = bytes.length - SLACK_BYTES;
};

const freshPool = (): void => {
  use(allocate(POOL_BYTES));
  output.next = 0;
};

/** Starts a message behind those already written. @param reserve bytes kept free in front of it @returns its first position */
export const begin = (reserve: number, max: number): number => {
  if (output.aimedAt !== undefined) leave();
  if (output.next > 0 && output.b.length - output.next < output.expected) freshPool();
  output.start = output.next + reserve;
  output.max = max;
  output.depth = 0;
  return output.start;
};

/** Ends a message. @returns its bytes from a position on; they are never written again */
export const finish = (from: number, end: number): Uint8Array => {
  const length = end - output.start;
  checkBytes(length);
  output.next = end;
  output.expected = Math.max(ROOM_BYTES_MIN, length + (length >> 3) + 2 * SLACK_BYTES);
  const made = new Uint8Array(output.memory, from, end - from);
  // what grew for one message is that message's alone
  if (output.b.length > POOL_BYTES) freshPool();
  return made;
};

/** Leaves a byte array where it is. Its bytes count for the limit. @throws Refusal LimitBytes */
export const cut = (p: number, bytes: Uint8Array): void => {
  output.cuts.push({ at: p - output.start, bytes });
  output.max -= bytes.length;
  checkBytes(p - output.start);
};

/** Ends leaving byte arrays where they are. @returns those that were, in order */
export const takeCuts = (): readonly Cut[] => {
  const { cuts } = output;
  output.cut = Number.POSITIVE_INFINITY;
  output.cuts = [];
  return cuts;
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

/** The target of the last encodeInto with its views, so that a run of messages into one buffer makes them once. */
let target: Uint8Array | undefined;
let targetBytes: Uint8Array = new Uint8Array(0);
let targetView: DataView = new DataView(targetBytes.buffer);

// where the pool waits while the output is a target
let poolBytes: Uint8Array = output.b;
let poolView: DataView = output.v;
let poolLimit = 0;

/**
 * Starts a message in foreign bytes, if they have slack behind the offset and are no giants, or else in the pool. Ends with `land`, or `leave` after a
 * refusal.
 * @returns the first position
 */
export const aim = (into: Uint8Array, offset: number, max: number): number => {
  const { length } = into;
  if (length - offset <= SLACK_BYTES || length > TARGET_BYTES_MAX) return begin(0, max);
  if (output.aimedAt !== into || targetBytes.length !== length) take(into, length);
  output.start = offset;
  output.max = max;
  output.depth = 0;
  return offset;
};

const take = (into: Uint8Array, length: number): void => {
  if (output.aimedAt === undefined) {
    poolBytes = output.b;
    poolView = output.v;
    poolLimit = output.lim;
  }
  output.aimedAt = into;
  if (target !== into || targetBytes.length !== length) {
    target = into;
    targetBytes = new Uint8Array(into.buffer as ArrayBuffer, into.byteOffset, length);
    targetView = new DataView(into.buffer, into.byteOffset, length);
  }
  output.b = targetBytes;
  output.v = targetView;
  output.lim = length - SLACK_BYTES;
};

/** Gives the output back to the pool. */
export const leave = (): void => {
  if (output.aimedAt === undefined) return;
  output.aimedAt = undefined;
  output.b = poolBytes;
  output.memory = poolBytes.buffer as ArrayBuffer;
  output.v = poolView;
  output.lim = poolLimit;
  // a large target must not live on for the sake of its views
  if (targetBytes.length > POOL_BYTES) {
    target = undefined;
    targetBytes = new Uint8Array(0);
    targetView = new DataView(targetBytes.buffer);
  }
};

/** Ends a message in its target. @returns the end there  @throws Refusal SerializeBufferFull */
export const land = (into: Uint8Array, offset: number, end: number): number => {
  const { b, start } = output;
  const length = end - start;
  checkBytes(length);
  if (output.aimedAt !== undefined && b === targetBytes) return end;
  leave();
  if (offset + length > into.length)
    refuse('SerializeBufferFull', -1, `${length} bytes from ${offset} on`, `${into.length - offset} bytes`);
  into.set(b.subarray(start, end), offset);
  return offset + length;
};

/** Runs a write with an output of its own, for a getter that encodes in the middle of an encode. */
export const borrow = <T>(run: () => T): T => {
  const { b, v, memory, lim, next, start, max, depth, cut: cutFrom, cuts } = output;
  takeCuts();
  const waiting = [poolBytes, poolView, poolLimit, target, targetBytes, targetView] as const;
  const { aimedAt } = output;
  output.aimedAt = undefined;
  freshPool();
  output.busy = false;
  try {
    return run();
  } finally {
    Object.assign(output, { b, v, memory, lim, next, start, max, depth, cut: cutFrom, cuts, aimedAt });
    [poolBytes, poolView, poolLimit, target, targetBytes, targetView] = waiting;
    output.busy = true;
  }
};
