/** Messages of a measurement relay, as a fleet of Alumet agents sends them: the bulk that the postcard bench is about. */
import { type Rng, rngFor } from '../../../reference-impl/machine/rng.ts';

/** A measured or attributed value. */
export type TypedValue =
  | { readonly tag: 'F64'; readonly value: number }
  | { readonly tag: 'U64'; readonly value: number }
  | { readonly tag: 'Bool'; readonly value: boolean }
  | { readonly tag: 'Str'; readonly value: string }
  | { readonly tag: 'ListU64'; readonly value: number[] };

export type Point = {
  readonly metric_id: number;
  readonly timestamp: { readonly secs: number; readonly nanos: number };
  readonly value: TypedValue;
  readonly resource_kind: string;
  readonly resource_id: string;
  readonly consumer_kind: string;
  readonly consumer_id: string;
  readonly attributes: [string, TypedValue][];
};

/** One message of the relay: a batch of points of one agent. */
export type Message = {
  readonly sender: string;
  readonly content: { readonly tag: 'SendMeasurements'; readonly value: { readonly buf: Point[] } };
};

const pick = <T>(rng: Rng, items: readonly T[]): T => items[rng.below(items.length)] as T;
const id = (rng: Rng, below: number): string => String(rng.below(below));

const RESOURCES: readonly (readonly [kind: string, id: (rng: Rng) => string])[] = [
  ['cpu_package', (rng) => id(rng, 2)],
  ['cpu_package', (rng) => id(rng, 2)],
  ['cpu_core', (rng) => id(rng, 64)],
  ['cpu_core', (rng) => id(rng, 64)],
  ['dram', (rng) => id(rng, 2)],
  ['gpu', (rng) => `00000000:${rng.below(16).toString(16).padStart(2, '0')}:00.0`],
  ['local_machine', () => ''],
];
const DOMAINS = ['package', 'pp0', 'dram', 'platform'];
const STATES = ['user', 'system', 'idle', 'nice', 'iowait', 'softirq'];
const GROUPS = 40;
const PROCESSES = 220;
const METRICS = 24;
const FIRST_SECOND = 1_763_700_000;

type Consumers = { readonly groups: readonly string[]; readonly processes: readonly string[] };

const consumerOf = (rng: Rng, { groups, processes }: Consumers): readonly [kind: string, id: string] => {
  const share = rng.below(100);
  if (share >= 92) return ['cgroup', pick(rng, groups)];
  return share >= 82 ? ['local_machine', ''] : ['process', pick(rng, processes)];
};

const attributeOf = (rng: Rng): [string, TypedValue] => {
  const share = rng.below(10);
  if (share < 5) return ['cpu_state', { tag: 'Str', value: pick(rng, STATES) }];
  return share < 9
    ? ['uid', { tag: 'U64', value: rng.below(65_536) }]
    : ['is_idle', { tag: 'Bool', value: rng.below(2) === 0 }];
};

const points = (count: number, rng: Rng): Point[] => {
  const consumers = {
    groups: Array.from({ length: GROUPS }, () => `/system.slice/docker-${rng.below(1e9).toString(16)}.scope`),
    processes: Array.from({ length: PROCESSES }, () => String(1000 + rng.below(400_000))),
  };
  let [secs, nanos] = [FIRST_SECOND, 0];
  return Array.from({ length: count }, () => {
    nanos += rng.below(3_000_000);
    if (nanos >= 1e9) [secs, nanos] = [secs + 1, nanos - 1e9];
    const [kind, of] = pick(rng, RESOURCES);
    const [consumerKind, consumerId] = consumerOf(rng, consumers);
    const value: TypedValue =
      rng.below(10) < 6
        ? { tag: 'F64', value: rng.below(250_000) / 1000 + 1 / 3 }
        : { tag: 'U64', value: rng.below(2 ** 21) * rng.below(2 ** 21) };
    return {
      metric_id: rng.below(METRICS),
      timestamp: { secs, nanos },
      value,
      resource_kind: kind,
      resource_id: of(rng),
      consumer_kind: consumerKind,
      consumer_id: consumerId,
      attributes: [['domain', { tag: 'Str', value: pick(rng, DOMAINS) }], attributeOf(rng)],
    };
  });
};

/** The so-and-so-many-th message of a number of points; the same for the same seed. */
export const messageAt = (i: number, pointsEach: number, seed: number): Message => ({
  sender: 'node-rennes-12.g5k',
  content: { tag: 'SendMeasurements', value: { buf: points(pointsEach, rngFor(seed, `message ${i}`)) } },
});

/** Different messages. */
export const messages = (count: number, pointsEach: number, seed: number): Message[] =>
  Array.from({ length: count }, (_, i) => messageAt(i, pointsEach, seed));

/** Eight fields of mixed kinds: the small message. */
export type Small = {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
  readonly g: number;
  readonly h: number;
};

/** Different small messages. `e` is exact in 32 bits. */
export const smallMessages = (count: number, seed: number): Small[] => {
  const rng = rngFor(seed, 'small');
  return Array.from({ length: count }, () => ({
    a: rng.below(256),
    b: rng.below(65_536),
    c: rng.below(1e8),
    d: rng.below(2e6) - 1e6,
    e: rng.below(1000) / 8,
    f: rng.below(1e6) / 7,
    g: FIRST_SECOND + rng.below(1e6),
    h: rng.below(2000) - 1000,
  }));
};
