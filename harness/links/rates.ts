/** Measurements of faults that decide how fast, in what pieces, and whether bytes flow on at all. */
import type { Fault } from 'chaos-proxy';
import { type Arrival, type Bench, type BenchEnd, endsOf, type Way, waysOf } from './bench.ts';
import { GRACE_MILLIS } from './delays.ts';
import { median } from './distribution.ts';
import { type Reading, reading } from './reading.ts';
import { allowed } from './tolerances.ts';

type Of<Kind extends Fault['kind']> = Extract<Fault, { readonly kind: Kind }>;

const RATE_MILLIS = 400;
const BULK_BYTES_MAX = 32 << 20;

/** Bytes per second once `skip` bytes and the first piece are through. */
const rateOf = (
  arrivals: readonly Arrival[],
  skip: number,
): { readonly rate: number; readonly overMillis: number } => {
  let before = 0;
  let since: number | undefined;
  let bytes = 0;
  for (const { at, bytes: piece } of arrivals) {
    if (since !== undefined) bytes += piece.length;
    else {
      before += piece.length;
      if (before > skip) since = at;
    }
  }
  const overMillis = (arrivals.at(-1)?.at ?? Number.NaN) - (since ?? Number.NaN);
  return { rate: (bytes / overMillis) * 1000, overMillis };
};

/** One connection for `conn`, two that share for `link`. */
export const measureBandwidth = async (bench: Bench, fault: Of<'bandwidth'>): Promise<readonly Reading[]> => {
  const { rate, burst = 0 } = fault;
  const connections = fault.scope === 'link' ? 2 : 1;
  const total = Math.min(BULK_BYTES_MAX, Math.max(2, Math.round((rate * RATE_MILLIS) / 1000)) + burst);
  const pairs = await bench.pairs(connections);
  const readings: Reading[] = [];
  for (const way of waysOf(fault)) {
    const each = Math.ceil(total / connections);
    const receivers = pairs.map((pair) => endsOf(pair, way).to);
    for (const pair of pairs) endsOf(pair, way).from.write(Buffer.alloc(each));
    const whole = await bench.until(
      () => receivers.every(({ received }) => received >= each),
      (total / rate) * 2000 + GRACE_MILLIS,
    );
    const arrivals = receivers.flatMap((end) => end.arrivals).sort((a, b) => a.at - b.at);
    const seen = rateOf(arrivals, burst);
    const shared = connections === 1 ? '' : `, ${connections} connections together`;
    readings.push(
      reading.rate(rate, seen.rate, allowed('bandwidth', rate), seen.overMillis, `rate ${way}${shared}`),
    );
    if (!whole) readings.push(reading.words(`bytes ${way}`, 'all there', 'some never came'));
  }
  return readings;
};

export const measureSlice = async (bench: Bench, fault: Of<'slice'>): Promise<readonly Reading[]> => {
  const { size, variation = 0, delayUs = 1000 } = fault;
  const [way] = waysOf(fault) as [Way];
  const { from, to } = endsOf(await bench.pair(), way);
  const bytes = size * 40;
  from.write(Buffer.alloc(bytes));
  await bench.until(() => to.received >= bytes, (40 * delayUs) / 500 + GRACE_MILLIS);
  const slices = bench.booked('sliced');
  const span = (to.arrivals.at(-1)?.at ?? Number.NaN) - (to.arrivals[0]?.at ?? Number.NaN);
  const pauses = Math.max(1, slices - 1);
  const declared = delayUs / 1000;
  const readings = [
    reading.count('bytes', bytes, to.received),
    {
      ...reading.onceMillis(
        'pause between slices, mean',
        declared,
        span / pauses,
        allowed('slice', declared),
      ),
      perMilli: 1 / pauses,
    },
  ];
  // slices that leave in the same millisecond may be read together
  if (declared >= 2)
    readings.push(
      reading.timedCount(
        'bytes a read, median',
        size,
        median(to.arrivals.map((arrival) => arrival.bytes.length)),
        variation,
        size / declared,
      ),
    );
  return readings;
};

/** The gaps of more than `least` milliseconds in what came since. */
const gapsOf = (
  { arrivals }: BenchEnd,
  since: number,
  least: number,
): { readonly from: number; readonly to: number }[] => {
  const times = [since, ...arrivals.map(({ at }) => at).filter((at) => at > since)];
  return times.slice(1).flatMap((to, n) => {
    const from = times[n] as number;
    return to - from >= least ? [{ from, to }] : [];
  });
};

const TICK_MILLIS = 5;
const REPEATED_MILLIS_MAX = 3_000;

/** A byte every 5 ms each way; the stall is what nothing comes in. */
export const measureStall = async (bench: Bench, fault: Of<'stall'>): Promise<readonly Reading[]> => {
  const { onMs, offMs } = fault;
  const ways = waysOf(fault);
  const pair = await bench.pair();
  let ticks = 0;
  const timer = setInterval(() => {
    ticks++;
    for (const way of ways) endsOf(pair, way).from.write(Buffer.from('t'));
  }, TICK_MILLIS);
  const receivers = ways.map((way) => endsOf(pair, way).to);
  await bench.until(() => receivers.every(({ received }) => received > 3), GRACE_MILLIS);
  const began = performance.now();
  bench.proxy.add(fault);
  const repeats = offMs !== undefined && onMs * 2 + offMs <= REPEATED_MILLIS_MAX;
  const gaps = (end: BenchEnd) => gapsOf(end, began, onMs / 2);
  const wanted = repeats ? 2 : 1;
  await bench.until(
    () => receivers.every((end) => gaps(end).length >= wanted),
    (repeats ? onMs * 2 + offMs : onMs) + GRACE_MILLIS,
  );
  clearInterval(timer);
  bench.proxy.clear();
  const whole = await bench.until(() => receivers.every(({ received }) => received === ticks), GRACE_MILLIS);
  const readings = ways.flatMap((way, n): Reading[] => {
    const [first, second] = gaps(receivers[n] as BenchEnd);
    const length = (first?.to ?? Number.NaN) - began;
    const found = [reading.onceMillis(`stall ${way}`, onMs, length, allowed('stall', onMs))];
    if (repeats)
      found.push(
        reading.onceMillis(
          `clear time ${way}`,
          offMs,
          (second?.from ?? Number.NaN) - (first?.to ?? Number.NaN),
          allowed('stall', offMs),
        ),
      );
    return found;
  });
  return [...readings, reading.words('bytes held', 'all came', whole ? 'all came' : 'some lost')];
};
