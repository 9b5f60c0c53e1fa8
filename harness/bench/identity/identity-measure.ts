/** What a turn of the identity bench does. */
import { Helper } from '../children.ts';
import type { Running } from '../contenders.ts';
import type { Measure, Sample } from '../measure.ts';
import { cpuSeconds, residentBytes } from '../process-cost.ts';
import type { IdentityRequest, SendAnswer, ShakeAnswer } from './programs/identity-load.ts';
import type { AloneAnswer } from './programs/seal-alone.ts';
import type { IdentityRunning } from './relay-contenders.ts';

const MB = 1e6;
const HANDSHAKES_AT_ONCE = 8;

export type IdentityLoad = Helper<IdentityRequest>;
export const identityLoad = (): IdentityLoad =>
  new Helper<IdentityRequest>('../identity/programs/identity-load.ts');

const whereOf = (running: Running): Pick<IdentityRunning, 'port' | 'relayKey'> => {
  const { port, relayKey } = running as IdentityRunning;
  return { port, relayKey };
};

export type Who = Pick<Measure, 'contenders' | 'absent' | 'rounds'>;
export type Options = Who & {
  /** Of one turn. */
  readonly millis: number;
  /** Of the turn that warms up: the compiler must have seen everything. */
  readonly warmUpMillis: number;
};

export const HANDSHAKES_ID = 'handshakes';
export const handshakes = (load: IdentityLoad, { millis, warmUpMillis, ...who }: Options): Measure => ({
  ...{ id: HANDSHAKES_ID, ...who, unit: 'handshakes/s', better: 'more' },
  title: 'Handshakes',
  words: `nodes that come, prove their key and go, ${HANDSHAKES_AT_ONCE} at once; TLS knows a secret beforehand and proves no key`,
  turn: async (running, _ends, share) => {
    const before = cpuSeconds(running.pids);
    const { handshakes: done, millis: took } = await load.ask<ShakeAnswer>({
      ...{ do: 'shake', millis: share < 1 ? warmUpMillis : millis, atOnce: HANDSHAKES_AT_ONCE },
      ...whereOf(running),
    });
    const spent = cpuSeconds(running.pids) - before;
    return { value: (done * 1_000) / took, beside: { 'CPU ms/handshake': (spent * 1_000) / done } };
  },
});

export type Size = { readonly messageBytes: number; readonly tunnels: number };
export const messagesId = ({ messageBytes, tunnels }: Size): string =>
  `messages-${messageBytes / 1_024}k-${tunnels}`;
export const tunnelWords = ({ messageBytes, tunnels }: Size): string =>
  `${messageBytes / 1_024} KiB messages through ${tunnels === 1 ? 'one tunnel' : `${tunnels} tunnels`}`;

const alone = async (load: IdentityLoad, messageBytes: number, millis: number): Promise<Sample> => {
  const {
    messages: done,
    millis: took,
    cpuMillis,
  } = await load.ask<AloneAnswer>({ do: 'seal', millis, messageBytes, port: 0, relayKey: undefined });
  return {
    value: (done * messageBytes) / MB / (took / 1_000),
    beside: {
      'CPU us/message': (cpuMillis * 1_000) / done,
      'messages/s': (done * 1_000) / took,
      'busy %': (cpuMillis * 100) / took,
    },
  };
};

export const messages = (
  load: IdentityLoad,
  size: Size,
  { millis, warmUpMillis, ...who }: Options,
): Measure => ({
  ...{ id: messagesId(size), ...who, unit: 'MB/s', better: 'more' },
  title: tunnelWords(size),
  words:
    'random bytes, one way, from the first sent until the last has come; sealed before and opened after that, so that the ends hold no relay back; busy: CPU time of the relay, all threads, over the time',
  turn: async (running, _ends, share) => {
    const where = whereOf(running);
    const { messageBytes } = size;
    if (running.pids.length === 0) return alone(load, messageBytes, share < 1 ? warmUpMillis : millis);
    await load.ask({ do: 'join', ...size, ...where });
    try {
      const before = cpuSeconds(running.pids);
      const { messages: sent, millis: took } = await load.ask<SendAnswer>({
        ...{ do: 'send', millis: share < 1 ? warmUpMillis : millis, messageBytes },
        ...where,
      });
      const spent = cpuSeconds(running.pids) - before;
      return {
        value: (sent * messageBytes) / MB / (took / 1_000),
        beside: {
          'CPU us/message': (spent * 1e6) / sent,
          'messages/s': (sent * 1_000) / took,
          'busy %': (spent * 1e5) / took,
        },
      };
    } finally {
      await load.ask({ do: 'part', ...where });
    }
  },
});

export const IDLE_ID = 'idle';
export const IDLE_NODES = 1_000;
export const idle = (load: IdentityLoad, who: Who): Measure => ({
  ...{ id: IDLE_ID, ...who, unit: 'MB', better: 'less', afresh: true },
  title: `${IDLE_NODES.toLocaleString('en')} idle nodes`,
  words: 'resident MB of the relay while they listen',
  turn: async (running) => {
    const where = whereOf(running);
    const empty = residentBytes(running.pids) / MB;
    await load.ask({ do: 'listen', nodes: IDLE_NODES, ...where });
    const value = residentBytes(running.pids) / MB;
    await load.ask({ do: 'part', ...where });
    return { value, beside: { 'without nodes': empty } };
  },
});

export const HINDERED_ID = 'hindered';
const PINGS = 200;
export const hindered = (load: IdentityLoad, who: Who): Measure => ({
  ...{ id: HINDERED_ID, ...who, unit: 'x', better: 'less' },
  title: 'Beside a silent and a stalled client',
  words: 'a message through a tunnel and back, over the same without them; median of each',
  turn: async (running, _ends, share) => {
    const where = whereOf(running);
    const times = Math.max(10, Math.round(PINGS * share));
    await load.ask({ do: 'join', tunnels: 1, messageBytes: 1, ...where });
    try {
      await load.ask<number>({ do: 'ping', times, ...where });
      const alone = await load.ask<number>({ do: 'ping', times, ...where });
      await load.ask({ do: 'hinder', ...where });
      const beside = await load.ask<number>({ do: 'ping', times, ...where });
      return { value: beside / alone, beside: { 'ms alone': alone } };
    } finally {
      await load.ask({ do: 'part', ...where });
    }
  },
});
