import type { Conn, Millis, NetOutput } from '../../machine/machine.ts';
import { Timeouts } from '../../machine/timeouts.ts';
import type { ControlPhase } from './control-phase.ts';
import type { RelayLimits } from './limits.ts';
import type { Registration } from './registrations.ts';
import type { RelayReport } from './relay-report.ts';

/** What a waiting connection sent before it had a partner. */
export type Early = { chunks: Uint8Array[]; bytes: number; paused: boolean };

/** What a connection is to the relay. Streams are not here: a stream's whole life is its user's. */
export type End =
  | { readonly state: 'opening'; readonly phase: ControlPhase; readonly address: string }
  | { readonly state: 'registering'; readonly registration: Registration; readonly early: Early }
  | { readonly state: 'listener'; readonly registration: Registration }
  | { readonly state: 'session'; readonly registration: Registration }
  | { readonly state: 'pooled'; readonly registration: Registration; readonly early: Early }
  | {
      readonly state: 'user';
      readonly registration: Registration;
      readonly id: string;
      readonly early: Early;
      readonly since: Millis;
    }
  | { readonly state: 'tunnel'; readonly registration: Registration; readonly side: 'client' | 'user' }
  /** Said goodbye to; `leaving`: a session whose streams may still end in order, `closing`: bounded by the linger time. */
  | { readonly state: 'leaving' }
  | { readonly state: 'closing' };

const registrationOf = (end: End | undefined): Registration | undefined =>
  end !== undefined && 'registration' in end ? end.registration : undefined;
const earlyOf = (end: End | undefined): Early | undefined =>
  end !== undefined && 'early' in end ? end.early : undefined;

/** Every open connection, what it is, and the timers and held bytes that go with it. */
export class Ends {
  readonly #limits: RelayLimits;
  readonly #ends = new Map<Conn, End>();
  readonly control: Timeouts<Conn>;
  readonly wait: Timeouts<Conn>;
  readonly linger: Timeouts<Conn>;
  /** Bytes held for all waiting connections. */
  earlyBytes = 0;

  constructor(limits: RelayLimits) {
    this.#limits = limits;
    this.control = new Timeouts(limits.controlMillisMax);
    this.wait = new Timeouts(limits.waitMillisMax);
    this.linger = new Timeouts(limits.lingerMillis);
  }

  get size(): number {
    return this.#ends.size;
  }

  get(conn: Conn): End | undefined {
    return this.#ends.get(conn);
  }

  conns(): readonly Conn[] {
    return [...this.#ends.keys()];
  }

  entries(): IterableIterator<[Conn, End]> {
    return this.#ends.entries();
  }

  /** The connection is something else from now on. Held bytes stay counted only if the same `early` is handed on. */
  put(conn: Conn, end: End): void {
    this.#leave(conn, end);
    const registration = registrationOf(end);
    if (registration !== undefined) registration.connections++;
    this.#ends.set(conn, end);
  }

  /** The connection is gone. */
  drop(conn: Conn): void {
    this.#leave(conn, undefined);
    this.linger.cancel(conn);
    this.#ends.delete(conn);
  }

  #leave(conn: Conn, next: End | undefined): void {
    const end = this.#ends.get(conn);
    const registration = registrationOf(end);
    if (registration !== undefined) registration.connections--;
    const early = earlyOf(end);
    if (early !== undefined && early !== earlyOf(next)) this.earlyBytes -= early.bytes;
    if (next === undefined || (next.state !== 'opening' && next.state !== 'registering')) {
      this.control.cancel(conn);
    }
    this.wait.cancel(conn);
  }

  /** A place for early bytes; `first` came behind the last control line. */
  early(first: Uint8Array | undefined): Early {
    const bytes = first?.length ?? 0;
    this.earlyBytes += bytes;
    return { chunks: first === undefined ? [] : [first], bytes, paused: false };
  }

  /** Holds bytes of a connection that waits, and pauses it at its bound (a paused connection hides FIN and RST, so not before). */
  hold(conn: Conn, early: Early, bytes: Uint8Array, out: NetOutput<RelayReport>[]): void {
    early.chunks.push(bytes);
    early.bytes += bytes.length;
    this.earlyBytes += bytes.length;
    const over =
      early.bytes > this.#limits.earlyBytesMax || this.earlyBytes > this.#limits.earlyBytesTotalMax;
    if (!over || early.paused) return;
    early.paused = true;
    out.push({ type: 'pause', conn });
  }

  /** Refuses without a bang: our FIN, their rest is dropped, reset after the linger time. */
  close(now: Millis, conn: Conn, out: NetOutput<RelayReport>[]): void {
    const early = earlyOf(this.#ends.get(conn));
    if (early?.paused === true) out.push({ type: 'resume', conn });
    this.put(conn, { state: 'closing' });
    this.linger.set(now, conn);
    out.push({ type: 'close', conn });
  }

  reset(conn: Conn, out: NetOutput<RelayReport>[]): void {
    this.drop(conn);
    out.push({ type: 'reset', conn });
  }
}
