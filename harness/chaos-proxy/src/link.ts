import { Agenda } from './agenda.ts';
import { ChaosError } from './chaos-error.ts';
import type { Connection } from './connection.ts';
import { FaultBoard } from './fault-board.ts';
import { checkFault } from './faults/check.ts';
import type { CutHow } from './faults/fault.ts';
import type { Fault } from './faults/registry.ts';
import { Lane } from './lane.ts';
import type { LinkCommand, LinkOptions, LinkReport } from './link-words.ts';
import type { Address, CommandInput, Conn, Machine, Millis, NetInput, NetOutput } from './machine.ts';
import { type Mouth, Pipe } from './pipe.ts';
import type { Receipt, Way } from './receipt.ts';

const LISTENER = 1;
/** RST behind the last bytes waits this long for them to leave. */
const RESET_WAIT_MILLIS = 1000;

/** A TCP link with faults, as a machine: it dials the upstream for each connection it accepts and forwards both ways. */
export class LinkMachine implements Machine<NetInput | CommandInput<LinkCommand>, NetOutput<LinkReport>> {
  readonly #options: LinkOptions;
  readonly #clock = { now: 0 };
  readonly #agenda = new Agenda();
  readonly #board: FaultBoard;
  readonly #faults: readonly Fault[];
  readonly #byConn = new Map<Conn, Connection>();
  #upstream: Address;
  #outputs: NetOutput<LinkReport>[] = [];
  #ordinal = 0;
  #stopping = false;

  /** @throws ChaosError as checkFault does, for faults that came in without a check */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#faults = options.faults.map(checkFault);
    this.#upstream = options.upstream;
    this.#board = new FaultBoard({
      seed: options.seed,
      earlyBytesMax: options.earlyBytesMax,
      desk: {
        clock: this.#clock,
        at: (when, run, rank) => this.#agenda.at(when, run, rank),
        report: (event) => this.#report(event),
      },
      strike: (connection, receipt) => this.#strike(connection, receipt),
      close: (connection, receipt) => this.#close(connection, receipt),
    });
  }

  /** @throws ChaosError FAULT_ID_TAKEN, FAULT_ID_UNKNOWN, LINK_STATIC, or as checkFault, for commands; never for anything a peer did */
  handle(now: Millis, input: NetInput | CommandInput<LinkCommand>): readonly NetOutput<LinkReport>[] {
    this.#outputs = [];
    this.#clock.now = Math.max(now, this.#clock.now);
    // What was due before comes first; then the input; then what the input made due.
    this.#agenda.run(now);
    this.#input(input);
    this.#agenda.run(now);
    return this.#outputs;
  }

  /** As `deadline`, unrounded: for a driver whose clock is finer than milliseconds. */
  due(): Millis | undefined {
    return this.#agenda.next();
  }

  deadline(): Millis | undefined {
    const next = this.#agenda.next();
    return next === undefined ? undefined : Math.ceil(next);
  }

  #input(input: NetInput | CommandInput<LinkCommand>): void {
    switch (input.type) {
      case 'start':
        this.#start();
        return;
      case 'stop':
        this.#stopping = true;
        this.#out({ type: 'unlisten', listener: LISTENER });
        this.#stopped();
        return;
      case 'listening':
        this.#report({ type: 'link.ready', port: input.port });
        return;
      case 'unlistened':
        this.#report({ type: 'link.failed', why: input.why });
        return;
      case 'accepted':
        this.#accepted(input.conn, this.#options.upstreams?.get(input.listener));
        return;
      case 'connected':
        this.#connected(input.conn);
        return;
      case 'bytes':
        this.#took(input.conn, input.bytes.length, (pipe) => pipe.take(input.bytes));
        return;
      case 'ended':
        this.#took(input.conn, 0, (pipe) => pipe.takeEnd());
        return;
      case 'flushed':
        this.#flushed(input.conn);
        return;
      case 'closed':
        this.#closed(input.conn, input.why === 'end');
        return;
      case 'command':
        this.#command(input.command);
        return;
      case 'deadline':
      case 'stream':
        return;
    }
  }

  #start(): void {
    this.#board.addFirst(this.#faults);
    const { listen } = this.#options;
    if (listen !== undefined)
      this.#out({ type: 'listen', listener: LISTENER, port: listen.port, host: listen.host });
  }

  /** Every connection once. */
  #living(): ReadonlySet<Connection> {
    return new Set(this.#byConn.values());
  }

  #remove(id: string, flush = false): void {
    const living = this.#living();
    const receipt = this.#board.remove(id, living);
    this.#letGo(living, flush ? receipt : undefined);
    this.#show(receipt);
  }

  #change(id: string, fault: Fault): void {
    const living = this.#living();
    this.#letGo(living, this.#board.change(id, fault, living));
  }

  #letGo(living: Iterable<Connection>, receipt: Receipt | undefined): void {
    for (const connection of living)
      for (const lane of [connection.up, connection.down]) {
        if (receipt !== undefined) lane.pipe.flush(receipt);
        this.#release(connection, lane);
      }
  }

  #command(command: LinkCommand): void {
    if (this.#options.static && command.do !== 'receipt' && command.do !== 'receipts')
      throw new ChaosError('LINK_STATIC', {
        expected: 'a link whose faults may change',
        got: `the command '${command.do}'`,
        hint: 'build the link without static: true',
      });
    const board = this.#board;
    if (command.do === 'add') board.add(command.id, checkFault(command.fault), this.#living());
    else if (command.do === 'remove') this.#remove(command.id, command.flush);
    else if (command.do === 'change') this.#change(command.id, checkFault(command.fault));
    else if (command.do === 'clear') for (const id of board.ids) this.#remove(id);
    else if (command.do === 'down') {
      if (!board.has('down')) board.add('down', { kind: 'down' }, this.#living());
    } else if (command.do === 'up') {
      if (board.has('down')) this.#remove('down');
    } else if (command.do === 'receipt') this.#show(board.receipt(command.id));
    else if (command.do === 'receipts') for (const receipt of board.receipts.values()) this.#show(receipt);
    else this.#upstream = command.to;
  }

  #show(receipt: Receipt): void {
    receipt.flush();
    this.#report(receipt.report());
  }

  #accepted(client: Conn, to: Address | undefined): void {
    const ordinal = ++this.#ordinal;
    const verdict = this.#board.door(ordinal);
    if (verdict.refuse) {
      this.#out({ type: 'reset', conn: client });
      return;
    }
    const upstream = this.#options.name();
    const lane = (way: Way, source: Conn, sink: Conn): Lane =>
      new Lane(new Pipe(way, this.#clock), source, sink, (output) => this.#out(output));
    const connection: Connection = {
      ordinal,
      client,
      upstream,
      to,
      up: lane('up', client, upstream),
      down: lane('down', upstream, client),
      state: 'waiting',
      clientGone: false,
      upstreamGone: false,
      silencedBy: undefined,
      resetOnFlush: false,
    };
    connection.down.open = true;
    this.#byConn.set(client, connection);
    this.#byConn.set(upstream, connection);
    this.#board.placeAll(connection);
    if (verdict.delayMillis === 0) this.#dial(connection);
    else this.#agenda.at(this.#clock.now + verdict.delayMillis, () => this.#dial(connection));
  }

  #dial(connection: Connection): void {
    if (connection.state !== 'waiting') return;
    connection.state = 'dialling';
    const { upstream: conn, to = this.#upstream } = connection;
    this.#out({ type: 'connect', conn, to, from: this.#options.from });
  }

  #connected(conn: Conn): void {
    const connection = this.#byConn.get(conn);
    if (connection?.state !== 'dialling') return;
    connection.state = 'open';
    const { up, down } = connection;
    up.open = true;
    this.#board.bound(up);
    for (const lane of [up, down]) {
      lane.pipe.open();
      for (const placement of lane.pipe.placements) placement.happened('connect', lane.pipe.offset);
    }
    this.#release(connection, up);
    this.#maySplice(connection);
  }

  #took(conn: Conn, bytes: number, into: (pipe: Pipe) => void): void {
    const connection = this.#byConn.get(conn);
    if (connection === undefined || connection.state === 'spliced') return;
    const lane = conn === connection.client ? connection.up : connection.down;
    if (connection.state === 'closing') {
      if (bytes > 0) this.#drop(connection, conn);
      return;
    }
    if (connection.silencedBy !== undefined) {
      connection.silencedBy.note('dropped', connection.ordinal, lane.pipe.direction, bytes, 'bytes');
      return;
    }
    into(lane.pipe);
    this.#release(connection, lane);
    this.#maySplice(connection);
  }

  /** Lets out what is due and arms the next release. */
  #release(connection: Connection, lane: Lane): void {
    if (connection.state === 'gone' || connection.state === 'spliced' || connection.state === 'closing')
      return;
    if (lane.open) {
      const mouth: Mouth = {
        send: (bytes) => lane.send(bytes),
        end: () => lane.end(),
        cut: (how, by) => this.#cut(connection, lane, how, by),
      };
      const next = lane.pipe.release(mouth);
      if (next < lane.armedAt) {
        lane.armedAt = next;
        this.#agenda.at(next, () => {
          if (lane.armedAt === next) lane.armedAt = Number.POSITIVE_INFINITY;
          this.#release(connection, lane);
          this.#maySplice(connection);
        });
      }
    }
    if (this.#byConn.get(lane.source) === connection) lane.balance();
  }

  #cut(connection: Connection, lane: Lane, how: CutHow, by: Receipt): void {
    by.note('cut', connection.ordinal, lane.pipe.direction, 1, 'count');
    if (how === 'fin') lane.end();
    else if (how === 'close') this.#close(connection, by);
    else if (how === 'rst') {
      // What was sent before the cut is to arrive: RST only once it has left the driver.
      if (!lane.ask()) this.#destroy(connection);
      else {
        connection.resetOnFlush = true;
        this.#agenda.at(this.#clock.now + RESET_WAIT_MILLIS, () => this.#destroy(connection));
      }
    } else this.#silence(connection, by);
  }

  #silence(connection: Connection, by: Receipt): void {
    connection.state = 'silent';
    connection.silencedBy = by;
    const { ordinal, up, down } = connection;
    for (const lane of [up, down]) {
      by.note('dropped', ordinal, lane.pipe.direction, lane.pipe.held, 'bytes');
      lane.pipe.shut();
      lane.pipe.setPlacements([]);
      lane.limitBytes = Number.POSITIVE_INFINITY;
      lane.resume();
    }
    const { keepaliveMillis } = this.#options;
    if (keepaliveMillis === undefined) return;
    this.#agenda.at(this.#clock.now + keepaliveMillis, () => {
      if (connection.state !== 'silent') return;
      by.note('keepaliveReset', ordinal, 'both', 1, 'count');
      this.#destroy(connection);
    });
  }

  #strike(connection: Connection, receipt: Receipt): void {
    if (connection.state === 'gone') return;
    receipt.note('reset', connection.ordinal, 'both', 1, 'count');
    this.#destroy(connection);
  }

  /** FIN to both ends. An upstream that is not there yet never hears of the connection. */
  #close(connection: Connection, by: Receipt): void {
    const { state, ordinal, up, down, upstream } = connection;
    if (state === 'gone' || state === 'silent' || state === 'closing') return;
    by.note('closed', ordinal, 'both', 1, 'count');
    connection.state = 'closing';
    for (const lane of [up, down]) {
      lane.pipe.shut();
      lane.pipe.setPlacements([]);
    }
    down.end();
    if (up.open) up.end();
    else if (state === 'dialling') this.#drop(connection, upstream);
    else this.#gone(connection, upstream);
  }

  /** RST to one end that is closed already. */
  #drop(connection: Connection, conn: Conn): void {
    this.#out({ type: 'reset', conn });
    this.#gone(connection, conn);
  }

  #gone(connection: Connection, conn: Conn): void {
    this.#byConn.delete(conn);
    if (conn === connection.client) connection.clientGone = true;
    else connection.upstreamGone = true;
    if (connection.clientGone && connection.upstreamGone) this.#forget(connection);
  }

  #flushed(conn: Conn): void {
    const connection = this.#byConn.get(conn);
    if (connection === undefined || connection.state === 'spliced') return;
    const lane = conn === connection.upstream ? connection.up : connection.down;
    const clear = lane.flushed();
    if (!connection.resetOnFlush) lane.balance();
    else if (clear || !lane.ask()) this.#destroy(connection);
  }

  #closed(conn: Conn, inOrder: boolean): void {
    const connection = this.#byConn.get(conn);
    if (connection === undefined) return;
    const { state } = connection;
    const keptApart = state === 'silent' || state === 'spliced' || state === 'closing';
    this.#gone(connection, conn);
    if (!inOrder && !keptApart) this.#destroy(connection);
  }

  /** RST to whatever end is still there, at once. */
  #destroy(connection: Connection): void {
    const { state, client, upstream } = connection;
    if (state === 'gone') return;
    if (!connection.clientGone) this.#out({ type: 'reset', conn: client });
    if (!connection.upstreamGone && state !== 'waiting') this.#out({ type: 'reset', conn: upstream });
    this.#forget(connection);
  }

  #forget(connection: Connection): void {
    connection.state = 'gone';
    connection.up.pipe.shut();
    connection.down.pipe.shut();
    this.#byConn.delete(connection.client);
    this.#byConn.delete(connection.upstream);
    this.#stopped();
  }

  /** Hands a connection to the driver once neither a fault nor a command can touch it any more. */
  #maySplice(connection: Connection): void {
    const { up, down, client, upstream } = connection;
    if (!this.#options.static || connection.state !== 'open' || !up.idle || !down.idle) return;
    for (const lane of [up, down]) if (!lane.pipe.placements.every((placement) => placement.over)) return;
    up.resume();
    down.resume();
    connection.state = 'spliced';
    this.#out({ type: 'splice', a: client, b: upstream });
  }

  #stopped(): void {
    if (!this.#stopping || this.#byConn.size > 0) return;
    this.#stopping = false;
    for (const receipt of this.#board.receipts.values()) receipt.flush();
    this.#report({ type: 'link.stopped' });
  }

  #report(event: LinkReport): void {
    this.#out({ type: 'report', event });
  }
  #out(output: NetOutput<LinkReport>): void {
    this.#outputs.push(output);
  }
}
