import type { Conn, Listener } from '../../machine/machine.ts';
import type { RelayMode } from './relay-report.ts';

/** A client's public port and everybody around it. Changed by the relay machine only. */
export type Registration = {
  readonly mode: RelayMode;
  /** Source address of the client that registered. */
  readonly address: string;
  /** The connection that registered. In mode pool it is also the first pooled one, and the registration outlives it. */
  readonly control: Conn;
  /** Secret that joins the pool; '' in the other modes. */
  readonly id: string;
  listener: Listener;
  port: number;
  /** The client has been told its port. */
  announced: boolean;
  /** Pooled connections that wait, oldest first. */
  readonly free: Conn[];
  /** Users that wait, first come first. */
  readonly waiting: Conn[];
  connections: number;
  /** Ids sent since the client was last known to have read: a listener that does not read must not fill our memory. */
  unread: number;
  flushing: boolean;
};

/** All registrations, found by listener, pool id, claim or port. */
export class Registrations {
  readonly #byListener = new Map<Listener, Registration>();
  readonly #pools = new Map<string, Registration>();
  /** Event id -> the user it stands for. */
  readonly #claims = new Map<string, Conn>();
  readonly #perAddress = new Map<string, number>();

  add(registration: Registration): void {
    this.#byListener.set(registration.listener, registration);
    if (registration.mode === 'pool') this.#pools.set(registration.id, registration);
    this.#perAddress.set(registration.address, this.ofAddress(registration.address) + 1);
  }

  /** The registration tries its luck with another listener. */
  move(registration: Registration, listener: Listener, port: number): void {
    this.#byListener.delete(registration.listener);
    registration.listener = listener;
    registration.port = port;
    this.#byListener.set(listener, registration);
  }

  /** @returns false when it was gone already */
  remove(registration: Registration): boolean {
    if (!this.#byListener.delete(registration.listener)) return false;
    this.#pools.delete(registration.id);
    const left = this.ofAddress(registration.address) - 1;
    if (left > 0) this.#perAddress.set(registration.address, left);
    else this.#perAddress.delete(registration.address);
    return true;
  }

  ofListener(listener: Listener): Registration | undefined {
    return this.#byListener.get(listener);
  }

  ofPool(id: string): Registration | undefined {
    return this.#pools.get(id);
  }

  ofPort(port: number): Registration | undefined {
    for (const registration of this.#byListener.values()) if (registration.port === port) return registration;
    return undefined;
  }

  ofAddress(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  all(): readonly Registration[] {
    return [...this.#byListener.values()];
  }

  /** An id nobody holds. */
  freshId(newId: () => string): string {
    for (;;) {
      const id = newId();
      if (!this.#pools.has(id) && !this.#claims.has(id)) return id;
    }
  }

  offerClaim(id: string, user: Conn): void {
    this.#claims.set(id, user);
  }

  /** Takes the user an event id stands for; an id is good once. */
  claim(id: string): Conn | undefined {
    const user = this.#claims.get(id);
    this.#claims.delete(id);
    return user;
  }
}

/** Takes one out of a short list, if it is there. */
export const strike = (list: Conn[], conn: Conn): boolean => {
  const at = list.indexOf(conn);
  if (at < 0) return false;
  list.splice(at, 1);
  return true;
};
