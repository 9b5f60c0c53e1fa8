import { line } from '../../machine/lines.ts';
import type { Conn, Listener, Millis, NetInput } from '../../machine/machine.ts';
import type { Books, Out } from './books.ts';
import type { Early } from './ends.ts';
import type { Matchmaker } from './matchmaker.ts';
import type { Registration } from './registrations.ts';
import type { RelayMode, Unregistered } from './relay-report.ts';

/** The control listener; public ones count from 1. */
export const CONTROL: Listener = 0;

/** How the connection of a registration that ends is told: it is `gone` already, or FIN, or the end of a session, or RST. */
type Farewell = 'gone' | 'close' | 'end' | 'reset';

/** Gives registrations their public port and takes it back. */
export class Registrar {
  readonly #books: Books;
  readonly #matchmaker: Matchmaker;
  #listeners = CONTROL;

  constructor(books: Books, matchmaker: Matchmaker) {
    this.#books = books;
    this.#matchmaker = matchmaker;
  }

  /** A client asks for a public port. `rest` came behind its last line. */
  register(
    now: Millis,
    conn: Conn,
    mode: RelayMode,
    address: string,
    rest: Uint8Array | undefined,
    out: Out,
  ): void {
    const { ends, limits, registrations } = this.#books;
    if (registrations.ofAddress(address) >= limits.registrationsPerAddressMax) {
      this.#books.refuse(now, conn, 'too many registrations of one address', 'close', out);
      return;
    }
    const port = this.#books.lease?.take(0);
    if (port === undefined) {
      this.#books.refuse(now, conn, 'no free port', 'close', out);
      return;
    }
    const registration: Registration = {
      mode,
      address,
      control: conn,
      id: mode === 'pool' ? registrations.freshId(this.#books.newId) : '',
      listener: ++this.#listeners,
      port,
      announced: false,
      free: [],
      waiting: [],
      connections: 0,
      unread: 0,
      flushing: false,
    };
    registrations.add(registration);
    ends.put(conn, { state: 'registering', registration, early: ends.early(rest) });
    out.push({ type: 'listen', listener: registration.listener, port, host: undefined });
  }

  /** A public port is open: the client is told, and users may come. */
  listening(now: Millis, listener: Listener, port: number, out: Out): void {
    const registration = this.#books.registrations.ofListener(listener);
    if (registration === undefined) return;
    const conn = registration.control;
    const end = this.#books.ends.get(conn);
    if (end?.state !== 'registering') return;
    registration.announced = true;
    out.push({
      type: 'send',
      conn,
      bytes: line(registration.mode === 'pool' ? `${port}\n${registration.id}` : port),
    });
    out.push({ type: 'report', event: { type: 'relay.registered', conn, mode: registration.mode, port } });
    if (registration.mode === 'pool') {
      this.#matchmaker.offer(now, conn, registration, end.early, out);
      return;
    }
    if (end.early.paused) out.push({ type: 'resume', conn });
    if (registration.mode === 'event') {
      this.#books.ends.put(conn, { state: 'listener', registration });
      return;
    }
    this.#books.ends.put(conn, { state: 'session', registration });
    out.push({ type: 'mux', conn, role: 'client', early: joined(end.early) });
    this.#books.keepalive(conn, out);
  }

  /** A public port could not be had, or was taken from us. */
  unlistened(
    now: Millis,
    listener: Listener,
    why: Extract<NetInput, { readonly type: 'unlistened' }>['why'],
    out: Out,
  ): void {
    const registration = this.#books.registrations.ofListener(listener);
    if (registration === undefined) return;
    if (registration.announced) {
      this.unregister(now, registration, 'listener lost', 'close', out);
      return;
    }
    const { lease } = this.#books;
    const next = why === 'exhausted' ? undefined : lease?.take(registration.port);
    if (next === undefined) {
      this.#cancel(registration);
      const refusal = why === 'exhausted' ? 'out of resources' : 'no free port';
      this.#books.refuse(now, registration.control, refusal, 'close', out);
      return;
    }
    lease?.giveBack(registration.port);
    this.#books.registrations.move(registration, ++this.#listeners, next);
    out.push({ type: 'listen', listener: registration.listener, port: next, host: undefined });
  }

  /** The client left before it had its port. */
  abandon(registration: Registration, out: Out): void {
    this.#cancel(registration);
    out.push({ type: 'unlisten', listener: registration.listener });
  }

  /** Closes the port, forgets the id, and sends away who waits. Running tunnels of modes pool and event go on. */
  unregister(now: Millis, registration: Registration, why: Unregistered, farewell: Farewell, out: Out): void {
    if (!registration.announced) {
      this.abandon(registration, out);
      if (farewell !== 'gone') this.#books.ends.close(now, registration.control, out);
      return;
    }
    this.#cancel(registration);
    out.push({ type: 'unlisten', listener: registration.listener });
    out.push({ type: 'report', event: { type: 'relay.unregistered', port: registration.port, why } });
    this.#farewell(now, registration, farewell, out);
    const { ends } = this.#books;
    for (const user of registration.waiting.splice(0)) {
      const end = ends.get(user);
      if (end?.state === 'user') this.#matchmaker.forget(user, end);
      ends.close(now, user, out);
    }
    for (const conn of registration.free.splice(0)) ends.close(now, conn, out);
  }

  #farewell(now: Millis, registration: Registration, farewell: Farewell, out: Out): void {
    const { ends } = this.#books;
    const conn = registration.control;
    // a pool's first connection is one of many: in a tunnel it goes on, and a waiting one is closed with the others
    if (registration.mode === 'pool' || farewell === 'gone') return;
    if (farewell === 'reset') ends.reset(conn, out);
    else if (registration.mode === 'event') ends.close(now, conn, out);
    else {
      ends.put(conn, { state: 'leaving' });
      out.push({ type: 'end', conn });
    }
  }

  #cancel(registration: Registration): void {
    if (!this.#books.registrations.remove(registration)) return;
    this.#books.grace.cancel(registration);
    this.#books.lease?.giveBack(registration.port);
  }
}

const joined = (early: Early): Uint8Array | undefined => {
  if (early.chunks.length < 2) return early.chunks[0];
  const all = new Uint8Array(early.bytes);
  let at = 0;
  for (const chunk of early.chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
};
