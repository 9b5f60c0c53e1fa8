/** Which measures a relay bench takes, with whom, and for how long. */

import type { Contender } from './contenders.ts';
import * as line from './contenders.ts';
import type { Measure } from './measure.ts';
import { declaredDelay, declaredRate, type Undelayed, undelayed } from './measure-links.ts';
import { OUR_DUPLEX, OUR_SESSION, PLAIN_TCP, session, sessions } from './measure-sessions.ts';
import { transfer } from './measure-transfer.ts';
import { connectionsPerSecond, firstByteUnderLoad, idleTunnels } from './measure-users.ts';
import { type FoundPeers, SESSION_PEERS, WHY_ABSENT } from './peers.ts';

/** How long everything takes; `QUICK` and `FULL` are two of them, tests have their own. */
export type Sizes = {
  readonly rounds: number;
  /** Rounds of what starts processes anew, and of what is timed by a declared rate. */
  readonly fewRounds: number;
  /** Of a turn that moves bytes. */
  readonly seconds: number;
  /** Of a turn that counts users. */
  readonly usersMillis: number;
  readonly arrivalsMillis: number;
  readonly idleTunnels: number;
  readonly pings: number;
  /** Seconds of a turn at a declared rate. */
  readonly rateSeconds: number;
  /** Only the rivals that goals name. */
  readonly nearestOnly: boolean;
};

/** Under two minutes. */
export const QUICK: Sizes = {
  rounds: 6,
  fewRounds: 2,
  seconds: 0.16,
  usersMillis: 300,
  arrivalsMillis: 500,
  idleTunnels: 5_000,
  pings: 50,
  rateSeconds: 0.8,
  nearestOnly: true,
};

export const FULL: Sizes = {
  rounds: 12,
  fewRounds: 6,
  seconds: 0.6,
  usersMillis: 1_000,
  arrivalsMillis: 2_000,
  idleTunnels: 5_000,
  pings: 120,
  rateSeconds: 2,
  nearestOnly: false,
};

type Side = { readonly contenders: readonly Contender[]; readonly absent: Readonly<Record<string, string>> };

/** Names that goals and the plan share. */
export const NAMES = {
  pool: 'relaylab, pool',
  event: 'relaylab, event',
  multiplex: 'relaylab, multiplex',
  goPool: 'Go relay, pool',
  goEvent: 'Go relay, event',
  goMultiplex: 'Go relay, multiplex',
  haproxy: 'HAProxy',
  yamux: 'relaylab yamux',
  go: 'hashicorp/yamux (Go)',
  tokio: 'tokio-yamux (Rust)',
  libp2p: '@libp2p/yamux',
  chaos: 'chaos-proxy',
  toxiproxy: 'toxiproxy',
} as const;

const MODES = ['pool', 'event', 'multiplex'] as const;

/** Those that are here, and why the others are not. */
const side = (
  entries: readonly (readonly [name: string, contender: Contender | undefined, why: string])[],
): Side => ({
  contenders: entries.flatMap(([, contender]) => contender ?? []),
  absent: Object.fromEntries(
    entries.filter(([, contender]) => contender === undefined).map(([name, , why]) => [name, why]),
  ),
});

const present = <Path>(path: Path | undefined, make: (path: Path) => Contender): Contender | undefined =>
  path === undefined ? undefined : make(path);

const relays = (peers: FoundPeers, more: boolean): Side =>
  side([
    ['direct', line.direct, ''],
    ...MODES.map((mode) => [`relaylab, ${mode}`, line.ourRelay(mode), ''] as const),
    ...(more ? ([['', line.ourForwarder, '']] as const) : []),
    ...MODES.map(
      (mode) =>
        [
          `Go relay, ${mode}`,
          present(peers.goRelay, (path) => line.goRelay(path, mode)),
          WHY_ABSENT.goRelay,
        ] as const,
    ),
    [NAMES.haproxy, present(peers.haproxy, line.haproxy), WHY_ABSENT.haproxy],
    ...(more
      ? ([
          ['node:net pipe', line.nodePipe, ''],
          ['socat', present(peers.socat, line.socat), WHY_ABSENT.socat],
        ] as const)
      : []),
  ]);

const only = ({ contenders, absent }: Side, names: readonly string[]): Side => ({
  contenders: contenders.filter(({ name }) => names.includes(name)),
  absent: Object.fromEntries(Object.entries(absent).filter(([name]) => names.includes(name))),
});

const sessionEnds = (peers: FoundPeers, more: boolean): Side =>
  side([
    ['', PLAIN_TCP, ''],
    [NAMES.yamux, OUR_SESSION, ''],
    ...(more ? ([['', OUR_DUPLEX, '']] as const) : []),
    ...SESSION_PEERS.filter((name) => more || name !== 'yamux-js').map(
      (name) =>
        [
          name,
          present(peers.sessions[name], (command) => session(name, false, command)),
          WHY_ABSENT.session,
        ] as const,
    ),
  ]);

const links = (peers: FoundPeers): Side =>
  side([
    ['direct', line.direct, ''],
    [NAMES.chaos, line.chaosProxy(NAMES.chaos), ''],
    [NAMES.toxiproxy, present(peers.toxiproxy, line.toxiproxy), WHY_ABSENT.toxiproxy],
  ]);

const rateLinks = (peers: FoundPeers, megabytes: number): Side =>
  side([
    [
      NAMES.chaos,
      line.chaosProxy(`chaos-proxy, ${megabytes} MB/s`, [
        `bandwidth:rate=${megabytes * 1_000_000},direction=up`,
      ]),
      '',
    ],
    [
      NAMES.toxiproxy,
      present(peers.toxiproxy, (path) =>
        line.toxiproxy(path, `toxiproxy, ${megabytes} MB/s`, {
          type: 'bandwidth',
          attributes: { rate: megabytes * 1000 },
        }),
      ),
      WHY_ABSENT.toxiproxy,
    ],
  ]);

const delayLinks = (peers: FoundPeers): Side =>
  side([
    [NAMES.chaos, line.chaosProxy('chaos-proxy, 20 ± 5 ms', ['latency:ms=20,jitter=5,direction=up']), ''],
    [
      NAMES.toxiproxy,
      present(peers.toxiproxy, (path) =>
        line.toxiproxy(path, 'toxiproxy, 20 ± 5 ms', {
          type: 'latency',
          attributes: { latency: 20, jitter: 5 },
        }),
      ),
      WHY_ABSENT.toxiproxy,
    ],
  ]);

/** Each fault by itself, with attributes that let bytes through: what a fault costs. */
const FAULTS: readonly (readonly [name: string, fault: string])[] = [
  ['latency 1 ms', 'latency:ms=1'],
  ['bandwidth 10 GB/s', 'bandwidth:rate=10000000000'],
  ['slice 16 KiB', 'slice:size=16384,delayUs=0'],
  ['coalesce 1 ms', 'coalesce:windowMs=1'],
  ['cutAfter far away', 'cutAfter:bytes=9007199254740991,how=rst'],
  ['slowClose 10 ms', 'slowClose:ms=10'],
  ['lossLike none', 'lossLike:ratio=0.000001'],
  ['corrupt rarely', 'corrupt:ratio=0.000001'],
  ['acceptDelay 5 ms', 'acceptDelay:ms=5'],
];

const faultyLinks = (): Side =>
  side([
    ['', line.chaosProxy(NAMES.chaos), ''],
    ...FAULTS.map(([name, fault]) => ['', line.chaosProxy(`chaos-proxy, ${name}`, [fault]), ''] as const),
  ]);

const RATES = [1, 10, 100] as const;

/** Every measure in the order in which they are taken. */
export const plan = (peers: FoundPeers, sizes: Sizes): readonly Measure[] => {
  const { rounds, fewRounds, seconds, nearestOnly } = sizes;
  const more = !nearestOnly;
  const all = relays(peers, more);
  const kept: Undelayed = { millis: 0 };
  const rivals = [
    NAMES.pool,
    NAMES.goPool,
    NAMES.goEvent,
    NAMES.haproxy,
    ...(more ? [NAMES.event, NAMES.multiplex, 'direct', 'node:net pipe', 'socat'] : []),
  ];
  return [
    transfer({
      ...all,
      id: 'transfer-1',
      title: 'Bytes through one tunnel',
      connections: 1,
      rounds,
      seconds,
    }),
    transfer({
      ...(nearestOnly ? only(all, [NAMES.multiplex, NAMES.goMultiplex, NAMES.haproxy]) : all),
      ...{ id: 'transfer-64', title: 'Bytes through 64 tunnels', connections: 64 },
      rounds,
      // 64 tunnels each have their own way up to large reads
      seconds: 2 * seconds,
    }),
    ...[1, 64].map((streams) => sessions({ ...sessionEnds(peers, more), streams, rounds, seconds })),
    connectionsPerSecond({ ...only(all, rivals), rounds }, sizes.usersMillis),
    firstByteUnderLoad(
      { ...only(all, nearestOnly ? [NAMES.pool, NAMES.haproxy] : rivals), rounds },
      sizes.arrivalsMillis,
    ),
    ...[1, 64].map((connections) =>
      transfer({
        ...links(peers),
        id: `link-${connections}`,
        title: connections === 1 ? 'A link without a fault' : 'A link without a fault, 64 connections',
        ...{ connections, rounds, seconds: connections === 1 ? seconds : 2 * seconds },
      }),
    ),
    ...RATES.map((megabytes) =>
      declaredRate({ ...rateLinks(peers, megabytes), rounds: fewRounds }, megabytes, sizes.rateSeconds),
    ),
    undelayed({ ...only(links(peers), [NAMES.chaos]), rounds: 1 }, kept, sizes.pings),
    // half the messages in more rounds: an interval takes six
    declaredDelay({ ...delayLinks(peers), rounds }, kept, Math.ceil(sizes.pings / 2)),
    ...(more
      ? [
          transfer({
            ...faultyLinks(),
            ...{ id: 'faults', title: 'What each fault costs', connections: 1, rounds: fewRounds, seconds },
          }),
        ]
      : []),
    idleTunnels(
      {
        ...only(
          all,
          nearestOnly
            ? [NAMES.pool]
            : [NAMES.pool, NAMES.event, NAMES.multiplex, NAMES.goPool, NAMES.goEvent, NAMES.haproxy],
        ),
        rounds: nearestOnly ? 1 : 3,
      },
      sizes.idleTunnels,
    ),
  ];
};
