/**
 * The whole line: clients behind six kinds of NAT and five kinds of link register at one relay, are used, lose their paths in
 * six ways and come back. Beside them agents measure, and report through the same NATs and links to a server with a database; on
 * request nodes call each other by key as well.
 */
import { PROFILES } from 'chaos-proxy';
import type { ActorSpec, NatEvent, Ref } from '../harness/agents/actor-spec.ts';
import type { HostedActor, Site } from '../harness/labs/topology.ts';
import { PRESETS, type PresetName, presetNote } from '../harness/nat/presets.ts';
import { CROWD } from '../harness/scenario/crowd.ts';
import { identityNodes, identityServer } from '../harness/scenario/identity-roles.ts';
import {
  agentsIn,
  MEASUREMENT,
  measurementAgents,
  measurementServer,
  RETRY,
  scheduleOf,
  storeRead,
} from '../harness/scenario/measurement-roles.ts';
import {
  defineScenario,
  type Options,
  type Plan,
  type TimelineEntry,
  type TunnelShape,
} from '../harness/scenario/scenario.ts';
import { STRANGERS } from '../harness/scenario/strangers.ts';
import { FOR_EVER, type Schedule } from '../reference-impl/backoff/schedule.ts';

/** Who lives where. More sites than these: the same again with a number. */
const PLACES = [
  { name: 'home', nat: 'home', link: 'clean' },
  { name: 'phone', nat: 'cgnat', link: 'mobile' },
  { name: 'cabin', nat: 'strict', link: 'slow' },
  { name: 'train', nat: 'home', link: 'lossy' },
  { name: 'hotel', nat: 'hostile', link: 'stalling' },
  { name: 'plant', nat: 'rfc5382', link: 'clean' },
] as const satisfies readonly { name: string; nat: PresetName; link: keyof typeof PROFILES }[];

/** Of 20 clients 8 use pools, 7 events, 5 multiplex; fewer or more keep the proportion. */
const MODES = [
  'pool',
  'event',
  'multiplex',
  'pool',
  'event',
  'pool',
  'event',
  'multiplex',
  'pool',
  'event',
] as const;

const SCHEDULE: Schedule = {
  baseMillis: 250,
  factor: 2,
  capMillis: 4_000,
  jitter: 0.5,
  healthyMillis: 3_000,
  triesMax: FOR_EVER,
};
/** So many clients can two cores bring back within one base step; a larger fleet declares a longer one, up to a second. */
const FLEET_PER_BASE = 250;
const BASES_MAX = 4;
/** Virtual time has room for any herd: there only a crowd declares the longer base, whose dials into an outage cost. */
const scheduleFor = ({ lab, sites, clients }: Options): Schedule => {
  const fleet = lab === 'sim' && sites * clients < CROWD.clientsMin ? 1 : sites * clients;
  const bases = Math.min(BASES_MAX, Math.ceil(fleet / FLEET_PER_BASE));
  return { ...SCHEDULE, baseMillis: SCHEDULE.baseMillis * bases };
};
/** A silent death is noticed after this much silence and three probes: short, so that a run of a minute can show it. */
const KEEPALIVE_MILLIS = 2_000;
const START_WITHIN_MILLIS = 3_000;
const WATCHED_MAX = 240;
const KIB = 1024;

/** Little, and often: a slow link has clients to serve as well. */
const MEASURING = {
  periodMillis: 500,
  pointsPerPoll: 10,
  bufferMaxLength: 40,
  bufferTimeoutMillis: 2_000,
} as const;

const MEASURE = { do: 'agents', state: 'go' } as const;
const REST = { do: 'agents', state: 'rest' } as const;

const nth = <Value>(values: readonly Value[], index: number): Value => values[index % values.length] as Value;
const two = (n: number): string => String(n).padStart(2, '0');

/** Throughput is measured at the last site whose link leaves it to the relay. The first one is clean, so there is one. */
const measuredSite = (sites: number): number => {
  for (let index = sites - 1; index > 0; index--) if (nth(PLACES, index).link === 'clean') return index;
  return 0;
};

const nameOf = (index: number): string => {
  const { name } = nth(PLACES, index);
  const round = Math.floor(index / PLACES.length);
  return round === 0 ? name : `${name}-${round + 1}`;
};

/** Each calls the one of its number at the next site. */
const nodesByKey = (options: Options, index: number): readonly HostedActor[] =>
  identityNodes(
    {
      site: nameOf(index),
      siteIndex: index,
      mappingMillis: PRESETS[nth(PLACES, index).nat].idle.establishedMillis,
      leaveAfterMillis: moments(options).rest,
    },
    nameOf((index + 1) % options.sites),
    options.identity ?? 0,
  );

const site = (options: Options, index: number): Site => {
  const place = nth(PLACES, index);
  const name = nameOf(index);
  const stride = Math.max(1, Math.ceil((options.sites * options.clients) / WATCHED_MAX));
  const schedule = scheduleFor(options);
  const client = (i: number): HostedActor => {
    const turn = START_WITHIN_MILLIS * (i + index / options.sites);
    const actor: ActorSpec<Ref> = {
      kind: 'client',
      mode: nth(MODES, i),
      relay: 'relay',
      service: `${name}/service`,
      poolSize: 2,
      schedule,
      dialMillis: 5_000,
      keepaliveMillis: KEEPALIVE_MILLIS,
      startAfterMillis: Math.floor(turn / options.clients),
    };
    return {
      who: `${name}/client-${two(i + 1)}`,
      actor,
      watch: (index * options.clients + i) % stride === 0,
    };
  };
  const actors: HostedActor[] = [
    { who: `${name}/service`, actor: { kind: 'service' }, watch: false },
    ...measurementAgents({
      site: name,
      siteIndex: index,
      count: options.agents ?? 0,
      retry: RETRY,
      keepaliveMillis: KEEPALIVE_MILLIS,
      startWithinMillis: START_WITHIN_MILLIS,
      ...MEASURING,
    }),
    ...nodesByKey(options, index),
  ];
  for (let i = 0; i < options.clients; i++) actors.push(client(i));
  if (index === 0) {
    const forwarder: ActorSpec<Ref> = { kind: 'forwarder', relay: 'relay', service: `${name}/service` };
    actors.push({ who: `${name}/forwarder`, actor: forwarder, watch: false });
  }
  if (index === measuredSite(options.sites))
    actors.push({ who: `${name}/source`, actor: { kind: 'source', to: 'users/sink' }, watch: false });
  const profile = PROFILES[place.link];
  return {
    name,
    nat: { name: place.nat, value: PRESETS[place.nat], note: presetNote(place.nat) },
    link: { name: place.link, faults: profile.faults, note: profile.note },
    actors,
  };
};

const OUTSIDE: readonly HostedActor[] = [
  { who: 'users', actor: { kind: 'users' }, watch: false },
  { who: 'users/sink', actor: { kind: 'sink' }, watch: false },
  ...STRANGERS,
];

const PROBE: TunnelShape = { up: 256, down: 4 * KIB, close: 'half', patienceMillis: 5_000 };

/** Looks at the relay between the users' start and the outage. */
const SAMPLES = 8;
/** Shorter than this the faults would run into each other and into the probes. */
const DURATION_MILLIS_MIN = 24_000;
const OUTAGE_MILLIS = 4_000;
/** After an outage everybody is back after this long (the cap of the schedule, a dial, a slow link). */
const BACK_MILLIS = SCHEDULE.capMillis + 2_400;

/** When each part begins: shares of the duration, kept apart where a short one would push them together. */
const moments = (options: Options) => {
  const durationMillis = Math.max(options.durationMillis, DURATION_MILLIS_MIN);
  const at = (share: number): number => Math.round(durationMillis * share);
  const users = Math.max(at(0.12), START_WITHIN_MILLIS + 1_300);
  const stall = at(0.53);
  const outage = Math.max(at(0.6), stall + 2_000);
  const leave = Math.max(at(0.86), outage + OUTAGE_MILLIS + BACK_MILLIS);
  const rest = Math.max(at(0.89), leave + 1_000);
  return {
    users,
    reboot: at(0.22),
    expire: at(0.3),
    readdress: at(0.39),
    reset: at(0.47),
    stall,
    outage,
    leave,
    rest,
    throughput: Math.max(at(0.93), rest + 1_200),
    settle: Math.max(at(0.95), rest + 2_000),
  };
};

const probe = (who: string, clause: string): TimelineEntry => ({
  when: { after: { type: 'script.mark', who } },
  step: { do: 'probe', client: who, clause, expects: 'served', shape: PROBE },
});

const faults = (options: Options, sites: readonly Site[]): readonly TimelineEntry[] => {
  const begin = moments(options);
  const named = (name: string): string =>
    (sites.find((candidate) => candidate.name === name) ?? (sites[0] as Site)).name;
  const nat = (when: number, place: string, event: NatEvent, text: string): TimelineEntry => ({
    when,
    step: { do: 'nat', site: named(place), event, text },
  });
  const cabin = named('cabin');
  const first = named('home');
  // With a handful of connections every third one may be none.
  const every = options.clients < 4 ? 1 : 3;
  const reset = `every ${every === 1 ? '' : 'third '}connection is reset`;
  return [
    nat(begin.reboot, 'train', { kind: 'reboot', downMillis: 1_000 }, 'NAT reboots'),
    nat(begin.expire, 'hotel', { kind: 'expire' }, 'idle mappings expire, silently'),
    nat(begin.readdress, 'phone', { kind: 'readdress' }, 'public address changes'),
    {
      when: begin.reset,
      step: {
        do: 'link',
        site: cabin,
        fault: { kind: 'reset', selector: { every } },
        forMillis: 500,
        text: reset,
      },
    },
    {
      when: begin.stall,
      step: {
        do: 'link',
        site: first,
        fault: { kind: 'stall', onMs: 1_500 },
        forMillis: 1_500,
        text: 'link stalls',
      },
    },
    // A stall of nothing proves nothing: somebody speaks, however few users there are.
    { when: begin.stall + 300, step: { do: 'tunnel', client: `${first}/client-01`, shape: PROBE } },
    { when: begin.outage, step: { do: 'phase', name: 'relay away' } },
    {
      when: begin.outage,
      step: { do: 'outage', millis: OUTAGE_MILLIS, text: 'relay killed, started again' },
    },
    { when: { after: { type: 'fault.ended', kind: 'outage' } }, step: { do: 'phase', name: 'coming back' } },
  ];
};

/** A client that listens for events leaves in order; its port must take nobody any more. With one client a site there is none. */
const leaving = (options: Options, sites: readonly Site[]): readonly TimelineEntry[] => {
  if (options.clients < 2) return [];
  const leaver = `${(sites[0] as Site).name}/client-${two(options.clients >= 5 ? 5 : 2)}`;
  return [
    { when: moments(options).leave, step: { do: 'stop', who: leaver } },
    {
      when: { after: { type: 'client.stopped', who: leaver }, delayMillis: 500 },
      step: { do: 'probe', client: leaver, clause: 'PORT-EVENT-4', expects: 'refused', shape: PROBE },
    },
  ];
};

const timeline = (options: Options, sites: readonly Site[]): readonly TimelineEntry[] => {
  const begin = moments(options);
  const measured = (sites[measuredSite(sites.length)] as Site).name;
  const entries: TimelineEntry[] = [
    { when: 0, step: { do: 'phase', name: 'warm-up' } },
    { when: begin.users - 100, step: { do: 'audit', moment: 'before' } },
    { when: begin.users, step: { do: 'phase', name: 'steady' } },
    { when: begin.users, step: { do: 'users', state: 'go' } },
    ...(agentsIn(sites).length === 0 ? [] : [{ when: begin.users, step: MEASURE }]),
    probe('users/dead-members', 'PORT-POOL-5'),
    probe('users/claim-twice', 'PORT-EVENT-3'),
    ...faults(options, sites),
    ...leaving(options, sites),
    { when: begin.rest, step: { do: 'users', state: 'rest' } },
    ...(agentsIn(sites).length === 0 ? [] : [{ when: begin.rest, step: REST }]),
    ...storeRead(begin.rest, sites, begin.settle - begin.rest + 2_900),
    {
      when: { after: { type: 'run.phase', name: 'settle' }, delayMillis: 3_000 },
      step: { do: 'audit', moment: 'after' },
    },
    {
      when: { after: { type: 'run.phase', name: 'settle' }, delayMillis: 3_200 },
      step: { do: 'finish', settleMillis: 0 },
    },
  ];
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const when = begin.users + Math.round(((begin.outage - begin.users - 500) * sample) / SAMPLES);
    entries.push({ when, step: { do: 'audit', moment: 'sample' } });
  }
  if (options.lab === 'sim')
    return [...entries, { when: begin.settle, step: { do: 'phase', name: 'settle' } }];
  const fastest = (['pool', 'event', 'multiplex'] as const)
    .map((mode) => MODES.indexOf(mode))
    .filter((first) => first < options.clients)
    .map((first) => `${measured}/client-${two(first + 1)}`);
  const throughput = {
    do: 'throughput',
    rounds: 5,
    bytes: 8 * KIB * KIB,
    source: `${measured}/source`,
    clients: fastest,
  } as const;
  return [
    ...entries,
    { when: begin.throughput, step: { do: 'phase', name: 'throughput' } },
    { when: begin.throughput, step: throughput },
  ];
};

/** Users of weak links ask for less, and the less the more of them there are: the link is to be used, not drowned. */
const shapes = (options: Options): Plan['users']['shape'] => {
  const crowd = Math.min(1, (8 * options.sites) / Math.max(1, options.users));
  return (_mode, name, unit) => {
    const weak = name.startsWith('cabin') || name.startsWith('phone') || name.startsWith('train');
    const up = 32 + Math.floor(unit() * (weak ? 8 * crowd : 64) * KIB);
    const down = 512 + Math.floor(unit() * (weak ? 24 * crowd : 256) * KIB);
    const draw = unit();
    return { up, down, close: draw < 0.5 ? 'half' : draw < 0.85 ? 'full' : 'abort' };
  };
};

const plan = (options: Options): Plan => {
  const sites = Array.from({ length: options.sites }, (_, index) => site(options, index));
  const members = sites.flatMap(({ actors }) =>
    actors.filter(({ actor }) => actor.kind === 'client').map(({ who }) => who),
  );
  const agents = agentsIn(sites);
  return {
    topology: {
      relay: { exec: undefined, limits: {}, defect: undefined },
      servers: [
        ...(agents.length === 0
          ? []
          : [
              measurementServer(options, sites, {
                keepaliveMillis: KEEPALIVE_MILLIS,
                storePointsPerSecond: 0,
              }),
            ]),
        ...((options.identity ?? 0) > 0 ? [identityServer] : []),
      ],
      sites,
      outside: OUTSIDE,
      keepaliveMillis: KEEPALIVE_MILLIS,
    },
    fleets: [
      { name: 'clients', schedule: scheduleFor(options), members },
      ...(agents.length === 0
        ? []
        : [{ name: 'agents', schedule: scheduleOf(RETRY), members: agents, server: MEASUREMENT }]),
    ],
    timeline: timeline(options, sites),
    users: { count: options.users, thinkMillis: [200, 1_500], shape: shapes(options) },
    goals: { 'throughput-ratio': 0.3, 'back-millis': SCHEDULE.capMillis + 3_000 },
    limitMillis: Math.max(options.durationMillis, DURATION_MILLIS_MIN) + 60_000,
  };
};

export default defineScenario({
  name: 'nat-pool',
  summary: "NAT'd clients of every mode over flaky links lose their paths in six ways and come back",
  defaults: { sites: 6, clients: 20, users: 40, agents: 2, identity: 0, durationMillis: 40_000 },
  plan,
  divisible: true,
  checks: [
    'conversation',
    'tunnels',
    'ledger',
    'probes',
    'backoff',
    'comeback',
    'receipts',
    'audit',
    'speed',
    'relay-alive',
    'measurement-points',
    'measurement-retries',
    'measurement-metrics',
    'measurement-server',
    'identity-tunnels',
    'identity-wire',
    'identity-nodes',
  ],
});
