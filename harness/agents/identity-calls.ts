/** The tunnels of one node: what it sent and heard in each, and whether that is what must come next. */
import type { Conn, Millis } from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import { isMessage, messageOf, tunnelIn } from './identity-payload.ts';

export class TunnelBook {
  readonly conn: Conn;
  readonly side: 'connector' | 'acceptor';
  readonly #to: string;
  readonly #askedAt: Millis;
  #tunnel: number;
  #sent = 0;
  #received = 0;
  #wrong = 0;
  opened = false;
  done = false;

  /** @param tunnel 0 at the acceptor */
  constructor(conn: Conn, side: 'connector' | 'acceptor', tunnel: number, to: string, now: Millis) {
    this.conn = conn;
    this.side = side;
    this.#tunnel = tunnel;
    this.#to = to;
    this.#askedAt = now;
  }

  get tunnel(): number {
    return this.#tunnel;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Every message has come back. */
  get settled(): boolean {
    return this.#received === this.#sent;
  }

  next(): Uint8Array {
    return messageOf(this.#tunnel, this.#sent++);
  }

  /** @returns what is to be sent back: an acceptor answers with the message itself */
  heard(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#tunnel === 0) this.#tunnel = tunnelIn(bytes) ?? 0;
    if (!isMessage(bytes, this.#tunnel, this.#received)) this.#wrong++;
    this.#received++;
    if (this.side === 'connector') return undefined;
    this.#sent++;
    return bytes;
  }

  told(now: Millis, why: string): Happening {
    return {
      type: 'identity.done',
      ...{ tunnel: this.#tunnel, side: this.side, to: this.#to, why, opened: this.opened, done: this.done },
      ...{ sent: this.#sent, received: this.#received, wrong: this.#wrong },
      askedMillis: Math.round(now - this.#askedAt),
    };
  }
}
