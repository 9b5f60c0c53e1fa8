/** The parts of a measurement, for the files in `scenarios/`: agents behind NATs, the server they report to, and their retries. */
import { FOR_EVER, type Schedule } from '../../reference-impl/backoff/schedule.ts';
import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { Ref } from '../agents/actor-spec.ts';
import type {
  MeasurementAgentSpec,
  MeasurementServerSpec,
  SourceMetric,
} from '../agents/measurement-spec.ts';
import type { HostedActor, Server, Site } from '../labs/topology.ts';
import type { Options, TimelineEntry, When } from './scenario.ts';

/** Name of the server, its host and its outages. */
export const MEASUREMENT: Ref = 'measurement';

type Retry = MeasurementAgentSpec<Ref>['retry'];

/** As clients of measurements retry unless they are told otherwise, but without an end. */
export const RETRY: Retry = {
  maxTimes: FOR_EVER,
  initialDelayMillis: 500,
  maxDelayMillis: 4_000,
  jitter: 0,
};

/** Retries as a schedule: doubled, and begun again after any success. */
export const scheduleOf = ({ maxTimes, initialDelayMillis, maxDelayMillis, jitter }: Retry): Schedule => ({
  baseMillis: initialDelayMillis,
  factor: 2,
  capMillis: maxDelayMillis,
  jitter,
  healthyMillis: 0,
  triesMax: maxTimes,
});

/** The first point under the metric that is registered late. */
const LATE_POINT = 200;

/** Two agents after each other define `shared` in two ways, so one of them is renamed; what comes late is late for everybody. */
const metricsOf = (index: number): readonly SourceMetric[] => [
  { name: 'power', valueType: 'F64', unit: { base: 'W', prefix: '' }, fromPoint: 0 },
  index % 2 === 0
    ? { name: 'shared', valueType: 'F64', unit: { base: 'W', prefix: 'milli' }, fromPoint: 0 }
    : { name: 'shared', valueType: 'U64', unit: { base: 'J', prefix: '' }, fromPoint: 0 },
  { name: 'late', valueType: 'U64', unit: { base: 's', prefix: '' }, fromPoint: LATE_POINT },
];

export type AgentsSpec = {
  readonly site: string;
  /** The number of the site: neighbours' metrics clash, also across sites. */
  readonly siteIndex: number;
  readonly count: number;
  readonly retry: Retry;
  readonly keepaliveMillis: number;
  /** Starts are spread over this long. */
  readonly startWithinMillis: number;
  readonly periodMillis: number;
  readonly pointsPerPoll: number;
  readonly bufferMaxLength: number;
  readonly bufferTimeoutMillis: number;
};

const SPOOL_BYTES_MAX = 64 * 1024 * 1024;

/** The agents of one site, `SITE/agent-01` and so on. */
export const measurementAgents = (spec: AgentsSpec): readonly HostedActor[] => {
  const { site, siteIndex, count, startWithinMillis, periodMillis, pointsPerPoll, ...how } = spec;
  return Array.from({ length: count }, (_, i) => {
    const name = `agent-${String(i + 1).padStart(2, '0')}`;
    const actor: MeasurementAgentSpec<Ref> = {
      kind: 'measurement-agent',
      agent: `${site}-${name}`,
      server: MEASUREMENT,
      source: { metrics: metricsOf(siteIndex + i), periodMillis, pointsPerPoll },
      bufferMaxLength: how.bufferMaxLength,
      bufferTimeoutMillis: how.bufferTimeoutMillis,
      retry: how.retry,
      acknowledge: true,
      spoolBytesMax: SPOOL_BYTES_MAX,
      keepaliveMillis: how.keepaliveMillis,
      startAfterMillis: Math.floor((startWithinMillis * i) / count),
      exec: undefined,
    };
    return { who: `${site}/${name}`, actor, watch: false };
  });
};

/** How long agents are waited for that do not come to rest, and how long a store is read. */
const REST_MILLIS = 12_000;
const READ_MILLIS = 8_000;

/**
 * The end of a measurement: agents rest at `rest`, the store is read once all of them have delivered everything (or have had
 * their time), and the run is over when that is read.
 */
export const measurementEnd = (
  rest: When,
  sites: readonly Site[],
  restMillis: Millis = REST_MILLIS,
): readonly TimelineEntry[] => [
  { when: rest, step: { do: 'agents', state: 'rest' } },
  ...storeRead(rest, sites, restMillis),
  { when: { after: { type: 'store.read' }, delayMillis: 500 }, step: { do: 'finish', settleMillis: 0 } },
  { when: later(rest, restMillis + READ_MILLIS), step: { do: 'finish', settleMillis: 0 } },
];

/** The store is read once all agents are at rest, and anyhow `restMillis` after they were told to. */
export const storeRead = (
  rest: When,
  sites: readonly Site[],
  restMillis: Millis,
): readonly TimelineEntry[] => {
  const nth = agentsIn(sites).length;
  if (nth === 0) return [];
  const read = { do: 'read', server: MEASUREMENT } as const;
  return [
    { when: { after: { type: 'agent.rested' }, nth }, step: read },
    { when: later(rest, restMillis), step: read },
  ];
};

const later = (when: When, millis: Millis): When =>
  typeof when === 'number' ? when + millis : { ...when, delayMillis: (when.delayMillis ?? 0) + millis };

const isAgent = ({ actor }: HostedActor): boolean => actor.kind === 'measurement-agent';

/** Who measures in these sites. */
export const agentsIn = (sites: readonly Site[]): readonly Ref[] =>
  sites.flatMap(({ actors }) => actors.filter(isAgent).map(({ who }) => who));

/** The server for the agents of these sites. `storePointsPerSecond` 0: its store takes what comes. */
export const measurementServer = (
  options: Options,
  sites: readonly Site[],
  {
    keepaliveMillis,
    storePointsPerSecond,
  }: Pick<MeasurementServerSpec, 'keepaliveMillis' | 'storePointsPerSecond'>,
): Server => ({
  name: MEASUREMENT,
  actor: {
    kind: 'measurement-server',
    acknowledge: true,
    keepaliveMillis,
    storePointsPerSecond,
    store: options.lab === 'sim' ? 'memory' : { sqlite: '{work}/points.sqlite' },
    coded: sites.flatMap(({ actors }) =>
      actors.flatMap(({ actor }) => (actor.kind === 'measurement-agent' ? [actor.agent] : [])),
    ),
    exec: undefined,
  },
});
