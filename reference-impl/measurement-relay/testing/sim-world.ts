import { Sim } from '../../drivers/sim.ts';
import type { Millis } from '../../machine/machine.ts';
import { type Rng, rngFor } from '../../machine/rng.ts';
import { MeasurementClient } from '../client.ts';
import { CLIENT_BOUNDS, type ClientCommand, type ClientReport, type RetryOptions } from '../client-report.ts';
import { MemorySpool } from '../memory-spool.ts';
import type { Batch } from '../messages.ts';
import { MetricRegistry } from '../metrics.ts';
import { MeasurementServer } from '../server.ts';
import { SERVER_LIMITS, type ServerCommand, type ServerReport } from '../server-report.ts';
import { agentPoint, valuesOf } from './wire.ts';

/** What a file would be in the simulator: outlives the client that writes it. */
class FileSpool extends MemorySpool {
  override readonly durable = true;
}

/** What happens to a world, and when. */
export type Blow = {
  readonly at: Millis;
  readonly what:
    | 'cut'
    | 'kill client'
    | 'stop client'
    | 'kill server'
    | 'lose server'
    | 'stop server'
    | 'fail';
  readonly forMillis: Millis;
};

const METRICS = ['m0', 'm1', 'm2'];
const POLL_MILLIS = 40;
const NEVER_GIVE_UP: RetryOptions = {
  maxTimes: Number.POSITIVE_INFINITY,
  initialDelayMillis: 100,
  maxDelayMillis: 1_000,
};

/**
 * A client that polls every 40 ms into a spool that survives it, and a server before a store that keeps a batch and its origin
 * in one transaction, some time after it was asked to, now and then a long one. Either can be killed at any moment.
 */
export class MeasurementWorld {
  readonly sim: Sim;
  readonly #rng: Rng;
  readonly #spool = new FileSpool(() => 'file');
  readonly #last = new Map<string, number>();
  /** Values and metric names in the store, in the order they were committed. */
  readonly stored: { readonly value: number; readonly metric: string }[] = [];
  /** Values the client has taken. */
  readonly polled: number[] = [];
  readonly reports: (ClientReport | ServerReport)[] = [];
  #clientRegistry = new MetricRegistry();
  #serverRegistry = new MetricRegistry();
  #clientAlive = false;
  /** Answers to a server that is gone must not reach the next one. */
  #serverLife = 0;
  #serverAlive = true;
  #failing = false;
  #value = 0;

  constructor(seed: number) {
    this.sim = new Sim({ seed });
    this.#rng = rngFor(seed, 'store');
    const link = { latencyMillis: 5, bytesPerMillis: 200 };
    this.sim.add('server', this.#server(), {
      report: (event: ServerReport) => this.#serverSaid(event),
      link,
    });
    this.sim.add('client', this.#client(), {
      report: (event: ClientReport) => this.#clientSaid(event),
      link,
    });
  }

  /** Plays the blows, then gives the world peace until nothing is left to deliver. */
  play(blows: readonly Blow[], pollsUntil: Millis, limit: Millis): boolean {
    // polls at even times, blows at odd ones: what was polled was heard
    for (let at = 2; at < pollsUntil; at += POLL_MILLIS) this.sim.at(at, () => this.#poll());
    for (const blow of blows) this.sim.at(2 * Math.floor(blow.at / 2) + 1, () => this.#strike(blow));
    this.sim.run(pollsUntil + 60_000);
    this.sim.tell<ClientCommand>('client', { type: 'flush' });
    return this.sim.runUntil(() => this.stored.length >= this.polled.length, limit);
  }

  #poll(): void {
    if (!this.#clientAlive) return;
    const points = Array.from({ length: 1 + this.#rng.below(5) }, () => {
      const value = this.#value++;
      this.polled.push(value);
      const name = METRICS[value % METRICS.length] as string;
      return agentPoint(value, { metric_id: this.#clientRegistry.named(name)?.id ?? -1 });
    });
    this.sim.tell<ClientCommand>('client', { type: 'append', points });
  }

  #strike({ what, forMillis }: Blow): void {
    switch (what) {
      case 'cut':
        this.sim.cut('client');
        this.sim.after(forMillis, () => this.sim.restore('client'));
        return;
      case 'fail':
        this.#failing = true;
        this.sim.after(forMillis, () => {
          this.#failing = false;
        });
        return;
      case 'stop client':
        if (this.#clientAlive) this.sim.stop('client');
        this.#killClient(forMillis);
        return;
      case 'kill client':
        this.#killClient(0);
        return;
      case 'stop server':
        if (this.#serverAlive) this.sim.stop('server');
        this.#killServer(forMillis, 'reset', forMillis);
        return;
      case 'kill server':
      case 'lose server':
        this.#killServer(0, what === 'kill server' ? 'reset' : 'silent', forMillis);
        return;
    }
  }

  #killClient(afterMillis: Millis): void {
    // from here on its polls belong to nobody
    this.#clientAlive = false;
    this.sim.after(2 * Math.floor(afterMillis / 2), () => {
      this.sim.restart('client', this.#client());
    });
  }

  #killServer(afterMillis: Millis, how: 'reset' | 'silent', awayMillis: Millis): void {
    this.sim.after(afterMillis, () => {
      this.#serverLife++;
      this.#serverAlive = false;
      this.sim.crash('server', how);
      this.sim.after(awayMillis, () => {
        if (this.#serverAlive) return;
        this.#serverAlive = true;
        this.#serverRegistry = new MetricRegistry();
        this.sim.restart('server', this.#server());
      });
    });
  }

  #client(): MeasurementClient {
    this.#clientAlive = true;
    this.#clientRegistry = new MetricRegistry();
    // in another order each time: the ids of before mean nothing
    const turn = this.#rng.below(METRICS.length);
    for (const name of [...METRICS.slice(turn), ...METRICS.slice(0, turn)])
      this.#clientRegistry.define({
        name,
        valueType: 'U64',
        unit: { base: 'J', prefix: '' },
        description: '',
      });
    return new MeasurementClient({
      server: { host: 'server', port: 50_051 },
      clientName: 'leaf',
      registry: this.#clientRegistry,
      spool: this.#spool,
      bufferMaxLength: 20,
      bufferTimeoutMillis: 300,
      retry: NEVER_GIVE_UP,
      acknowledge: true,
      bounds: { ...CLIENT_BOUNDS, inFlightBytesMax: 8_000, ackMillis: 4_000, drainMillis: 1_000 },
      name: this.sim.name,
    });
  }

  #server(): MeasurementServer {
    return new MeasurementServer({
      listen: { host: undefined, port: 50_051 },
      registry: this.#serverRegistry,
      acknowledge: true,
      limits: { ...SERVER_LIMITS, drainMillis: 1_000 },
    });
  }

  #clientSaid(event: ClientReport): void {
    this.reports.push(event);
  }

  #serverSaid(event: ServerReport): void {
    this.reports.push(event);
    const life = this.#serverLife;
    const later = (work: () => ServerCommand): void =>
      this.sim.after(this.#rng.below(this.#rng.below(20) === 0 ? 3_000 : 60), () => {
        if (life === this.#serverLife) this.sim.tell('server', work());
      });
    if (event.type === 'server.batch') {
      const { token, batch } = event;
      later(() => ({ type: this.#commit(batch) ? 'stored' : 'failed', token }));
    }
    if (event.type === 'server.spool') {
      const { token, client, spool } = event;
      later(() => ({ type: 'lastStored', token, batch: this.#last.get(`${client} ${spool}`) }));
    }
  }

  /** Points and origin, both or neither. The answer may be lost after it. */
  #commit({ points, origin }: Batch): boolean {
    if (this.#failing || origin === undefined) return false;
    this.#last.set(`${origin.client} ${origin.spool}`, origin.batch);
    const names = points.map(({ metric_id }) => this.#serverRegistry.get(metric_id)?.name ?? '');
    for (const [i, value] of valuesOf(points).entries()) this.stored.push({ value, metric: names[i] ?? '' });
    return true;
  }
}
