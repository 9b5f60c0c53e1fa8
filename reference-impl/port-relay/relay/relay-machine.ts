import {
  type CommandInput,
  type Conn,
  type Millis,
  type NameConn,
  type NetInput,
  type NetMachine,
  NOTHING,
  sooner,
  type Why,
} from '../../machine/machine.ts';
import { Books, type Out, type RelayOutput } from './books.ts';
import { ControlPhase } from './control-phase.ts';
import { DEFAULT_LIMITS, type RelayLimits } from './limits.ts';
import { Matchmaker } from './matchmaker.ts';
import { PortLease, type PortRange, portsAbove } from './port-lease.ts';
import { CONTROL, Registrar } from './registrar.ts';
import { strike } from './registrations.ts';
import type { RelayCommand, RelayMode, RelayReport, RelayStats } from './relay-report.ts';

export type RelayConfig = {
  /** Control port; 0: any free one. */
  readonly port: number;
  /** What is not named has its default. */
  readonly limits: Partial<RelayLimits>;
  /** Ids of pools and events: the only secret of the protocol, so from a CSPRNG wherever strangers can dial. */
  readonly newId: () => string;
  /** Names the streams this machine opens; the same well its driver names accepted connections from. */
  readonly name: NameConn;
  /** undefined: the control port + 1 upward. */
  readonly publicPorts: PortRange | undefined;
};

type Input = NetInput | CommandInput<RelayCommand>;

/**
 * The port relay: clients dial the control port and register, users dial the public port they are given, and the two are
 * joined by a yamux stream, a pooled connection or a connection dialled for the occasion. Once joined the driver carries
 * the bytes. Nothing a peer does throws or ends more than its own registration. Source: port-relay page, every clause.
 */
export class RelayMachine implements NetMachine<RelayReport, RelayCommand> {
  readonly #port: number;
  readonly #publicPorts: PortRange | undefined;
  readonly #books: Books;
  readonly #matchmaker: Matchmaker;
  readonly #registrar: Registrar;
  #state: 'serving' | 'draining' | 'drained' = 'serving';
  #drainAt: Millis | undefined;

  constructor(config: RelayConfig) {
    this.#port = config.port;
    this.#publicPorts = config.publicPorts;
    this.#books = new Books({ ...DEFAULT_LIMITS, ...config.limits }, config.name, config.newId);
    this.#matchmaker = new Matchmaker(this.#books);
    this.#registrar = new Registrar(this.#books, this.#matchmaker);
  }

  deadline(): Millis | undefined {
    const { ends, grace, refusals } = this.#books;
    // asked after every input of everybody's: no list of six for it
    let first = sooner(ends.control.next(), ends.wait.next());
    first = sooner(first, ends.linger.next());
    first = sooner(first, grace.next());
    first = sooner(first, refusals.next());
    return sooner(first, this.#drainAt);
  }

  handle(now: Millis, input: Input): readonly RelayOutput[] {
    const out: Out = [];
    this.#take(now, input, out);
    if (this.#state === 'draining' && this.#books.ends.size === 0) {
      this.#state = 'drained';
      this.#drainAt = undefined;
      out.push({ type: 'report', event: { type: 'relay.drained' } });
    }
    return out.length === 0 ? NOTHING : out;
  }

  #take(now: Millis, input: Input, out: Out): void {
    switch (input.type) {
      case 'start':
        out.push({ type: 'listen', listener: CONTROL, port: this.#port, host: undefined });
        return;
      case 'stop':
        this.#stop(now, out);
        return;
      case 'deadline':
        this.#expire(now, out);
        return;
      case 'command':
        this.#drop(now, input.command.port, out);
        return;
      case 'listening':
        this.#listening(now, input.listener, input.port, out);
        return;
      case 'unlistened':
        if (input.listener !== CONTROL) this.#registrar.unlistened(now, input.listener, input.why, out);
        else out.push({ type: 'report', event: { type: 'relay.failed', port: this.#port, why: input.why } });
        return;
      case 'accepted':
        this.#accepted(now, input, out);
        return;
      case 'stream':
        // a client is the yamux server: it has no streams to open
        this.#books.refuse(now, input.conn, 'stream opened by a client', 'reset', out);
        return;
      case 'bytes':
        this.#bytes(now, input.conn, input.bytes, out);
        return;
      case 'ended':
        this.#ended(now, input.conn, out);
        return;
      case 'flushed': {
        const end = this.#books.ends.get(input.conn);
        if (end?.state !== 'listener') return;
        end.registration.unread = 0;
        end.registration.flushing = false;
        return;
      }
      case 'closed':
        this.#closed(now, input, out);
        return;
      case 'connected':
        return;
    }
  }

  /** Numbers for metrics; walks all connections. */
  stats(): RelayStats {
    const { ends, registrations, refusals } = this.#books;
    const byMode: Record<RelayMode, number> = { multiplex: 0, pool: 0, event: 0 };
    for (const registration of registrations.all()) if (registration.announced) byMode[registration.mode]++;
    let pooled = 0;
    let waiting = 0;
    let tunnels = 0;
    for (const [, end] of ends.entries()) {
      if (end.state === 'pooled') pooled++;
      else if (end.state === 'user') waiting++;
      else if (end.state === 'tunnel' && end.side === 'user') tunnels++;
    }
    return {
      connections: ends.size,
      registrations: byMode,
      pooled,
      waiting,
      tunnels,
      tunnelsTotal: this.#books.tunnelsTotal,
      upBytesTotal: this.#books.upBytesTotal,
      downBytesTotal: this.#books.downBytesTotal,
      earlyBytes: ends.earlyBytes,
      refusals: new Map(refusals.totals),
    };
  }

  #listening(now: Millis, listener: number, port: number, out: Out): void {
    if (listener !== CONTROL) {
      this.#registrar.listening(now, listener, port, out);
      return;
    }
    if (this.#state !== 'serving') return;
    this.#books.lease = new PortLease(this.#publicPorts ?? portsAbove(port));
    out.push({ type: 'report', event: { type: 'relay.listening', port } });
  }

  #accepted(now: Millis, input: Extract<NetInput, { readonly type: 'accepted' }>, out: Out): void {
    const { conn, listener, from } = input;
    const { ends, limits, registrations } = this.#books;
    const registration = registrations.ofListener(listener);
    if (this.#state !== 'serving' || (listener !== CONTROL && registration === undefined)) {
      out.push({ type: 'reset', conn });
      return;
    }
    if (ends.size >= limits.connectionsMax) {
      this.#books.refuse(now, conn, 'too many connections', 'reset', out);
      return;
    }
    if (registration !== undefined) {
      if (this.#matchmaker.arrive(now, conn, registration, out)) return;
      this.#registrar.unregister(now, registration, 'client does not read', 'reset', out);
      return;
    }
    ends.put(conn, {
      state: 'opening',
      phase: new ControlPhase(limits.lineBytesMax),
      address: from.host,
    });
    ends.control.set(now, conn);
    this.#books.keepalive(conn, out);
  }

  #bytes(now: Millis, conn: Conn, bytes: Uint8Array, out: Out): void {
    const { ends } = this.#books;
    const end = ends.get(conn);
    switch (end?.state) {
      case 'opening':
        this.#control(now, conn, end.phase, end.address, bytes, out);
        return;
      case 'registering':
      case 'pooled':
      case 'user':
        ends.hold(conn, end.early, bytes, out);
        return;
      // a listener has nothing to say, and what comes late of a closed connection is dropped
      case 'listener':
      case 'session':
      case 'tunnel':
      case 'leaving':
      case 'closing':
      case undefined:
        return;
    }
  }

  #control(now: Millis, conn: Conn, phase: ControlPhase, address: string, bytes: Uint8Array, out: Out): void {
    const { ends, limits, registrations } = this.#books;
    const step = phase.push(bytes);
    switch (step.type) {
      case 'more':
        return;
      case 'refused':
        this.#books.refuse(now, conn, step.why, 'close', out);
        return;
      case 'register':
        this.#registrar.register(now, conn, step.mode, address, step.rest, out);
        return;
      case 'claim':
        if (!this.#matchmaker.claim(now, conn, step.id, step.rest, out)) {
          this.#books.refuse(now, conn, 'unknown id', 'close', out);
        }
        return;
      case 'join': {
        const pool = registrations.ofPool(step.id);
        if (pool === undefined || !pool.announced) this.#books.refuse(now, conn, 'unknown id', 'close', out);
        else if (pool.connections >= limits.connectionsPerRegistrationMax) {
          this.#books.refuse(now, conn, 'too many connections of one registration', 'close', out);
        } else this.#matchmaker.offer(now, conn, pool, ends.early(step.rest), out);
        return;
      }
    }
  }

  #ended(now: Millis, conn: Conn, out: Out): void {
    const { ends } = this.#books;
    const end = ends.get(conn);
    switch (end?.state) {
      case 'opening':
        this.#books.refuse(now, conn, 'ended before its request', 'close', out);
        return;
      case 'registering':
        this.#registrar.abandon(end.registration, out);
        ends.close(now, conn, out);
        return;
      case 'listener':
        this.#registrar.unregister(now, end.registration, 'client left', 'close', out);
        return;
      case 'session':
        this.#registrar.unregister(now, end.registration, 'client left', 'end', out);
        return;
      case 'pooled':
        strike(end.registration.free, conn);
        ends.close(now, conn, out);
        this.#matchmaker.lookAfter(now, end.registration);
        return;
      // a user may end its half and wait for the answer: the splice passes the end on
      case 'user':
      case 'tunnel':
      case 'leaving':
      case 'closing':
      case undefined:
        return;
    }
  }

  #closed(now: Millis, input: Extract<NetInput, { readonly type: 'closed' }>, out: Out): void {
    const { ends } = this.#books;
    const { conn } = input;
    const end = ends.get(conn);
    if (end === undefined) return;
    ends.drop(conn);
    switch (end.state) {
      case 'registering':
        this.#registrar.abandon(end.registration, out);
        return;
      case 'listener':
      case 'session':
        this.#registrar.unregister(now, end.registration, leftBy(input.why), 'gone', out);
        return;
      case 'pooled':
        strike(end.registration.free, conn);
        this.#matchmaker.lookAfter(now, end.registration);
        return;
      case 'user':
        this.#matchmaker.forget(conn, end);
        return;
      case 'tunnel':
        if (end.side === 'client') return;
        this.#books.upBytesTotal += input.received;
        this.#books.downBytesTotal += input.sent;
        return;
      case 'opening':
      case 'leaving':
      case 'closing':
        return;
    }
  }

  #expire(now: Millis, out: Out): void {
    const { ends, grace, refusals } = this.#books;
    for (const conn of ends.control.expired(now)) {
      const end = ends.get(conn);
      if (end?.state === 'registering') this.#registrar.abandon(end.registration, out);
      this.#books.refuse(now, conn, 'control phase too slow', 'close', out);
    }
    for (const conn of ends.wait.expired(now)) {
      const end = ends.get(conn);
      if (end?.state !== 'user') continue;
      this.#matchmaker.forget(conn, end);
      this.#books.refuse(now, conn, 'waited too long', 'close', out);
    }
    for (const pool of grace.expired(now)) {
      this.#registrar.unregister(now, pool, 'pool empty', 'close', out);
    }
    for (const conn of ends.linger.expired(now)) ends.reset(conn, out);
    for (const event of refusals.expired(now)) out.push({ type: 'report', event });
    if (this.#drainAt !== undefined && this.#drainAt <= now) this.#resetAll(out);
  }

  #drop(now: Millis, port: number, out: Out): void {
    const registration = this.#books.registrations.ofPort(port);
    if (registration !== undefined) {
      this.#registrar.unregister(now, registration, 'dropped', 'close', out);
    }
  }

  #stop(now: Millis, out: Out): void {
    if (this.#state !== 'serving') {
      this.#resetAll(out);
      return;
    }
    const { ends, limits, registrations } = this.#books;
    this.#state = 'draining';
    this.#drainAt = now + limits.drainMillis;
    out.push({ type: 'unlisten', listener: CONTROL });
    for (const registration of registrations.all()) {
      this.#registrar.unregister(now, registration, 'stopped', 'close', out);
    }
    for (const conn of ends.conns()) if (ends.get(conn)?.state === 'opening') ends.close(now, conn, out);
  }

  #resetAll(out: Out): void {
    for (const conn of this.#books.ends.conns()) this.#books.ends.reset(conn, out);
  }
}

const leftBy = (why: Why): 'client left' | 'client lost' | 'session failed' => {
  if (why === 'end') return 'client left';
  return why === 'failed' ? 'session failed' : 'client lost';
};
