import type { Conn, Millis, NetInput, NetOutput } from '../machine/machine.ts';
import { CARRIER } from './sim-end.ts';
import { type Agenda, WAKE } from './sim-event.ts';
import type { AnyMachine, SimHost } from './sim-host.ts';
import type { SimMux } from './sim-mux.ts';
import type { SimTcp } from './sim-tcp.ts';

type MachineInput = Parameters<AnyMachine['handle']>[1];

const DEADLINE_INPUT: NetInput = Object.freeze({ type: 'deadline' });
/** A machine that is woken this often in a row and still wants to be woken at once would stop the clock for ever. */
const SPINS_MAX = 1_000;

/** The driver's contract: one input at a time, outputs performed in order before the next, deadlines kept to the millisecond. */
export class SimMachines {
  readonly #post: Agenda['post'];
  readonly #later: (call: () => void) => void;
  readonly #tcp: () => SimTcp;
  readonly #mux: () => SimMux;

  /** @param later calls at this instant, after what is due before */
  constructor(post: Agenda['post'], later: (call: () => void) => void, tcp: () => SimTcp, mux: () => SimMux) {
    this.#post = post;
    this.#later = later;
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
    const { machine } = host;
    this.#later(() => {
      if (host.machine === machine) this.feed(now, host, input);
    });
  }

  /** The host's alarm rings. */
  wake(now: Millis, host: SimHost | undefined): void {
    if (host === undefined || !host.alive || host.armedAt !== now) return;
    host.armedAt = -1;
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

  /** One alarm a host: a later deadline is found when the earlier alarm rings. */
  #arm(now: Millis, host: SimHost): void {
    const due = host.machine.deadline();
    if (due === undefined) return;
    const at = due > now ? Math.ceil(due) : now;
    if (host.armedAt >= 0 && host.armedAt <= at) return;
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
