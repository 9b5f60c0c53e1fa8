/** Tunnels carried by hand: where the correct relay leaves the data phase to its driver, a defect of that phase forwards itself. */
import { type Conn, type Millis, NOTHING } from '../../../reference-impl/machine/machine.ts';
import { type Input, type Out, type Relay, through } from './defect.ts';

/** `client`: the pooled or claiming connection, or the stream. */
export type Side = 'user' | 'client';

/** What a defect does to one tunnel; whatever it leaves out is done right. */
export type Carriage = {
  /** Bytes from `side`, and what arrives of them at the other side. */
  readonly bytes?: (side: Side, bytes: Uint8Array) => readonly Uint8Array[];
  /** The end of `side`: passed on, kept back, or taken for the end of both. */
  readonly end?: (side: Side) => 'pass' | 'keep' | 'both';
  /** The abort of `side`: passed on as RST, or kept back. */
  readonly abort?: (side: Side) => 'pass' | 'keep';
};

/** What may be on its way to a side that does not read, before the other one is paused. */
const UNSENT_MAX = 131_072;

type End = {
  readonly conn: Conn;
  readonly side: Side;
  other: Conn;
  readonly carriage: Carriage;
  unsent: number;
  /** Of `unsent`: what the flush under way answers for; 0: none is. */
  flushing: number;
  paused: boolean;
};

/** @param carriage asked once a tunnel */
export const carried = (relay: Relay, carriage: () => Carriage): Relay => {
  const carrier = new Carrier(relay, carriage);
  return through(relay, (now, input) => carrier.handle(now, input));
};

class Carrier {
  readonly #relay: Relay;
  readonly #carriage: () => Carriage;
  readonly #ends = new Map<Conn, End>();
  /** Ended before they had a partner. */
  readonly #endedEarly = new Set<Conn>();

  constructor(relay: Relay, carriage: () => Carriage) {
    this.#relay = relay;
    this.#carriage = carriage;
  }

  handle(now: Millis, input: Input): readonly Out[] {
    const end = 'conn' in input ? this.#ends.get(input.conn) : undefined;
    if (end === undefined) {
      if (input.type === 'ended') this.#endedEarly.add(input.conn);
      if (input.type === 'closed') this.#endedEarly.delete(input.conn);
      return this.#ask(now, input);
    }
    switch (input.type) {
      case 'bytes':
        return this.#bytes(end, input.bytes);
      case 'flushed':
        return this.#flushed(end);
      case 'ended':
        return this.#ended(end);
      case 'closed':
        return this.#closed(now, end, input);
      default:
        return this.#ask(now, input);
    }
  }

  #ask(now: Millis, input: Input): readonly Out[] {
    const outputs = this.#relay.handle(now, input);
    if (!outputs.some(({ type }) => type === 'splice' || type === 'reset')) return outputs;
    return outputs.flatMap((output): readonly Out[] => {
      if (output.type === 'splice') return this.#join(output.a, output.b);
      if (output.type === 'reset') this.#ends.delete(output.conn);
      return [output];
    });
  }

  #join(client: Conn, user: Conn): readonly Out[] {
    const both = { carriage: this.#carriage(), unsent: 0, flushing: 0, paused: false };
    this.#ends.set(client, { conn: client, side: 'client', other: user, ...both });
    this.#ends.set(user, { conn: user, side: 'user', other: client, ...both });
    return [client, user].flatMap((conn) => {
      const end = this.#ends.get(conn);
      return this.#endedEarly.delete(conn) && end !== undefined ? this.#ended(end) : NOTHING;
    });
  }

  #bytes(end: End, bytes: Uint8Array): readonly Out[] {
    const to = this.#ends.get(end.other);
    if (to === undefined) return NOTHING;
    const out: Out[] = [];
    for (const piece of end.carriage.bytes?.(end.side, bytes) ?? [bytes]) {
      to.unsent += piece.length;
      out.push({ type: 'send', conn: to.conn, bytes: piece });
    }
    if (to.flushing === 0 && to.unsent > 0) {
      to.flushing = to.unsent;
      out.push({ type: 'flush', conn: to.conn });
    }
    if (to.unsent > UNSENT_MAX && !end.paused) {
      end.paused = true;
      out.push({ type: 'pause', conn: end.conn });
    }
    return out;
  }

  #flushed(end: End): readonly Out[] {
    end.unsent -= end.flushing;
    end.flushing = end.unsent;
    const out: Out[] = end.unsent > 0 ? [{ type: 'flush', conn: end.conn }] : [];
    const from = this.#ends.get(end.other);
    if (from?.paused === true && end.unsent <= UNSENT_MAX) {
      from.paused = false;
      out.push({ type: 'resume', conn: from.conn });
    }
    return out;
  }

  #ended(end: End): readonly Out[] {
    const how = end.carriage.end?.(end.side) ?? 'pass';
    if (how === 'keep') return NOTHING;
    const passed: Out = { type: 'end', conn: end.other };
    return how === 'both' ? [passed, { type: 'close', conn: end.conn }] : [passed];
  }

  #closed(now: Millis, end: End, input: Extract<Input, { type: 'closed' }>): readonly Out[] {
    this.#ends.delete(end.conn);
    const told = this.#ask(now, input);
    const other = this.#ends.get(end.other);
    if (other === undefined || input.why === 'end') return told;
    if (end.carriage.abort?.(end.side) === 'keep')
      return other.paused ? [...told, { type: 'resume', conn: other.conn }] : told;
    this.#ends.delete(other.conn);
    // Nothing is heard of a connection after one's own reset, but the relay's books wait for its end.
    const gone = { type: 'closed', conn: other.conn, why: 'reset', received: 0, sent: 0 } as const;
    return [...told, { type: 'reset', conn: other.conn }, ...this.#ask(now, gone)];
  }
}
