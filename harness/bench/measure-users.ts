/** Users that come and go: connections per second, the wait for the first byte under load, and tunnels that only stand there. */
import type { Running } from './contenders.ts';
import type { Ends, Measure, Sample } from './measure.ts';
import { cpuSeconds, descriptors, residentBytes } from './process-cost.ts';
import type { ConnectionsAnswer } from './programs/load.ts';
import { quantile } from './statistics.ts';

type UsersOptions = Pick<Measure, 'contenders' | 'absent' | 'rounds'>;

const AT_ONCE = 32;
const KB = 1000;

/** A contender that fails so many users has no figure: what is left measures its failures. */
const FAILED_SHARE_MAX = 0.02;

const refuseFailures = ({ failed, firstByteMillis }: ConnectionsAnswer): void => {
  const users = failed + firstByteMillis.length;
  if (users === 0 || failed / users > FAILED_SHARE_MAX)
    throw new Error(`${failed} of ${users} users were not served`);
};

const firstBytes = (millis: readonly number[]): Record<string, number> => ({
  'p50 ms': quantile(millis, 0.5),
  'p99 ms': quantile(millis, 0.99),
  'p99.9 ms': quantile(millis, 0.999),
});

/** Dial, a byte, its echo, close; 32 users at once. @param millis of a turn */
export const connectionsPerSecond = (options: UsersOptions, millis: number): Measure => ({
  ...options,
  id: 'connections',
  title: 'Connections a second',
  words: `dial, one byte, its echo, close; ${AT_ONCE} at once`,
  unit: '1/s',
  better: 'more',
  turn: async ({ port, pids }: Running, { load }: Ends, share: number): Promise<Sample> => {
    const before = cpuSeconds(pids);
    const answer = await load.ask<ConnectionsAnswer>({
      ...{ do: 'connections', port, atOnce: AT_ONCE },
      millis: millis * share,
    });
    const spent = cpuSeconds(pids) - before;
    refuseFailures(answer);
    const { firstByteMillis, failed, perSecond } = answer;
    const each = (spent * 1e6) / firstByteMillis.length;
    const beside = { ...firstBytes(firstByteMillis), failed };
    return { value: perSecond, beside: pids.length === 0 ? beside : { 'CPU us each': each, ...beside } };
  },
});

const PER_SECOND = 300;
const FLOOD_BYTES_PER_SECOND = 100e6;

/** The 99th percentile of dial to first byte, users coming steadily while another carries 100 MB/s. */
export const firstByteUnderLoad = (options: UsersOptions, millis: number): Measure => ({
  ...options,
  id: 'first-byte',
  title: 'Connect to first byte under load',
  words: `99th percentile; ${PER_SECOND} users a second, whatever the wait, beside one that sends ${FLOOD_BYTES_PER_SECOND / 1e6} MB/s`,
  unit: 'ms',
  better: 'less',
  turn: async ({ port }: Running, { load, crowd }: Ends, share: number): Promise<Sample> => {
    await crowd.ask({ do: 'flood', port, bytesPerSecond: FLOOD_BYTES_PER_SECOND });
    try {
      const answer = await load.ask<ConnectionsAnswer>({
        ...{ do: 'arrivals', port, perSecond: PER_SECOND },
        millis: millis * share,
      });
      refuseFailures(answer);
      const { firstByteMillis, failed } = answer;
      return { value: quantile(firstByteMillis, 0.99), beside: { ...firstBytes(firstByteMillis), failed } };
    } finally {
      await crowd.ask({ do: 'calm', port });
    }
  },
});

const SETTLE_MILLIS = 1_500;
const WARM_TUNNELS = 200;

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MILLIS));

/** Resident memory for each tunnel that has carried a byte each way and now idles. */
export const idleTunnels = (options: UsersOptions, tunnels: number): Measure => ({
  ...options,
  id: 'idle',
  title: 'Memory of an idle tunnel',
  words: `kB resident each, ${tunnels} tunnels after one byte each way; a fresh process for every turn`,
  unit: 'kB',
  better: 'less',
  afresh: true,
  turn: async ({ port, pids }: Running, { load }: Ends): Promise<Sample> => {
    const HOLD_MILLIS = 60_000;
    try {
      // what a process needs to serve anybody at all is not a tunnel's
      await load.ask({ do: 'hold', port, tunnels: WARM_TUNNELS }, HOLD_MILLIS);
      await settled();
      const before = { bytes: residentBytes(pids), fds: descriptors(pids) };
      await load.ask({ do: 'hold', port, tunnels }, HOLD_MILLIS);
      await settled();
      const bytes = (residentBytes(pids) - before.bytes) / tunnels;
      const each = (descriptors(pids) - before.fds) / tunnels;
      return { value: bytes / KB, beside: { 'descriptors each': each } };
    } finally {
      await load.ask({ do: 'release', port });
    }
  },
});
