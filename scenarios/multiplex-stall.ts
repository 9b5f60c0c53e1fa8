/** Fifty users on one multiplexed connection: one of them stops reading, and the other forty-nine must not notice. */
import { PROFILES } from 'chaos-proxy';
import type { Site } from '../harness/labs/topology.ts';
import { PRESETS, presetNote } from '../harness/nat/presets.ts';
import { defineScenario, type TimelineEntry, type TunnelShape } from '../harness/scenario/scenario.ts';
import { DEFAULT_SCHEDULE } from '../reference-impl/backoff/schedule.ts';

const CLIENT = 'shop/client';
const KEEPALIVE_MILLIS = 2_000;
/** More than every window and buffer between the service and the user together. */
const STALLED: TunnelShape = { up: 64, down: 16 * 1024 * 1024, close: 'full', stallMillis: 6_000 };
const OTHER: TunnelShape = { up: 4_096, down: 64 * 1024, close: 'half' };

const SITE: Site = {
  name: 'shop',
  nat: { name: 'home', value: PRESETS.home, note: presetNote('home') },
  link: { name: 'clean', faults: PROFILES.clean.faults, note: PROFILES.clean.note },
  actors: [
    { who: 'shop/service', actor: { kind: 'service' }, watch: false },
    {
      who: CLIENT,
      actor: {
        kind: 'client',
        mode: 'multiplex',
        relay: 'relay',
        service: 'shop/service',
        poolSize: 1,
        schedule: DEFAULT_SCHEDULE,
        dialMillis: 5_000,
        keepaliveMillis: KEEPALIVE_MILLIS,
        startAfterMillis: 0,
      },
      watch: true,
    },
  ],
};

const timeline = (others: number): readonly TimelineEntry[] => {
  const stall = { after: { type: 'tunnel.stalled' } } as const;
  const open = { do: 'tunnel', client: CLIENT, shape: OTHER } as const;
  return [
    { when: { after: { type: 'client.registered' } }, step: { do: 'audit', moment: 'before' } },
    {
      when: { after: { type: 'client.registered' }, delayMillis: 500 },
      step: { do: 'phase', name: 'one stalls' },
    },
    {
      when: { after: { type: 'client.registered' }, delayMillis: 500 },
      step: { do: 'tunnel', client: CLIENT, shape: STALLED },
    },
    ...Array.from({ length: others }, (_, i) => ({
      when: { ...stall, delayMillis: 500 + i * 20 },
      step: open,
    })),
    { when: { after: { type: 'tunnel.resumed' } }, step: { do: 'phase', name: 'it reads again' } },
    {
      when: { after: { type: 'tunnel.resumed' }, delayMillis: 3_000 },
      step: { do: 'audit', moment: 'after' },
    },
    {
      when: { after: { type: 'tunnel.resumed' }, delayMillis: 3_200 },
      step: { do: 'finish', settleMillis: 0 },
    },
  ];
};

export default defineScenario({
  name: 'multiplex-stall',
  summary: 'one of fifty users of a multiplexed connection stops reading; the others must not notice',
  defaults: { sites: 1, clients: 1, users: 50, durationMillis: 12_000 },
  plan: ({ users, durationMillis }) => ({
    topology: {
      relay: { exec: undefined, limits: {}, defect: undefined },
      sites: [SITE],
      outside: [{ who: 'users', actor: { kind: 'users' }, watch: false }],
      keepaliveMillis: KEEPALIVE_MILLIS,
    },
    fleets: [{ name: 'clients', schedule: DEFAULT_SCHEDULE, members: [CLIENT] }],
    timeline: timeline(users - 1),
    users: { count: 0, thinkMillis: [1_000, 1_000], shape: () => OTHER },
    goals: {},
    limitMillis: durationMillis + 60_000,
  }),
  checks: ['stalled-alone', 'conversation', 'tunnels', 'ledger', 'audit', 'relay-alive'],
});
