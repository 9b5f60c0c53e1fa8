import {
  type CommandInput,
  type Conn,
  type Millis,
  type NetInput,
  type NetMachine,
  NOTHING,
  soonest,
} from '../../machine/machine.ts';
import { WireError } from '../../machine/wire-error.ts';
import { Agenda } from '../agenda.ts';
import type { Chance } from '../chance.ts';
import type { ConduitEvent, Heard } from '../conduit.ts';
import type { Identity } from '../crypto.ts';
import { Link, linkCodec } from '../link.ts';
import { textOf } from '../public-key.ts';
import type { FaultCode } from '../wire-faults.ts';
import { DEFAULT_LIMITS, type RelayLimits } from './limits.ts';
import { deadlineOf, type Out, Peer, type RelayOutput } from './peer.ts';
import { Reception } from './reception.ts';
import { Refusals } from './refusals.ts';
import type { Parting, Refusal, RelayReport, RelayStats } from './relay-report.ts';
import { Rendezvous } from './rendezvous.ts';

export type RelayConfig = {
  /** 0: any free one. */
  readonly port: number;
  /** undefined: where the driver binds. */
  readonly host?: string;
  readonly identity: Identity;
  /** From a CSPRNG wherever strangers can dial. @param conn for which connection: tests replay recorded ones */
  readonly chance: (conn: Conn) => Chance;
  /** What is not named has its default. */
  readonly limits?: Partial<RelayLimits>;
};

const LISTENER = 1;

/**
 * The identity relay: nodes prove who they are by a key, listen, and are joined to others by message, sealed on either side. Nothing a
 * peer does throws, or ends more than its own connection and tunnel. Source: protocol notes; its "Defects" are tests here.
 */
export class IdentityRelayMachine implements NetMachine<RelayReport> {
  readonly #config: RelayConfig;
  readonly #limits: RelayLimits;
  readonly #codec = linkCodec();
  readonly #peers = new Map<Conn, Peer>();
  readonly #perAddress = new Map<string, number>();
  readonly #reception: Reception;
  readonly #rendezvous: Rendezvous;
  readonly #refusals = new Refusals();
  readonly #agenda: Agenda<Peer>;
  #state: 'serving' | 'draining' | 'drained' = 'serving';
  #drainAt: Millis | undefined;
  #roomAt: Millis | undefined;

  constructor(config: RelayConfig) {
    this.#config = config;
    this.#limits = { ...DEFAULT_LIMITS, ...config.limits };
    this.#reception = new Reception(this.#limits);
    this.#rendezvous = new Rendezvous(this.#limits, this.#codec, {
      refuse: (now, peer, why, out) => this.#refuse(now, peer, why, out),
      finish: (now, peer, out) => this.#finish(now, peer, out),
    });
    this.#agenda = new Agenda((peer) => deadlineOf(peer, this.#limits));
  }

  deadline(): Millis | undefined {
    return soonest(
      this.#agenda.next(),
      this.#rendezvous.deadline(),
      this.#refusals.next(),
      this.#drainAt,
      this.#roomAt,
    );
  }

  handle(now: Millis, input: NetInput | CommandInput<never>): readonly RelayOutput[] {
    const out: Out = [];
    this.#take(now, input, out);
    if (this.#reception.waiting > 0) this.#admit(now, out);
    if (this.#state === 'draining' && this.#peers.size === 0) {
      this.#state = 'drained';
      this.#drainAt = undefined;
      out.push({ type: 'report', event: { type: 'strelay.drained' } });
    }
    return out.length === 0 ? NOTHING : out;
  }

  /** Numbers for metrics. */
  stats(): RelayStats {
    const { listeners, halfTunnels, tunnels, tunnelsTotal, messagesTotal, bytesTotal, earlyBytes } =
      this.#rendezvous;
    return {
      ...{ listeners, halfTunnels, tunnels, tunnelsTotal, messagesTotal, bytesTotal, earlyBytes },
      connections: this.#peers.size,
      handshakes: this.#reception.running,
      waiting: this.#reception.waiting,
      refusals: new Map(this.#refusals.totals),
    };
  }

  #take(now: Millis, input: NetInput | CommandInput<never>, out: Out): void {
    switch (input.type) {
      case 'start':
        out.push({ type: 'listen', listener: LISTENER, port: this.#config.port, host: this.#config.host });
        return;
      case 'stop':
        this.#stop(now, out);
        return;
      case 'deadline':
        this.#expire(now, out);
        return;
      case 'listening':
        out.push({ type: 'report', event: { type: 'strelay.listening', port: input.port } });
        return;
      case 'unlistened':
        out.push({
          type: 'report',
          event: { type: 'strelay.failed', port: this.#config.port, why: input.why },
        });
        return;
      case 'accepted':
        this.#accepted(now, input.conn, input.from.host, out);
        return;
      case 'bytes': {
        const peer = this.#peers.get(input.conn);
        if (peer?.alive === true) this.#bytes(now, peer, input.bytes, out);
        return;
      }
      case 'flushed':
        this.#flushed(now, input.conn, out);
        return;
      case 'ended':
        this.#ended(now, input.conn, out);
        return;
      case 'closed':
        this.#closed(now, input.conn, input.why === 'end' ? 'left' : 'lost', out);
        return;
      case 'stream':
      case 'connected':
      case 'command':
        return;
    }
  }

  #accepted(now: Millis, conn: Conn, address: string, out: Out): void {
    const { connectionsMax, connectionsPerAddressMax, unsentBytesMax } = this.#limits;
    const ofAddress = this.#perAddress.get(address) ?? 0;
    const full = this.#peers.size >= connectionsMax;
    if (this.#state !== 'serving' || full || ofAddress >= connectionsPerAddressMax) {
      if (this.#state === 'serving')
        this.#note(now, conn, full ? 'too many connections' : 'too many connections of one address', out);
      out.push({ type: 'reset', conn });
      return;
    }
    const link = new Link({
      ...this.#limits,
      identity: this.#config.identity,
      expected: undefined,
      chance: this.#config.chance(conn),
      codec: this.#codec,
    });
    const peer = new Peer(conn, address, link, unsentBytesMax, now);
    this.#peers.set(conn, peer);
    this.#perAddress.set(address, ofAddress + 1);
    this.#reception.arrive(peer);
    this.#admit(now, out);
    if (peer.state !== 'waiting') return;
    peer.pause(now, out);
    this.#agenda.look(peer);
  }

  #admit(now: Millis, out: Out): void {
    for (let turn = this.#reception.admit(now); turn !== undefined; turn = this.#reception.admit(now)) {
      if (turn.instead !== undefined)
        this.#refuse(now, turn.instead, 'silent in handshake, others wait', out);
      const { next } = turn;
      next.become(now, 'shaking');
      next.resume(now, out);
      next.send(next.link.open(), out);
      this.#agenda.look(next);
    }
    this.#roomAt = this.#reception.roomAt(now);
  }

  #bytes(now: Millis, peer: Peer, bytes: Uint8Array, out: Out): void {
    peer.link.push(bytes);
    if (peer.state === 'waiting') return;
    try {
      while (peer.alive) {
        const event = peer.link.next(now);
        if (event === undefined) return;
        this.#happened(now, peer, event, out);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#refuse(now, peer, error.code as FaultCode, out);
    }
  }

  #happened(now: Millis, peer: Peer, event: ConduitEvent, out: Out): void {
    switch (event.type) {
      case 'send':
        if (peer.silent) {
          peer.silent = false;
          this.#reception.spoke(peer);
        }
        peer.send(event.message, out);
        return;
      case 'ready':
        this.#reception.leave(peer);
        peer.publicKey = event.peer;
        peer.key = textOf(event.peer);
        peer.become(now, 'opening');
        this.#agenda.look(peer);
        return;
      case 'message':
        this.#message(now, peer, event, out);
        return;
      case 'nothing':
        return;
    }
  }

  #message(now: Millis, peer: Peer, heard: Heard, out: Out): void {
    switch (peer.state) {
      case 'tunnel':
        this.#rendezvous.forward(now, peer, heard, out);
        return;
      case 'half':
        this.#rendezvous.early(now, peer, heard.bytes, out);
        return;
      case 'listening':
        this.#rendezvous.reject(now, peer, textOf(this.#codec.readPeer(heard.bytes)), out);
        return;
      case 'opening':
        this.#init(now, peer, heard.bytes, out);
        return;
      default:
        return;
    }
  }

  #init(now: Millis, peer: Peer, bytes: Uint8Array, out: Out): void {
    const init = this.#codec.readInitConnection(bytes);
    if (init.type === 'listen') {
      this.#rendezvous.listen(now, peer, out);
      return;
    }
    const key = textOf(init.publicKey);
    if (init.type === 'accept') this.#rendezvous.accept(now, peer, key, out);
    else {
      this.#rendezvous.connect(now, peer, key, out);
      const listener = peer.half?.listener;
      // whoever never reads what it is told must not make the relay hold it
      if (listener !== undefined && listener.outlet.unsentBytes > 2 * this.#limits.unsentBytesMax)
        this.#refuse(now, listener, 'does not read', out);
    }
  }

  #flushed(now: Millis, conn: Conn, out: Out): void {
    const peer = this.#peers.get(conn);
    if (peer === undefined || peer.state === 'closing') return;
    if (peer.state !== 'ending') {
      this.#rendezvous.flushed(now, peer, out);
      return;
    }
    if (peer.outlet.flushed()) out.push({ type: 'flush', conn });
    if (peer.outlet.settled) this.#close(now, peer, out);
  }

  #ended(now: Millis, conn: Conn, out: Out): void {
    const peer = this.#peers.get(conn);
    if (peer?.alive !== true) return;
    if (peer.state === 'waiting' || peer.state === 'shaking' || peer.state === 'opening') {
      this.#refuse(now, peer, 'ended before its InitConnection', out);
      return;
    }
    this.#part(now, peer, 'left', out);
    this.#close(now, peer, out);
  }

  #closed(now: Millis, conn: Conn, how: 'left' | 'lost', out: Out): void {
    const peer = this.#peers.get(conn);
    if (peer === undefined) return;
    if (peer.alive) this.#part(now, peer, how, out);
    peer.become(now, 'closing');
    this.#drop(peer);
  }

  /** Takes somebody out of everything it was part of. */
  #part(now: Millis, peer: Peer, why: Parting, out: Out): void {
    const { conn, key } = peer;
    this.#reception.leave(peer);
    if (peer.state === 'listening')
      out.push({
        type: 'report',
        event: { type: 'strelay.unlistened', conn, key, why },
      });
    if (peer.state === 'tunnel') out.push({ type: 'report', event: { type: 'strelay.untunnel', conn, why } });
    this.#rendezvous.leave(now, peer, out);
    peer.link.close();
  }

  #refuse(now: Millis, peer: Peer, why: Refusal, out: Out): void {
    if (!peer.alive) return;
    this.#note(now, peer.conn, why, out);
    this.#part(now, peer, why, out);
    if (why === 'SILENT' || why === 'does not read') this.#reset(now, peer, out);
    else this.#close(now, peer, out);
  }

  /** Lets it read what was sent, then closes it. */
  #finish(now: Millis, peer: Peer, out: Out): void {
    peer.resume(now, out);
    peer.link.close();
    peer.become(now, 'ending');
    peer.outlet.last();
    out.push({ type: 'end', conn: peer.conn }, { type: 'flush', conn: peer.conn });
    this.#agenda.look(peer);
  }

  #close(now: Millis, peer: Peer, out: Out): void {
    peer.resume(now, out);
    peer.become(now, 'closing');
    out.push({ type: 'close', conn: peer.conn });
  }

  #reset(now: Millis, peer: Peer, out: Out): void {
    peer.become(now, 'closing');
    this.#drop(peer);
    out.push({ type: 'reset', conn: peer.conn });
  }

  #drop(peer: Peer): void {
    this.#peers.delete(peer.conn);
    const left = (this.#perAddress.get(peer.address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(peer.address);
    else this.#perAddress.set(peer.address, left);
  }

  #note(now: Millis, conn: Conn, why: Refusal, out: Out): void {
    const event = this.#refusals.add(now, conn, why);
    if (event !== undefined) out.push({ type: 'report', event });
  }

  #expire(now: Millis, out: Out): void {
    for (let peer = this.#agenda.due(now); peer !== undefined; peer = this.#agenda.due(now)) {
      this.#due(now, peer, out);
      this.#agenda.look(peer);
    }
    this.#rendezvous.expire(now, out);
    for (const event of this.#refusals.expired(now)) out.push({ type: 'report', event });
    if (this.#drainAt !== undefined && this.#drainAt <= now) this.#resetAll(now, out);
  }

  #due(now: Millis, peer: Peer, out: Out): void {
    if (peer.state === 'waiting' || peer.state === 'shaking') {
      this.#refuse(now, peer, 'handshake too slow', out);
      return;
    }
    if (peer.state === 'ending') {
      this.#reset(now, peer, out);
      return;
    }
    if (peer.state === 'opening' && now >= peer.since + this.#limits.initMillisMax) {
      this.#refuse(now, peer, 'no InitConnection in time', out);
      return;
    }
    try {
      for (const message of peer.link.expire(now)) peer.send(message, out);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#refuse(now, peer, error.code as FaultCode, out);
    }
  }

  #stop(now: Millis, out: Out): void {
    if (this.#state !== 'serving') {
      this.#resetAll(now, out);
      return;
    }
    this.#state = 'draining';
    this.#drainAt = now + this.#limits.drainMillis;
    out.push({ type: 'unlisten', listener: LISTENER });
    for (const peer of [...this.#peers.values()]) {
      if (!peer.alive || peer.state === 'tunnel') continue;
      this.#part(now, peer, 'stopped', out);
      this.#close(now, peer, out);
    }
  }

  #resetAll(now: Millis, out: Out): void {
    for (const peer of [...this.#peers.values()]) {
      peer.link.close();
      this.#reset(now, peer, out);
    }
  }
}
