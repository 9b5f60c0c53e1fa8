/** yamux alone: two processes, one session between them, bytes one way. */
import { fileURLToPath } from 'node:url';
import { freePort, Program } from './children.ts';
import type { Contender, Running } from './contenders.ts';
import type { Measure, Sample } from './measure.ts';
import { Pace } from './measure-transfer.ts';
import { cpuSeconds } from './process-cost.ts';

const READY_MILLIS = 20_000;
const TURN_MILLIS = 30_000;
const GIB = 2 ** 30;
const OURS = fileURLToPath(new URL('programs/yamux-end.ts', import.meta.url));

/** A contender both of whose ends are here. */
type Session = Running & { readonly dialler: Program };

/** @param command a program with the command line of ci/peers: `listen PORT` and `dial PORT` are put behind it */
export const session = (
  name: string,
  own: boolean,
  command: readonly string[],
  face?: string,
): Contender => ({
  name,
  own,
  start: async (): Promise<Session> => {
    const port = await freePort();
    const behind = face === undefined ? [String(port)] : [String(port), face];
    const listener = new Program([...command, 'listen', ...behind]);
    await listener.said(/ready\n/, READY_MILLIS);
    const dialler = new Program([...command, 'dial', ...behind]);
    await dialler.said(/ready\n/, READY_MILLIS);
    return {
      port,
      pids: [listener.pid, dialler.pid],
      dialler,
      stop: async () => {
        await dialler.stop();
        await listener.stop();
      },
    };
  },
});

/** Our session over reused reads, and the same behind Node's stream face. */
export const OUR_SESSION: Contender = session('relaylab yamux', true, [process.execPath, OURS], 'session');
export const OUR_DUPLEX: Contender = session(
  'relaylab yamux, Duplex',
  true,
  [process.execPath, OURS],
  'duplex',
);
/** TCP with the same writes and no session. */
export const PLAIN_TCP: Contender = session('plain TCP', false, [process.execPath, OURS], 'tcp');

type SessionsOptions = Pick<Measure, 'contenders' | 'absent' | 'rounds'> & {
  readonly streams: number;
  readonly seconds: number;
};

const turn =
  (pace: Pace, streams: number) =>
  async (running: Running, _ends: unknown, share: number): Promise<Sample> => {
    const { dialler, pids, port } = running as Session;
    const bytes = pace.bytes(String(port), share);
    const before = cpuSeconds(pids);
    dialler.tell(`${streams} ${Math.floor(bytes / streams)}`);
    const [seconds] = await dialler.said(/[\d.e+-]+(?=\n)/, TURN_MILLIS);
    const rate = bytes / Number(seconds);
    pace.learn(String(port), rate);
    return {
      value: rate / 1e6,
      beside: { 'CPU s/GiB, both ends': ((cpuSeconds(pids) - before) * GIB) / bytes },
    };
  };

/** MB/s through one session of so many streams. */
export const sessions = ({ streams, seconds, ...options }: SessionsOptions): Measure => ({
  ...options,
  id: `yamux-${streams}`,
  title: streams === 1 ? 'yamux alone, one stream' : `yamux alone, ${streams} streams`,
  words: 'MB/s between two processes, 64 KiB a write, first write to the end of the last stream',
  unit: 'MB/s',
  better: 'more',
  turn: turn(new Pace(seconds), streams),
});
