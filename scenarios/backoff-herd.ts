/**
 * A measurement server is away, two hundred agents behind four NATs try again and again as they are configured, and when it is
 * back they come back: in time, not all at once, and with every point they measured meanwhile.
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
const START_WITHIN_MILLIS = 2_000;
/** What a fleet needs that must not come back as a herd; without jitter all of it dials in the same instant. */
const JITTERED = { ...RETRY, jitter: 0.5 };
/** After the longest wait everybody has dialled; then the spools empty. */
const BACK_MILLIS = JITTERED.maxDelayMillis + 4_000;

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
      retry: JITTERED,
      keepaliveMillis: KEEPALIVE_MILLIS,
      startWithinMillis: START_WITHIN_MILLIS,
      periodMillis: 250,
      pointsPerPoll: 4,
      bufferMaxLength: 16,
      bufferTimeoutMillis: 1_000,
    }),
  };
};

const timeline = (durationMillis: number, sites: readonly Site[]): readonly TimelineEntry[] => {
  const away = START_WITHIN_MILLIS + 2_000;
  const outageMillis = Math.max(6_000, durationMillis - away - BACK_MILLIS - 4_000);
  const ended = { after: { type: 'fault.ended', kind: 'outage' } } as const;
  return [
    { when: 0, step: { do: 'phase', name: 'measuring' } },
    { when: 500, step: { do: 'agents', state: 'go' } },
    { when: away, step: { do: 'phase', name: 'server away' } },
    {
      when: away,
      step: {
        do: 'outage',
        server: MEASUREMENT,
        millis: outageMillis,
        text: 'measurement server killed, started again',
      },
    },
    { when: ended, step: { do: 'phase', name: 'coming back' } },
    { when: { ...ended, delayMillis: BACK_MILLIS }, step: { do: 'phase', name: 'settle' } },
    ...measurementEnd({ ...ended, delayMillis: BACK_MILLIS }, sites),
  ];
};

export default defineScenario({
  name: 'backoff-herd',
  summary:
    '200 measurement agents lose their server, retry as configured, and come back neither late nor as a herd',
  defaults: { sites: 4, clients: 0, users: 0, agents: 50, durationMillis: 30_000 },
  plan: (options) => {
    const sites = Array.from({ length: options.sites }, (_, index) => site(options, index));
    const keepaliveMillis = KEEPALIVE_MILLIS;
    return {
      topology: {
        relay: undefined,
        servers: [measurementServer(options, sites, { keepaliveMillis, storePointsPerSecond: 0 })],
        sites,
        outside: [],
        keepaliveMillis,
      },
      fleets: [
        { name: 'agents', schedule: scheduleOf(JITTERED), members: agentsIn(sites), server: MEASUREMENT },
      ],
      timeline: timeline(options.durationMillis, sites),
      users: { count: 0, thinkMillis: [1_000, 1_000], shape: () => ({ up: 64, down: 64, close: 'half' }) },
      goals: {},
      limitMillis: options.durationMillis + 60_000,
    };
  },
  checks: [
    'measurement-points',
    'measurement-retries',
    'measurement-metrics',
    'measurement-server',
    'comeback',
    'receipts',
  ],
});
