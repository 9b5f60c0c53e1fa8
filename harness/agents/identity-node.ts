import { Backoff, FOR_EVER, type Schedule } from '../../reference-impl/backoff/schedule.ts';
import { IdentityNodeMachine } from '../../reference-impl/identity-relay/client/node-machine.ts';
import type { NodeCommand, NodeReport } from '../../reference-impl/identity-relay/client/node-report.ts';
import type { Identity } from '../../reference-impl/identity-relay/crypto.ts';
import {
  type Address,
  type CommandInput,
  type Conn,
  type Millis,
  type NameConn,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
  soonest,
} from '../../reference-impl/machine/machine.ts';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';
import type { ActorWorld } from './actors.ts';
import { TunnelBook } from './identity-calls.ts';
import { chanceOf, identityNamed, RELAY_KEY } from './identity-keys.ts';
import type { IdentityNodeSpec } from './identity-spec.ts';
import { IdentityWire } from './identity-wire.ts';

type Out = NetOutput<Happening>[];

const SCHEDULE: Schedule = {
  baseMillis: 250,
  factor: 2,
  capMillis: 2_000,
  jitter: 0.5,
  healthyMillis: 0,
  triesMax: FOR_EVER,
};
/** Between a tunnel that was ended and the next. */
const PAUSE_MILLIS = 300;
/** A node that leaves waits so long for what is on its way back. */
const LAST_ECHO_MILLIS = 1_500;

/** An impostor shows a key that is not its own. */
const identityFor = ({ role, key }: IdentityNodeSpec<Address>, { seed, who }: ActorWorld): Identity =>
  role === 'impostor'
    ? { ...identityNamed(seed, who), publicKey: identityNamed(seed, key).publicKey }
    : identityNamed(seed, key);

/** Our node: listens, answers with what it hears, calls another again and again, and tells what its wire looks like. */
export class IdentityNodeActor implements NetMachine<Happening, ActorCommand> {
  readonly #spec: IdentityNodeSpec<Address>;
  readonly #machine: IdentityNodeMachine;
  readonly #name: NameConn;
  readonly #peerKey: Uint8Array | undefined;
  readonly #backoff: Backoff;
  readonly #wires = new Map<Conn, IdentityWire>();
  readonly #books = new Map<Conn, TunnelBook>();
  /** What the machine is to be told when it has done with what it is told now. */
  readonly #commands: NodeCommand[] = [];
  /** The tunnel that this node called. */
  #call: TunnelBook | undefined;
  #tunnels = 0;
  /** The connection it listens on, or tries to. */
  #listens: Conn | undefined;
  #listeningAt: Millis | undefined;
  #startAt: Millis | undefined;
  #callAt: Millis | undefined;
  #sendAt: Millis | undefined;
  #leaveAt: Millis | undefined;
  #stopAt: Millis | undefined;

  constructor(spec: IdentityNodeSpec<Address>, world: ActorWorld) {
    const { seed, who, name } = world;
    const { relay, role, times, calls } = spec;
    this.#spec = spec;
    this.#name = name;
    this.#peerKey = calls === undefined ? undefined : identityNamed(seed, calls.to).publicKey;
    this.#backoff = new Backoff(SCHEDULE, rngFor(seed, `calls/${who}`));
    this.#machine = new IdentityNodeMachine({
      relay,
      relayKey: identityNamed(seed, RELAY_KEY).publicKey,
      identity: identityFor(spec, world),
      listen: true,
      acceptAll: role !== 'deaf',
      schedule: SCHEDULE,
      rng: rngFor(seed, `listens/${who}`),
      chance: chanceOf(world),
      name,
      limits: {
        ...{ keepaliveMillis: times.keepaliveMillis, silenceMillisMax: times.silenceMillis },
        ...{ rekeyMillis: times.rekeyMillis, joinMillisMax: 5_000 },
      },
    });
  }

  deadline(): Millis | undefined {
    return soonest(
      this.#machine.deadline(),
      soonest(this.#startAt, this.#callAt, this.#sendAt),
      soonest(this.#leaveAt, this.#stopAt),
    );
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] {
    const out: Out = [];
    switch (input.type) {
      case 'start':
        this.#declare(out);
        this.#startAt = now + this.#spec.startAfterMillis;
        this.#leaveAt = now + this.#spec.leaveAfterMillis;
        break;
      case 'command':
        return NOTHING;
      case 'bytes':
        this.#wires.get(input.conn)?.take(now, 'in', input.bytes);
        this.#hand(now, input, out);
        break;
      default:
        this.#hand(now, input, out);
    }
    this.#due(now, out);
    return out;
  }

  #declare(out: Out): void {
    const { key, site, role, times, mappingMillis } = this.#spec;
    out.push({
      type: 'report',
      event: { type: 'identity.declared', key, site, role, ...times, mappingMillis },
    });
  }

  #due(now: Millis, out: Out): void {
    const isDue = (at: Millis | undefined): boolean => at !== undefined && at <= now;
    if (isDue(this.#startAt)) {
      this.#startAt = undefined;
      if (this.#spec.calls !== undefined) this.#callAt = now + this.#spec.calls.fromMillis;
      this.#hand(now, { type: 'start' }, out);
    }
    if (isDue(this.#callAt)) this.#dial(now, out);
    if (isDue(this.#sendAt)) this.#send(now, out);
    if (isDue(this.#leaveAt)) {
      this.#leaveAt = undefined;
      this.#callAt = undefined;
      this.#sendAt = undefined;
      this.#stopAt = now + LAST_ECHO_MILLIS;
      this.#endIfSettled(now, out);
    }
    if (isDue(this.#stopAt)) {
      this.#stopAt = undefined;
      this.#hand(now, { type: 'stop' }, out);
    }
  }

  #dial(now: Millis, out: Out): void {
    this.#callAt = undefined;
    const { calls } = this.#spec;
    if (calls === undefined || this.#peerKey === undefined) return;
    const conn = this.#name();
    this.#call = new TunnelBook(conn, 'connector', calls.firstTunnel + this.#tunnels++, calls.to, now);
    this.#books.set(conn, this.#call);
    this.#command(now, { type: 'connect', tunnel: conn, peer: this.#peerKey }, out);
  }

  #send(now: Millis, out: Out): void {
    this.#sendAt = undefined;
    const { calls } = this.#spec;
    if (calls === undefined || this.#call?.opened !== true) return;
    this.#command(now, { type: 'send', tunnel: this.#call.conn, bytes: this.#call.next() }, out);
    if (this.#call !== undefined && this.#call.sent < calls.messages) this.#sendAt = now + calls.everyMillis;
  }

  /** Ends the tunnel it called, once nothing is to be sent any more and everything has come back. */
  #endIfSettled(now: Millis, out: Out): void {
    const call = this.#call;
    if (call?.opened !== true || call.done || this.#sendAt !== undefined || !call.settled) return;
    call.done = true;
    this.#command(now, { type: 'end', tunnel: call.conn }, out);
  }

  #command(now: Millis, command: NodeCommand, out: Out): void {
    this.#hand(now, { type: 'command', command }, out);
  }

  #hand(now: Millis, input: NetInput | CommandInput<NodeCommand>, out: Out): void {
    for (const output of this.#machine.handle(now, input)) {
      if (output.type === 'report') {
        this.#heard(now, output.event, out);
        continue;
      }
      if (output.type === 'connect') this.#wire(now, output.conn, output.conn === this.#listens);
      if (output.type === 'send') this.#wires.get(output.conn)?.take(now, 'out', output.bytes);
      out.push(output);
      if (output.type === 'close' || output.type === 'reset') this.#wireOver(now, output.conn, out);
    }
    if (input.type === 'closed') this.#wireOver(now, input.conn, out);
    for (const command of this.#commands.splice(0)) this.#command(now, command, out);
    if (this.#call !== undefined) this.#endIfSettled(now, out);
  }

  #wire(now: Millis, conn: Conn, listens: boolean): void {
    this.#wires.set(conn, new IdentityWire(now, conn, listens));
  }

  #wireOver(now: Millis, conn: Conn, out: Out): void {
    const wire = this.#wires.get(conn);
    this.#wires.delete(conn);
    for (const event of wire?.told(now) ?? []) out.push({ type: 'report', event });
  }

  #silence(now: Millis, conn: Conn): Millis {
    const wire = this.#wires.get(conn);
    return wire === undefined ? 0 : now - wire.heardAt;
  }

  #heard(now: Millis, report: NodeReport, out: Out): void {
    const say = (event: Happening): void => void out.push({ type: 'report', event });
    switch (report.type) {
      case 'node.dialing':
        this.#listens = report.conn;
        return;
      case 'node.listening':
        this.#listeningAt = now;
        return say({ type: 'identity.listening' });
      case 'node.lost': {
        const heldMillis = this.#listeningAt === undefined ? -1 : Math.round(now - this.#listeningAt);
        this.#listeningAt = undefined;
        const silentMillis = Math.round(this.#silence(now, report.conn));
        const { why, waitMillis } = report;
        return say({ type: 'identity.lost', why, silentMillis, heldMillis, waitMillis });
      }
      case 'node.tunnel':
        return this.#opened(now, report, say);
      case 'node.message': {
        const bytes = this.#books.get(report.tunnel)?.heard(report.bytes);
        if (bytes !== undefined) this.#commands.push({ type: 'send', tunnel: report.tunnel, bytes });
        return;
      }
      case 'node.closed':
        return this.#closed(now, report, say);
      case 'node.stopped':
        return say({ type: 'host.stopped', code: 0 });
      default:
        return;
    }
  }

  #opened(
    now: Millis,
    { tunnel, role }: Extract<NodeReport, { type: 'node.tunnel' }>,
    say: (event: Happening) => void,
  ): void {
    const book = this.#books.get(tunnel) ?? new TunnelBook(tunnel, role, 0, '', now);
    this.#books.set(tunnel, book);
    book.opened = true;
    if (book === this.#call) {
      this.#sendAt = this.#leaveAt === undefined ? undefined : now;
      this.#backoff.succeeded(now);
    }
    say({ type: 'identity.tunnel', tunnel: book.tunnel, side: role });
  }

  #closed(
    now: Millis,
    { tunnel, why }: Extract<NodeReport, { type: 'node.closed' }>,
    say: (event: Happening) => void,
  ): void {
    const book = this.#books.get(tunnel);
    this.#books.delete(tunnel);
    if (book === undefined) return;
    say(book.told(now, why));
    if (book !== this.#call) return;
    this.#call = undefined;
    this.#sendAt = undefined;
    if (this.#leaveAt === undefined) return;
    this.#callAt = now + (book.done ? PAUSE_MILLIS : (this.#backoff.failed(now) ?? SCHEDULE.capMillis));
  }
}
