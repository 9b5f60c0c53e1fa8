/**
 * The whole line: clients behind six kinds of NAT and five kinds of link register at one relay, are used, lose their paths in
 * six ways and come back.
 */
import { PROFILES } from 'chaos-proxy';
import type { ActorSpec, Ref, ScriptStep } from '../harness/agents/actor-spec.ts';
import type { HostedActor, Site } from '../harness/labs/topology.ts';
import { PRESETS, type PresetName, presetNote } from '../harness/nat/presets.ts';
import {
  defineScenario,
  type Options,
  type Plan,
  type TimelineEntry,
  type TunnelShape,
} from '../harness/scenario/scenario.ts';
import type { Schedule } from '../reference-impl/backoff/schedule.ts';

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
  triesMax: Number.MAX_SAFE_INTEGER,
};
/** A silent death is noticed after this much silence and three probes: short, so that a run of a minute can show it. */
const KEEPALIVE_MILLIS = 2_000;
const START_WITHIN_MILLIS = 3_000;
const WATCHED_MAX = 240;
const KIB = 1024;

const nth = <Value>(values: readonly Value[], index: number): Value => values[index % values.length] as Value;
const two = (n: number): string => String(n).padStart(2, '0');

const site = (options: Options, index: number): Site => {
  const place = nth(PLACES, index);
  const round = Math.floor(index / PLACES.length);
  const name = round === 0 ? place.name : `${place.name}-${round + 1}`;
  const stride = Math.max(1, Math.ceil((options.sites * options.clients) / WATCHED_MAX));
  const client = (i: number): HostedActor => {
    const startAfterMillis = Math.floor(
      (START_WITHIN_MILLIS * (i + index / options.sites)) / options.clients,
    );
    const actor: ActorSpec<Ref> = {
      kind: 'client',
      mode: nth(MODES, i),
      relay: 'relay',
      service: `${name}/service`,
      poolSize: 2,
      schedule: SCHEDULE,
      dialMillis: 5_000,
      keepaliveMillis: KEEPALIVE_MILLIS,
      startAfterMillis,
    };
    return {
      who: `${name}/client-${two(i + 1)}`,
      actor,
      watch: (index * options.clients + i) % stride === 0,
    };
  };
  const actors: HostedActor[] = [{ who: `${name}/service`, actor: { kind: 'service' }, watch: false }];
  for (let i = 0; i < options.clients; i++) actors.push(client(i));
  if (index === 0) {
    const forwarder: ActorSpec<Ref> = { kind: 'forwarder', relay: 'relay', service: `${name}/service` };
    actors.push({ who: `${name}/forwarder`, actor: forwarder, watch: false });
  }
  if (index === options.sites - 1)
    actors.push({ who: `${name}/source`, actor: { kind: 'source', to: 'users/sink' }, watch: false });
  const profile = PROFILES[place.link];
  return {
    name,
    nat: { name: place.nat, value: PRESETS[place.nat], note: presetNote(place.nat) },
    link: { name: place.link, faults: profile.faults, note: profile.note },
    actors,
  };
};

/** Registers a pool of three, lets one die by FIN and one by RST, and serves whoever gets the third. */
const DEAD_MEMBERS: readonly ScriptStep[] = [
  { do: 'wait', millis: 6_000 },
  { do: 'dial', conn: 'first' },
  { do: 'send', conn: 'first', text: 'pool\nnew\n' },
  { do: 'line', conn: 'first', as: 'port' },
  { do: 'line', conn: 'first', as: 'id' },
  { do: 'dial', conn: 'second' },
  { do: 'send', conn: 'second', text: 'pool\n{id}\n' },
  { do: 'dial', conn: 'third' },
  { do: 'send', conn: 'third', text: 'pool\n{id}\n' },
  { do: 'wait', millis: 500 },
  { do: 'end', conn: 'first' },
  { do: 'reset', conn: 'second' },
  { do: 'wait', millis: 500 },
  { do: 'serve', conn: 'third' },
  { do: 'mark', name: 'one member is left', port: 'port' },
];

/** Claims an event once, as it should be, and then once more. */
const CLAIM_TWICE: readonly ScriptStep[] = [
  { do: 'wait', millis: 6_500 },
  { do: 'dial', conn: 'control' },
  { do: 'send', conn: 'control', text: 'event\nnew\n' },
  { do: 'line', conn: 'control', as: 'port' },
  { do: 'mark', name: 'event listener', port: 'port' },
  { do: 'line', conn: 'control', as: 'id' },
  { do: 'dial', conn: 'claim' },
  { do: 'send', conn: 'claim', text: 'event\n{id}\n' },
  { do: 'serve', conn: 'claim' },
  { do: 'wait', millis: 200 },
  { do: 'dial', conn: 'again' },
  { do: 'send', conn: 'again', text: 'event\n{id}\n' },
  { do: 'expectEnd', conn: 'again', name: 'PORT-EVENT-5', millis: 5_000 },
];

/** Says something that no client says, and watches the relay close. */
const says = (text: string, clause: string, millis: number): readonly ScriptStep[] => [
  { do: 'wait', millis: 5_500 },
  { do: 'dial', conn: 'c' },
  { do: 'send', conn: 'c', text },
  { do: 'expectEnd', conn: 'c', name: clause, millis },
];

const script = (name: string, steps: readonly ScriptStep[]): HostedActor => ({
  who: `users/${name}`,
  actor: { kind: 'script', to: 'relay', steps },
  watch: true,
});

const OUTSIDE: readonly HostedActor[] = [
  { who: 'users', actor: { kind: 'users' }, watch: false },
  { who: 'users/sink', actor: { kind: 'sink' }, watch: false },
  script('dead-members', DEAD_MEMBERS),
  script('claim-twice', CLAIM_TWICE),
  script('browser', says('GET / HTTP/1.1\r\n\r\n', 'PORT-CTRL-5', 5_000)),
  script('stranger', says('pool\n0000000000\n', 'PORT-POOL-6', 5_000)),
  script('hasty', [
    { do: 'wait', millis: 5_500 },
    { do: 'dial', conn: 'c' },
    { do: 'end', conn: 'c' },
    { do: 'expectEnd', conn: 'c', name: 'PORT-CTRL-6', millis: 5_000 },
  ]),
];

const PROBE: TunnelShape = { up: 256, down: 4 * KIB, close: 'half', patienceMillis: 5_000 };

const timeline = (options: Options, sites: readonly Site[]): readonly TimelineEntry[] => {
  const at = (share: number): number => Math.round(options.durationMillis * share);
  const named = (name: string): string =>
    (sites.find((candidate) => candidate.name === name) ?? (sites[0] as Site)).name;
  const first = (sites[0] as Site).name;
  const last = (sites.at(-1) as Site).name;
  const leaver = `${first}/client-${two(options.clients >= 5 ? 5 : 2)}`;
  const entries: TimelineEntry[] = [
    { when: 0, step: { do: 'phase', name: 'warm-up' } },
    { when: at(0.11), step: { do: 'audit', moment: 'before' } },
    { when: at(0.12), step: { do: 'phase', name: 'steady' } },
    { when: at(0.12), step: { do: 'users', state: 'go' } },
    {
      when: { after: { type: 'script.mark', who: 'users/dead-members' } },
      step: {
        do: 'probe',
        client: 'users/dead-members',
        clause: 'PORT-POOL-5',
        expects: 'served',
        shape: PROBE,
      },
    },
    {
      when: { after: { type: 'script.mark', who: 'users/claim-twice' } },
      step: {
        do: 'probe',
        client: 'users/claim-twice',
        clause: 'PORT-EVENT-3',
        expects: 'served',
        shape: PROBE,
      },
    },
    {
      when: at(0.22),
      step: {
        do: 'nat',
        site: named('train'),
        event: { kind: 'reboot', downMillis: 1_000 },
        text: 'NAT reboots',
      },
    },
    {
      when: at(0.3),
      step: {
        do: 'nat',
        site: named('hotel'),
        event: { kind: 'expire' },
        text: 'idle mappings expire, silently',
      },
    },
    {
      when: at(0.39),
      step: { do: 'nat', site: named('phone'), event: { kind: 'readdress' }, text: 'public address changes' },
    },
    {
      when: at(0.47),
      step: {
        do: 'link',
        site: named('cabin'),
        fault: { kind: 'reset', selector: { every: 3 } },
        forMillis: 500,
        text: 'every third connection is reset',
      },
    },
    {
      when: at(0.53),
      step: {
        do: 'link',
        site: first,
        fault: { kind: 'stall', onMs: 1_500 },
        forMillis: 1_500,
        text: 'link stalls',
      },
    },
    { when: at(0.6), step: { do: 'phase', name: 'relay away' } },
    { when: at(0.6), step: { do: 'outage', millis: 4_000, text: 'relay killed, started again' } },
    { when: { after: { type: 'fault.ended', kind: 'outage' } }, step: { do: 'phase', name: 'coming back' } },
    { when: at(0.86), step: { do: 'stop', who: leaver } },
    {
      when: { after: { type: 'client.stopped', who: leaver }, delayMillis: 500 },
      step: { do: 'probe', client: leaver, clause: 'PORT-EVENT-4', expects: 'refused', shape: PROBE },
    },
    { when: at(0.89), step: { do: 'users', state: 'rest' } },
    {
      when: { after: { type: 'run.phase', name: 'settle' }, delayMillis: 3_000 },
      step: { do: 'audit', moment: 'after' },
    },
    {
      when: { after: { type: 'run.phase', name: 'settle' }, delayMillis: 3_200 },
      step: { do: 'finish', settleMillis: 0 },
    },
  ];
  for (let share = 0.15; share < 0.58; share += 0.06)
    entries.push({ when: at(share), step: { do: 'audit', moment: 'sample' } });
  if (options.lab === 'sim') return [...entries, { when: at(0.95), step: { do: 'phase', name: 'settle' } }];
  const fastest = (['pool', 'event', 'multiplex'] as const).map(
    (mode) => `${last}/client-${two(MODES.indexOf(mode) + 1)}`,
  );
  const throughput = {
    do: 'throughput',
    rounds: 5,
    bytes: 8 * KIB * KIB,
    source: `${last}/source`,
    clients: fastest,
  } as const;
  return [
    ...entries,
    { when: at(0.93), step: { do: 'phase', name: 'throughput' } },
    { when: at(0.93), step: throughput },
  ];
};

const shape = (_mode: string, name: string, unit: () => number): TunnelShape => {
  const weak = name.startsWith('cabin') || name.startsWith('phone') || name.startsWith('train');
  const up = 32 + Math.floor(unit() * (weak ? 8 : 64) * KIB);
  const down = 512 + Math.floor(unit() * (weak ? 24 : 256) * KIB);
  const draw = unit();
  return { up, down, close: draw < 0.5 ? 'half' : draw < 0.85 ? 'full' : 'abort' };
};

const plan = (options: Options): Plan => {
  const sites = Array.from({ length: options.sites }, (_, index) => site(options, index));
  const members = sites.flatMap(({ actors }) =>
    actors.filter(({ actor }) => actor.kind === 'client').map(({ who }) => who),
  );
  return {
    topology: {
      relay: { exec: undefined, limits: {}, defect: undefined },
      sites,
      outside: OUTSIDE,
      keepaliveMillis: KEEPALIVE_MILLIS,
    },
    fleets: [{ name: 'clients', schedule: SCHEDULE, members }],
    timeline: timeline(options, sites),
    users: { count: options.users, thinkMillis: [200, 1_500], shape },
    goals: { 'throughput-ratio': 0.3, 'back-millis': SCHEDULE.capMillis + 3_000 },
    limitMillis: options.durationMillis + 60_000,
  };
};

export default defineScenario({
  name: 'nat-pool',
  summary: "NAT'd clients of every mode over flaky links lose their paths in six ways and come back",
  defaults: { sites: 6, clients: 20, users: 40, durationMillis: 40_000 },
  plan,
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
  ],
});
