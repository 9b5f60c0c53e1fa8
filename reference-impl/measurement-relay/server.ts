/** The server's end of the measurement relay, for any number of clients. Wire and behaviour: README.md. */
import {
  type CommandInput,
  type Conn,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
  soonest,
} from '../machine/machine.ts';
import { Timeouts } from '../machine/timeouts.ts';
import { type Asked, AskedBook } from './asked.ts';
import { SeriesBook } from './known-series.ts';
import { type Content, frameOf, type Origin, type Point } from './messages.ts';
import { ServerConnection } from './server-connection.ts';
import { meaningless, ServerFrames } from './server-frames.ts';
import {
  type ServerCommand,
  type ServerConfig,
  type ServerCounters,
  type ServerError,
  type ServerReport,
  serverCounters,
} from './server-report.ts';
import { SpoolClaims } from './spool-claims.ts';

type Input = NetInput | CommandInput<ServerCommand>;
export type ServerOutput = NetOutput<ServerReport>;

const LISTENER = 1;

/**
 * Takes measurements of clients and hands them to its host in batches, each to be answered. A peer's mistake ends that peer's
 * connection and nothing else; a point's mistake drops that point.
 */
export class MeasurementServer implements NetMachine<ServerReport, ServerCommand> {
  readonly #config: ServerConfig;
  readonly #frames: ServerFrames;
  readonly #connections = new Map<Conn, ServerConnection>();
  readonly #series = new SeriesBook();
  readonly #claims = new SpoolClaims();
  readonly #asked = new AskedBook();
  /** Connections that wait for room among all undelivered batches, longest first. */
  readonly #crowded = new Set<ServerConnection>();
  readonly #greetings: Timeouts<ServerConnection>;
  readonly #counters = serverCounters();
  #out: ServerOutput[] = [];
  #heldBytes = 0;
  #state: 'idle' | 'serving' | 'stopping' | 'stopped' = 'idle';
  #drainedBy: Millis | undefined;

  constructor(config: ServerConfig) {
    this.#config = config;
    this.#greetings = new Timeouts(config.limits.greetMillis);
    this.#frames = new ServerFrames(config, this.#counters, {
      send: (connection, content) => this.#send(connection, content),
      report: (event) => this.#report(event),
      fail: (connection, code, detail) => this.#fail(connection, code, detail),
      greeted: (connection) => this.#greetings.cancel(connection),
      openSpool: (connection, spool, first) => this.#openSpool(connection, spool, first),
      deliver: (connection, points, bytes, origin) => this.#deliver(connection, points, bytes, origin),
    });
  }

  /** What became of everything so far. To be read; the server changes it. */
  get counters(): Readonly<ServerCounters> {
    return this.#counters;
  }

  deadline(): Millis | undefined {
    return soonest(this.#greetings.next(), this.#drainedBy);
  }

  handle(now: Millis, input: Input): readonly ServerOutput[] {
    this.#take(now, input);
    if (this.#state === 'stopping' && this.#connections.size === 0 && this.#counters.undelivered === 0) {
      this.#state = 'stopped';
      this.#drainedBy = undefined;
      this.#report({ type: 'server.stopped' });
    }
    if (this.#out.length === 0) return NOTHING;
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #take(now: Millis, input: Input): void {
    switch (input.type) {
      case 'start':
        this.#state = 'serving';
        this.#out.push({ type: 'listen', listener: LISTENER, ...this.#config.listen });
        return;
      case 'stop':
        this.#stop(now);
        return;
      case 'deadline':
        this.#expire(now);
        return;
      case 'command':
        this.#command(input.command);
        return;
      case 'listening':
        this.#report({ type: 'server.listening', port: input.port });
        return;
      case 'unlistened':
        this.#report({ type: 'server.unlistened', why: input.why });
        return;
      case 'accepted':
        this.#accept(now, input);
        return;
      case 'bytes':
        this.#bytes(input.conn, input.bytes);
        return;
      case 'ended':
        this.#ended(input.conn);
        return;
      case 'closed':
        this.#closed(input);
        return;
      case 'connected':
      case 'stream':
      case 'flushed':
        return;
    }
  }

  #accept(now: Millis, { conn, from }: Extract<NetInput, { type: 'accepted' }>): void {
    const connection = new ServerConnection(conn, this.#config.registry, this.#series);
    this.#connections.set(conn, connection);
    this.#counters.connections++;
    this.#counters.open++;
    this.#report({ type: 'server.accepted', conn, from });
    const { connectionsMax, keepaliveMillis } = this.#config.limits;
    if (this.#state !== 'serving') return this.#fail(connection, 'STOPPED', 'it came too late');
    if (this.#connections.size > connectionsMax)
      return this.#fail(connection, 'CROWDED', `${connectionsMax} are open already`);
    this.#greetings.set(now, connection);
    if (keepaliveMillis > 0) this.#out.push({ type: 'keepalive', conn, idleMillis: keepaliveMillis });
  }

  #bytes(conn: Conn, bytes: Uint8Array): void {
    const connection = this.#connections.get(conn);
    if (connection === undefined || connection.state === 'leaving') return;
    this.#counters.bytes += bytes.length;
    connection.reader.push(bytes);
    this.#advance(connection);
    this.#count(connection);
    if (this.#heldBytes > this.#config.limits.heldBytesMax && this.#connections.has(conn))
      this.#fail(connection, 'MEMORY', `${this.#heldBytes} bytes wait for the end of their frames`);
  }

  /** Hands out what has come, as far as there is room for it. */
  #advance(connection: ServerConnection): void {
    while (this.#connections.get(connection.conn) === connection) {
      if (connection.asking || !this.#hasRoom(connection)) {
        this.#pause(connection);
        return;
      }
      try {
        if (!this.#frames.step(connection)) break;
      } catch (error) {
        const { code, detail } = meaningless(error);
        this.#fail(connection, code, detail);
        return;
      }
    }
    this.#rest(connection);
  }

  /** All that has come is handed out. */
  #rest(connection: ServerConnection): void {
    if (this.#connections.get(connection.conn) !== connection) return;
    this.#count(connection);
    if (connection.gone) return this.#forget(connection, 'end');
    if (connection.state === 'leaving') return this.#leave(connection);
    if (connection.ended) return this.#answerEnd(connection);
    if (!connection.paused) return;
    connection.paused = false;
    this.#out.push({ type: 'resume', conn: connection.conn });
  }

  #hasRoom(connection: ServerConnection): boolean {
    const { undeliveredMax, undeliveredBytesMax } = this.#config.limits;
    // in order, or the last stored batch would say nothing about those before it
    if (connection.undelivered >= (connection.spool === undefined ? undeliveredMax : 1)) return false;
    if (this.#asked.bytes < undeliveredBytesMax) return true;
    this.#crowded.add(connection);
    return false;
  }

  #pause(connection: ServerConnection): void {
    this.#count(connection);
    if (connection.paused || connection.gone) return;
    connection.paused = true;
    this.#out.push({ type: 'pause', conn: connection.conn });
  }

  #ended(conn: Conn): void {
    const connection = this.#connections.get(conn);
    if (connection === undefined) return;
    connection.ended = true;
    if (!connection.paused && connection.state !== 'leaving') this.#rest(connection);
  }

  /** Their FIN came, and all before it is handed out. */
  #answerEnd(connection: ServerConnection): void {
    if (connection.closing || (connection.spool !== undefined && connection.undelivered > 0)) return;
    const { heldBytes } = connection.reader;
    if (heldBytes > 0) {
      this.#fail(connection, 'TRUNCATED', `${heldBytes} bytes of a frame came before it`);
      return;
    }
    connection.closing = true;
    this.#greetings.cancel(connection);
    this.#out.push({ type: 'end', conn: connection.conn });
  }

  #closed({ conn, why }: Extract<NetInput, { type: 'closed' }>): void {
    const connection = this.#connections.get(conn);
    if (connection === undefined) return;
    // what has come of a client that waits for no answer is stored; the others send it again
    if (connection.paused && connection.spool === undefined) {
      connection.gone = true;
      this.#report({ type: 'server.closed', conn, client: connection.client, why });
      return;
    }
    this.#forget(connection, why);
  }

  #command(command: ServerCommand): void {
    const asked = this.#asked.answer(command.token);
    if (asked === undefined) return;
    this.#counters.undelivered = this.#asked.points;
    const { connection, key, origin } = asked;
    const alive = this.#connections.get(connection.conn) === connection;
    if (key !== undefined) {
      const owner = this.#claims.finish(key);
      if (command.type === 'stored' && origin !== undefined) this.#claims.remember(key, origin.batch);
      if (owner !== undefined && owner !== connection) this.#ask(owner);
    }
    if (key !== undefined && origin === undefined) {
      if (!alive) return;
      if (command.type === 'lastStored') this.#spoolOpened(connection, key, command.batch);
      else this.#fail(connection, 'NOT_STORED', 'where its spool stands cannot be told');
      return;
    }
    connection.undelivered--;
    if (command.type === 'stored') this.#stored(asked, alive);
    else this.#failed(asked, alive);
    this.#goOn(connection);
  }

  #stored({ connection, points, origin }: Asked, alive: boolean): void {
    this.#counters.stored += points;
    if (!alive || origin === undefined) return;
    connection.stored = origin.batch;
    this.#counters.acknowledged += points;
    this.#send(connection, { tag: 'Acknowledge', value: { through: origin.batch } });
  }

  #failed({ connection, points, origin }: Asked, alive: boolean): void {
    this.#frames.drop(connection, 'not stored', points, 'the host has failed to');
    if (alive && origin !== undefined)
      this.#fail(connection, 'NOT_STORED', `batch ${origin.batch} of ${points} points`);
  }

  /** There is room again: for this connection, and for those that wait for all. */
  #goOn(connection: ServerConnection): void {
    const waiting = [...this.#crowded];
    if (connection.paused || connection.gone || connection.ended || connection.state === 'leaving')
      this.#advance(connection);
    for (const crowded of waiting) {
      if (this.#asked.bytes >= this.#config.limits.undeliveredBytesMax) return;
      this.#crowded.delete(crowded);
      this.#advance(crowded);
    }
  }

  #openSpool(connection: ServerConnection, name: string, first: number): void {
    const key = SpoolClaims.key(connection.client, name);
    connection.spool = { key, name, first };
    const before = this.#claims.claim(key, connection);
    if (before !== undefined && before !== connection)
      this.#fail(before, 'SUPERSEDED', `connection ${connection.conn} has it now`);
    if (!this.#claims.isBusy(key)) this.#ask(connection);
  }

  #ask(connection: ServerConnection): void {
    const { spool, conn, client } = connection;
    if (spool === undefined) return;
    this.#claims.begin(spool.key);
    const token = this.#asked.add({ connection, points: 0, bytes: 0, origin: undefined, key: spool.key });
    this.#report({ type: 'server.spool', token, conn, client, spool: spool.name, first: spool.first });
  }

  #spoolOpened(connection: ServerConnection, key: string, batch: number | undefined): void {
    const stored = batch ?? this.#claims.remembered(key);
    connection.stored = stored ?? 0;
    this.#send(connection, { tag: 'SpoolOpened', value: { stored: stored ?? null } });
    this.#advance(connection);
  }

  #deliver(
    connection: ServerConnection,
    points: readonly Point[],
    bytes: number,
    origin: Origin | undefined,
  ): void {
    const key = origin === undefined ? undefined : connection.spool?.key;
    if (key !== undefined) this.#claims.begin(key);
    const token = this.#asked.add({ connection, points: points.length, bytes, origin, key });
    connection.undelivered++;
    this.#counters.undelivered = this.#asked.points;
    this.#report({ type: 'server.batch', token, conn: connection.conn, batch: { points, origin } });
  }

  #expire(now: Millis): void {
    for (const connection of this.#greetings.expired(now))
      this.#fail(connection, 'GREET_LATE', `none in ${this.#config.limits.greetMillis} ms`);
    if (this.#drainedBy === undefined || this.#drainedBy > now) return;
    this.#drainedBy = undefined;
    this.#giveUpDraining();
  }

  #stop(now: Millis): void {
    if (this.#state === 'stopped') return this.#report({ type: 'server.stopped' });
    if (this.#state === 'stopping') return this.#giveUpDraining();
    this.#state = 'stopping';
    this.#drainedBy = now + this.#config.limits.drainMillis;
    this.#out.push({ type: 'unlisten', listener: LISTENER });
    for (const connection of [...this.#connections.values()]) {
      if (connection.gone) continue;
      if (connection.state === 'greeting') {
        this.#fail(connection, 'STOPPED', 'it had not greeted');
        continue;
      }
      connection.state = 'leaving';
      this.#pause(connection);
      if (connection.asking) this.#leave(connection);
      else this.#advance(connection);
    }
  }

  /** Nothing that came is left to hand out; once the host has answered for all of it the connection ends. */
  #leave(connection: ServerConnection): void {
    if (connection.undelivered > 0) return;
    const detail = 'all that came from it is stored';
    // a reset, not FIN: Alumet notices FIN only after it has lost a batch to the closed connection
    this.#fail(connection, 'STOPPED', detail, connection.spool === undefined ? 'reset' : 'close');
  }

  #giveUpDraining(): void {
    for (const connection of [...this.#connections.values()])
      this.#fail(connection, 'STOPPED', `${connection.undelivered} batches were not answered for`);
    this.#counters.dropped['not stored'] += this.#asked.clear();
    this.#counters.undelivered = 0;
  }

  #fail(
    connection: ServerConnection,
    code: ServerError,
    detail: string,
    how: 'reset' | 'close' = 'reset',
  ): void {
    if (this.#connections.get(connection.conn) !== connection) return;
    const { errors } = this.#counters;
    errors[code] = (errors[code] ?? 0) + 1;
    this.#report({ type: 'server.error', conn: connection.conn, client: connection.client, code, detail });
    if (!connection.gone) this.#out.push({ type: code === 'VERSION' ? 'close' : how, conn: connection.conn });
    this.#forget(connection, 'ended by us');
  }

  #forget(connection: ServerConnection, why: Extract<ServerReport, { type: 'server.closed' }>['why']): void {
    this.#connections.delete(connection.conn);
    this.#crowded.delete(connection);
    this.#greetings.cancel(connection);
    this.#heldBytes -= connection.counted;
    connection.counted = 0;
    if (connection.spool !== undefined) this.#claims.release(connection.spool.key, connection);
    this.#counters.open--;
    if (!connection.gone)
      this.#report({ type: 'server.closed', conn: connection.conn, client: connection.client, why });
  }

  #count(connection: ServerConnection): void {
    if (this.#connections.get(connection.conn) !== connection) return;
    const { heldBytes } = connection.reader;
    this.#heldBytes += heldBytes - connection.counted;
    connection.counted = heldBytes;
  }

  #send(connection: ServerConnection, content: Content): void {
    this.#out.push({ type: 'send', conn: connection.conn, bytes: frameOf({ sender: '', content }) });
  }

  #report(event: ServerReport): void {
    this.#out.push({ type: 'report', event });
  }
}
