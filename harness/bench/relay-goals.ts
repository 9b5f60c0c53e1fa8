/** The goals of the relay's speed, each with where in a run its figure is found. */
import { type Goal, type JudgedGoal, judgeGoal, type Sense } from './goals.ts';
import type { Measured, Row } from './measure.ts';
import { DECLARED_SPREAD_MILLIS, SPREAD_KEY } from './measure-links.ts';
import { NAMES } from './plan.ts';
import { type Estimate, estimate, ratio } from './statistics.ts';

/** A figure out of a run's measures, or why there is none. */
type Found = (Estimate & { readonly thrift?: Estimate }) | string;
type Finder = (measures: readonly Measured[]) => Found;

const rowOf = (measures: readonly Measured[], id: string, name: string): Row | string => {
  const measure = measures.find((one) => one.id === id);
  if (measure === undefined) return 'not part of this run';
  const row = measure.rows.find((one) => one.name === name || one.name.startsWith(`${name}, `));
  if (row === undefined) return `${name} is not part of this run`;
  return row.estimate.rounds === 0 ? `${name}: ${row.why ?? 'no round gave a figure'}` : row;
};

const known = (values: readonly (number | null)[]): readonly number[] =>
  values.map((value) => value ?? Number.NaN);
const numbers = (row: Row): readonly number[] => known(row.values);

const over =
  (id: string, ours: string, theirs: string): Finder =>
  (measures) => {
    const [own, other] = [rowOf(measures, id, ours), rowOf(measures, id, theirs)];
    if (typeof own === 'string') return own;
    if (typeof other === 'string') return other;
    const thrift = ratio(known(other.costs), known(own.costs));
    return { ...ratio(numbers(own), numbers(other)), ...(thrift.rounds === 0 ? {} : { thrift }) };
  };

const plain =
  (id: string, name: string, of: (value: number) => number = (value) => value): Finder =>
  (measures) => {
    const row = rowOf(measures, id, name);
    return typeof row === 'string' ? row : estimate(numbers(row).map(of));
  };

const beside =
  (id: string, name: string, key: string, of: (value: number) => number = (value) => value): Finder =>
  (measures) => {
    const row = rowOf(measures, id, name);
    if (typeof row === 'string') return row;
    return estimate((row.besides ?? []).map((told) => of(told?.[key] ?? Number.NaN)));
  };

type Wanted = readonly [goal: Omit<Goal, 'id'>, find: Finder];

const times = (
  what: string,
  against: string,
  limit: number,
  find: Finder,
  sense: Sense = 'at least',
): Wanted => [{ what, against, sense, limit, unit: 'x' }, find];

const within = (what: string, limit: number, unit: string, find: Finder): Wanted => [
  { what, against: undefined, sense: 'at most', limit, unit },
  find,
];

const percentOff = (share: number): number => Math.abs(share - 1) * 100;
const {
  pool,
  event,
  multiplex,
  goPool,
  goEvent,
  goMultiplex,
  haproxy,
  yamux,
  go,
  tokio,
  libp2p,
  chaos,
  toxiproxy,
} = NAMES;

const WANTED: readonly Wanted[] = [
  times('pool, transfer', 'Go relay', 1, over('transfer-1', pool, goPool)),
  times('pool, transfer', 'HAProxy', 1.3, over('transfer-1', pool, haproxy)),
  times('event, transfer', 'Go relay', 1, over('transfer-1', event, goEvent)),
  times('event, transfer', 'HAProxy', 1.3, over('transfer-1', event, haproxy)),
  times('multiplex, transfer', 'Go relay', 3, over('transfer-1', multiplex, goMultiplex)),
  times('multiplex, transfer', 'HAProxy', 1.3, over('transfer-1', multiplex, haproxy)),
  times('multiplex, 64 tunnels', 'Go relay', 3, over('transfer-64', multiplex, goMultiplex)),
  times('multiplex, 64 tunnels', 'HAProxy', 1.3, over('transfer-64', multiplex, haproxy)),
  ...(['1', '64'] as const).flatMap((streams) => {
    const what = streams === '1' ? 'yamux alone, 1 stream' : 'yamux alone, 64 streams';
    const id = `yamux-${streams}`;
    return [
      times(what, 'Go', 2, over(id, yamux, go)),
      times(what, '@libp2p/yamux', 2, over(id, yamux, libp2p)),
      times(what, 'tokio-yamux', 1, over(id, yamux, tokio)),
    ];
  }),
  times('connections a second', 'Go relay', 1, over('connections', pool, goPool)),
  times('connections a second', 'HAProxy', 0.5, over('connections', pool, haproxy)),
  times('p99 first byte under load', 'HAProxy', 2, over('first-byte', pool, haproxy), 'at most'),
  within('memory of an idle tunnel', 10, 'kB', plain('idle', pool)),
  within('descriptors of an idle tunnel', 2, '', beside('idle', pool, 'descriptors each')),
  times('chaos-proxy, no fault', 'toxiproxy', 2, over('link-1', chaos, toxiproxy)),
  times('chaos-proxy, 64 connections', 'toxiproxy', 2, over('link-64', chaos, toxiproxy)),
  ...[1, 10, 100].map((megabytes) =>
    within(
      `bandwidth fault of ${megabytes} MB/s, error`,
      3,
      '%',
      plain(`bandwidth-${megabytes}`, chaos, percentOff),
    ),
  ),
  within(
    'latency fault of 20 ms, error',
    0.5,
    'ms',
    plain('latency', chaos, (middle) => Math.abs(middle - 20)),
  ),
  within(
    'latency fault of ± 5 ms, error of its spread',
    10,
    '%',
    beside('latency', chaos, SPREAD_KEY, (spread) => percentOff(spread / DECLARED_SPREAD_MILLIS)),
  ),
];

/** Every goal with its verdict. */
export const judgeRelay = (measures: readonly Measured[]): readonly JudgedGoal[] =>
  WANTED.map(([goal, find], index) => {
    const found = find(measures);
    const named = { ...goal, id: `G${index + 1}` };
    if (typeof found === 'string') return judgeGoal(named, undefined, found);
    const { thrift, ...figure } = found;
    const judged = judgeGoal(named, figure);
    return thrift === undefined ? judged : { ...judged, thrift };
  });
