import type { Attribute, NumberValue, Point, Timestamp } from '../../measurement-relay/messages.ts';
import type { Unit } from '../../measurement-relay/metrics.ts';

/** What is measured, or who uses it: a kind of the protocol and an id that fits it. */
export type Whose = { readonly kind: string; readonly id: string };

export const MACHINE: Whose = { kind: 'local_machine', id: '' };
export const cpuCore = (core: number): Whose => ({ kind: 'cpu_core', id: String(core) });
export const processWith = (pid: number): Whose => ({ kind: 'process', id: String(pid) });

export const UNITS = {
  one: { base: '1', prefix: '' },
  byte: { base: 'By', prefix: '' },
  percent: { base: '%', prefix: '' },
  second: { base: 's', prefix: '' },
  millisecond: { base: 's', prefix: 'milli' },
  nanosecond: { base: 's', prefix: 'nano' },
  joule: { base: 'J', prefix: '' },
} as const satisfies Readonly<Record<string, Unit>>;

export const u64 = (value: number): NumberValue => ({ tag: 'U64', value });
export const f64 = (value: number): NumberValue => ({ tag: 'F64', value });

/** A text attribute. */
export const label = (key: string, value: string): Attribute => [key, { tag: 'Str', value }];

/** A point about this machine unless said otherwise. */
export const measured = (
  at: Timestamp,
  metric: number,
  value: NumberValue,
  {
    resource = MACHINE,
    consumer = MACHINE,
    attributes = [],
  }: {
    readonly resource?: Whose;
    readonly consumer?: Whose;
    readonly attributes?: readonly Attribute[];
  } = {},
): Point => ({
  metric_id: metric,
  timestamp: at,
  value,
  resource_kind: resource.kind,
  resource_id: resource.id,
  consumer_kind: consumer.kind,
  consumer_id: consumer.id,
  attributes,
});

/** Growth of a counter. The kernel lets some of its own go back a little: that is none. */
export const growth = (before: number, now: number): number => Math.max(0, now - before);
