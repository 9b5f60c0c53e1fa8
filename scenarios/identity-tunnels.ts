/**
 * Nodes that are addressed by their key, behind NATs that keep an idle mapping a little longer than the keepalive, or a little
 * shorter: they call each other through a relay that cannot read them, renew their keys while messages are on their way, lose a
 * NAT and the relay, and come back. A second listener, an impostor and a node that never answers come by.
 */
import { PROFILES } from 'chaos-proxy';
import type { Site } from '../harness/labs/topology.ts';
import type { Nat } from '../harness/nat/nat.ts';
import { natNote } from '../harness/nat/nat.ts';
import { PRESETS } from '../harness/nat/presets.ts';
import {
  IDENTITY,
  IDENTITY_TIMES,
  identityNodes,
  identityServer,
  identityStrangers,
  STRANGERS_LEAVE_MILLIS,
} from '../harness/scenario/identity-roles.ts';
import { defineScenario, type Options, type TimelineEntry } from '../harness/scenario/scenario.ts';

/** An idle mapping of `above` outlives the keepalive, one of `below` does not: nothing is said when it goes. */
const MAPPINGS = [
  { name: 'above', establishedMillis: IDENTITY_TIMES.keepaliveMillis + 2_000 },
  { name: 'below', establishedMillis: IDENTITY_TIMES.keepaliveMillis - 1_000 },
] as const;

const nameOf = (index: number): string =>
  `${index % 2 === 0 ? 'above' : 'below'}-${Math.floor(index / 2) + 1}`;
const natOf = (index: number): Nat => {
  const { establishedMillis } = MAPPINGS[index % 2] as (typeof MAPPINGS)[number];
  return { ...PRESETS.strict, unsolicited: 'drop', idle: { establishedMillis, notify: 'silent' } };
};
/** After a fault: the longest silence, the longest wait and a handshake. */
const BACK_MILLIS = IDENTITY_TIMES.silenceMillis + 5_000;
const OUTAGE_MILLIS = 2_000;
const LEAVE_MILLIS = 3_500;
const DURATION_MILLIS_MIN = STRANGERS_LEAVE_MILLIS + OUTAGE_MILLIS + 2 * BACK_MILLIS + LEAVE_MILLIS;

const durationOf = ({ durationMillis }: Options): number => Math.max(durationMillis, DURATION_MILLIS_MIN);

const site = (options: Options, index: number): Site => {
  const nat = natOf(index);
  const here = {
    site: nameOf(index),
    siteIndex: index,
    mappingMillis: nat.idle.establishedMillis,
    leaveAfterMillis: durationOf(options) - LEAVE_MILLIS,
  };
  const count = options.identity ?? 0;
  const next = nameOf((index + 1) % options.sites);
  // where no mapping expires under them
  const strangers = count > 0 && index === options.sites - 1 - ((options.sites - 1) % 2);
  return {
    name: here.site,
    nat: { name: 'strict', value: nat, note: natNote(nat) },
    link: { name: 'clean', faults: PROFILES.clean.faults, note: PROFILES.clean.note },
    actors: [
      ...identityNodes(here, next, count),
      ...(strangers ? identityStrangers(here, `${nameOf(0)}/id-01`) : []),
    ],
  };
};

const timeline = (options: Options): readonly TimelineEntry[] => {
  const end = durationOf(options);
  const reboot = STRANGERS_LEAVE_MILLIS + 1_500;
  const outage = end - LEAVE_MILLIS - BACK_MILLIS - OUTAGE_MILLIS;
  return [
    { when: 0, step: { do: 'phase', name: 'strangers' } },
    { when: reboot, step: { do: 'phase', name: 'a NAT reboots' } },
    {
      when: reboot,
      step: {
        do: 'nat',
        site: nameOf(0),
        event: { kind: 'reboot', downMillis: 1_000 },
        text: 'NAT reboots',
      },
    },
    { when: outage, step: { do: 'phase', name: 'relay away' } },
    {
      when: outage,
      step: {
        do: 'outage',
        server: IDENTITY,
        millis: OUTAGE_MILLIS,
        text: 'identity relay killed, started again',
      },
    },
    { when: end - LEAVE_MILLIS, step: { do: 'phase', name: 'leaving' } },
    { when: end, step: { do: 'finish', settleMillis: 0 } },
  ];
};

export default defineScenario({
  name: 'identity-tunnels',
  summary: 'nodes addressed by key behind strict NATs: tunnels, new keys midway, faults, twins and impostors',
  defaults: { sites: 4, clients: 0, users: 0, identity: 2, durationMillis: 44_000 },
  plan: (options) => ({
    topology: {
      relay: undefined,
      servers: [identityServer],
      sites: Array.from({ length: options.sites }, (_, index) => site(options, index)),
      outside: [],
      // what is to be noticed is noticed by the protocol's own keepalive
      keepaliveMillis: 60_000,
    },
    fleets: [],
    timeline: timeline(options),
    users: { count: 0, thinkMillis: [1_000, 1_000], shape: () => ({ up: 64, down: 64, close: 'half' }) },
    goals: {},
    limitMillis: durationOf(options) + 60_000,
  }),
  checks: ['identity-tunnels', 'identity-wire', 'identity-nodes', 'receipts'],
});
