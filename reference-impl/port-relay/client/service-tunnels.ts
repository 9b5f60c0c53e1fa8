import type { Address, Conn, Millis, NameConn } from '../../machine/machine.ts';
import { soonest } from '../../machine/machine.ts';
import { Timeouts } from '../../machine/timeouts.ts';
import { CLIENT_BOUNDS, type ClientConfig } from './client-config.ts';
import type { ClientOutput } from './client-report.ts';

type TunnelConfig = Pick<ClientConfig, 'name' | 'service' | 'dialMillis' | 'idleMillis'>;

type Dialling = {
  readonly data: Conn;
  readonly early: Uint8Array[];
  bytes: number;
  paused: boolean;
  /** The user's connection may be reset from then on. */
  readonly settledAt: Millis;
};

/**
 * Joins users' connections (pooled, claimed or streams) to the service: dials it for each, sends what came early first, then
 * splices. A service that refuses costs its own tunnel only.
 */
export class ServiceTunnels {
  readonly #name: NameConn;
  /** By service connection, and the way back from the data connection. */
  readonly #dialling = new Map<Conn, Dialling>();
  readonly #services = new Map<Conn, Conn>();
  /** Both ends of joined tunnels, until their `closed`. */
  readonly #open = new Set<Conn>();
  readonly #dials: Timeouts<Conn>;
  /** Claimed connections whose service cannot be had, until they may be reset. */
  readonly #doomed = new Set<Conn>();
  readonly #settle = new Timeouts<Conn>(CLIENT_BOUNDS.claimSettleMillis);
  service: Address | undefined;

  readonly #idle: { readonly idleMillis?: Millis };

  constructor({ name, service, dialMillis, idleMillis = 0 }: TunnelConfig) {
    this.#name = name;
    this.service = service;
    this.#dials = new Timeouts(dialMillis);
    this.#idle = idleMillis > 0 ? { idleMillis } : {};
  }

  /** Connections of tunnels: none left, nothing to wait for. */
  get size(): number {
    return this.#services.size * 2 + this.#open.size + this.#doomed.size;
  }

  next(): Millis | undefined {
    if (this.#services.size === 0 && this.#doomed.size === 0) return undefined;
    return soonest(this.#dials.next(), this.#settle.next());
  }

  /** A user has this connection now. `claimed`: its claim was sent just now. */
  begin(now: Millis, data: Conn, early: Uint8Array | undefined, claimed: boolean, out: ClientOutput[]): void {
    const settledAt = claimed ? now + CLIENT_BOUNDS.claimSettleMillis : now;
    if (this.service === undefined || this.size >= CLIENT_BOUNDS.tunnelsMax * 2) {
      this.#refuse(now, data, settledAt, out);
      return;
    }
    const service = this.#name();
    this.#dialling.set(service, { data, early: [], bytes: 0, paused: false, settledAt });
    this.#services.set(data, service);
    this.#dials.set(now, service);
    out.push({ type: 'connect', conn: service, to: this.service, from: undefined });
    if (early !== undefined) this.bytes(data, early, out);
  }

  /** @returns false when the connection is none of these */
  bytes(data: Conn, bytes: Uint8Array, out: ClientOutput[]): boolean {
    const service = this.#services.get(data);
    const tunnel = service === undefined ? undefined : this.#dialling.get(service);
    if (tunnel === undefined) return this.#open.has(data) || this.#doomed.has(data);
    tunnel.early.push(bytes);
    tunnel.bytes += bytes.length;
    if (tunnel.bytes > CLIENT_BOUNDS.earlyBytesMax && !tunnel.paused) {
      tunnel.paused = true;
      out.push({ type: 'pause', conn: data });
    }
    return true;
  }

  /** @returns false when the connection is none of these */
  connected(service: Conn, out: ClientOutput[]): boolean {
    const tunnel = this.#dialling.get(service);
    if (tunnel === undefined) return false;
    this.#forget(service, tunnel.data);
    for (const bytes of tunnel.early) out.push({ type: 'send', conn: service, bytes });
    if (tunnel.paused) out.push({ type: 'resume', conn: tunnel.data });
    this.#open.add(service).add(tunnel.data);
    out.push({ type: 'splice', a: tunnel.data, b: service, ...this.#idle });
    out.push({ type: 'report', event: { type: 'client.tunnel', conn: tunnel.data, service } });
    return true;
  }

  owns(conn: Conn): boolean {
    return (
      this.#services.has(conn) || this.#dialling.has(conn) || this.#open.has(conn) || this.#doomed.has(conn)
    );
  }

  /** The last word about a connection. @returns false when it is none of these */
  closed(now: Millis, conn: Conn, out: ClientOutput[]): boolean {
    if (this.#open.delete(conn)) return true;
    if (this.#doomed.delete(conn)) {
      this.#settle.cancel(conn);
      return true;
    }
    const tunnel = this.#dialling.get(conn);
    if (tunnel !== undefined) {
      this.#forget(conn, tunnel.data);
      this.#refuse(now, tunnel.data, tunnel.settledAt, out);
      return true;
    }
    const service = this.#services.get(conn);
    if (service === undefined) return false;
    this.#forget(service, conn);
    out.push({ type: 'reset', conn: service });
    return true;
  }

  expire(now: Millis, out: ClientOutput[]): void {
    for (const service of this.#dials.expired(now)) {
      const tunnel = this.#dialling.get(service);
      if (tunnel === undefined) continue;
      this.#forget(service, tunnel.data);
      out.push({ type: 'reset', conn: service });
      this.#refuse(now, tunnel.data, tunnel.settledAt, out);
    }
    for (const data of this.#settle.expired(now)) {
      this.#doomed.delete(data);
      out.push({ type: 'reset', conn: data });
    }
  }

  /** Ends everything at once. */
  resetAll(out: ClientOutput[]): void {
    for (const [data, service] of this.#services) {
      out.push({ type: 'reset', conn: data }, { type: 'reset', conn: service });
      this.#dials.cancel(service);
    }
    for (const conn of this.#open) out.push({ type: 'reset', conn });
    for (const conn of this.#doomed) {
      out.push({ type: 'reset', conn });
      this.#settle.cancel(conn);
    }
    this.#doomed.clear();
    this.#services.clear();
    this.#dialling.clear();
    this.#open.clear();
  }

  #forget(service: Conn, data: Conn): void {
    this.#dialling.delete(service);
    this.#services.delete(data);
    this.#dials.cancel(service);
  }

  #refuse(now: Millis, data: Conn, settledAt: Millis, out: ClientOutput[]): void {
    if (settledAt <= now) {
      out.push({ type: 'reset', conn: data });
      return;
    }
    this.#doomed.add(data);
    this.#settle.set(now, data);
  }
}
