import { readdirSync, readFileSync } from 'node:fs';
import {
  type Content,
  frameOf,
  MESSAGE,
  type Message,
  type Point,
  type WireMetric,
  type WirePoint,
} from '../messages.ts';

/** A frame as a peer would write it. */
export const frame = (content: Content, sender = 'leaf'): Uint8Array => frameOf({ sender, content });

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

export const GREET: Content = {
  tag: 'Greet',
  value: { alumet_core_version: '0.9.5', relay_plugin_version: '0.6.0', protocol_version: 2 },
};
export const GREET_ACK: Content = {
  tag: 'Greet',
  value: { ...GREET.value, relay_plugin_version: '0.6.0+relaylab-ack-1' },
};
export const greetAnswer = (
  over: Partial<Extract<Content, { tag: 'GreetResponse' }>['value']> = {},
): Content => ({
  tag: 'GreetResponse',
  value: {
    accept: true,
    server_alumet_core_version: '0.9.5',
    server_relay_plugin_version: '0.6.0',
    protocol_version: 2,
    ...over,
  },
});
export const ACK_ANSWER: Content = greetAnswer({ server_relay_plugin_version: '0.6.0+relaylab-ack-1' });

export const metric = (id: number, name = `m${id}`, over: Partial<WireMetric> = {}): WireMetric => ({
  id,
  name,
  value_type: 'U64',
  unit: { base: 'J', prefix: '' },
  ...over,
});
export const register = (...metrics: readonly WireMetric[]): Content => ({
  tag: 'RegisterMetrics',
  value: { metrics: [...metrics] },
});

/** A point whose value tells it from others. */
export const point = (value: number, over: Partial<WirePoint> = {}): WirePoint => ({
  metric_id: 0,
  timestamp: { secs: 1_795_254_101, nanos: 349_576_901 },
  value: { tag: 'U64', value },
  resource_kind: 'local_machine',
  resource_id: '',
  consumer_kind: 'local_machine',
  consumer_id: '',
  attributes: [],
  ...over,
});
/** The same as an agent has it. */
export const agentPoint = (value: number, over: Partial<Point> = {}): Point => ({
  ...(point(value) as Point),
  ...over,
});
export const send = (...buf: readonly WirePoint[]): Content => ({
  tag: 'SendMeasurements',
  value: { buf: [...buf] },
});
export const sendBatch = (batch: number, ...buf: readonly WirePoint[]): Content => ({
  tag: 'SendBatch',
  value: { batch, buf: [...buf] },
});
export const openSpool = (spool: string, first = 1): Content => ({
  tag: 'OpenSpool',
  value: { spool, first },
});

/** The messages in some bytes, which must be whole frames. */
export const messagesIn = (bytes: Uint8Array): Message[] => {
  const messages: Message[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + view.getUint32(at);
    messages.push(MESSAGE.decode(bytes.subarray(at + 4, end)));
    at = end;
  }
  return messages;
};

/** Values of points, as numbers: who they are. */
export const valuesOf = (points: readonly { readonly value: { readonly value: unknown } }[]): number[] =>
  points.map(({ value }) => Number(value.value));

export type Vector = {
  readonly name: string;
  readonly about: string;
  readonly direction: 'client->server' | 'server->client';
  readonly bytes: Uint8Array;
  readonly decoded: unknown;
};
const FOLDER = new URL('../vectors/', import.meta.url);
/** Frames that Alumet agents wrote. */
export const vectors = (): Vector[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const { hex, ...rest } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
      return { ...rest, name: file.replace('.json', ''), bytes: Uint8Array.fromHex(hex) };
    });

export type SessionLine = { readonly t_ms: number; readonly conn: number } & (
  | { readonly event: 'open' | 'fin'; readonly dir?: string }
  | { readonly event?: undefined; readonly dir: 'client->server' | 'server->client'; readonly hex: string }
);
/** A whole session between two Alumet agents, chunk by chunk. */
export const recordedSession = (): SessionLine[] =>
  readFileSync(new URL('session.jsonl', FOLDER), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line));
