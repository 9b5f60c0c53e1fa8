/**
 * Durations as humantime writes them: `500ms`, `1s500ms`, `2h 30min`, `1.5s`. One or more `<number><unit>`; spaces may stand
 * between parts and before units. A number may have decimals where the result is exact: never with nanoseconds, and in whole
 * seconds from hours up. Case matters (`m` minutes, `M` months); a bare `0` is zero, any other bare number is refused.
 */

const SECOND = 1_000_000_000n;

/** [spellings, length in nanoseconds]. A month is 30.44 days, a year 365.25. */
const UNITS: readonly (readonly [readonly string[], bigint])[] = [
  [['nanos', 'nsec', 'ns'], 1n],
  [['usec', 'us', 'µs'], 1_000n],
  [['millis', 'msec', 'ms'], 1_000_000n],
  [['seconds', 'second', 'secs', 'sec', 's'], SECOND],
  [['minutes', 'minute', 'mins', 'min', 'm'], 60n * SECOND],
  [['hours', 'hour', 'hrs', 'hr', 'h'], 3_600n * SECOND],
  [['days', 'day', 'd'], 86_400n * SECOND],
  [['weeks', 'week', 'wks', 'wk', 'w'], 604_800n * SECOND],
  [['months', 'month', 'M'], 2_630_016n * SECOND],
  [['years', 'year', 'yrs', 'yr', 'y'], 31_557_600n * SECOND],
];

const NANOS_OF = new Map(UNITS.flatMap(([names, nanos]) => names.map((name) => [name, nanos] as const)));
const HOUR = 3_600n * SECOND;
/** Seconds of a duration are 64 bits wide. */
const LONGEST = (1n << 64n) * SECOND;

export type DurationRead =
  | { readonly type: 'duration'; readonly nanos: bigint }
  /** Why not, for the end of a sentence. */
  | { readonly type: 'invalid'; readonly why: string };

const invalid = (why: string): DurationRead => ({ type: 'invalid', why });

/** One part. `undefined`: the decimals ask for more than the unit can say exactly. */
const partNanos = (whole: string, decimals: string | undefined, unit: bigint): bigint | undefined => {
  const nanos = BigInt(whole) * unit;
  if (decimals === undefined) return nanos;
  const scale = 10n ** BigInt(decimals.length);
  const scaled = BigInt(decimals) * unit;
  if (unit === 1n || scaled % scale !== 0n) return undefined;
  const more = scaled / scale;
  return unit >= HOUR && more % SECOND !== 0n ? undefined : nanos + more;
};

const PART = /\s*(?:([0-9]{1,20})(?:\.([0-9]{1,20}))?)?\s*([A-Za-zµ]*)/y;

/** Reads a duration. The reasons are worded as humantime words them where it has a word. */
export const readDuration = (text: string): DurationRead => {
  const end = text.trimEnd().length;
  if (end === 0) return invalid('value was empty');
  if (text === '0') return { type: 'duration', nanos: 0n };
  let nanos = 0n;
  for (let at = 0; at < end; ) {
    PART.lastIndex = at;
    const found = PART.exec(text);
    const [all = '', whole, decimals, unit = ''] = found ?? [];
    const start = at + (all.length - all.trimStart().length);
    if (whole === undefined) return invalid(`expected number at ${start}`);
    at += all.length;
    const length = NANOS_OF.get(unit);
    if (unit === '') {
      return at < end
        ? invalid(`invalid character at ${at}`)
        : invalid(`time unit needed, for example ${whole}sec or ${whole}ms`);
    }
    if (length === undefined)
      return invalid(
        `unknown time unit "${unit}", supported units: ns, us, ms, sec, min, hours, days, weeks, months, years (and few variations)`,
      );
    const part = partNanos(whole, decimals, length);
    if (part === undefined)
      return invalid(`${whole}.${decimals}${unit} is not exact; write it in a smaller unit`);
    nanos += part;
    if (nanos >= LONGEST) return invalid('number is too large');
  }
  return { type: 'duration', nanos };
};

/** For timers: fractions of a millisecond are kept. */
export const millisOf = (nanos: bigint): number =>
  Number(nanos / 1_000n) / 1_000 + Number(nanos % 1_000n) / 1e6;
