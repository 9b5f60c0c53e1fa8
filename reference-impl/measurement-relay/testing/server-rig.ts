import type { Conn, Millis, NetInput } from '../../machine/machine.ts';
import type { Batch, Content } from '../messages.ts';
import { MetricRegistry } from '../metrics.ts';
import { MeasurementServer, type ServerOutput } from '../server.ts';
import {
  SERVER_LIMITS,
  type ServerCommand,
  type ServerConfig,
  type ServerError,
  type ServerLimits,
  type ServerReport,
  type Token,
} from '../server-report.ts';
import { frame, GREET, messagesIn, valuesOf } from './wire.ts';

export type RigOptions = {
  readonly limits?: Partial<ServerLimits>;
  readonly acknowledge?: boolean;
  /** Whether batches are stored at once (default) or wait for `answer`. */
  readonly holds?: boolean;
  readonly registry?: MetricRegistry;
};

/** A server without sockets: what it is told and what it does, kept for a test to look at. */
export class ServerRig {
  readonly registry: MetricRegistry;
  readonly server: MeasurementServer;
  readonly outputs: ServerOutput[] = [];
  readonly reports: ServerReport[] = [];
  readonly batches: (Batch & { readonly token: Token; readonly conn: Conn })[] = [];
  /** What the host says about spools. */
  lastStored: number | undefined;
  now: Millis = 0;
  readonly #holds: boolean;

  constructor(options: RigOptions = {}) {
    this.registry = options.registry ?? new MetricRegistry();
    this.#holds = options.holds ?? false;
    const config: ServerConfig = {
      listen: { host: undefined, port: 0 },
      registry: this.registry,
      acknowledge: options.acknowledge ?? true,
      limits: { ...SERVER_LIMITS, ...options.limits },
    };
    this.server = new MeasurementServer(config);
    this.feed({ type: 'start' });
    this.feed({ type: 'listening', listener: 1, port: 4_000 });
  }

  feed(input: NetInput | { readonly type: 'command'; readonly command: ServerCommand }): void {
    const asked: ServerCommand[] = [];
    for (const output of this.server.handle(this.now, input)) {
      this.outputs.push(output);
      if (output.type !== 'report') continue;
      const { event } = output;
      this.reports.push(event);
      if (event.type === 'server.batch') {
        this.batches.push({ ...event.batch, token: event.token, conn: event.conn });
        if (!this.#holds) asked.push({ type: 'stored', token: event.token });
      }
      if (event.type === 'server.spool' && !this.#holds)
        asked.push({ type: 'lastStored', token: event.token, batch: this.lastStored });
    }
    for (const command of asked) this.feed({ type: 'command', command });
  }

  tell(command: ServerCommand): void {
    this.feed({ type: 'command', command });
  }

  /** A client that says these; with a Greet before them unless told not to. */
  connect(conn: Conn, ...contents: readonly Content[]): void {
    this.dial(conn);
    this.say(conn, GREET, ...contents);
  }

  dial(conn: Conn): void {
    this.feed({ type: 'accepted', conn, listener: 1, from: { host: '10.0.0.1', port: 9 } });
  }

  say(conn: Conn, ...contents: readonly Content[]): void {
    for (const content of contents) this.bytes(conn, frame(content));
  }

  bytes(conn: Conn, bytes: Uint8Array): void {
    this.feed({ type: 'bytes', conn, bytes });
  }

  fin(conn: Conn): void {
    this.feed({ type: 'ended', conn });
  }

  pass(millis: Millis): void {
    this.now += millis;
    this.feed({ type: 'deadline' });
  }

  /** What a client has heard. */
  heard(conn: Conn): Content[] {
    const bytes = this.outputs.flatMap((output) =>
      output.type === 'send' && output.conn === conn ? [...output.bytes] : [],
    );
    return messagesIn(Uint8Array.from(bytes)).map(({ content }) => content);
  }

  /** How we ended a connection: the last word of ours about it. */
  ending(conn: Conn): 'reset' | 'close' | 'end' | undefined {
    for (const output of this.outputs)
      if (
        (output.type === 'reset' || output.type === 'close' || output.type === 'end') &&
        output.conn === conn
      )
        return output.type;
    return undefined;
  }

  /** Whether the driver reads from it. */
  reads(conn: Conn): boolean {
    let reads = true;
    for (const output of this.outputs)
      if ((output.type === 'pause' || output.type === 'resume') && output.conn === conn)
        reads = output.type === 'resume';
    return reads;
  }

  /** Values of all points handed out. */
  get values(): number[] {
    return this.batches.flatMap(({ points }) => valuesOf(points));
  }

  get errors(): ServerError[] {
    return this.told('server.error').map(({ code }) => code);
  }

  told<Type extends ServerReport['type']>(type: Type): Extract<ServerReport, { type: Type }>[] {
    return this.reports.filter((event) => event.type === type) as Extract<ServerReport, { type: Type }>[];
  }
}
