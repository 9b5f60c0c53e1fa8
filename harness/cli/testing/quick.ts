/** A scenario of some seconds for the tests of the command line and of the labs: two sites, a NAT that reboots, an outage. */
import { PROFILES } from 'chaos-proxy';
import { DEFAULT_SCHEDULE } from '../../../reference-impl/backoff/schedule.ts';
import type { HostedActor, Site } from '../../labs/topology.ts';
import { PRESETS, presetNote } from '../../nat/presets.ts';
import { defineScenario, type TimelineEntry } from '../../scenario/scenario.ts';

const SCHEDULE = { ...DEFAULT_SCHEDULE, baseMillis: 100, capMillis: 500, triesMax: 1_000 };
const KEEPALIVE_MILLIS = 1_000;

const site = (name: string, clients: number): Site => {
  const modes = ['pool', 'event', 'multiplex'] as const;
  const client = (i: number): HostedActor => ({
    who: `${name}/client-${i + 1}`,
    actor: {
      kind: 'client',
      mode: modes[i % modes.length] ?? 'pool',
      relay: 'relay',
      service: `${name}/service`,
      poolSize: 2,
      schedule: SCHEDULE,
      dialMillis: 2_000,
      keepaliveMillis: KEEPALIVE_MILLIS,
      startAfterMillis: 50 * i,
    },
    watch: true,
  });
  return {
    name,
    nat: { name: 'home', value: PRESETS.home, note: presetNote('home') },
    link: { name: 'clean', faults: PROFILES.clean.faults, note: PROFILES.clean.note },
    actors: [
      { who: `${name}/service`, actor: { kind: 'service' }, watch: false },
      ...Array.from({ length: clients }, (_, i) => client(i)),
      {
        who: `${name}/forwarder`,
        actor: { kind: 'forwarder', relay: 'relay', service: `${name}/service` },
        watch: false,
      },
    ],
  };
};

/** Driven by what happens, so that a machine that is slow to start programs still sees all of it. */
const timeline = (millis: number): readonly TimelineEntry[] => {
  const share = (of: number): number => Math.round(millis * of);
  const reboot = { kind: 'reboot', downMillis: 200 } as const;
  const registered = { type: 'client.registered', who: 'here/forwarder' } as const;
  return [
    { when: 0, step: { do: 'phase', name: 'start' } },
    { when: { after: registered }, step: { do: 'phase', name: 'steady' } },
    { when: { after: registered }, step: { do: 'users', state: 'go' } },
    {
      when: { after: registered, delayMillis: share(0.3) },
      step: { do: 'nat', site: 'here', event: reboot, text: 'NAT reboots' },
    },
    {
      when: { after: { type: 'fault.ended', fault: 1 }, delayMillis: share(0.2) },
      step: { do: 'outage', millis: 300, text: 'relay killed, started again' },
    },
    {
      when: { after: { type: 'fault.ended', fault: 2 }, delayMillis: share(0.3) },
      step: { do: 'users', state: 'rest' },
    },
    {
      when: { after: { type: 'fault.ended', fault: 2 }, delayMillis: share(0.4) },
      step: { do: 'finish', settleMillis: 200 },
    },
  ];
};

export default defineScenario({
  name: 'quick',
  summary: 'a short run for tests',
  defaults: { sites: 2, clients: 3, users: 4, durationMillis: 4_000 },
  plan: ({ sites, clients, users, durationMillis }) => {
    const places = ['here', 'there', 'elsewhere'].slice(0, sites).map((name) => site(name, clients));
    const members = places.flatMap(({ actors }) =>
      actors.filter(({ actor }) => actor.kind === 'client').map(({ who }) => who),
    );
    return {
      topology: {
        relay: { exec: undefined, limits: {}, defect: undefined },
        sites: places,
        outside: [{ who: 'users', actor: { kind: 'users' }, watch: false }],
        keepaliveMillis: KEEPALIVE_MILLIS,
      },
      fleets: [{ name: 'clients', schedule: SCHEDULE, members }],
      timeline: timeline(durationMillis),
      users: {
        count: users,
        thinkMillis: [20, 100],
        shape: () => ({ up: 1_024, down: 16_384, close: 'half' }),
      },
      goals: {},
      limitMillis: durationMillis + 30_000,
    };
  },
  checks: ['conversation', 'tunnels', 'ledger', 'backoff', 'receipts', 'relay-alive'],
});
