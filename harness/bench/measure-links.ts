/** Links with faults: how near the bytes come to what a fault declares. */
import type { Running } from './contenders.ts';
import type { Ends, Measure, Sample } from './measure.ts';
import type { TransferAnswer } from './programs/load.ts';
import { deviation, mean, median, quantile } from './statistics.ts';

type LinkOptions = Pick<Measure, 'contenders' | 'absent' | 'rounds'>;

/** A transfer's share of a declared rate. @param seconds of a turn */
export const declaredRate = (options: LinkOptions, megabytes: number, seconds: number): Measure => ({
  ...options,
  id: `bandwidth-${megabytes}`,
  title: `Bandwidth fault, ${megabytes} MB/s`,
  words: `measured MB/s for each MB/s declared, over ${seconds} s; 1 is exact`,
  unit: 'of declared',
  better: 'more',
  turn: async ({ port }: Running, { load }: Ends, share: number): Promise<Sample> => {
    const bytes = Math.round(megabytes * 1e6 * seconds * share);
    const answer = await load.ask<TransferAnswer>({
      ...{ do: 'transfer', port, connections: 1, bytes },
      block: 64 * 1024,
    });
    return {
      value: bytes / 1000 / answer.transferMillis / megabytes,
      beside: { seconds: answer.transferMillis / 1000 },
    };
  },
});

/** As large as the unit in which the fault draws its delays. */
const MESSAGE_BYTES = 256;
const CONNECTIONS = 12;
const EVERY_MILLIS = 12;

/** Where the round trips without the fault are kept for those with it. */
export type Undelayed = { millis: number };

const trips = ({ port }: Running, { load }: Ends, pings: number): Promise<readonly number[]> =>
  load.ask<readonly number[]>({
    ...{ do: 'pings', port, connections: CONNECTIONS, pings },
    everyMillis: EVERY_MILLIS,
    bytes: MESSAGE_BYTES,
  });

/** Round trips through the same link without the fault: what a delay is measured from. */
export const undelayed = (options: LinkOptions, kept: Undelayed, pings: number): Measure => ({
  ...options,
  id: 'undelayed',
  title: 'Round trip of a link without a fault',
  words: `median of ${CONNECTIONS * pings} messages of ${MESSAGE_BYTES} B`,
  unit: 'ms',
  better: 'less',
  turn: async (running: Running, ends: Ends, share: number): Promise<Sample> => {
    const found = await trips(running, ends, Math.ceil(pings * share));
    kept.millis = median(found);
    return { value: kept.millis, beside: { 'mean ms': mean(found) } };
  },
});

/** What a row tells of the spread: from the tenth to the ninetieth percentile. */
export const SPREAD_KEY = '10 to 90 % ms';
/** Of a uniform draw from 15 to 25. */
export const DECLARED_SPREAD_MILLIS = 8;

/**
 * Middle and spread of the delay a fault adds to one way. Median and percentiles, because a machine that stands still for 40 ms
 * delays a dozen of these messages by as much whoever carries them: in the mean and the deviation (told beside, of uniform draws
 * 2.89) that was more than what a link does wrong.
 */
export const declaredDelay = (options: LinkOptions, kept: Undelayed, pings: number): Measure => ({
  ...options,
  id: 'latency',
  title: 'Latency fault, 20 ± 5 ms',
  words: `median delay of ${CONNECTIONS * pings} messages, one way, in milliseconds; declared 20, uniform from 15 to 25 (eight in ten within ${DECLARED_SPREAD_MILLIS} ms)`,
  unit: 'ms',
  better: 'less',
  turn: async (running: Running, ends: Ends, share: number): Promise<Sample> => {
    const found = (await trips(running, ends, Math.ceil(pings * share))).map((trip) => trip - kept.millis);
    return {
      value: median(found),
      beside: {
        [SPREAD_KEY]: quantile(found, 0.9) - quantile(found, 0.1),
        'mean ms': mean(found),
        'deviation ms': deviation(found),
      },
    };
  },
});
