import { FOR_EVER } from '../../reference-impl/backoff/schedule.ts';
import {
  type Address,
  type CommandInput,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
  soonest,
} from '../../reference-impl/machine/machine.ts';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import { MeasurementClient } from '../../reference-impl/measurement-relay/client.ts';
import {
  CLIENT_BOUNDS,
  type ClientCommand,
  type ClientCounters,
  type ClientReport,
} from '../../reference-impl/measurement-relay/client-report.ts';
import { MemorySpool } from '../../reference-impl/measurement-relay/memory-spool.ts';
import { MetricRegistry } from '../../reference-impl/measurement-relay/metrics.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';
import type { ActorWorld } from './actors.ts';
import type { MeasurementAgentSpec } from './measurement-spec.ts';
import { PointSource } from './point-source.ts';
import { retold } from './translated.ts';

/** Books are told once in so long while they change. */
const BOOKS_MILLIS = 1_000;
/** A fault is to be noticed within a run: what a client waits for in vain. */
const DIAL_MILLIS = 5_000;
const ACK_MILLIS = 10_000;

type Books = Omit<Extract<Happening, { readonly type: 'agent.books' }>, 'type'>;

const sumOf = (dropped: Readonly<Record<string, number>>): number =>
  Object.values(dropped).reduce((sum, points) => sum + points, 0);

const told = (report: ClientReport): readonly Happening[] => {
  switch (report.type) {
    case 'client.dialing':
      return [{ type: 'agent.dialing', attempt: report.attempt }];
    case 'client.greeted':
      return [{ type: 'agent.greeted', acknowledges: report.acknowledges }];
    case 'client.sent':
      return [{ type: 'agent.sent', batch: report.batch, points: report.points }];
    case 'client.acknowledged':
      return [{ type: 'agent.acknowledged', through: report.through, points: report.points }];
    case 'client.failed': {
      const { during, why, attempt, waitMillis = -1 } = report;
      return [{ type: 'agent.lost', during, why, attempt, waitMillis }];
    }
    case 'client.gaveUp':
      return [{ type: 'agent.gaveUp', why: report.why, left: report.left }];
    case 'client.dropped':
      return [{ type: 'agent.dropped', why: report.why, points: report.points }];
    case 'client.stopped':
      return [{ type: 'agent.stopped', left: report.left }];
    default:
      return [];
  }
};

/** A made-up source before our own client: measures while it is told to, and keeps the books of its points. */
export class MeasurementAgent implements NetMachine<Happening, ActorCommand> {
  readonly #spec: MeasurementAgentSpec<Address>;
  readonly #source: PointSource;
  readonly #client: MeasurementClient;
  #startAt: Millis | undefined;
  #pollAt: Millis | undefined;
  /** Told to rest, and has not said yet that it does. */
  #resting = false;
  #booksAt: Millis | undefined;
  #books: Books = { made: 0, waiting: 0, acknowledged: 0, unconfirmed: 0, dropped: 0 };

  constructor(spec: MeasurementAgentSpec<Address>, { name, seed, who, run = '' }: ActorWorld) {
    const { agent, server, source, retry, bufferMaxLength, bufferTimeoutMillis, acknowledge } = spec;
    const registry = new MetricRegistry();
    let spools = 0;
    this.#spec = spec;
    this.#source = new PointSource(agent, source, registry);
    this.#client = new MeasurementClient({
      server,
      clientName: agent,
      registry,
      spool: new MemorySpool(() => `${run}/${seed}/${who}/${++spools}`, {
        bytesMax: spec.spoolBytesMax,
        whenFull: 'refuse',
      }),
      bufferMaxLength,
      bufferTimeoutMillis,
      // FOR_EVER travels as JSON, Infinity does not
      retry: { ...retry, maxTimes: retry.maxTimes >= FOR_EVER ? Number.POSITIVE_INFINITY : retry.maxTimes },
      acknowledge,
      bounds: {
        ...CLIENT_BOUNDS,
        dialMillis: DIAL_MILLIS,
        greetMillis: DIAL_MILLIS,
        ackMillis: ACK_MILLIS,
        keepaliveMillis: spec.keepaliveMillis,
      },
      name,
      rng: rngFor(seed, `retries/${who}`),
    });
  }

  deadline(): Millis | undefined {
    return soonest(this.#client.deadline(), this.#startAt, this.#pollAt, this.#booksAt);
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] {
    switch (input.type) {
      case 'start':
        this.#startAt = now + this.#spec.startAfterMillis;
        return this.#startAt > now ? NOTHING : this.#due(now);
      case 'deadline':
        return this.#due(now);
      case 'command':
        return input.command.do === 'measure' ? this.#measure(now, input.command.state) : NOTHING;
      case 'stop':
        this.#pollAt = undefined;
        return [...this.#hand(now, input), ...this.#tellBooks(now)];
      default:
        return this.#hand(now, input);
    }
  }

  #measure(now: Millis, state: 'go' | 'rest'): readonly NetOutput<Happening>[] {
    this.#resting = state === 'rest';
    if (state === 'go') {
      this.#pollAt ??= now + this.#spec.source.periodMillis;
      return NOTHING;
    }
    this.#pollAt = undefined;
    return this.#hand(now, { type: 'command', command: { type: 'flush' } });
  }

  #due(now: Millis): readonly NetOutput<Happening>[] {
    const out: NetOutput<Happening>[] = [];
    if (this.#startAt !== undefined && this.#startAt <= now) {
      this.#startAt = undefined;
      out.push(...this.#hand(now, { type: 'start' }));
    }
    while (this.#pollAt !== undefined && this.#pollAt <= now) {
      this.#pollAt += this.#spec.source.periodMillis;
      const points = this.#source.poll(now);
      out.push(...this.#hand(now, { type: 'command', command: { type: 'append', points } }));
    }
    const due = this.#client.deadline();
    if (due !== undefined && due <= now) out.push(...this.#hand(now, { type: 'deadline' }));
    if (this.#booksAt !== undefined && this.#booksAt <= now) out.push(...this.#tellBooks(now));
    return out;
  }

  #hand(now: Millis, input: NetInput | CommandInput<ClientCommand>): readonly NetOutput<Happening>[] {
    const out = retold(this.#client.handle(now, input), told);
    if (this.#resting && this.#now().waiting === 0) {
      this.#resting = false;
      const rested = { type: 'agent.rested', made: this.#source.made } as const;
      return [...out, ...this.#tellBooks(now), { type: 'report', event: rested }];
    }
    this.#booksAt ??= this.#changed() ? now + BOOKS_MILLIS : undefined;
    return out;
  }

  #now(): Books {
    const counters: Readonly<ClientCounters> = this.#client.counters;
    return {
      made: this.#source.made,
      waiting: counters.buffered + counters.spooled,
      acknowledged: counters.acknowledged,
      unconfirmed: counters.unconfirmed,
      dropped: sumOf(counters.dropped),
    };
  }

  #changed(): boolean {
    const now = this.#now();
    return (Object.keys(now) as (keyof Books)[]).some((key) => now[key] !== this.#books[key]);
  }

  #tellBooks(now: Millis): readonly NetOutput<Happening>[] {
    this.#booksAt = undefined;
    if (!this.#changed()) return NOTHING;
    this.#books = this.#now();
    // whoever measures will have changed again in a second
    if (this.#pollAt !== undefined) this.#booksAt = now + BOOKS_MILLIS;
    return [{ type: 'report', event: { type: 'agent.books', ...this.#books } }];
  }
}
