import type { Conn, Millis, NetInput, NetOutput } from '../machine/machine.ts';
import { CARRIER } from './sim-end.ts';
import { type Agenda, INPUT, WAKE } from './sim-event.ts';
import type { AnyMachine, SimHost } from './sim-host.ts';
import type { SimMux } from './sim-mux.ts';
import type { SimTcp } from './sim-tcp.ts';

type MachineInput = Parameters<AnyMachine['handle']>[1];

/** An input of the driver's own that waits for its turn, for the machine that was on the host when it was said. */
type Waiting = { readonly host: SimHost; readonly machine: AnyMachine; readonly input: MachineInput };

const DEADLINE_INPUT: NetInput = Object.freeze({ type: 'deadline' });
/** A machine that is woken this often in a row and still wants to be woken at once would stop the clock for ever. */
const SPINS_MAX = 1_000;

/** The driver's contract: one input at a time, outputs performed in order before the next, deadlines kept to the millisecond. */
export class SimMachines {
  readonly #post: Agenda['post'];
  readonly #tcp: () => SimTcp;
  readonly #mux: () => SimMux;
  /** In the order of their INPUT events: all are for the instant they were said at. */
  #waiting: Waiting[] = [];
  #next = 0;

  constructor(post: Agenda['post'], tcp: () => SimTcp, mux: () => SimMux) {
    this.#post = post;
    this.#tcp = tcp;
    this.#mux = mux;
  }

  feed(now: Millis, host: SimHost, input: MachineInput): void {
    if (!host.alive) return;
    const outputs = host.machine.handle(now, input);
    for (let i = 0; i < outputs.length; i++) this.#perform(now, host, outputs[i] as NetOutput<unknown>);
    this.#arm(now, host);
  }

  /** An input at this instant, after what is due before, unless another machine is on the host by then. */
  feedLater(now: Millis, host: SimHost, input: MachineInput): void {
    this.#waiting.push({ host, machine: host.machine, input });
    this.#post(now, INPUT, host.index);
  }

  /** The turn of the input that has waited longest. */
  inputDue(now: Millis): void {
    const { host, machine, input } = this.#waiting[this.#next++] as Waiting;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    if (host.machine === machine) this.feed(now, host, input);
  }

  /** The host's alarm rings. */
  wake(now: Millis, host: SimHost | undefined): void {
    if (host === undefined) return;
    if (host.armedAt !== now) {
      if (host.laterAt === now) host.laterAt = -1;
      return;
    }
    host.armedAt = -1;
    if (!host.alive) return;
    const due = host.machine.deadline();
    if (due === undefined || due > now) {
      this.#arm(now, host);
      return;
    }
    this.feed(now, host, DEADLINE_INPUT);
    host.spins = host.armedAt === now ? host.spins + 1 : 0;
    if (host.spins > SPINS_MAX)
      throw new Error(
        `${host.name} is woken for ever at ${now} ms: handle(deadline) must move deadline() on`,
      );
  }

  /**
   * One alarm a host: a later deadline is found when the earlier alarm rings. An alarm that an earlier one replaces is in the queue
   * still, and serves the next deadline that is not before it: who dials with a time limit, is refused and waits for the next dial
   * sets one alarm a dial instead of two. (In an outage of a large world stale alarms were an eighth of all events.)
   */
  #arm(now: Millis, host: SimHost): void {
    const due = host.machine.deadline();
    if (due === undefined) return;
    const at = due > now ? Math.ceil(due) : now;
    const { armedAt, laterAt } = host;
    if (armedAt >= 0 && armedAt <= at) return;
    if (armedAt < 0 && laterAt >= 0 && laterAt <= at) {
      host.armedAt = laterAt;
      host.laterAt = -1;
      return;
    }
    if (armedAt >= 0) host.laterAt = armedAt;
    host.armedAt = at;
    this.#post(at, WAKE, host.index);
  }

  #perform(now: Millis, host: SimHost, output: NetOutput<unknown>): void {
    switch (output.type) {
      case 'report':
        host.report?.(output.event, now);
        return;
      case 'listen':
        this.#listen(now, host, output.listener, output.port);
        return;
      case 'unlisten':
        host.unlisten(output.listener);
        return;
      case 'connect':
        this.#tcp().connect(now, host, output.conn, output.to, output.from);
        return;
      case 'splice':
        this.#tcp().splice(now, host, output);
        return;
      case 'mux': {
        const end = this.#tcp().endOf(host, output.conn);
        if (end !== undefined && (end.state & CARRIER) === 0 && end.splice < 0)
          this.#mux().start(now, output.conn, end, output.role, output.early);
        return;
      }
      case 'open':
        if (!this.#mux().obey(now, host, output)) this.#refuseStream(now, host, output.conn, output.session);
        return;
      default:
        this.#performOnEnd(now, host, output);
    }
  }

  #performOnEnd(
    now: Millis,
    host: SimHost,
    output: Extract<
      NetOutput<unknown>,
      { readonly type: 'send' | 'flush' | 'end' | 'reset' | 'close' | 'pause' | 'resume' | 'keepalive' }
    >,
  ): void {
    const { conn } = output;
    const tcp = this.#tcp();
    const end = tcp.endOf(host, conn);
    // the carrier of a session is paused and resumed like any connection; all else is said to its session
    const carries = end !== undefined && (end.state & CARRIER) !== 0;
    if (end === undefined || (carries && output.type !== 'pause' && output.type !== 'resume')) {
      this.#mux().obey(now, host, output);
      return;
    }
    // a splice is the driver's; only its owner's reset breaks it
    if (end.splice >= 0 && output.type !== 'reset') return;
    switch (output.type) {
      case 'send':
        tcp.flow.send(now, conn, end, output.bytes);
        break;
      case 'flush':
        tcp.flow.flush(now, conn, end);
        break;
      case 'end':
        tcp.flow.end(now, conn, end);
        break;
      case 'reset':
        tcp.reset(now, conn, end);
        break;
      case 'close':
        tcp.linger(now, conn, end);
        break;
      case 'pause':
        tcp.pause(end);
        break;
      case 'resume':
        tcp.resume(now, conn, end);
        break;
      case 'keepalive':
        tcp.keepalive(now, conn, end, output.idleMillis);
        break;
    }
  }

  #listen(now: Millis, host: SimHost, listener: number, port: number): void {
    const given = host.listen(listener, port);
    const answer: NetInput =
      typeof given === 'number'
        ? { type: 'listening', listener, port: given }
        : { type: 'unlistened', listener, why: given };
    this.feedLater(now, host, answer);
  }

  /** A stream on a session that is gone. */
  #refuseStream(now: Millis, host: SimHost, conn: Conn, session: Conn): void {
    host.watch?.opened(conn, `session ${session}`, 'stream');
    host.watch?.closed(conn, 'refused', 0, 0);
    this.feedLater(now, host, { type: 'closed', conn, why: 'refused', received: 0, sent: 0 });
  }
}
