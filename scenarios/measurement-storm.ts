/**
 * More points than the server's store can take, for longer than any buffer lasts: the server stops reading, agents keep what it
 * does not take, and when the storm is over every point is stored.
 */
import { PROFILES } from 'chaos-proxy';
import type { Site } from '../harness/labs/topology.ts';
import { PRESETS, presetNote } from '../harness/nat/presets.ts';
import {
  agentsIn,
  MEASUREMENT,
  measurementAgents,
  measurementEnd,
  measurementServer,
  RETRY,
  scheduleOf,
} from '../harness/scenario/measurement-roles.ts';
import { defineScenario, type Options, type TimelineEntry } from '../harness/scenario/scenario.ts';

const KEEPALIVE_MILLIS = 5_000;
const START_WITHIN_MILLIS = 500;
const POLL = { periodMillis: 20, pointsPerPoll: 40 } as const;
/** Of one agent: 2,000 points a second. */
const AGENT_RATE = (1_000 / POLL.periodMillis) * POLL.pointsPerPoll;
/** What the store takes of what comes: enough to be done with the storm in good time. */
const STORED_SHARE = 0.6;
const SETTLE_MILLIS = 4_000;

const site = (options: Options, index: number): Site => {
  const name = `site-${index + 1}`;
  return {
    name,
    nat: { name: 'home', value: PRESETS.home, note: presetNote('home') },
    link: { name: 'clean', faults: PROFILES.clean.faults, note: PROFILES.clean.note },
    actors: measurementAgents({
      site: name,
      siteIndex: index,
      count: options.agents ?? 0,
      retry: RETRY,
      keepaliveMillis: KEEPALIVE_MILLIS,
      startWithinMillis: START_WITHIN_MILLIS,
      ...POLL,
      bufferMaxLength: 1_000,
      bufferTimeoutMillis: 1_000,
    }),
  };
};

const timeline = (stormMillis: number, sites: readonly Site[]): readonly TimelineEntry[] => {
  const begin = START_WITHIN_MILLIS + 1_000;
  const over = begin + stormMillis;
  return [
    { when: 0, step: { do: 'phase', name: 'connecting' } },
    { when: begin, step: { do: 'phase', name: 'storm' } },
    { when: begin, step: { do: 'agents', state: 'go' } },
    { when: over, step: { do: 'phase', name: 'calm' } },
    // the store needs its time for what it was not asked to take at once
    ...measurementEnd(over, sites, 2 * stormMillis + SETTLE_MILLIS),
  ];
};

export default defineScenario({
  name: 'measurement-storm',
  summary: 'agents send more than the server can store until it pushes back; every point is there in the end',
  defaults: { sites: 2, clients: 0, users: 0, agents: 4, durationMillis: 20_000 },
  plan: (options) => {
    const { agents = 0, durationMillis } = options;
    const sites = Array.from({ length: options.sites }, (_, index) => site(options, index));
    const keepaliveMillis = KEEPALIVE_MILLIS;
    // the storm and what it takes to store it share the time there is
    const stormMillis = Math.max(3_000, Math.round((durationMillis - SETTLE_MILLIS - 3_500) * STORED_SHARE));
    const storePointsPerSecond = Math.round(options.sites * agents * AGENT_RATE * STORED_SHARE);
    return {
      topology: {
        relay: undefined,
        servers: [measurementServer(options, sites, { keepaliveMillis, storePointsPerSecond })],
        sites,
        outside: [],
        keepaliveMillis,
      },
      fleets: [
        { name: 'agents', schedule: scheduleOf(RETRY), members: agentsIn(sites), server: MEASUREMENT },
      ],
      timeline: timeline(stormMillis, sites),
      users: { count: 0, thinkMillis: [1_000, 1_000], shape: () => ({ up: 64, down: 64, close: 'half' }) },
      goals: {},
      limitMillis: durationMillis + 60_000,
    };
  },
  checks: ['measurement-points', 'measurement-retries', 'measurement-metrics', 'measurement-server'],
});
