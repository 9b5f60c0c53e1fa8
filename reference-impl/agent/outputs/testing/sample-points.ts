import type {
  Attribute,
  Batch,
  NumberValue,
  Origin,
  Point,
  U64,
} from '../../../measurement-relay/messages.ts';
import { MetricRegistry, type Unit } from '../../../measurement-relay/metrics.ts';
import type { Log } from '../../plugin.ts';

/** A registry with `cpu_time` (U64, ms; id 0), `power` (F64, W; id 1) and `packets` (U64, a plain number; id 2). */
export const sampleRegistry = (): MetricRegistry => {
  const registry = new MetricRegistry();
  const define = (name: string, valueType: 'F64' | 'U64', unit: Unit): number =>
    registry.define({ name, valueType, unit, description: '' });
  define('cpu_time', 'U64', { base: 's', prefix: 'milli' });
  define('power', 'F64', { base: 'W', prefix: '' });
  define('packets', 'U64', { base: '1', prefix: '' });
  return registry;
};

export const u64 = (value: U64): NumberValue => ({ tag: 'U64', value });
export const f64 = (value: number): NumberValue => ({ tag: 'F64', value });
export const text = (key: string, value: string): Attribute => [key, { tag: 'Str', value }];

/** 2023-11-14T22:13:20.000000005Z, `cpu_time` 7 of core 0, unless said otherwise. */
export const point = (changes: Partial<Point> = {}): Point => ({
  metric_id: 0,
  timestamp: { secs: 1_700_000_000, nanos: 5 },
  value: u64(7),
  resource_kind: 'cpu_core',
  resource_id: '0',
  consumer_kind: 'local_machine',
  consumer_id: '',
  attributes: [],
  ...changes,
});

/** So many points of 20 series, one nanosecond after the other; the values count on from `first`. */
export const points = (count: number, first = 0): readonly Point[] =>
  Array.from({ length: count }, (_, index) => {
    const n = first + index;
    return point({
      timestamp: { secs: 1_700_000_000, nanos: n % 1_000_000_000 },
      value: u64(n),
      resource_id: `${n % 20}`,
      attributes: [text('cpu_state', n % 2 === 0 ? 'user' : 'idle')],
    });
  });

export const batch = (list: readonly Point[], origin?: Origin): Batch => ({ points: list, origin });

export type Line = { readonly level: keyof Log; readonly text: string };

/** A log that keeps what it is told. */
export const recordedLog = (): { readonly log: Log; readonly lines: Line[] } => {
  const lines: Line[] = [];
  const at = (level: keyof Log) =>
    ((...said: readonly unknown[]): void => {
      lines.push({ level, text: said.filter((part) => typeof part === 'string').join(' ') });
    }) as Log[keyof Log];
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
};
