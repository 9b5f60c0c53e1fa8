import { line } from '../../machine/lines.ts';
import type { Conn, Millis } from '../../machine/machine.ts';
import type { Books, Out } from './books.ts';
import type { Early, End } from './ends.ts';
import { type Registration, strike } from './registrations.ts';

const IDS_PER_FLUSH = 256;
const IDS_UNREAD_MAX = 4_096;

type User = Extract<End, { readonly state: 'user' }>;

/** Brings users and clients' connections together: first come first served, what was sent early goes first. */
export class Matchmaker {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  /** A user dialled a public port. @returns false when the client does not read the ids it is sent: end its registration */
  arrive(now: Millis, user: Conn, registration: Registration, out: Out): boolean {
    const { ends, limits } = this.#books;
    this.#books.keepalive(user, out);
    out.push({ type: 'report', event: { type: 'relay.user', conn: user, port: registration.port } });
    if (registration.connections >= limits.connectionsPerRegistrationMax) {
      this.#books.refuse(now, user, 'too many connections of one registration', 'close', out);
      return true;
    }
    if (registration.mode === 'multiplex') {
      this.#stream(user, registration, out);
      return true;
    }
    // the newest pooled connection is the one least likely to have died unseen
    const free = registration.free.pop();
    if (free !== undefined) {
      this.#join(now, registration, free, user, { early: undefined, since: now }, out);
      return true;
    }
    if (registration.waiting.length >= limits.waitingPerRegistrationMax) {
      this.#books.refuse(now, user, 'too many waiting users', 'close', out);
      return true;
    }
    const { registrations } = this.#books;
    const id = registration.mode === 'event' ? registrations.freshId(this.#books.newId) : '';
    ends.put(user, { state: 'user', registration, id, early: ends.early(undefined), since: now });
    ends.wait.set(now, user);
    registration.waiting.push(user);
    return id === '' || this.#announce(registration, id, user, out);
  }

  /** A pooled connection is ready: for the user who has waited longest, else to wait itself. */
  offer(now: Millis, conn: Conn, registration: Registration, early: Early, out: Out): void {
    const { ends, grace } = this.#books;
    ends.put(conn, { state: 'pooled', registration, early });
    const user = registration.waiting[0];
    const waiting = user === undefined ? undefined : ends.get(user);
    if (user !== undefined && waiting?.state === 'user') {
      this.#join(now, registration, conn, user, waiting, out);
      return;
    }
    registration.free.push(conn);
    grace.cancel(registration);
  }

  /** A client dialled back with an event id. @returns false when nobody waits under that id */
  claim(now: Millis, conn: Conn, id: string, rest: Uint8Array | undefined, out: Out): boolean {
    const { ends, registrations } = this.#books;
    const user = registrations.claim(id);
    const waiting = user === undefined ? undefined : ends.get(user);
    if (user === undefined || waiting?.state !== 'user') return false;
    const { registration } = waiting;
    ends.put(conn, { state: 'pooled', registration, early: ends.early(rest) });
    this.#join(now, registration, conn, user, waiting, out);
    return true;
  }

  /** A user who waited is gone, or is told to go: nobody may be joined with it any more. */
  forget(user: Conn, end: User): void {
    strike(end.registration.waiting, user);
    if (end.id !== '') this.#books.registrations.claim(end.id);
  }

  /** Starts the grace time of a pool in which no connection waits. */
  lookAfter(now: Millis, registration: Registration): void {
    if (registration.mode !== 'pool' || registration.free.length > 0) return;
    this.#books.grace.set(now, registration);
  }

  #announce(registration: Registration, id: string, user: Conn, out: Out): boolean {
    const conn = registration.control;
    this.#books.registrations.offerClaim(id, user);
    out.push({ type: 'send', conn, bytes: line(id) });
    registration.unread++;
    if (registration.unread >= IDS_PER_FLUSH && !registration.flushing) {
      registration.flushing = true;
      out.push({ type: 'flush', conn });
    }
    return registration.unread <= IDS_UNREAD_MAX;
  }

  #stream(user: Conn, registration: Registration, out: Out): void {
    const stream = this.#books.name();
    this.#books.ends.put(user, { state: 'tunnel', registration, side: 'user' });
    out.push({ type: 'open', conn: stream, session: registration.control });
    this.#books.splice(stream, user, out);
    out.push({ type: 'report', event: { type: 'relay.tunnel', client: stream, user, waitedMillis: 0 } });
  }

  #join(
    now: Millis,
    registration: Registration,
    client: Conn,
    user: Conn,
    waited: { readonly early: Early | undefined; readonly since: Millis },
    out: Out,
  ): void {
    const { ends } = this.#books;
    const pooled = ends.get(client);
    strike(registration.waiting, user);
    pour(user, waited.early, client, out);
    if (pooled?.state === 'pooled') pour(client, pooled.early, user, out);
    ends.put(client, { state: 'tunnel', registration, side: 'client' });
    ends.put(user, { state: 'tunnel', registration, side: 'user' });
    this.#books.splice(client, user, out);
    const waitedMillis = now - waited.since;
    out.push({ type: 'report', event: { type: 'relay.tunnel', client, user, waitedMillis } });
    this.lookAfter(now, registration);
  }
}

/** Sends on what a connection said before it had a partner, and lets it speak again. */
const pour = (from: Conn, early: Early | undefined, to: Conn, out: Out): void => {
  if (early === undefined) return;
  for (const bytes of early.chunks) out.push({ type: 'send', conn: to, bytes });
  if (early.paused) out.push({ type: 'resume', conn: from });
};
