/** Who listens, who waits to be accepted, who is joined to whom. Source: protocol notes, "Relay behaviour". */
import { type Millis, soonest } from '../../machine/machine.ts';
import { Timeouts } from '../../machine/timeouts.ts';
import type { Heard } from '../conduit.ts';
import type { MessageCodec } from '../messages.ts';
import type { RelayLimits } from './limits.ts';
import type { HalfTunnel, Out, Peer } from './peer.ts';
import type { Refusal } from './relay-report.ts';

/** How the rendezvous sends somebody away. */
export type Dismissal = {
  /** Closed, with a reason that is reported. */
  refuse(now: Millis, peer: Peer, why: Refusal, out: Out): void;
  /** Closed when it has read what was sent. */
  finish(now: Millis, peer: Peer, out: Out): void;
};

export class Rendezvous {
  readonly #limits: RelayLimits;
  readonly #codec: MessageCodec;
  readonly #dismissal: Dismissal;
  readonly #listeners = new Map<string, Peer>();
  readonly #halves: Timeouts<HalfTunnel>;
  #halfCount = 0;
  #tunnels = 0;
  tunnelsTotal = 0;
  messagesTotal = 0;
  bytesTotal = 0;
  earlyBytes = 0;

  constructor(limits: RelayLimits, codec: MessageCodec, dismissal: Dismissal) {
    this.#limits = limits;
    this.#codec = codec;
    this.#dismissal = dismissal;
    this.#halves = new Timeouts(limits.halfTunnelMillisMax);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  get halfTunnels(): number {
    return this.#halfCount;
  }

  get tunnels(): number {
    return this.#tunnels;
  }

  listen(now: Millis, peer: Peer, out: Out): void {
    if (this.#listeners.has(peer.key)) {
      this.#dismissal.refuse(now, peer, 'listens already', out);
      return;
    }
    this.#listeners.set(peer.key, peer);
    peer.become(now, 'listening');
    out.push({ type: 'report', event: { type: 'strelay.listener', conn: peer.conn, key: peer.key } });
  }

  connect(now: Millis, peer: Peer, to: string, out: Out): void {
    const listener = this.#listeners.get(to);
    const why = this.#mayNotConnect(listener, peer.key);
    if (listener === undefined || why !== undefined) {
      this.#dismissal.refuse(now, peer, why ?? 'nobody listens', out);
      return;
    }
    const half: HalfTunnel = {
      from: peer.key,
      listener,
      since: now,
      connector: peer,
      early: [],
      earlyBytes: 0,
    };
    listener.halves.set(peer.key, half);
    this.#halves.set(now, half);
    this.#halfCount++;
    peer.half = half;
    peer.become(now, 'half');
    listener.send(listener.link.send(now, this.#codec.writePeer(peer.publicKey)), out);
    out.push({
      type: 'report',
      event: { type: 'strelay.incoming', conn: peer.conn, from: peer.key, to },
    });
  }

  accept(now: Millis, peer: Peer, from: string, out: Out): void {
    const half = this.#listeners.get(peer.key)?.halves.get(from);
    if (half === undefined) {
      this.#dismissal.refuse(now, peer, 'nobody to accept', out);
      return;
    }
    this.#forget(half);
    const { connector } = half;
    peer.become(now, 'tunnel');
    for (const bytes of half.early) {
      this.#count(bytes.length);
      peer.send(peer.link.send(now, bytes), out);
    }
    if (connector === undefined) {
      this.#dismissal.finish(now, peer, out);
      return;
    }
    connector.half = undefined;
    connector.become(now, 'tunnel');
    connector.partner = peer;
    peer.partner = connector;
    this.#tunnels++;
    this.tunnelsTotal++;
    if (!peer.outlet.full) connector.resume(now, out);
    out.push({
      type: 'report',
      event: {
        type: 'strelay.tunnel',
        connector: connector.conn,
        acceptor: peer.conn,
        from,
        to: peer.key,
        waitedMillis: now - half.since,
      },
    });
  }

  /** A listener does not want somebody; a key that does not wait is ignored. */
  reject(now: Millis, listener: Peer, from: string, out: Out): void {
    const half = listener.halves.get(from);
    if (half === undefined) return;
    this.#forget(half);
    if (half.connector !== undefined) this.#dismissal.refuse(now, half.connector, 'rejected', out);
  }

  /** A message of a connector that was not accepted yet: kept, up to a bound. */
  early(now: Millis, peer: Peer, bytes: Uint8Array, out: Out): void {
    const { half } = peer;
    if (half === undefined) return;
    half.early.push(bytes.slice());
    // an empty message costs as well
    const cost = bytes.length + 64;
    half.earlyBytes += cost;
    this.earlyBytes += cost;
    if (half.earlyBytes > this.#limits.earlyBytesMax || this.earlyBytes > this.#limits.earlyBytesTotalMax)
      peer.pause(now, out);
  }

  /** A message of one end of a tunnel. @throws WireError when it does not fit a frame any more */
  forward(now: Millis, peer: Peer, heard: Heard, out: Out): void {
    const { partner } = peer;
    if (partner === undefined) return;
    this.#count(heard.bytes.length);
    partner.send(partner.link.pass(now, heard), out);
    if (partner.outlet.full) peer.pause(now, out);
  }

  /** What was sent to it has left. */
  flushed(now: Millis, peer: Peer, out: Out): void {
    if (peer.outlet.flushed()) out.push({ type: 'flush', conn: peer.conn });
    if (!peer.outlet.full && peer.partner?.alive === true) peer.partner.resume(now, out);
  }

  /** A connection is not what it was any more: to be called before its state changes. */
  leave(now: Millis, peer: Peer, out: Out): void {
    switch (peer.state) {
      case 'listening':
        this.#listeners.delete(peer.key);
        for (const half of [...peer.halves.values()]) {
          this.#forget(half);
          if (half.connector !== undefined) this.#dismissal.refuse(now, half.connector, 'listener lost', out);
        }
        return;
      case 'half':
        if (peer.half !== undefined) peer.half.connector = undefined;
        peer.half = undefined;
        return;
      case 'tunnel': {
        const { partner } = peer;
        if (partner === undefined) return;
        this.#tunnels--;
        peer.partner = undefined;
        partner.partner = undefined;
        this.#dismissal.finish(now, partner, out);
        return;
      }
      case 'waiting':
      case 'shaking':
      case 'opening':
      case 'ending':
      case 'closing':
        return;
    }
  }

  deadline(): Millis | undefined {
    return soonest(this.#halves.next());
  }

  expire(now: Millis, out: Out): void {
    for (const half of this.#halves.expired(now)) {
      this.#forget(half);
      if (half.connector !== undefined)
        this.#dismissal.refuse(now, half.connector, 'not accepted in time', out);
    }
  }

  #mayNotConnect(listener: Peer | undefined, from: string): Refusal | undefined {
    if (listener === undefined) return 'nobody listens';
    if (listener.halves.has(from)) return 'connects already';
    return listener.halves.size >= this.#limits.halfTunnelsPerListenerMax
      ? 'too many half tunnels'
      : undefined;
  }

  #forget(half: HalfTunnel): void {
    if (!half.listener.halves.delete(half.from)) return;
    this.#halves.cancel(half);
    this.#halfCount--;
    this.earlyBytes -= half.earlyBytes;
    if (half.connector !== undefined) half.connector.half = undefined;
  }

  #count(bytes: number): void {
    this.messagesTotal++;
    this.bytesTotal += bytes;
  }
}
