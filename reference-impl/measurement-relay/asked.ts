import type { Origin } from './messages.ts';
import type { ServerConnection } from './server-connection.ts';
import type { Token } from './server-report.ts';

/** A question to the host: to store a batch, or which batch of a spool is stored last. */
export type Asked = {
  readonly connection: ServerConnection;
  /** 0 and 0 for the latter. */
  readonly points: number;
  readonly bytes: number;
  readonly origin: Origin | undefined;
  /** Of the spool, if it is about one. */
  readonly key: string | undefined;
};

/** All open questions, with the sums that limits are about. */
export class AskedBook {
  readonly #open = new Map<Token, Asked>();
  #last: Token = 0;
  /** What open batches took on the wire. */
  bytes = 0;
  points = 0;

  add(asked: Asked): Token {
    const token = ++this.#last;
    this.#open.set(token, asked);
    this.bytes += asked.bytes;
    this.points += asked.points;
    return token;
  }

  /** @returns undefined: it was never asked, or is answered */
  answer(token: Token): Asked | undefined {
    const asked = this.#open.get(token);
    if (asked === undefined) return undefined;
    this.#open.delete(token);
    this.bytes -= asked.bytes;
    this.points -= asked.points;
    return asked;
  }

  /** Forgets all. @returns the points nobody answered for */
  clear(): number {
    const { points } = this;
    this.#open.clear();
    this.bytes = 0;
    this.points = 0;
    return points;
  }
}
