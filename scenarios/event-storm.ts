/**
 * Two thousand users connect to one event listener in the same instant, and once more when they are done: every one is told
 * apart, claimed once and served, and what the first storm took is given back before the second.
 */
import { PROFILES } from 'chaos-proxy';
import type { Site } from '../harness/labs/topology.ts';
import { PRESETS, presetNote } from '../harness/nat/presets.ts';
import { defineScenario, type TimelineEntry, type TunnelShape } from '../harness/scenario/scenario.ts';
import { DEFAULT_SCHEDULE } from '../reference-impl/backoff/schedule.ts';

const CLIENT = 'shop/client';
const KEEPALIVE_MILLIS = 5_000;
/** Small, so that the storm is of connections and not of bytes. A user may have to wait for the 1,999 before him. */
const VISIT: TunnelShape = { up: 256, down: 4_096, close: 'half', patienceMillis: 30_000 };
/** A user, his claim, and their connections at the client's service: what one tunnel costs the relay, with room to spare. */
const ROOM = 3;

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
        mode: 'event',
        relay: 'relay',
        service: 'shop/service',
        poolSize: 1,
        schedule: DEFAULT_SCHEDULE,
        dialMillis: 20_000,
        keepaliveMillis: KEEPALIVE_MILLIS,
        startAfterMillis: 0,
      },
      watch: true,
    },
  ],
};

const timeline = (users: number): readonly TimelineEntry[] => {
  const ready = { after: { type: 'client.registered' } } as const;
  /** The last user of this storm is done, however he fared. */
  const over = (storms: number, delayMillis: number) =>
    ({ after: { type: 'tunnel.done', side: 'user' }, nth: users * storms, delayMillis }) as const;
  const storm = { do: 'tunnel', client: CLIENT, shape: VISIT, times: users } as const;
  return [
    { when: ready, step: { do: 'audit', moment: 'before' } },
    { when: { ...ready, delayMillis: 500 }, step: { do: 'phase', name: 'storm' } },
    { when: { ...ready, delayMillis: 500 }, step: storm },
    { when: over(1, 1_000), step: { do: 'phase', name: 'again' } },
    { when: over(1, 1_000), step: storm },
    { when: over(2, 200), step: { do: 'phase', name: 'settle' } },
    { when: over(2, 3_000), step: { do: 'audit', moment: 'after' } },
    { when: over(2, 3_200), step: { do: 'finish', settleMillis: 0 } },
    // a relay that fell in the first storm leaves nobody to storm a second time
    {
      when: { after: { type: 'step.unmet', step: 'tunnel' }, delayMillis: 1_000 },
      step: { do: 'finish', settleMillis: 0 },
    },
  ];
};

export default defineScenario({
  name: 'event-storm',
  summary: '2,000 users connect to one event listener at once, twice; every one is claimed once and served',
  defaults: { sites: 1, clients: 1, users: 2_000, durationMillis: 20_000 },
  plan: ({ users, durationMillis }) => ({
    topology: {
      // our own default refuses the 1,025th who waits: right for a stranger's listener, too little for this one
      relay: {
        exec: undefined,
        limits: { waitingPerRegistrationMax: users, connectionsPerRegistrationMax: ROOM * users },
        defect: undefined,
      },
      sites: [SITE],
      outside: [{ who: 'users', actor: { kind: 'users' }, watch: false }],
      keepaliveMillis: KEEPALIVE_MILLIS,
    },
    fleets: [{ name: 'clients', schedule: DEFAULT_SCHEDULE, members: [CLIENT] }],
    timeline: timeline(users),
    users: { count: 0, thinkMillis: [1_000, 1_000], shape: () => VISIT },
    goals: {},
    limitMillis: durationMillis + 120_000,
  }),
  checks: ['conversation', 'tunnels', 'ledger', 'audit', 'relay-alive'],
});
