/** Points into a server: how many a second, for how much CPU time, and what its memory does when the database stands still. */
import { Helper } from '../children.ts';
import type { Contender, Running } from '../contenders.ts';
import type { Measure, Sample } from '../measure.ts';
import { cpuSeconds, residentBytes } from '../process-cost.ts';
import type { Ingest } from './ingest-contenders.ts';
import { POINTS_A_FRAME } from './ingest-frames.ts';
import type { IngestAnswer, IngestRequest, PressAnswer } from './programs/ingest-load.ts';

const MB = 1e6;
const MILLION = 1e6;
/** To learn how fast a server is. */
const FIRST_FRAMES = 16;
const FRAMES_MAX = 20_000;
const POLL_MILLIS = 5;
/** A count that does not grow for so long will not. */
const STANDSTILL_MILLIS = 3_000;

export type Senders = Helper<IngestRequest>;
export const senders = (): Senders => new Helper<IngestRequest>('../measurement/programs/ingest-load.ts');

const asIngest = (running: Running): Ingest => running as Ingest;

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

/** Waits until all are stored, or until no more come. @returns how many are */
const allStored = async ({ stored }: Ingest, points: number): Promise<number> => {
  if (stored === undefined) return points;
  let [count, since] = [-1, performance.now()];
  for (;;) {
    const now = await stored();
    if (now !== count) since = performance.now();
    count = now;
    if (count >= points || performance.now() - since > STANDSTILL_MILLIS) return count;
    await pause(POLL_MILLIS);
  }
};

export type IngestOptions = {
  readonly connections: number;
  readonly contenders: readonly Contender[];
  readonly absent: Measure['absent'];
  readonly rounds: number;
  /** Of one turn. */
  readonly seconds: number;
  /** Of the turn that warms up: the compiler must have seen everything. */
  readonly warmUpSeconds: number;
};

export const ingestId = (connections: number): string => `ingest-${connections}`;

/** Points a second and CPU seconds a million points. */
export const ingest = (
  load: Senders,
  { connections, contenders, absent, rounds, seconds, warmUpSeconds }: IngestOptions,
): Measure => {
  /** Frames a second, learnt from the turn before: each contender is measured for about as long. */
  const paces = new Map<number, number>();
  const sample = async (server: Ingest, frames: number): Promise<Sample> => {
    const { port, pids, databasePids } = server;
    await server.clear();
    const before = [cpuSeconds(pids), cpuSeconds(databasePids)] as const;
    const began = performance.now();
    const { points } = await load.ask<IngestAnswer>({ do: 'send', port, connections, frames });
    const stored = await allStored(server, points);
    const took = (performance.now() - began) / 1000;
    const spent = [cpuSeconds(pids) - before[0], cpuSeconds(databasePids) - before[1]] as const;
    if (stored === 0) throw new Error(`none of ${points} points was stored`);
    paces.set(port, frames / took);
    return {
      value: stored / took,
      beside: {
        'CPU s/M points': (spent[0] * MILLION) / stored,
        ...(databasePids.length === 0 ? {} : { 'database CPU s/M points': (spent[1] * MILLION) / stored }),
        'resident MB': residentBytes(pids) / MB,
        ...(stored === points ? {} : { 'lost %': ((points - stored) / points) * 100 }),
      },
    };
  };
  const turn = async (running: Running, share: number): Promise<Sample> => {
    const server = asIngest(running);
    const known = paces.get(server.port);
    if (known === undefined) await sample(server, FIRST_FRAMES);
    const pace = paces.get(server.port) ?? FIRST_FRAMES;
    const wanted = Math.round(pace * (known === undefined ? warmUpSeconds : seconds * share));
    return sample(server, Math.min(FRAMES_MAX, Math.max(2 * connections, wanted)));
  };
  return {
    ...{ id: ingestId(connections), contenders, absent, rounds, unit: 'points/s', better: 'more' },
    title:
      connections === 1 ? 'Measurements over one connection' : `Measurements over ${connections} connections`,
    words: `points stored a second, frames of ${POINTS_A_FRAME} points, from the first byte until the last is where it belongs; the ceiling only counts bytes`,
    turn: (running, _ends, share) => turn(running, share),
  };
};

export const STANDSTILL_ID = 'standstill';

/** How much the server's memory grows while its database takes nothing and senders go on. */
export const standstill = (
  load: Senders,
  { contenders, absent, rounds, seconds }: Omit<IngestOptions, 'connections' | 'warmUpSeconds'>,
): Measure => ({
  ...{ id: STANDSTILL_ID, contenders, absent, rounds, unit: 'MB', better: 'less', afresh: true },
  title: 'Memory while the database stands still',
  words:
    'MB that the server grows by in the second half of the time in which its database is locked and 8 senders push',
  turn: async (running, _ends, _share) => {
    const server = asIngest(running);
    const { port, pids, hold } = server;
    if (hold === undefined) throw new Error('its database cannot be held');
    // grown up before it is measured
    const { points } = await load.ask<IngestAnswer>({ do: 'send', port, connections: 8, frames: 200 });
    await allStored(server, points);
    const release = await hold();
    try {
      const millis = seconds * 1000;
      const pressed = load.ask<PressAnswer>({ do: 'press', port, connections: 8, millis });
      await pause(millis / 2);
      const half = residentBytes(pids);
      let most = half;
      for (const end = performance.now() + millis / 2; performance.now() < end; await pause(50))
        most = Math.max(most, residentBytes(pids));
      const { firstHalf, secondHalf } = await pressed;
      return {
        value: (most - half) / MB,
        beside: {
          'resident MB': most / MB,
          'points taken, kernel buffers too': firstHalf,
          'points taken in the second half': secondHalf,
        },
      };
    } finally {
      await release();
    }
  },
});
