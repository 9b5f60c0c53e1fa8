/** What senders of the bench send: polls of a machine as an agent takes them, 1,000 points a frame, encoded before anything is timed. */

import { rngFor } from '../../../reference-impl/machine/rng.ts';
import {
  frameOf,
  type Message,
  PROTOCOL_VERSION,
  type WirePoint,
} from '../../../reference-impl/measurement-relay/messages.ts';

export const POINTS_A_FRAME = 1_000;
/** Different frames of one sender; after the last comes the first again. */
const FRAMES = 48;
const CORES = 16;
const STATES = ['user', 'nice', 'system', 'idle', 'irq', 'softirq', 'steal', 'guest', 'guest_nice'];
const MEMORY = [
  'mem_total',
  'mem_free',
  'mem_available',
  'cached',
  'swap_cached',
  'active',
  'inactive',
  'mapped',
];
const PROCESSES = 90;
const KINDS = ['user', 'system', 'guest', 'total'];
const FIRST_SECOND = 1_763_700_000;
const SENDER = 'node-rennes-12.g5k';

type Metric = {
  readonly name: string;
  readonly type: 'F64' | 'U64';
  readonly base: string;
  readonly prefix: string;
};
const METRICS: readonly Metric[] = [
  { name: 'kernel_cpu_time', type: 'U64', base: 's', prefix: 'milli' },
  ...MEMORY.map((name): Metric => ({ name, type: 'U64', base: 'By', prefix: '' })),
  { name: 'cpu_time_delta', type: 'U64', base: 's', prefix: 'nano' },
  { name: 'cpu_percent', type: 'F64', base: '%', prefix: '' },
  { name: 'rapl_consumed_energy', type: 'F64', base: 'J', prefix: '' },
];
const idOf = (name: string): number => METRICS.findIndex((metric) => metric.name === name);

type Labels = Omit<WirePoint, 'timestamp' | 'value'>;

const labels = (
  name: string,
  resource: readonly [kind: string, id: string],
  consumer: readonly [kind: string, id: string],
  attribute?: readonly [key: string, value: string],
): Labels => ({
  ...{ metric_id: idOf(name), resource_kind: resource[0], resource_id: resource[1] },
  ...{ consumer_kind: consumer[0], consumer_id: consumer[1] },
  attributes: attribute === undefined ? [] : [[attribute[0], { tag: 'Str', value: attribute[1] }]],
});

const MACHINE = ['local_machine', ''] as const;

/** One poll of everything, in the order in which sources give it. */
const pollOf = (): readonly Labels[] => [
  ...Array.from({ length: CORES }, (_, core) =>
    STATES.map((state) => labels('kernel_cpu_time', ['cpu_core', `${core}`], MACHINE, ['cpu_state', state])),
  ).flat(),
  ...MEMORY.map((name) => labels(name, MACHINE, MACHINE)),
  ...Array.from({ length: PROCESSES }, (_, index) => ['process', `${1_000 + index * 37}`] as const).flatMap(
    (process) =>
      KINDS.flatMap((kind) => [
        labels('cpu_time_delta', MACHINE, process, ['kind', kind]),
        labels('cpu_percent', MACHINE, process, ['kind', kind]),
      ]),
  ),
  ...['package', 'dram'].map((domain) =>
    labels('rapl_consumed_energy', ['cpu_package', '0'], MACHINE, ['domain', domain]),
  ),
];

const encoded = (content: Message['content']): Buffer => Buffer.from(frameOf({ sender: SENDER, content }));

export const greetFrame = (): Buffer =>
  encoded({
    tag: 'Greet',
    value: {
      alumet_core_version: '0.9.5',
      relay_plugin_version: '0.6.0',
      protocol_version: PROTOCOL_VERSION,
    },
  });

/** What the plain sink answers. */
export const acceptFrame = (): Buffer =>
  encoded({
    tag: 'GreetResponse',
    value: {
      accept: true,
      server_alumet_core_version: '0.9.5',
      server_relay_plugin_version: '0.6.0',
      protocol_version: PROTOCOL_VERSION,
    },
  });

export const registerFrame = (): Buffer =>
  encoded({
    tag: 'RegisterMetrics',
    value: {
      metrics: METRICS.map(({ name, type, base, prefix }, id) => ({
        id,
        name,
        value_type: type,
        unit: { base, prefix },
      })),
    },
  });

/** Frames of points, the same for the same seed. Values grow and jump as counters and shares do; time goes on by 10 ms a poll. */
export const measurementFrames = (seed: number): readonly Buffer[] => {
  const poll = pollOf();
  const rng = rngFor(seed, 'ingest');
  let n = 0;
  return Array.from({ length: FRAMES }, () => {
    const buf = Array.from({ length: POINTS_A_FRAME }, (): WirePoint => {
      const of = poll[n % poll.length] as Labels;
      const polls = Math.floor(n / poll.length);
      n++;
      const type = METRICS[Number(of.metric_id)]?.type ?? 'U64';
      return {
        ...of,
        timestamp: { secs: FIRST_SECOND + Math.floor(polls / 100), nanos: (polls % 100) * 10_000_000 + 1 },
        value:
          type === 'U64'
            ? { tag: 'U64', value: polls * 1_000 + rng.below(1_000_000) }
            : { tag: 'F64', value: rng.below(100_000) / 1_000 + 1 / 3 },
      };
    });
    return encoded({ tag: 'SendMeasurements', value: { buf } });
  });
};
