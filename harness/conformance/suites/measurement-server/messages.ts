/** What travels in the relay of measurements, written down again for the cases: not the schema of any implementation of ours. */
import { compile, type Infer, p } from 'postcard-ts';

export const VERSION = 2;
/** The longest legal body. */
export const BODY_MAX = 32_000_000;

const U64 = p.u64.auto;
const VALUE = p.enum({ F64: p.f64, U64, Bool: p.bool, Str: p.str, ListU64: p.seq(U64) });
const POINT = p.struct({
  metric_id: U64,
  timestamp: p.struct({ secs: U64, nanos: p.u32 }),
  value: VALUE,
  resource_kind: p.str,
  resource_id: p.str,
  consumer_kind: p.str,
  consumer_id: p.str,
  attributes: p.seq(p.tuple(p.str, VALUE)),
});
const METRIC = p.struct({
  id: U64,
  name: p.str,
  value_type: p.names('F64', 'U64'),
  unit: p.struct({ base: p.str, prefix: p.str }),
});
const MESSAGE = p.struct({
  sender: p.str,
  content: p.enum({
    Greet: p.struct({ alumet_core_version: p.str, relay_plugin_version: p.str, protocol_version: p.u32 }),
    GreetResponse: p.struct({
      accept: p.bool,
      server_alumet_core_version: p.str,
      server_relay_plugin_version: p.str,
      protocol_version: p.u32,
    }),
    RegisterMetrics: p.struct({ metrics: p.seq(METRIC) }),
    SendMeasurements: p.struct({ buf: p.seq(POINT) }),
  }),
});
const CODEC = compile(MESSAGE);

export type Value = Infer<typeof VALUE>;
export type Point = Infer<typeof POINT>;
export type Metric = Infer<typeof METRIC>;
export type Content = Infer<typeof MESSAGE>['content'];
export type Message = Infer<typeof MESSAGE>;

/** A message as its body alone. */
export const bodyOf = (sender: string, content: Content): Buffer =>
  Buffer.from(CODEC.encode({ sender, content }));

/** Any bytes with their length before them, as u32 in network order. */
export const framed = (body: Uint8Array): Buffer => {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32BE(body.length);
  frame.set(body, 4);
  return frame;
};

export const frameOf = (sender: string, content: Content): Buffer => framed(bodyOf(sender, content));

/** @returns the message and how many bytes follow it in its body. @throws PostcardError */
export const readBody = (body: Uint8Array): { readonly message: Message; readonly left: number } => {
  const { value, end } = CODEC.decodePrefix(body);
  return { message: value, left: body.length - end };
};

export const greet = (version = VERSION): Content => ({
  tag: 'Greet',
  value: { alumet_core_version: '0.9.5', relay_plugin_version: '0.6.0', protocol_version: version },
});

export const greetResponse = (accept = true, version = VERSION): Content => ({
  tag: 'GreetResponse',
  value: {
    accept,
    server_alumet_core_version: '0.9.5',
    server_relay_plugin_version: '0.6.0',
    protocol_version: version,
  },
});

export const register = (...metrics: readonly Metric[]): Content => ({
  tag: 'RegisterMetrics',
  value: { metrics: [...metrics] },
});

export const send = (...points: readonly Point[]): Content => ({
  tag: 'SendMeasurements',
  value: { buf: [...points] },
});

/** A counter without a unit, unless `more` says otherwise. */
export const metric = (
  id: number,
  name: string,
  more: { readonly type?: Metric['value_type']; readonly base?: string; readonly prefix?: string } = {},
): Metric => ({
  ...{ id, name, value_type: more.type ?? 'U64' },
  unit: { base: more.base ?? '1', prefix: more.prefix ?? '' },
});

/** 2023-11-14T22:13:20Z, the time of all points that say no other. */
export const SECS = 1_700_000_000;

/** The `n`th point of a metric: its value, and so many nanoseconds after SECS. */
export const point = (metricId: number, n: number, more: Partial<Point> = {}): Point => ({
  ...{ metric_id: metricId, timestamp: { secs: SECS, nanos: n }, value: { tag: 'U64', value: n } },
  ...{ resource_kind: 'local_machine', resource_id: '', consumer_kind: 'local_machine', consumer_id: '' },
  ...{ attributes: [], ...more },
});

/** Points `from` to `to - 1` of a metric. */
export const points = (metricId: number, from: number, to: number): readonly Point[] =>
  Array.from({ length: to - from }, (_, i) => point(metricId, from + i));
