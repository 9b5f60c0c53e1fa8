import type { Conn, Millis, NetInput } from '../../machine/machine.ts';
import { type ClientOutput, MeasurementClient } from '../client.ts';
import {
  BUFFER,
  CLIENT_BOUNDS,
  type ClientBounds,
  type ClientCommand,
  type ClientConfig,
  type ClientReport,
  RETRY,
} from '../client-report.ts';
import { MemorySpool } from '../memory-spool.ts';
import type { Content, Message } from '../messages.ts';
import { MetricRegistry } from '../metrics.ts';
import type { Spool } from '../spool.ts';
import { agentPoint, frame, greetAnswer, messagesIn, valuesOf } from './wire.ts';

export type ClientRigOptions = Partial<Omit<ClientConfig, 'bounds' | 'spool'>> & {
  readonly bounds?: Partial<ClientBounds>;
  readonly spool?: Spool;
};

let spools = 0;
/** A spool whose name nobody else has in this process. */
export const memorySpool = (limits: ConstructorParameters<typeof MemorySpool>[1] = {}): MemorySpool =>
  new MemorySpool(() => `spool-${++spools}`, limits);

/** A client without sockets, whose server a test plays. One U64 metric, id 0, is defined. */
export class ClientRig {
  readonly registry: MetricRegistry;
  readonly spool: Spool;
  readonly client: MeasurementClient;
  readonly outputs: ClientOutput[] = [];
  readonly reports: ClientReport[] = [];
  now: Millis = 0;
  #conns: Conn = 0;

  constructor({ bounds, ...options }: ClientRigOptions = {}) {
    this.registry = options.registry ?? new MetricRegistry();
    this.registry.define({ name: 'm0', valueType: 'U64', unit: { base: 'J', prefix: '' }, description: '' });
    this.spool = options.spool ?? memorySpool();
    this.client = new MeasurementClient({
      server: { host: 'server', port: 50_051 },
      clientName: 'leaf',
      retry: RETRY,
      acknowledge: true,
      name: () => ++this.#conns,
      ...BUFFER,
      ...options,
      registry: this.registry,
      spool: this.spool,
      bounds: { ...CLIENT_BOUNDS, ...bounds },
    });
    this.feed({ type: 'start' });
  }

  feed(input: NetInput | { readonly type: 'command'; readonly command: ClientCommand }): void {
    for (const output of this.client.handle(this.now, input)) {
      this.outputs.push(output);
      if (output.type === 'report') this.reports.push(output.event);
    }
  }

  /** The connection dialled last. */
  get conn(): Conn {
    return this.#conns;
  }

  /** One poll of points with these values. */
  append(...values: readonly number[]): void {
    this.feed({
      type: 'command',
      command: { type: 'append', points: values.map((value) => agentPoint(value)) },
    });
  }

  /** The server says something. */
  hear(...contents: readonly Content[]): void {
    for (const content of contents) this.bytes(frame(content, ''));
  }

  bytes(bytes: Uint8Array): void {
    this.feed({ type: 'bytes', conn: this.conn, bytes });
  }

  connected(): void {
    this.feed({ type: 'connected', conn: this.conn });
  }

  /** Connected, and greeted by a server as Alumet's. */
  up(): void {
    this.connected();
    this.hear(greetAnswer());
  }

  closed(why: 'reset' | 'refused' | 'timeout' = 'reset'): void {
    this.feed({ type: 'closed', conn: this.conn, why, received: 0, sent: 0 });
  }

  /** All that was sent on this connection has left. */
  flushed(times = 1): void {
    for (let i = 0; i < times; i++) this.feed({ type: 'flushed', conn: this.conn });
  }

  /** Lets time pass, waking the machine whenever it wants to be. */
  pass(millis: Millis): void {
    const end = this.now + millis;
    for (let at = this.client.deadline(); at !== undefined && at <= end; at = this.client.deadline()) {
      if (at > this.now) this.now = at;
      this.feed({ type: 'deadline' });
    }
    this.now = end;
  }

  said(conn: Conn = this.conn): Message[] {
    const parts = this.outputs.flatMap((output) =>
      output.type === 'send' && output.conn === conn ? [output.bytes] : [],
    );
    return messagesIn(new Uint8Array(Buffer.concat(parts)));
  }

  /** Values of the points in each batch sent on a connection. */
  batches(conn: Conn = this.conn): number[][] {
    return this.said(conn).flatMap(({ content }) =>
      content.tag === 'SendMeasurements' || content.tag === 'SendBatch' ? [valuesOf(content.value.buf)] : [],
    );
  }

  told<Type extends ClientReport['type']>(type: Type): Extract<ClientReport, { type: Type }>[] {
    return this.reports.filter((event) => event.type === type) as Extract<ClientReport, { type: Type }>[];
  }

  /** What does not add up in the counters; undefined: nothing. */
  imbalance(): string | undefined {
    const { received, recovered, buffered, spooled, acknowledged, unconfirmed, dropped } =
      this.client.counters;
    const lost = Object.values(dropped).reduce((sum, points) => sum + points, 0);
    const accounted = buffered + spooled + acknowledged + unconfirmed + lost;
    return received + recovered === accounted
      ? undefined
      : `${received} + ${recovered} points, ${accounted} accounted for`;
  }
}
