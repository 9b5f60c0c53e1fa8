import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { DEFAULT_SCHEDULE, type Schedule } from '../backoff/schedule.ts';
import { connNames, NodeDriver } from '../drivers/node.ts';
import type { Address, Millis } from '../machine/machine.ts';
import { rngFor } from '../machine/rng.ts';
import type { ClientConfig } from './client/client-config.ts';
import type { ClientCommand, ClientReport } from './client/client-report.ts';
import { EventClient } from './client/event-client.ts';
import { MultiplexClient } from './client/multiplex-client.ts';
import { PoolClient } from './client/pool-client.ts';
import type { RelayClient } from './client/relay-client.ts';

/** What somebody who embeds a client says; only where the relay and the service are must be said. */
export type OpenOptions = {
  readonly relay: Address;
  /** Dialled for every user. */
  readonly service: Address;
  /** What is not named is as in `DEFAULT_SCHEDULE`: 250 ms doubling to 30 s, half of it random, for ever. */
  readonly schedule?: Partial<Schedule>;
  /** Default 10 s, for each dial and for the relay's answer. */
  readonly dialMillis?: Millis;
  /** Default 30 s of silence; 0: off. */
  readonly keepaliveMillis?: Millis;
  /** Default 0: a tunnel may be silent for ever. See `ClientConfig`. */
  readonly idleMillis?: Millis;
};
export type OpenPoolOptions = OpenOptions & {
  /** Connections kept waiting at the relay. Default 4. */
  readonly poolSize?: number;
};

type EventOf<Type extends ClientReport['type']> = Extract<ClientReport, { readonly type: Type }>;
/** Events of a registration, each with the client's report about it. */
export type RegistrationEvents = {
  dialing: [EventOf<'client.dialing'>];
  registered: [EventOf<'client.registered'>];
  lost: [EventOf<'client.lost'>];
  tunnel: [EventOf<'client.tunnel'>];
  gaveUp: [EventOf<'client.gaveUp'>];
};

/** A service that is kept reachable through a relay until `close`. */
export class RelayRegistration extends EventEmitter<RegistrationEvents> {
  /** The first public port. Later registrations may get another: listen for `registered`. Rejects when the client gives up or is closed first. */
  readonly port: Promise<number>;
  readonly #driver: NodeDriver<ClientReport, ClientCommand>;
  readonly #closed = Promise.withResolvers<void>();
  readonly #port = Promise.withResolvers<number>();
  #closing = false;

  constructor(machine: (config: Pick<ClientConfig, 'name'>) => RelayClient) {
    super();
    const name = connNames();
    this.port = this.#port.promise;
    // whoever never asks for the port must not be ended by its rejection
    this.port.catch(() => {});
    this.#driver = new NodeDriver<ClientReport, ClientCommand>(machine({ name }), {
      name,
      report: (event) => this.#report(event),
    });
    this.#driver.start();
  }

  /** Takes no more users, lets running tunnels end (10 s), then closes all. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#driver.stop();
    }
    await this.#closed.promise;
  }

  #report(event: ClientReport): void {
    switch (event.type) {
      case 'client.dialing':
        this.emit('dialing', event);
        return;
      case 'client.registered':
        this.#port.resolve(event.port);
        this.emit('registered', event);
        return;
      case 'client.lost':
        this.emit('lost', event);
        return;
      case 'client.tunnel':
        this.emit('tunnel', event);
        return;
      case 'client.gaveUp':
        this.#port.reject(new Error(`no port: gave up after ${event.attempts} attempts`));
        this.emit('gaveUp', event);
        return;
      case 'client.stopped':
        this.#port.reject(new Error('no port: closed before the relay gave one'));
        // not inside the driver's own turn
        queueMicrotask(() => {
          this.#driver.destroy();
          this.#closed.resolve();
        });
        return;
    }
  }
}

const configOf = (
  options: OpenPoolOptions,
  { name }: Pick<ClientConfig, 'name'>,
  poolSize: number,
): ClientConfig => ({
  relay: options.relay,
  service: options.service,
  poolSize,
  schedule: { ...DEFAULT_SCHEDULE, ...options.schedule },
  rng: rngFor(randomInt(2 ** 31), 'jitter'),
  name,
  dialMillis: options.dialMillis ?? 10_000,
  keepaliveMillis: options.keepaliveMillis ?? 30_000,
  idleMillis: options.idleMillis ?? 0,
  startAfterMillis: 0,
});

/** Serves users by connections that wait at the relay. A service that speaks first needs one of the other two. */
export const openPool = (options: OpenPoolOptions): RelayRegistration =>
  new RelayRegistration((names) => new PoolClient(configOf(options, names, options.poolSize ?? 4)));

/** Serves each user by a connection dialled for it. */
export const openEvent = (options: OpenOptions): RelayRegistration =>
  new RelayRegistration((names) => new EventClient(configOf(options, names, 1)));

/** Serves all users through one connection, as yamux streams. */
export const openMultiplex = (options: OpenOptions): RelayRegistration =>
  new RelayRegistration((names) => new MultiplexClient(configOf(options, names, 1)));
