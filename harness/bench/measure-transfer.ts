/** Bytes through tunnels: as many as take the turn's time, pairing timed apart. */
import type { Contender, Running } from './contenders.ts';
import type { Ends, Measure, Sample } from './measure.ts';
import { cpuSeconds, residentBytes } from './process-cost.ts';
import type { TransferAnswer } from './programs/load.ts';

const MB = 1e6;
const GIB = 2 ** 30;
const MIB = 2 ** 20;
const FIRST_BYTES = 32 * MIB;
const BYTES_MAX = 2048 * MIB;
/** What a user gives to one write. */
const BLOCK_BYTES = 256 * 1024;

/** What a transfer is given to take, learnt from the turn before: each contender is measured for about as long. */
export class Pace {
  readonly #seconds: number;
  readonly #rates = new Map<string, number>();

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Bytes for the next turn. */
  bytes(key: string, share: number): number {
    const rate = this.#rates.get(key);
    if (rate === undefined) return FIRST_BYTES;
    const bytes = rate * this.#seconds * share;
    return Math.min(BYTES_MAX, Math.max(4 * MIB, Math.round(bytes / MIB) * MIB));
  }

  learn(key: string, bytesPerSecond: number): void {
    this.#rates.set(key, bytesPerSecond);
  }
}

const turn =
  (pace: Pace, connections: number) =>
  async ({ port, pids }: Running, { load }: Ends, share: number): Promise<Sample> => {
    const key = `${port}`;
    const bytes = pace.bytes(key, share);
    const before = cpuSeconds(pids);
    const answer = await load.ask<TransferAnswer>({
      ...{ do: 'transfer', port, connections, bytes },
      block: BLOCK_BYTES,
    });
    const spent = cpuSeconds(pids) - before;
    const rate = (bytes * 1000) / answer.transferMillis;
    pace.learn(key, rate);
    const beside = { 'pairing ms': answer.pairingMillis };
    if (pids.length === 0) return { value: rate / MB, beside };
    return {
      value: rate / MB,
      beside: {
        'CPU s/GiB': (spent * GIB) / bytes,
        ...beside,
        'resident MB': residentBytes(pids) / MB,
      },
    };
  };

export type TransferOptions = {
  readonly id: string;
  readonly title: string;
  readonly connections: number;
  readonly contenders: readonly Contender[];
  readonly absent: Measure['absent'];
  readonly rounds: number;
  /** Of one turn. */
  readonly seconds: number;
};

/** MB/s from user to service. */
export const transfer = (options: TransferOptions): Measure => {
  const { id, title, connections, contenders, absent, rounds, seconds } = options;
  return {
    ...{ id, title, contenders, absent, rounds, unit: 'MB/s', better: 'more' },
    words: `MB/s, ${connections === 1 ? 'one connection' : `${connections} connections at once`}, first byte after pairing to the service's word that all is there`,
    turn: turn(new Pace(seconds), connections),
  };
};
