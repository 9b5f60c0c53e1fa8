/** The yamux sessions of a node driver and their streams: who belongs to whom, and the splices that have a stream in them. */
import type { Conn, Millis, NameConn, NetInput, NetOutput } from '../machine/machine.ts';
import type { YamuxOptions } from '../yamux/options.ts';
import { YamuxSession } from '../yamux/session.ts';
import { MuxBinding } from './mux.ts';
import { Carrier, type CarrierHost } from './mux-node.ts';
import type { MuxCommand } from './mux-vocabulary.ts';
import { hasFailed, type TcpEnd } from './node-end.ts';
import type { ConnCommand } from './node-sockets.ts';
import type { Tunnel } from './splice-idle.ts';
import { Joint, socketSide, streamSide } from './splice-mux.ts';
import type { WireWatch } from './watch.ts';

/** What a driver lets its user choose about yamux; keepalive is the machine's word. */
export type SessionChoices = Pick<YamuxOptions, 'windowBytes' | 'streamsMax' | 'pongMillis'>;

export type SessionsHost = {
  readonly watch: WireWatch | undefined;
  readonly name: NameConn;
  readonly yamux: SessionChoices | undefined;
  now(): Millis;
  /** See `CarrierHost`. */
  fast(): boolean;
  input(input: NetInput): void;
  /** Some session has something to say: `take` it. */
  ready(): void;
  /** See `CarrierHost`. */
  dismiss(end: TcpEnd): void;
};

type Mux = Extract<NetOutput<never>, { readonly type: 'mux' }>;
type Open = Extract<MuxCommand, { readonly type: 'open' }>;

export class NodeSessions implements CarrierHost {
  readonly #host: SessionsHost;
  readonly #watch: WireWatch | undefined;
  readonly #carriers = new Map<Conn, Carrier>();
  readonly #streams = new Map<Conn, Carrier>();
  readonly #joints = new Map<Conn, Joint>();
  readonly #ready = new Set<Carrier>();

  constructor(host: SessionsHost) {
    this.#host = host;
    this.#watch = host.watch;
  }

  /** Streams that are not over. */
  get streams(): number {
    return this.#streams.size;
  }

  has(session: Conn): boolean {
    return this.#carriers.has(session);
  }

  isStream(conn: Conn): boolean {
    return this.#streams.has(conn);
  }

  mux(end: TcpEnd, { conn, role, early }: Mux): void {
    const { name, yamux } = this.#host;
    const session = new YamuxSession({ ...yamux, role, keepaliveMillis: 0 });
    const earlyBytes = early?.length ?? 0;
    const received = end.received - end.socket.readableLength - earlyBytes;
    const binding = new MuxBinding({ session, carrier: conn, name, received, sent: end.sent });
    const carrier = new Carrier(end, binding, this);
    this.#carriers.set(conn, carrier);
    if (early !== undefined && earlyBytes > 0) carrier.do({ type: 'bytes', bytes: early });
    if (end.peerEnded) carrier.do({ type: 'ended' });
  }

  open(output: Open): void {
    const { conn, session } = output;
    this.#watch?.opened(conn, `session ${session}`, 'stream');
    const carrier = this.#carriers.get(session);
    if (carrier === undefined) {
      this.#watch?.closed(conn, 'refused', 0, 0);
      this.#host.input({ type: 'closed', conn, why: 'refused', received: 0, sent: 0 });
      return;
    }
    this.#streams.set(conn, carrier);
    carrier.do({ type: 'output', output });
  }

  /** @returns false: the word is for the socket under the session (or it is no session) */
  performOnSession(output: ConnCommand): boolean {
    const carrier = this.#carriers.get(output.conn);
    if (carrier === undefined || output.type === 'pause' || output.type === 'resume') return false;
    if (output.type === 'reset') {
      this.#watch?.reset(output.conn);
      this.#carriers.delete(output.conn);
    }
    carrier.do({ type: 'output', output });
    if (output.type === 'reset') carrier.stop();
    return true;
  }

  performOnStream(output: ConnCommand): void {
    const { conn } = output;
    const carrier = this.#streams.get(conn) as Carrier;
    const joint = this.#joints.get(conn);
    // a splice is the driver's; only its owner's reset breaks it
    if (joint !== undefined && output.type !== 'reset') return;
    if (this.#watch !== undefined) showSent(this.#watch, output);
    if (output.type === 'reset') {
      this.#streams.delete(conn);
      this.#joints.delete(conn);
      joint?.broken(conn);
    }
    carrier.do({ type: 'output', output });
  }

  /** A splice that has a stream in it. @param first the socket called `a`, if it is one @returns undefined: one of them is gone */
  splice(a: Conn, b: Conn, first: TcpEnd | undefined, second: TcpEnd | undefined): Tunnel | undefined {
    const [streamA, streamB] = [this.#streams.get(a), this.#streams.get(b)];
    const sideA = first ? socketSide(first) : streamA && streamSide(a, streamA);
    const sideB = second ? socketSide(second) : streamB && streamSide(b, streamB);
    if (sideA === undefined || sideB === undefined) {
      sideA?.cut('reset');
      sideB?.cut('reset');
      return undefined;
    }
    const joint = new Joint(sideA, sideB);
    for (const end of [first, second]) {
      if (end === undefined) continue;
      end.taker = joint;
      end.carried = this.fast() ? 0 : Number.NaN;
    }
    if (streamA !== undefined) this.#joints.set(a, joint);
    if (streamB !== undefined) this.#joints.set(b, joint);
    for (const end of [first, second]) if (end !== undefined && hasFailed(end)) joint.failed(end);
    joint.start({
      a: first?.peerEnded ?? streamA?.binding.peerEnded(a) ?? false,
      b: second?.peerEnded ?? streamB?.binding.peerEnded(b) ?? false,
    });
    return joint;
  }

  /** The next input for the machine; call `taken` with it afterwards. @returns undefined: no session has anything to say */
  take(): NetInput | undefined {
    for (const carrier of this.#ready) {
      for (let input = carrier.binding.next(); input !== undefined; input = carrier.binding.next()) {
        if (this.#pass(carrier, input)) return input;
      }
      this.#ready.delete(carrier);
    }
    return undefined;
  }

  /** The machine has handled what `take` gave: its bytes are consumed. */
  taken(input: NetInput): void {
    if (input.type !== 'bytes') return;
    const { conn, bytes } = input;
    this.#streams.get(conn)?.do({ type: 'consumed', conn, bytes: bytes.length });
  }

  /** The socket under a session is closed. @returns false: it carries none */
  gone(end: TcpEnd): boolean {
    const carrier = this.#carriers.get(end.conn);
    carrier?.closed(end.why);
    return carrier !== undefined;
  }

  destroy(): void {
    for (const carrier of this.#carriers.values()) carrier.stop();
    this.#carriers.clear();
    this.#streams.clear();
    this.#joints.clear();
    this.#ready.clear();
  }

  readonly clock = (): Millis => this.#host.now();

  fast(): boolean {
    return this.#host.fast();
  }

  ready(carrier: Carrier): void {
    this.#ready.add(carrier);
    this.#host.ready();
  }

  dismiss(end: TcpEnd): void {
    this.#host.dismiss(end);
  }

  /** @returns false: it was for a splice */
  #pass(carrier: Carrier, input: NetInput): boolean {
    if (!('conn' in input)) return true;
    // a machine may keep what it hears
    if (input.type === 'bytes' && !this.#joints.has(input.conn)) carrier.end.kept = true;
    if (input.type === 'stream') {
      this.#streams.set(input.conn, carrier);
      this.#watch?.opened(input.conn, `session ${input.session}`, 'stream');
    }
    const joint = this.#joints.get(input.conn);
    joint?.input(input);
    if (joint !== undefined && input.type !== 'closed') return false;
    if (this.#watch !== undefined) showHeard(this.#watch, input);
    if (input.type === 'closed') {
      this.#streams.delete(input.conn);
      this.#joints.delete(input.conn);
      if (this.#carriers.delete(input.conn)) carrier.stop();
    }
    return true;
  }
}

const showSent = (watch: WireWatch, output: ConnCommand): void => {
  if (output.type === 'send') watch.bytes(output.conn, 'out', output.bytes);
  else if (output.type === 'end' || output.type === 'close') watch.ended(output.conn, 'out');
  else if (output.type === 'reset') watch.reset(output.conn);
};

const showHeard = (watch: WireWatch, input: NetInput): void => {
  if (input.type === 'bytes') watch.bytes(input.conn, 'in', input.bytes);
  else if (input.type === 'ended') watch.ended(input.conn, 'in');
  else if (input.type === 'closed') watch.closed(input.conn, input.why, input.received, input.sent);
};
