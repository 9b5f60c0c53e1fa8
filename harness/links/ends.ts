/** Measurements of faults that end connections or keep them out: RST or FIN, and who hears it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from 'chaos-proxy';
import { type Bench, type BenchEnd, type Ending, endsOf, type Pair, type Way, waysOf } from './bench.ts';
import { GRACE_MILLIS } from './delays.ts';
import { median } from './distribution.ts';
import { type Reading, reading } from './reading.ts';
import { allowed, allowedHits } from './tolerances.ts';

type Of<Kind extends Fault['kind']> = Extract<Fault, { readonly kind: Kind }>;

/** Silence is only believed after this long. */
const SILENCE_MILLIS = 120;
const FILLER = '.'.repeat(50);

const ends = ({ client, server }: Pair): string => `${client.ending} / ${server.ending}`;
const over = ({ client, server }: Pair): boolean => client.ending !== 'none' && server.ending !== 'none';

/** Connections that are alive at both ends of the link: bytes have come through both ways. */
const living = async (bench: Bench, count: number): Promise<readonly Pair[]> => {
  const pairs = await bench.pairs(count);
  for (const { client, server } of pairs) {
    client.write(Buffer.from('up'));
    server.write(Buffer.from('down'));
  }
  await bench.until(
    () => pairs.every(({ client, server }) => client.received === 4 && server.received === 2),
    GRACE_MILLIS,
  );
  return pairs;
};

/** What is sent to a cut, and how many bytes of it may arrive. */
const cutPayload = ({
  bytes,
  marker,
  occurrence = 1,
}: Of<'cutAfter'>): { readonly bytes: Buffer; readonly pass: number } => {
  if (marker === undefined) return { bytes: Buffer.alloc((bytes ?? 0) + 16, 0x61), pass: bytes ?? 0 };
  const mark = marker.startsWith('hex:') ? Buffer.from(marker.slice(4), 'hex') : Buffer.from(marker);
  const before = Array.from({ length: occurrence - 1 }, () => [mark, Buffer.from(FILLER)]).flat();
  const head = Buffer.concat([Buffer.from(FILLER), ...before, mark]);
  return { bytes: Buffer.concat([head, Buffer.from(FILLER)]), pass: head.length };
};

export const measureCutAfter = async (bench: Bench, fault: Of<'cutAfter'>): Promise<readonly Reading[]> => {
  const [way] = waysOf(fault) as [Way];
  const pair = await bench.pair();
  const { from, to } = endsOf(pair, way);
  const { bytes, pass } = cutPayload(fault);
  from.write(bytes);
  const { how } = fault;
  const declared: Readonly<Record<typeof how, readonly [Ending, Ending]>> = {
    fin: ['none', 'fin'],
    close: ['fin', 'fin'],
    rst: ['rst', 'rst'],
    silent: ['none', 'none'],
  };
  const [sender, receiver] = declared[how];
  await bench.until(
    () => to.received >= pass && to.ending === receiver && from.ending === sender,
    GRACE_MILLIS,
  );
  if (how === 'silent' || how === 'fin') await pause(SILENCE_MILLIS);
  return [
    reading.count('bytes that passed', pass, to.received),
    reading.words('ends: sender / receiver', `${sender} / ${receiver}`, `${from.ending} / ${to.ending}`),
  ];
};

export const measureReset = async (bench: Bench, fault: Of<'reset'>): Promise<readonly Reading[]> => {
  const pairs = await living(bench, 5);
  const { afterMs = 0 } = fault;
  const began = performance.now();
  bench.proxy.add(fault);
  await bench.until(() => pairs.every(over), afterMs + GRACE_MILLIS);
  const times = pairs.flatMap(({ client, server }) => [client.endedAt - began, server.endedAt - began]);
  const wrong = pairs.map(ends).find((text) => text !== 'rst / rst');
  return [
    reading.words('ends: client / server', 'rst / rst', wrong ?? 'rst / rst'),
    reading.millis('RST after, median', afterMs, median(times), allowed('reset', afterMs)),
    reading.count('resets in the receipt', pairs.length, bench.booked('reset')),
  ];
};

export const measureBlackhole = async (bench: Bench, fault: Of<'blackhole'>): Promise<readonly Reading[]> => {
  const pair = await bench.pair();
  const began = performance.now();
  const id = bench.proxy.add(fault);
  const ways = waysOf(fault);
  for (const way of ways) endsOf(pair, way).from.write(Buffer.alloc(1000));
  const { closeMs } = fault;
  if (closeMs === undefined) {
    await pause(SILENCE_MILLIS);
    bench.proxy.remove(id);
  }
  await bench.until(() => over(pair), (closeMs ?? 0) + GRACE_MILLIS);
  const through = ways.reduce((sum, way) => sum + endsOf(pair, way).to.received, 0);
  const readings = [
    reading.count('bytes through', 0, through),
    reading.words('ends: client / server', 'fin / fin', ends(pair)),
    reading.count('bytes dropped in the receipt', 1000 * ways.length, bench.booked('dropped')),
  ];
  if (closeMs !== undefined)
    readings.push(
      reading.onceMillis('closed after', closeMs, pair.client.endedAt - began, allowed('blackhole', closeMs)),
    );
  return readings;
};

/** One dial after the other. @returns whether each got through, was refused, or neither */
const dials = async (bench: Bench, count: number): Promise<readonly ('through' | Ending)[]> => {
  const seen: ('through' | Ending)[] = [];
  for (let n = 0; n < count; n++) {
    const before = bench.accepted.length;
    const client: BenchEnd = bench.dial();
    await bench.until(() => client.ending !== 'none' || bench.accepted.length > before, GRACE_MILLIS);
    seen.push(bench.accepted.length > before ? 'through' : client.ending);
  }
  return seen;
};

const DIALS_AFTER = 3;
const DIALS_BY_CHANCE = 80;

export const measureRefuse = async (bench: Bench, fault: Of<'refuse'>): Promise<readonly Reading[]> => {
  const { first, ratio = 1 } = fault;
  const count = first === undefined ? DIALS_BY_CHANCE : first + DIALS_AFTER;
  const seen = await dials(bench, count);
  const refused = seen.filter((how) => how !== 'through');
  const wrong = refused.find((how) => how !== 'rst');
  return [
    first === undefined
      ? reading.count(
          `refused of ${count}`,
          ratio * count,
          refused.length,
          allowedHits('refuse', count, ratio),
        )
      : reading.words(
          `${count} dials`,
          `${first} refused, then through`,
          seen.lastIndexOf('rst') < first && refused.length === first
            ? `${first} refused, then through`
            : seen.join(' '),
        ),
    reading.words('how', 'rst', refused.length === 0 ? 'none refused' : (wrong ?? 'rst')),
    reading.count('refused in the receipt', refused.length, bench.booked('refused')),
  ];
};

export const measureDown = async (bench: Bench, fault: Of<'down'>): Promise<readonly Reading[]> => {
  const [pair] = (await living(bench, 1)) as [Pair];
  const id = bench.proxy.add(fault);
  await bench.until(() => over(pair), GRACE_MILLIS);
  const [while_] = await dials(bench, 1);
  bench.proxy.remove(id);
  const [after] = await dials(bench, 1);
  return [
    reading.words('living ends: client / server', 'rst / rst', ends(pair)),
    reading.words('dials while down / after', 'rst / through', `${while_} / ${after}`),
  ];
};

const STRETCH_BYTES = 1460;
const STRETCHES = 300;

const bits = (byte: number): number => byte.toString(2).replaceAll('0', '').length;

/** Zeros are sent: every one that arrives was made. */
export const measureCorrupt = async (bench: Bench, fault: Of<'corrupt'>): Promise<readonly Reading[]> => {
  const [way] = waysOf(fault) as [Way];
  const { from, to } = endsOf(await bench.pair(), way);
  const { ratio, atByte } = fault;
  const length = atByte === undefined ? STRETCH_BYTES * STRETCHES : atByte + 20;
  from.write(Buffer.alloc(length));
  await bench.until(() => to.received >= length, GRACE_MILLIS);
  const hits = [...to.bytes].flatMap((byte, at) => (byte === 0 ? [] : [{ at, flipped: bits(byte) }]));
  const flipped = hits.reduce((sum, hit) => sum + hit.flipped, 0);
  const receipt = reading.count('bits in the receipt', flipped, bench.booked('corrupted'));
  const whole = reading.count('bytes', length, to.received);
  if (ratio === undefined)
    return [
      whole,
      reading.words(
        'bits flipped',
        `1 at byte ${atByte}`,
        hits.map((hit) => `${hit.flipped} at byte ${hit.at}`).join(', ') || 'none',
      ),
      receipt,
    ];
  return [
    whole,
    reading.count(
      `bits flipped in ${STRETCHES} stretches`,
      ratio * STRETCHES,
      flipped,
      allowedHits('corrupt', STRETCHES, ratio),
    ),
    receipt,
  ];
};
