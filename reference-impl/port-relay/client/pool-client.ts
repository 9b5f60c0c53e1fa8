import { backoffWait, FOR_EVER, type Schedule } from '../../backoff/schedule.ts';
import { LineReader, line } from '../../machine/lines.ts';
import type { CommandInput, Conn, Millis, NetInput, Why } from '../../machine/machine.ts';
import { Timeouts } from '../../machine/timeouts.ts';
import { CLIENT_BOUNDS, type ClientConfig } from './client-config.ts';
import type { ClientCommand, ClientOutput } from './client-report.ts';
import { portOf, RelayClient } from './relay-client.ts';

/** `dialling`: on its way to the relay; `joined`: has sent the id, which the relay may still refuse; `settled`: taken. */
type Member = 'dialling' | 'joined' | 'settled';

/** Waits between joins while they fail: three a second at first, one in five seconds at last. */
const JOIN_SCHEDULE: Schedule = {
  baseMillis: 400,
  factor: 2,
  capMillis: 5_000,
  jitter: 0.5,
  healthyMillis: 0,
  triesMax: FOR_EVER,
};
const REQUEST = line('pool\nnew');
/** The relay answers a join by closing it, or never: a join that lasts this long was taken. */
const SETTLE_MILLIS = 3_000;
/** So many joins in a row closed without a byte, while none waits: the relay has forgotten the id. (One alone may have been a
 *  user who came and went.) */
const CLOSED_JOINS_MAX = 3;

/**
 * Mode pool: keeps `poolSize` connections waiting at the relay; each carries one user and is replaced when it is taken. The
 * first byte, or the end of a connection that waited, is what tells that a user has it: only then is the service dialled, so a
 * service that speaks first needs mode event or multiplex. Source: port-relay page, "pool".
 */
export class PoolClient extends RelayClient {
  #reader = new LineReader();
  #port: number | undefined;
  #id = '';
  readonly #members = new Map<Conn, Member>();
  #leaving: Set<Conn> | undefined;
  readonly #dials: Timeouts<Conn>;
  readonly #settle = new Timeouts<Conn>(SETTLE_MILLIS);
  /** Joins that failed in a row. */
  #failures = 0;
  /** Joins in a row that the relay closed. */
  #closedJoins = 0;
  /** No join before this. */
  #joinAt: Millis | undefined;

  constructor(config: ClientConfig) {
    super(config);
    this.#dials = new Timeouts(config.dialMillis);
  }

  protected request(): Uint8Array {
    this.#reader = new LineReader();
    this.#port = undefined;
    return REQUEST;
  }

  protected answer(now: Millis, conn: Conn, bytes: Uint8Array, out: ClientOutput[]): void {
    this.#reader.push(bytes);
    for (;;) {
      const text = this.#reader.line(CLIENT_BOUNDS.lineBytesMax);
      if (text === undefined) return;
      if (this.#port === undefined) {
        this.#port = text === null ? undefined : portOf(text);
        if (this.#port === undefined) {
          this.lose(now, 'malformed answer', out);
          return;
        }
      } else if (text === null || text === '') {
        this.lose(now, 'malformed answer', out);
        return;
      } else {
        this.#begin(now, conn, this.#port, text, out);
        return;
      }
    }
  }

  protected other(now: Millis, input: NetInput | CommandInput<ClientCommand>, out: ClientOutput[]): void {
    switch (input.type) {
      case 'connected':
        this.#join(now, input.conn, out);
        return;
      case 'bytes':
        if (this.#members.has(input.conn)) this.#used(now, input.conn, input.bytes, out);
        return;
      case 'ended':
        this.#ended(now, input.conn, out);
        return;
      case 'closed':
        this.#leaving?.delete(input.conn);
        this.#closed(now, input.conn, input.why, out);
        return;
      default:
        return;
    }
  }

  protected forget(out: ClientOutput[]): void {
    this.#joinAt = undefined;
    // after a dial that was refused, which is what most are that fail, there is nothing; and even to clear an empty map costs
    if (this.#members.size > 0) {
      for (const conn of this.#members.keys()) {
        out.push({ type: 'reset', conn });
        this.#dials.cancel(conn);
        this.#settle.cancel(conn);
      }
      this.#members.clear();
    }
    if (this.#leaving === undefined) return;
    for (const conn of this.#leaving) out.push({ type: 'reset', conn });
    this.#leaving = undefined;
  }

  protected leave(_now: Millis, _control: Conn | undefined, out: ClientOutput[]): void {
    this.#joinAt = undefined;
    for (const [conn, member] of this.#members) {
      this.#dials.cancel(conn);
      this.#settle.cancel(conn);
      out.push({ type: member === 'dialling' ? 'reset' : 'close', conn });
      if (member === 'dialling') continue;
      this.#leaving ??= new Set();
      this.#leaving.add(conn);
    }
    this.#members.clear();
  }

  protected controlEnded(): void {
    // never: the connection that registered is a member from its answer on
  }

  protected idle(): boolean {
    return this.#members.size === 0 && (this.#leaving === undefined || this.#leaving.size === 0);
  }

  protected modeNext(): Millis | undefined {
    let first = this.#joinAt;
    const dial = this.#dials.next();
    if (dial !== undefined && (first === undefined || dial < first)) first = dial;
    const settled = this.#settle.next();
    return settled !== undefined && (first === undefined || settled < first) ? settled : first;
  }

  protected modeExpire(now: Millis, out: ClientOutput[]): void {
    for (const conn of this.#settle.expired(now)) {
      this.#members.set(conn, 'settled');
      out.push({ type: 'report', event: { type: 'client.joined', conn } });
      this.#joinsWork();
      this.#fill(now, out);
    }
    for (const conn of this.#dials.expired(now)) {
      if (!this.#members.delete(conn)) continue;
      out.push({ type: 'reset', conn });
      this.#joinFailed(now, 'timeout', out);
    }
    if (this.#joinAt !== undefined && this.#joinAt <= now) {
      this.#joinAt = undefined;
      this.#fill(now, out);
    }
  }

  #begin(now: Millis, conn: Conn, port: number, id: string, out: ClientOutput[]): void {
    this.#id = id;
    this.#joinsWork();
    this.#joinAt = undefined;
    this.announce(now, port, 'pool', out);
    this.release();
    this.#members.set(conn, 'settled');
    const rest = this.#reader.rest();
    if (rest !== undefined) this.#used(now, conn, rest, out);
    else this.#fill(now, out);
  }

  #joinsWork(): void {
    this.#failures = 0;
    this.#closedJoins = 0;
  }

  /** Dials what is missing; one at a time and no sooner than the schedule allows while joins fail. */
  #fill(now: Millis, out: ClientOutput[]): void {
    if (!this.registered || this.#joinAt !== undefined) return;
    const atOnce = this.#failures > 0 ? Math.max(0, 1 - this.#unsure()) : Number.POSITIVE_INFINITY;
    const missing = Math.min(this.config.poolSize - this.#members.size, atOnce);
    for (let i = 0; i < missing; i++) {
      const conn = this.dialRelay(out);
      this.#members.set(conn, 'dialling');
      this.#dials.set(now, conn);
    }
  }

  #unsure(): number {
    let unsure = 0;
    for (const member of this.#members.values()) if (member !== 'settled') unsure++;
    return unsure;
  }

  #join(now: Millis, conn: Conn, out: ClientOutput[]): void {
    if (this.#members.get(conn) !== 'dialling') return;
    this.#dials.cancel(conn);
    this.#members.set(conn, 'joined');
    this.#settle.set(now, conn);
    this.keepalive(conn, out);
    out.push({ type: 'send', conn, bytes: line(`pool\n${this.#id}`) });
  }

  #take(conn: Conn): Member | undefined {
    const member = this.#members.get(conn);
    this.#members.delete(conn);
    this.#dials.cancel(conn);
    this.#settle.cancel(conn);
    return member;
  }

  #used(now: Millis, conn: Conn, bytes: Uint8Array, out: ClientOutput[]): void {
    this.#take(conn);
    this.#joinsWork();
    this.tunnels.begin(now, conn, bytes, false, out);
    this.#fill(now, out);
  }

  #ended(now: Millis, conn: Conn, out: ClientOutput[]): void {
    const member = this.#take(conn);
    if (member === undefined) return;
    if (member === 'settled') {
      // a user who sends nothing but its end: what the service says to that is the answer
      this.tunnels.begin(now, conn, undefined, false, out);
      this.#fill(now, out);
      return;
    }
    out.push({ type: 'close', conn });
    this.#joinFailed(now, 'end', out);
  }

  #closed(now: Millis, conn: Conn, why: Why, out: ClientOutput[]): void {
    const member = this.#take(conn);
    if (member === undefined) return;
    if (member === 'settled') this.#fill(now, out);
    else if (member === 'joined') this.#joinFailed(now, 'end', out);
    else this.#joinFailed(now, why, out);
  }

  /** A join did not come to anything. While others wait that is a nuisance; when none does the registration may be gone. */
  #joinFailed(now: Millis, why: Why, out: ClientOutput[]): void {
    if (!this.registered) return;
    this.#failures++;
    const relayClosed = why === 'end';
    if (relayClosed) this.#closedJoins++;
    if (this.#members.size === this.#unsure()) {
      if (relayClosed && this.#closedJoins >= CLOSED_JOINS_MAX) {
        this.lose(now, 'id forgotten', out);
        return;
      }
      if (!relayClosed && this.#members.size === 0) {
        this.lose(now, why, out);
        return;
      }
    }
    this.#joinAt ??= now + backoffWait(JOIN_SCHEDULE, this.#failures - 1, this.config.rng);
  }
}
