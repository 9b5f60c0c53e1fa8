import type { Conn, Millis, NameConn, NetInput, Why } from '../machine/machine.ts';
import { MuxBinding } from './mux.ts';
import type { CarrierOutput, MuxCommand, MuxInput, MuxSession } from './mux-vocabulary.ts';
import { Carrier } from './sim-carrier.ts';
import { CARRIER, type End, FIN, FIN_SEEN, WINDOW_BYTES } from './sim-end.ts';
import { type Agenda, MUX_TURN, MUX_WAKE } from './sim-event.ts';
import type { SimHost } from './sim-host.ts';
import type { Sessions, SimTcp } from './sim-tcp.ts';

/** Makes the yamux session machine of one side. */
export type NewSession = (role: 'client' | 'server') => MuxSession;

/** A stream that waits for its peer's credit is sent at most about this much by its splice, which then stops reading. */
const STREAM_UNSENT_MAX = WINDOW_BYTES;
/** A carrier with nothing unsent always takes this much, so that it hears when its window opens. */
const ROOM_MIN = 16_384;

class StreamEnd {
  readonly carrier: Carrier;
  /** The end or stream it is spliced with; -1: none. */
  splice: Conn = -1;
  /** Their FIN was read. */
  ended = false;
  /** Payload given to the other side of the splice and not yet granted again. */
  owedBytes = 0;
  /** Payload given to the other side of the splice so far. */
  splicedBytes = 0;

  constructor(carrier: Carrier) {
    this.carrier = carrier;
  }
}

/** The yamux sessions of the simulated world: `MuxBinding` on simulated connections. */
export class SimMux implements Sessions {
  readonly #agenda: Agenda;
  readonly #client: (carrier: Carrier) => MuxBinding;
  readonly #server: (carrier: Carrier) => MuxBinding;
  readonly #name: NameConn;
  readonly #tcp: () => SimTcp;
  readonly #carriers = new Map<Conn, Carrier>();
  readonly #streams = new Map<Conn, StreamEnd>();

  constructor(agenda: Agenda, newSession: NewSession, name: NameConn, tcp: () => SimTcp) {
    this.#agenda = agenda;
    this.#name = name;
    this.#tcp = tcp;
    const binding =
      (role: 'client' | 'server') =>
      ({ conn: carrier, received, sent }: Carrier): MuxBinding =>
        new MuxBinding({ session: newSession(role), carrier, name: this.#name, received, sent });
    this.#client = binding('client');
    this.#server = binding('server');
  }

  /** The connection speaks yamux from its next byte on. */
  start(now: Millis, conn: Conn, end: End, role: 'client' | 'server', early: Uint8Array | undefined): void {
    const make = role === 'client' ? this.#client : this.#server;
    const carrier = new Carrier(conn, end, end.received - (early?.length ?? 0), make);
    this.#carriers.set(conn, carrier);
    end.state |= CARRIER;
    if (early !== undefined && early.length > 0) this.#handle(now, carrier, { type: 'bytes', bytes: early });
    if ((end.state & FIN_SEEN) !== 0) this.#handle(now, carrier, { type: 'ended' });
    this.#tcp().resume(now, conn, end);
    if (carrier.made !== undefined) this.#postTurn(now, carrier);
  }

  /** A word about a session or one of its streams. @returns false: it is about neither */
  obey(now: Millis, host: SimHost, output: MuxCommand): boolean {
    const carrier = this.#carrierFor(output);
    if (carrier === undefined) return false;
    if (carrier.host !== host)
      throw new Error(`${host.name} speaks about connection ${output.conn} of ${carrier.host.name}`);
    const { conn } = output;
    const stream = this.#streams.get(conn);
    if (stream !== undefined && stream.splice >= 0 && output.type !== 'reset') return true;
    const aboutSession = output.type === 'keepalive' && conn === carrier.conn;
    if (aboutSession && this.#tcp().quiet(now, conn, carrier.end, output.idleMillis)) return true;
    if (output.type === 'open') this.#add(conn, carrier);
    else watchOutput(host, output, stream !== undefined);
    this.#handle(now, carrier, { type: 'output', output });
    if (output.type === 'reset' && stream !== undefined) {
      this.#remove(conn, carrier);
      if (stream.splice >= 0) this.#tcp().sever(now, stream.splice);
    }
    return true;
  }

  /** Feeds the machine what waits, and the carrier what it has room for. */
  turn(now: Millis, conn: Conn): void {
    const carrier = this.#carriers.get(conn);
    if (carrier === undefined) return;
    carrier.turnPosted = false;
    if (carrier.made === undefined) {
      this.#unsaid(now, carrier);
      return;
    }
    for (let input = carrier.binding.next(); input !== undefined; input = carrier.binding.next()) {
      this.#deliver(now, carrier, input);
      if (this.#carriers.get(conn) !== carrier) return;
    }
    this.#work(now, carrier);
    this.#releaseSplices(now, carrier);
    if (carrier.binding.pending) this.#postTurn(now, carrier);
    // after our own reset no `closed` of the session comes that would end its record
    else if (carrier.closed && carrier.streams.size === 0) this.#forget(carrier);
  }

  wake(now: Millis, conn: Conn): void {
    const carrier = this.#carriers.get(conn);
    if (carrier === undefined || carrier.armedAt !== now) return;
    carrier.armedAt = -1;
    const due = carrier.made?.deadline();
    if (due !== undefined && due <= now) this.#handle(now, carrier, { type: 'deadline' });
    else this.#arm(now, carrier);
  }

  /** Streams of a host that its machine can still hear of. */
  streamsOf(host: SimHost): number {
    let streams = 0;
    for (const carrier of this.#carriers.values()) if (carrier.host === host) streams += carrier.streams.size;
    return streams;
  }

  /** Forgets the sessions of a host that died. */
  drop(host: SimHost): void {
    for (const carrier of this.#carriers.values()) if (carrier.host === host) this.#forget(carrier);
  }

  has(conn: Conn): boolean {
    return this.#streams.has(conn);
  }

  isBlocked(conn: Conn): boolean {
    const stream = this.#streams.get(conn);
    if (stream === undefined || stream.carrier.binding.unsentBytes(conn) < STREAM_UNSENT_MAX) return false;
    stream.carrier.wait(conn);
    return true;
  }

  send(now: Millis, conn: Conn, bytes: Uint8Array): void {
    const carrier = this.#streams.get(conn)?.carrier;
    if (carrier !== undefined)
      this.#handle(now, carrier, { type: 'output', output: { type: 'send', conn, bytes } });
  }

  end(now: Millis, conn: Conn): void {
    const carrier = this.#streams.get(conn)?.carrier;
    if (carrier !== undefined) this.#handle(now, carrier, { type: 'output', output: { type: 'end', conn } });
  }

  released(now: Millis, conn: Conn): void {
    const stream = this.#streams.get(conn);
    if (stream === undefined || stream.owedBytes === 0) return;
    const bytes = stream.owedBytes;
    stream.owedBytes = 0;
    this.#handle(now, stream.carrier, { type: 'consumed', conn, bytes });
  }

  movedBy(conn: Conn): number {
    const stream = this.#streams.get(conn);
    if (stream === undefined) return 0;
    return 2 * stream.splicedBytes - stream.carrier.binding.unsentBytes(conn) + (stream.ended ? 1 : 0);
  }

  sever(now: Millis, conn: Conn, why: Why): void {
    const stream = this.#streams.get(conn);
    if (stream === undefined) return;
    stream.splice = -1;
    this.#handle(now, stream.carrier, { type: 'cut', conn, why });
  }

  splice(now: Millis, conn: Conn, other: Conn): void {
    const stream = this.#streams.get(conn);
    if (stream === undefined) return;
    stream.splice = other;
    this.#handle(now, stream.carrier, { type: 'output', output: { type: 'resume', conn } });
    if (stream.ended) this.#tcp().flow.forward(now, other, FIN);
  }

  carrierBytes(now: Millis, conn: Conn, bytes: Uint8Array): void {
    const carrier = this.#carriers.get(conn);
    if (carrier !== undefined) this.#handle(now, carrier, { type: 'bytes', bytes });
  }

  carrierEnded(now: Millis, conn: Conn): void {
    const carrier = this.#carriers.get(conn);
    if (carrier !== undefined) this.#handle(now, carrier, { type: 'ended' });
  }

  carrierRoom(now: Millis, conn: Conn): void {
    const carrier = this.#carriers.get(conn);
    if (carrier !== undefined) this.#postTurn(now, carrier);
  }

  carrierClosed(now: Millis, conn: Conn, why: Why): void {
    const carrier = this.#carriers.get(conn);
    if (carrier === undefined) return;
    carrier.closed = true;
    if (carrier.made !== undefined) this.#handle(now, carrier, { type: 'closed', why });
    else {
      carrier.overUnsaid = why;
      this.#postTurn(now, carrier);
    }
  }

  /** The turn of a session on which nothing was said. */
  #unsaid(now: Millis, carrier: Carrier): void {
    const { conn, received, sent, overUnsaid: why } = carrier;
    if (why !== undefined) this.#deliver(now, carrier, { type: 'closed', conn, why, received, sent });
  }

  /** To the binding and, what it answers, to the carrier; the machine's inputs wait for their turn. */
  #handle(now: Millis, carrier: Carrier, input: MuxInput): void {
    for (const output of carrier.binding.handle(now, input)) this.#perform(now, carrier, output);
    if (carrier.binding.pending || carrier.binding.hasWork) this.#postTurn(now, carrier);
    this.#arm(now, carrier);
  }

  #perform(now: Millis, carrier: Carrier, output: CarrierOutput): void {
    if (carrier.closed) return;
    const { conn, end } = carrier;
    const tcp = this.#tcp();
    switch (output.type) {
      case 'transmit':
        for (const chunk of output.chunks) tcp.flow.send(now, conn, end, chunk);
        return;
      case 'end':
        tcp.flow.end(now, conn, end);
        return;
      case 'close':
        carrier.closed = true;
        tcp.linger(now, conn, end);
        return;
      case 'reset':
        carrier.closed = true;
        tcp.reset(now, conn, end);
        this.#postTurn(now, carrier);
        return;
    }
  }

  /** Payload leaves while the carrier holds nothing unsent. */
  #work(now: Millis, carrier: Carrier): void {
    const { binding, end, conn } = carrier;
    while (!carrier.closed && binding.hasWork && !this.#tcp().flow.isBlocked(conn)) {
      const bytes = Math.max(WINDOW_BYTES - end.inFlightBytes, ROOM_MIN);
      for (const output of binding.handle(now, { type: 'room', bytes })) this.#perform(now, carrier, output);
    }
    this.#arm(now, carrier);
  }

  /** One input of the binding: to the machine, or to the other side of a splice. */
  #deliver(now: Millis, carrier: Carrier, input: NetInput): void {
    const { host } = carrier;
    switch (input.type) {
      case 'stream':
        this.#add(input.conn, carrier);
        break;
      case 'bytes':
        this.#deliverBytes(now, carrier, input.conn, input.bytes);
        return;
      case 'ended': {
        const stream = this.#streams.get(input.conn);
        if (stream !== undefined) stream.ended = true;
        if (stream !== undefined && stream.splice >= 0) {
          this.#tcp().flow.forward(now, stream.splice, FIN);
          return;
        }
        host.watch?.ended(input.conn, 'in');
        break;
      }
      case 'closed': {
        const splice = this.#streams.get(input.conn)?.splice ?? -1;
        if (input.conn === carrier.conn) this.#forget(carrier);
        else this.#remove(input.conn, carrier);
        host.watch?.closed(input.conn, input.why, input.received, input.sent);
        this.#agenda.feed(now, host, input);
        if (splice >= 0 && input.why !== 'end') this.#tcp().sever(now, splice);
        return;
      }
      case 'flushed':
        if ((this.#streams.get(input.conn)?.splice ?? -1) >= 0) return;
        break;
      default:
        break;
    }
    this.#agenda.feed(now, host, input);
  }

  #deliverBytes(now: Millis, carrier: Carrier, conn: Conn, bytes: Uint8Array): void {
    const stream = this.#streams.get(conn);
    if (stream === undefined) return;
    if (stream.splice >= 0) {
      const { flow } = this.#tcp();
      stream.splicedBytes += bytes.length;
      flow.forward(now, stream.splice, bytes);
      if (flow.isBlocked(stream.splice)) {
        stream.owedBytes += bytes.length;
        return;
      }
    } else {
      carrier.host.watch?.bytes(conn, 'in', bytes);
      this.#agenda.feed(now, carrier.host, { type: 'bytes', conn, bytes });
    }
    this.#handle(now, carrier, { type: 'consumed', conn, bytes: bytes.length });
  }

  #releaseSplices(now: Millis, carrier: Carrier): void {
    for (const conn of carrier.waiting) {
      if (carrier.binding.unsentBytes(conn) >= STREAM_UNSENT_MAX) continue;
      carrier.waitNoMore(conn);
      const splice = this.#streams.get(conn)?.splice ?? -1;
      if (splice >= 0) this.#tcp().flow.released(now, splice);
    }
  }

  #carrierFor(output: MuxCommand): Carrier | undefined {
    if (output.type === 'open') return this.#carriers.get(output.session);
    return this.#streams.get(output.conn)?.carrier ?? this.#carriers.get(output.conn);
  }

  #add(conn: Conn, carrier: Carrier): void {
    this.#streams.set(conn, new StreamEnd(carrier));
    carrier.addStream(conn);
    carrier.host.watch?.opened(conn, `session ${carrier.conn}`, 'stream');
  }

  #remove(conn: Conn, carrier: Carrier): void {
    this.#streams.delete(conn);
    carrier.removeStream(conn);
  }

  #forget(carrier: Carrier): void {
    this.#carriers.delete(carrier.conn);
    for (const conn of carrier.streams) this.#streams.delete(conn);
  }

  #postTurn(now: Millis, carrier: Carrier): void {
    if (carrier.turnPosted) return;
    carrier.turnPosted = true;
    this.#agenda.post(now, MUX_TURN, carrier.conn);
  }

  #arm(now: Millis, carrier: Carrier): void {
    const due = carrier.made?.deadline();
    if (due === undefined) return;
    const at = due > now ? Math.ceil(due) : now;
    if (carrier.armedAt >= 0 && carrier.armedAt <= at) return;
    carrier.armedAt = at;
    this.#agenda.post(at, MUX_WAKE, carrier.conn);
  }
}

const watchOutput = (host: SimHost, output: MuxCommand, stream: boolean): void => {
  // what a carrier sends is the session's, and its reset is seen where it is done
  if (!stream) return;
  if (output.type === 'send') host.watch?.bytes(output.conn, 'out', output.bytes);
  else if (output.type === 'end' || output.type === 'close') host.watch?.ended(output.conn, 'out');
  else if (output.type === 'reset') host.watch?.reset(output.conn);
};
