import {
  type CommandInput,
  type Conn,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
  soonest,
} from '../../reference-impl/machine/machine.ts';
import type { MetricRegistry } from '../../reference-impl/measurement-relay/metrics.ts';
import { MeasurementServer } from '../../reference-impl/measurement-relay/server.ts';
import {
  SERVER_LIMITS,
  type ServerCommand,
  type ServerReport,
} from '../../reference-impl/measurement-relay/server-report.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';
import type { MeasurementServerSpec } from './measurement-spec.ts';
import type { PointStore } from './point-store.ts';
import { retold } from './translated.ts';

const BOOKS_MILLIS = 1_000;
/** What was stored is told in so long: many small batches are one range. */
const TELL_MILLIS = 100;

type Waiting = Extract<ServerReport, { readonly type: 'server.batch' }>;
type Out = NetOutput<Happening>;

export type ServerParts = {
  readonly port: number;
  readonly registry: MetricRegistry;
  readonly store: PointStore;
};

/** Our measurement server before a store: batches are written one after the other, as fast as the store is said to be. */
export class MeasurementServerActor implements NetMachine<Happening, ActorCommand> {
  readonly #spec: MeasurementServerSpec;
  readonly #store: PointStore;
  readonly #server: MeasurementServer;
  /** Batches that the store has not taken yet, oldest first. */
  readonly #waiting: Waiting[] = [];
  readonly #held = new Set<Conn>();
  /** When the store has done with what it has. */
  #busyUntil: Millis = 0;
  #tellAt: Millis | undefined;
  #booksAt: Millis | undefined;
  #told = '';

  constructor(spec: MeasurementServerSpec, { port, registry, store }: ServerParts) {
    this.#spec = spec;
    this.#store = store;
    this.#server = new MeasurementServer({
      listen: { host: undefined, port },
      registry,
      acknowledge: spec.acknowledge,
      limits: { ...SERVER_LIMITS, connectionsMax: 10_000, keepaliveMillis: spec.keepaliveMillis },
    });
  }

  deadline(): Millis | undefined {
    const next = this.#waiting.length > 0 ? this.#busyUntil : undefined;
    return soonest(this.#server.deadline(), next, this.#tellAt, this.#booksAt);
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly Out[] {
    const out: Out[] = [];
    if (input.type === 'command') {
      if (input.command.do === 'read') this.#tellStore(out, true);
      return out;
    }
    this.#hand(now, input, out);
    while (this.#waiting.length > 0 && this.#busyUntil <= now) this.#write(now, out);
    if (this.#tellAt !== undefined && this.#tellAt <= now) {
      this.#tellAt = undefined;
      this.#tellStore(out, false);
    }
    if (this.#booksAt !== undefined && this.#booksAt <= now) this.#tellBooks(out);
    return out.length === 0 ? NOTHING : out;
  }

  #hand(now: Millis, input: NetInput | CommandInput<ServerCommand>, out: Out[]): void {
    for (const output of retold(this.#server.handle(now, input), (report) => this.#heard(now, report))) {
      if (output.type === 'pause') this.#held.add(output.conn);
      else if (output.type === 'resume' || output.type === 'reset' || output.type === 'close')
        this.#held.delete(output.conn);
      out.push(output);
    }
    // what it asked is answered at once
    for (const answer of this.#answers.splice(0)) this.#hand(now, { type: 'command', command: answer }, out);
    this.#booksAt ??= this.#bookText() === this.#told ? undefined : now + BOOKS_MILLIS;
  }

  readonly #answers: ServerCommand[] = [];

  #heard(now: Millis, report: ServerReport): readonly Happening[] {
    switch (report.type) {
      case 'server.listening':
        return [{ type: 'host.ready', port: report.port }];
      case 'server.unlistened':
        return [{ type: 'host.crashed', reason: `cannot listen: ${report.why}` }];
      case 'server.spool': {
        const batch = this.#store.lastStored(report.client, report.spool);
        this.#answers.push({ type: 'lastStored', token: report.token, batch });
        return NOTHING;
      }
      case 'server.batch':
        if (this.#waiting.length === 0) this.#busyUntil = Math.max(now, this.#busyUntil);
        this.#waiting.push(report);
        return NOTHING;
      case 'server.renamed': {
        const { client, name: metric, renamed } = report;
        return [{ type: 'ingest.renamed', client, metric, renamed }];
      }
      case 'server.dropped':
        return [{ type: 'ingest.dropped', client: report.client, why: report.why, points: report.points }];
      case 'server.error':
        return [{ type: 'ingest.error', client: report.client, code: report.code }];
      case 'server.closed':
        this.#held.delete(report.conn);
        return NOTHING;
      case 'server.stopped':
        this.#store.close();
        return [...this.#store.told(), { type: 'host.stopped', code: 0 }];
      default:
        return NOTHING;
    }
  }

  /** What a store knows that nobody else reads. */
  #tellStore(out: Out[], toItsEnd: boolean): void {
    for (const event of this.#store.told()) out.push({ type: 'report', event });
    if (toItsEnd)
      out.push({ type: 'report', event: { type: 'store.read', points: this.#server.counters.stored } });
  }

  #write(now: Millis, out: Out[]): void {
    const { token, batch } = this.#waiting.shift() as Waiting;
    this.#store.write(batch);
    this.#tellAt ??= now + TELL_MILLIS;
    const { storePointsPerSecond: rate } = this.#spec;
    this.#busyUntil = Math.max(now, this.#busyUntil);
    if (rate > 0) this.#busyUntil += Math.ceil((batch.points.length * 1_000) / rate);
    this.#hand(now, { type: 'command', command: { type: 'stored', token } }, out);
  }

  #bookText(): string {
    const { received, stored, undelivered } = this.#server.counters;
    return `${received} ${stored} ${undelivered} ${this.#held.size}`;
  }

  #tellBooks(out: Out[]): void {
    this.#booksAt = undefined;
    this.#told = this.#bookText();
    const { received, stored, undelivered } = this.#server.counters;
    const held = this.#held.size;
    out.push({ type: 'report', event: { type: 'ingest.books', received, stored, undelivered, held } });
  }
}
