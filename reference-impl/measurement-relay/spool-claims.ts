import type { ServerConnection } from './server-connection.ts';

/** Spools whose last stored batch is remembered for hosts that cannot say. The one unused longest is forgotten. */
const REMEMBERED_MAX = 65_536;

type Claim = {
  /** The connection that opened it last. */
  owner: ServerConnection | undefined;
  /** A batch of it is with the host, or the question where it stands. */
  busy: boolean;
};

/**
 * Who may send batches of a spool: the connection that opened it last. And when: never while a batch that came by another
 * connection is on its way to the host, or the same points could be stored twice.
 */
export class SpoolClaims {
  readonly #claims = new Map<string, Claim>();
  readonly #stored = new Map<string, number>();

  static key(client: string, spool: string): string {
    return JSON.stringify([client, spool]);
  }

  /** @returns the connection that had it, which must go */
  claim(key: string, connection: ServerConnection): ServerConnection | undefined {
    const claim = this.#claims.get(key);
    if (claim === undefined) {
      this.#claims.set(key, { owner: connection, busy: false });
      return undefined;
    }
    const before = claim.owner;
    claim.owner = connection;
    return before;
  }

  /** The connection is gone. */
  release(key: string, connection: ServerConnection): void {
    const claim = this.#claims.get(key);
    if (claim?.owner !== connection) return;
    claim.owner = undefined;
    if (!claim.busy) this.#claims.delete(key);
  }

  isBusy(key: string): boolean {
    return this.#claims.get(key)?.busy ?? false;
  }

  begin(key: string): void {
    const claim = this.#claims.get(key);
    if (claim !== undefined) claim.busy = true;
  }

  /** @returns the connection that has it now */
  finish(key: string): ServerConnection | undefined {
    const claim = this.#claims.get(key);
    if (claim === undefined) return undefined;
    claim.busy = false;
    if (claim.owner === undefined) this.#claims.delete(key);
    return claim.owner;
  }

  remember(key: string, batch: number): void {
    this.#stored.delete(key);
    this.#stored.set(key, batch);
    if (this.#stored.size <= REMEMBERED_MAX) return;
    for (const oldest of this.#stored.keys()) {
      this.#stored.delete(oldest);
      return;
    }
  }

  remembered(key: string): number | undefined {
    return this.#stored.get(key);
  }
}
