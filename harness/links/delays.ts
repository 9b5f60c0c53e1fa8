/** Measurements of faults that make bytes and connections come later. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from 'chaos-proxy';
import { type Bench, endsOf, type Pair, type Way, waysOf } from './bench.ts';
import { expectedDelays, median, quantile, spread } from './distribution.ts';
import { type Reading, reading } from './reading.ts';
import { allowed, allowedHits, TOLERANCES } from './tolerances.ts';

type Of<Kind extends Fault['kind']> = Extract<Fault, { readonly kind: Kind }>;

/** Patience beyond what is declared: a busy machine is to be late, not lost. */
export const GRACE_MILLIS = 2_000;

/** Every pair sends `bytes` in one write, a millisecond apart. @returns how long the last byte took, for each pair */
const oneWays = async (
  bench: Bench,
  pairs: readonly Pair[],
  way: Way,
  bytes: number,
  patienceMillis: number,
): Promise<readonly number[]> => {
  const sent: number[] = [];
  for (const pair of pairs) {
    sent.push(endsOf(pair, way).from.write(Buffer.alloc(bytes, 0x61)));
    await pause(1);
  }
  await bench.until(() => pairs.every((pair) => endsOf(pair, way).to.received >= bytes), patienceMillis);
  return pairs.map((pair, n) => {
    const { to } = endsOf(pair, way);
    return to.received < bytes ? Number.NaN : (to.arrivals.at(-1)?.at ?? Number.NaN) - (sent[n] as number);
  });
};

const lost = (values: readonly number[]): Reading[] => {
  const missing = values.filter(Number.isNaN).length;
  return missing === 0 ? [] : [reading.count('bytes that never came', 0, missing)];
};

export const measureLatency = async (bench: Bench, fault: Of<'latency'>): Promise<readonly Reading[]> => {
  const jitter = fault.jitter ?? 0;
  const size = jitter === 0 ? 15 : 100;
  const expected = expectedDelays(fault, size);
  const { sigmas } = TOLERANCES.latency;
  const pairs = await bench.pairs(size);
  const patience = fault.ms + 12 * jitter + GRACE_MILLIS;
  const readings: Reading[] = [];
  for (const way of waysOf(fault)) {
    const delays = await oneWays(bench, pairs, way, 1, patience);
    const seen = delays.filter((delay) => !Number.isNaN(delay));
    readings.push(
      ...lost(delays),
      reading.millis(
        `delay ${way}, median of ${size}`,
        expected.median,
        median(seen),
        allowed('latency', expected.median) + sigmas * expected.medianError,
      ),
    );
    if (jitter > 0)
      readings.push(
        reading.millis(
          `delay ${way}, p10 to p80`,
          expected.spread,
          spread(seen),
          allowed('latency', expected.spread) + sigmas * expected.spreadError,
        ),
      );
  }
  return readings;
};

const LOSS_CONNECTIONS = { least: 120, most: 400 };

/** Each connection sends one segment: whether it came late, and how late, is the loss model. */
export const measureLossLike = async (bench: Bench, fault: Of<'lossLike'>): Promise<readonly Reading[]> => {
  const { ratio, rtoMs = 200 } = fault;
  const size = Math.min(LOSS_CONNECTIONS.most, Math.max(LOSS_CONNECTIONS.least, Math.ceil(12 / ratio)));
  const pairs = await bench.pairs(size);
  const [way] = waysOf(fault) as [Way];
  // three losses in a row and more are rare, and as long as the rest together
  const delays = await oneWays(bench, pairs, way, 100, rtoMs * 7 + GRACE_MILLIS);
  const late = delays.filter((delay) => !(delay < rtoMs / 2));
  const once = delays.filter((delay) => delay >= rtoMs / 2 && delay < rtoMs * 2);
  const twice = delays.filter((delay) => delay >= rtoMs * 2 && delay < rtoMs * 5);
  const readings = [
    reading.count('segments late', ratio * size, late.length, allowedHits('lossLike', size, ratio)),
  ];
  if (once.length > 0)
    readings.push(
      reading.millis(
        `late after one loss, median of ${once.length}`,
        rtoMs,
        median(once),
        allowed('lossLike', rtoMs),
      ),
    );
  if (twice.length > 0)
    readings.push(
      reading.onceMillis(
        'late after two losses, median',
        3 * rtoMs,
        median(twice),
        allowed('lossLike', 3 * rtoMs),
      ),
    );
  const losses = once.length + 2 * twice.length;
  // beyond two losses the receipt alone can tell how many there were
  if (once.length + twice.length === late.length)
    readings.push(reading.count('losses in the receipt', losses, bench.booked('retransmitted')));
  return readings;
};

export const measureSlowClose = async (bench: Bench, fault: Of<'slowClose'>): Promise<readonly Reading[]> => {
  const readings: Reading[] = [];
  for (const way of waysOf(fault)) {
    const pairs = await bench.pairs(7);
    for (const pair of pairs) {
      endsOf(pair, way).from.write(Buffer.from('x'));
      endsOf(pair, way).from.end();
    }
    const receivers = pairs.map((pair) => endsOf(pair, way).to);
    await bench.until(() => receivers.every(({ ending }) => ending !== 'none'), fault.ms + GRACE_MILLIS);
    const waits = receivers.map(({ endedAt, arrivals }) => endedAt - (arrivals[0]?.at ?? Number.NaN));
    readings.push(
      reading.words(
        `end ${way}`,
        'fin',
        receivers.every(({ ending }) => ending === 'fin') ? 'fin' : 'not fin',
      ),
      reading.millis(
        `FIN ${way} after the last byte, median`,
        fault.ms,
        median(waits),
        allowed('slowClose', fault.ms),
      ),
    );
  }
  return readings;
};

export const measureAcceptDelay = async (
  bench: Bench,
  fault: Of<'acceptDelay'>,
): Promise<readonly Reading[]> => {
  const clients = Array.from({ length: 9 }, () => bench.dial());
  await bench.until(() => clients.every(({ openedAt }) => !Number.isNaN(openedAt)), GRACE_MILLIS);
  for (const client of clients) client.write(Buffer.from('early'));
  const all = (): boolean =>
    bench.accepted.length === 9 && bench.accepted.every(({ received }) => received === 5);
  await bench.until(all, fault.ms + GRACE_MILLIS);
  const waits = bench.accepted.map(({ openedAt }, n) => openedAt - (clients[n]?.openedAt ?? Number.NaN));
  return [
    reading.count('dials that got through', clients.length, bench.accepted.length),
    reading.millis('dial after accept, median', fault.ms, median(waits), allowed('acceptDelay', fault.ms)),
    reading.words('bytes sent meanwhile', 'kept', all() ? 'kept' : 'lost'),
  ];
};

export const measureCoalesce = async (bench: Bench, fault: Of<'coalesce'>): Promise<readonly Reading[]> => {
  const pairs = await bench.pairs(8);
  const [way] = waysOf(fault) as [Way];
  const sent = pairs.map((pair) => endsOf(pair, way).from.write(Buffer.from('1')));
  for (const rest of ['2', '3']) {
    await pause(Math.floor(fault.windowMs / 4));
    for (const pair of pairs) endsOf(pair, way).from.write(Buffer.from(rest));
  }
  const receivers = pairs.map((pair) => endsOf(pair, way).to);
  await bench.until(
    () => receivers.every(({ received }) => received === 3),
    fault.windowMs * 2 + GRACE_MILLIS,
  );
  const held = receivers.map(({ arrivals }, n) => (arrivals[0]?.at ?? Number.NaN) - (sent[n] as number));
  const reads = quantile(
    receivers.map(({ arrivals }) => arrivals.length),
    0.5,
  );
  return [
    reading.millis(
      'first byte held, median',
      fault.windowMs,
      median(held),
      allowed('coalesce', fault.windowMs),
    ),
    // with a window of a few milliseconds a late timer writes the third byte outside of it
    reading.timedCount('reads for three writes', 1, reads, 0, 2 / fault.windowMs),
  ];
};
