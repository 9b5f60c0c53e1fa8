/** What makes a point unfit to be stored, beside its metric. */

/** What a JavaScript Date can say: up to the year 275760. */
export const SECS_END = 8_640_000_000_000;
export const NANOS_IN_SEC = 1_000_000_000;
const U32_MAX = 4_294_967_295;

/** Puts nanoseconds of a second or more into the seconds. @returns false: beyond what we can represent */
export const settleTimestamp = (timestamp: { secs: number | bigint; nanos: number }): boolean => {
  if (timestamp.secs >= SECS_END) return false;
  if (timestamp.nanos >= NANOS_IN_SEC) {
    timestamp.secs = Number(timestamp.secs) + Math.floor(timestamp.nanos / NANOS_IN_SEC);
    timestamp.nanos %= NANOS_IN_SEC;
    return timestamp.secs < SECS_END;
  }
  return true;
};

/** A u32 as Rust reads one: digits, a plus before them allowed. */
const isU32 = (text: string): boolean => {
  const { length } = text;
  let at = length > 1 && text.charCodeAt(0) === 43 ? 1 : 0;
  if (at === length) return false;
  let value = 0;
  for (; at < length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
    if (value > U32_MAX) return false;
  }
  return true;
};

/** Whether an id fits its kind of resource. Unknown kinds are custom and take any id. */
export const resourceFits = (kind: string, id: string): boolean => {
  switch (kind) {
    case 'local_machine':
      return id === '';
    case 'cpu_package':
    case 'cpu_core':
    case 'dram':
      return isU32(id);
    default:
      return true;
  }
};

/** Whether an id fits its kind of consumer. `local_machine` with an id is a custom one. */
export const consumerFits = (kind: string, id: string): boolean => kind !== 'process' || isU32(id);
