import { Backoff, type Schedule } from '../../backoff/schedule.ts';
import {
  type Address,
  type CommandInput,
  type Conn,
  type Millis,
  type NameConn,
  type NetInput,
  type NetMachine,
  NOTHING,
  soonest,
  type Why,
} from '../../machine/machine.ts';
import type { Rng } from '../../machine/rng.ts';
import { WireError } from '../../machine/wire-error.ts';
import { Agenda } from '../agenda.ts';
import type { Chance } from '../chance.ts';
import type { ConduitEvent } from '../conduit.ts';
import type { Identity } from '../crypto.ts';
import { linkCodec } from '../link.ts';
import type { InitConnection } from '../messages.ts';
import { textOf } from '../public-key.ts';
import type { FaultCode } from '../wire-faults.ts';
import { Line, type NodeOutput, type Out } from './line.ts';
import { DEFAULT_NODE_LIMITS, type NodeLimits } from './node-limits.ts';
import type { NodeCommand, NodeReport, Parting } from './node-report.ts';

export type NodeConfig = {
  readonly relay: Address;
  /** From the relay's ticket: nobody else is talked to. */
  readonly relayKey: Uint8Array;
  readonly identity: Identity;
  /** Whether it is kept reachable for others. */
  readonly listen: boolean;
  /** Whether everybody who wants a tunnel is accepted; else the owner is asked by `node.incoming`. */
  readonly acceptAll: boolean;
  /** How it comes back when it cannot listen any more. */
  readonly schedule: Schedule;
  /** Of the waits. */
  readonly rng: Rng;
  readonly chance: Chance;
  /** Names its connections; the owner names tunnels out of the same well. */
  readonly name: NameConn;
  /** What is not named has its default. */
  readonly limits?: Partial<NodeLimits>;
};

type Input = NetInput | CommandInput<NodeCommand>;

/**
 * A node: kept reachable by its relay, opens tunnels to others and accepts theirs. Each tunnel is a connection of its own; inside runs a
 * second secure channel with keepalive, end to end, that the relay cannot read. Source: protocol notes, "Relay behaviour".
 */
export class IdentityNodeMachine implements NetMachine<NodeReport, NodeCommand> {
  readonly #config: NodeConfig;
  readonly #limits: NodeLimits;
  readonly #codec = linkCodec();
  readonly #lines = new Map<Conn, Line>();
  readonly #agenda = new Agenda<Line>((line) => line.deadline());
  readonly #backoff: Backoff;
  #listenAt: Millis | undefined;
  #state: 'running' | 'stopping' | 'stopped' = 'running';

  constructor(config: NodeConfig) {
    this.#config = config;
    this.#limits = { ...DEFAULT_NODE_LIMITS, ...config.limits };
    this.#backoff = new Backoff(config.schedule, config.rng);
  }

  deadline(): Millis | undefined {
    return soonest(this.#agenda.next(), this.#listenAt);
  }

  handle(now: Millis, input: Input): readonly NodeOutput[] {
    const out: Out = [];
    this.#take(now, input, out);
    if (this.#state === 'stopping' && this.#lines.size === 0) {
      this.#state = 'stopped';
      out.push({ type: 'report', event: { type: 'node.stopped' } });
    }
    return out.length === 0 ? NOTHING : out;
  }

  #take(now: Millis, input: Input, out: Out): void {
    switch (input.type) {
      case 'start':
        if (this.#config.listen) this.#listen(now, out);
        return;
      case 'stop':
        this.#stop(now, out);
        return;
      case 'deadline':
        this.#expire(now, out);
        return;
      case 'command':
        this.#command(now, input.command, out);
        return;
      case 'connected': {
        const line = this.#lines.get(input.conn);
        if (line?.state === 'joining') line.put(line.link.open(), out);
        return;
      }
      case 'bytes': {
        const line = this.#lines.get(input.conn);
        if (line?.alive === true) this.#bytes(now, line, input.bytes, out);
        return;
      }
      case 'flushed':
        this.#flushed(now, input.conn, out);
        return;
      case 'ended': {
        const line = this.#lines.get(input.conn);
        if (line?.alive === true) this.#close(now, line, line.state === 'open' ? 'left' : 'refused', out);
        else if (line?.state === 'ending') this.#bye(now, line, out);
        return;
      }
      case 'closed':
        this.#closed(now, input.conn, input.why, out);
        return;
      case 'accepted':
      case 'listening':
      case 'unlistened':
      case 'stream':
        return;
    }
  }

  #command(now: Millis, command: NodeCommand, out: Out): void {
    switch (command.type) {
      case 'connect':
      case 'accept':
        if (this.#state === 'running')
          this.#dial(now, command.tunnel, { type: command.type, publicKey: command.peer }, out);
        else
          this.#report(
            { type: 'node.closed', tunnel: command.tunnel, peer: textOf(command.peer), why: 'ended' },
            out,
          );
        return;
      case 'reject':
        for (const line of this.#lines.values())
          if (line.init.type === 'listen' && line.state === 'open')
            line.tell(now, this.#codec.writePeer(command.peer), out);
        return;
      case 'send':
      case 'end':
      case 'pause':
      case 'resume': {
        const line = this.#lines.get(command.tunnel);
        if (line?.state !== 'open' || line.inner === undefined) return;
        if (command.type === 'send') this.#send(now, line, command.bytes, out);
        else if (command.type === 'end') this.#finish(now, line, out);
        else line.hold(now, command.type === 'pause', out);
        return;
      }
    }
  }

  #listen(now: Millis, out: Out): void {
    const conn = this.#config.name();
    this.#listenAt = undefined;
    this.#report({ type: 'node.dialing', conn, attempt: this.#backoff.attempt }, out);
    this.#dial(now, conn, { type: 'listen' }, out);
  }

  #dial(now: Millis, conn: Conn, init: InitConnection, out: Out): void {
    const { identity, relayKey, chance, relay } = this.#config;
    const line = new Line(
      { conn, init, identity, relayKey, chance, codec: this.#codec, limits: this.#limits },
      now,
    );
    this.#lines.set(conn, line);
    this.#agenda.look(line);
    out.push({ type: 'connect', conn, to: relay, from: undefined });
  }

  #bytes(now: Millis, line: Line, bytes: Uint8Array, out: Out): void {
    line.link.push(bytes);
    this.#guarded(now, line, out, () => {
      for (let event = line.link.next(now); event !== undefined; event = line.link.next(now)) {
        this.#happened(now, line, event, out);
        if (!line.alive) return;
      }
    });
  }

  /** What the other side does wrong ends this line only. */
  #guarded(now: Millis, line: Line, out: Out, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#close(now, line, error.code as FaultCode, out);
    }
  }

  #happened(now: Millis, line: Line, event: ConduitEvent, out: Out): void {
    switch (event.type) {
      case 'send':
        line.put(event.message, out);
        return;
      case 'ready':
        this.#joined(now, line, out);
        return;
      case 'message':
        if (line.inner === undefined) this.#incoming(now, event.bytes, out);
        else this.#inside(now, line, line.inner.receive(now, event.bytes), out);
        return;
      case 'nothing':
        return;
    }
  }

  #joined(now: Millis, line: Line, out: Out): void {
    line.tell(now, this.#codec.writeInitConnection(line.init), out);
    line.become(now, line.inner === undefined ? 'open' : 'meeting');
    this.#agenda.look(line);
    if (line.inner !== undefined) {
      line.tell(now, line.inner.hello(), out);
      return;
    }
    this.#backoff.succeeded(now);
    this.#report({ type: 'node.listening', conn: line.conn }, out);
  }

  #incoming(now: Millis, message: Uint8Array, out: Out): void {
    const peer = this.#codec.readPeer(message);
    this.#report({ type: 'node.incoming', from: textOf(peer) }, out);
    if (this.#config.acceptAll)
      this.#dial(now, this.#config.name(), { type: 'accept', publicKey: peer }, out);
  }

  #inside(now: Millis, line: Line, event: ConduitEvent, out: Out): void {
    switch (event.type) {
      case 'send':
        line.tell(now, event.message, out);
        return;
      case 'ready':
        line.become(now, 'open');
        this.#agenda.look(line);
        this.#report(
          {
            type: 'node.tunnel',
            tunnel: line.conn,
            peer: line.peer,
            role: line.init.type === 'connect' ? 'connector' : 'acceptor',
          },
          out,
        );
        return;
      case 'message':
        this.#report({ type: 'node.message', tunnel: line.conn, bytes: event.bytes.slice() }, out);
        return;
      case 'nothing':
        return;
    }
  }

  #send(now: Millis, line: Line, bytes: Uint8Array, out: Out): void {
    this.#guarded(now, line, out, () => {
      if (line.inner === undefined) return;
      line.tell(now, line.inner.send(now, bytes), out);
      if (!line.outlet.full || line.full) return;
      line.full = true;
      this.#report({ type: 'node.full', tunnel: line.conn }, out);
    });
  }

  #flushed(now: Millis, conn: Conn, out: Out): void {
    const line = this.#lines.get(conn);
    if (line === undefined || line.state === 'closing') return;
    if (line.outlet.flushed()) out.push({ type: 'flush', conn });
    if (line.state === 'ending' && line.outlet.settled) this.#bye(now, line, out);
    if (!line.alive) return;
    if (!line.full || line.outlet.full) return;
    line.full = false;
    this.#report({ type: 'node.drained', tunnel: conn }, out);
  }

  #close(now: Millis, line: Line, why: Parting, out: Out): void {
    line.hold(now, false, out);
    this.#leave(now, line, why, out);
    out.push({ type: why === 'SILENT' || why === 'unreachable' ? 'reset' : 'close', conn: line.conn });
    // nothing is heard of what was reset
    if (why === 'SILENT' || why === 'unreachable') this.#lines.delete(line.conn);
  }

  /** Sends what waits, then closes. */
  #finish(now: Millis, line: Line, out: Out): void {
    line.hold(now, false, out);
    this.#leave(now, line, 'ended', out);
    line.become(now, 'ending');
    line.outlet.last();
    out.push({ type: 'flush', conn: line.conn });
    this.#agenda.look(line);
  }

  #bye(now: Millis, line: Line, out: Out): void {
    line.become(now, 'closing');
    out.push({ type: 'close', conn: line.conn });
  }

  #closed(now: Millis, conn: Conn, why: Why, out: Out): void {
    const line = this.#lines.get(conn);
    if (line === undefined) return;
    this.#lines.delete(conn);
    if (!line.alive) return;
    const unreached = why === 'refused' || why === 'unreachable' || why === 'timeout' || why === 'exhausted';
    if (line.state === 'joining' && unreached) this.#leave(now, line, 'unreachable', out);
    else if (line.state === 'open') this.#leave(now, line, why === 'end' ? 'left' : 'lost', out);
    else this.#leave(now, line, 'refused', out);
  }

  /** Says that a line is gone, and waits before the next if it was the one that listens. */
  #leave(now: Millis, line: Line, why: Parting, out: Out): void {
    line.forget();
    line.become(now, 'closing');
    if (line.inner !== undefined) {
      this.#report({ type: 'node.closed', tunnel: line.conn, peer: line.peer, why }, out);
      return;
    }
    if (this.#state !== 'running') return;
    const waitMillis = this.#backoff.failed(now);
    if (waitMillis === undefined) {
      this.#report({ type: 'node.gaveUp', attempts: this.#backoff.attempt }, out);
      return;
    }
    this.#listenAt = now + waitMillis;
    this.#report({ type: 'node.lost', conn: line.conn, why, waitMillis }, out);
  }

  #expire(now: Millis, out: Out): void {
    for (let line = this.#agenda.due(now); line !== undefined; line = this.#agenda.due(now)) {
      this.#due(now, line, out);
      this.#agenda.look(line);
    }
    if (this.#listenAt !== undefined && now >= this.#listenAt) this.#listen(now, out);
  }

  #due(now: Millis, line: Line, out: Out): void {
    if (line.state === 'joining') {
      this.#close(now, line, 'unreachable', out);
      return;
    }
    if (line.state === 'ending') {
      this.#bye(now, line, out);
      return;
    }
    if (line.state === 'meeting' && now >= line.since + this.#limits.meetMillisMax) {
      this.#close(now, line, 'late', out);
      return;
    }
    this.#guarded(now, line, out, () => {
      for (const message of line.inner?.expire(now) ?? []) line.tell(now, message, out);
      for (const message of line.link.expire(now)) line.put(message, out);
    });
  }

  #stop(now: Millis, out: Out): void {
    if (this.#state !== 'running') return;
    this.#state = 'stopping';
    this.#listenAt = undefined;
    for (const line of [...this.#lines.values()]) {
      if (!line.alive) continue;
      if (line.state === 'joining') this.#close(now, line, 'unreachable', out);
      else this.#finish(now, line, out);
    }
  }

  #report(event: NodeReport, out: Out): void {
    out.push({ type: 'report', event });
  }
}
