/** Users outside: each order is one connection to a public port, behaves as told and reports what it saw. */
import {
  type CommandInput,
  type Conn,
  type Millis,
  type NameConn,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../../reference-impl/machine/machine.ts';
import { Ledger } from '../measure/ledger.ts';
import { encodeRequest, payload, REQUEST_BYTES } from '../measure/payload.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand, TunnelOrder } from './actor-spec.ts';

type Out = NetOutput<Happening>;
/** Payload leaves in blocks of this size; the next one is made when the last has left. */
const BLOCK_BYTES = 65_536;

type Tunnel = {
  readonly order: TunnelOrder;
  readonly ledger: Ledger;
  sent: number;
  sentEnd: 'fin' | 'rst' | 'none';
  gotEnd: 'fin' | 'none';
  connected: boolean;
  firstAt: Millis | undefined;
  /** Gives up then unless something moves before. */
  patience: Millis;
  /** A stalled user reads again then. */
  wakeAt: Millis | undefined;
};

/** Something moved: patience begins anew, for a stalled user once it reads again. */
const moved = (now: Millis, tunnel: Tunnel): void => {
  tunnel.patience = Math.max(now, tunnel.wakeAt ?? now) + tunnel.order.patienceMillis;
};

/**
 * A connection an order. Reports `tunnel.opened`, `connected`, `firstByte`, `done` of side `user`, a `ledger.span` for every
 * stretch of bytes that is not what belongs there, and a `rate.sample` for rounds of the throughput phase.
 */
export class UsersMachine implements NetMachine<Happening, ActorCommand> {
  readonly #name: NameConn;
  readonly #tunnels = new Map<Conn, Tunnel>();

  constructor(name: NameConn) {
    this.#name = name;
  }

  /** A scan, but only when asked: users are hundreds at most and each moves its own deadline all the time. */
  deadline(): Millis | undefined {
    let first: Millis | undefined;
    for (const tunnel of this.#tunnels.values()) {
      const due =
        tunnel.wakeAt !== undefined && tunnel.wakeAt < tunnel.patience ? tunnel.wakeAt : tunnel.patience;
      if (first === undefined || due < first) first = due;
    }
    return first;
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly Out[] {
    switch (input.type) {
      case 'command':
        return input.command.do === 'open' ? this.#open(now, input.command) : NOTHING;
      case 'connected':
        return this.#connected(now, input.conn);
      case 'flushed':
        return this.#flushed(now, input.conn);
      case 'bytes':
        return this.#bytes(now, input.conn, input.bytes);
      case 'ended':
        return this.#ended(now, input.conn);
      case 'closed':
        return this.#closed(input.conn, input.why);
      case 'deadline':
        return this.#expire(now);
      case 'stop':
        return [...this.#tunnels.keys()].flatMap((conn) => this.#giveUp(conn, 'none'));
      case 'start':
      case 'listening':
      case 'unlistened':
      case 'accepted':
      case 'stream':
        return NOTHING;
    }
  }

  #open(now: Millis, order: TunnelOrder): readonly Out[] {
    const conn = this.#name();
    this.#tunnels.set(conn, {
      order,
      ledger: new Ledger(order.tunnel, 'down', 0),
      sent: 0,
      sentEnd: 'none',
      gotEnd: 'none',
      connected: false,
      firstAt: undefined,
      patience: now + order.patienceMillis,
      wakeAt: undefined,
    });
    const { tunnel, mode, client, up, down, close } = order;
    return [
      {
        type: 'report',
        event: { type: 'tunnel.opened', tunnel, side: 'user', mode, client, up, down, close },
      },
      { type: 'connect', conn, to: order.to, from: undefined },
    ];
  }

  #connected(now: Millis, conn: Conn): readonly Out[] {
    const tunnel = this.#tunnels.get(conn);
    if (tunnel === undefined) return NOTHING;
    tunnel.connected = true;
    moved(now, tunnel);
    tunnel.sent = REQUEST_BYTES;
    return [
      { type: 'report', event: { type: 'tunnel.connected', tunnel: tunnel.order.tunnel } },
      { type: 'send', conn, bytes: encodeRequest(tunnel.order) },
      ...this.#more(conn, tunnel),
    ];
  }

  /** The next block, or the end of our half where the order says that users end first. */
  #more(conn: Conn, tunnel: Tunnel): readonly Out[] {
    const { order } = tunnel;
    if (tunnel.sent < order.up) {
      const length = Math.min(BLOCK_BYTES, order.up - tunnel.sent);
      const bytes = payload(order.tunnel, 'up', tunnel.sent, length);
      tunnel.sent += length;
      return [
        { type: 'send', conn, bytes },
        { type: 'flush', conn },
      ];
    }
    if (tunnel.sentEnd !== 'none' || (order.close !== 'half' && tunnel.gotEnd === 'none')) return NOTHING;
    tunnel.sentEnd = 'fin';
    return [{ type: 'end', conn }];
  }

  #flushed(now: Millis, conn: Conn): readonly Out[] {
    const tunnel = this.#tunnels.get(conn);
    if (tunnel === undefined) return NOTHING;
    moved(now, tunnel);
    return this.#more(conn, tunnel);
  }

  #bytes(now: Millis, conn: Conn, bytes: Uint8Array): readonly Out[] {
    const tunnel = this.#tunnels.get(conn);
    if (tunnel === undefined) return NOTHING;
    const { order, ledger } = tunnel;
    moved(now, tunnel);
    const out: Out[] = [];
    if (tunnel.firstAt === undefined) {
      tunnel.firstAt = now;
      out.push({ type: 'report', event: { type: 'tunnel.firstByte', tunnel: order.tunnel, side: 'user' } });
      if (order.stallMillis > 0) {
        tunnel.wakeAt = now + order.stallMillis;
        moved(now, tunnel);
        const stalled = {
          type: 'tunnel.stalled',
          tunnel: order.tunnel,
          forMillis: order.stallMillis,
        } as const;
        out.push({ type: 'pause', conn }, { type: 'report', event: stalled });
      }
    }
    for (const span of ledger.push(bytes)) out.push(this.#span(order.tunnel, span));
    if (order.close === 'abort' && ledger.received >= order.down >>> 1) {
      tunnel.sentEnd = 'rst';
      out.push({ type: 'reset', conn }, ...this.#done(conn, tunnel, 'none'));
    }
    return out;
  }

  #span(tunnel: number, span: ReturnType<Ledger['push']>[number]): Out {
    return { type: 'report', event: { type: 'ledger.span', tunnel, direction: 'down', ...span } };
  }

  #ended(now: Millis, conn: Conn): readonly Out[] {
    const tunnel = this.#tunnels.get(conn);
    if (tunnel === undefined) return NOTHING;
    tunnel.gotEnd = 'fin';
    const out: Out[] = [];
    const { order } = tunnel;
    if (order.round >= 0 && tunnel.firstAt !== undefined && tunnel.ledger.received === order.down) {
      const micros = Math.round((now - tunnel.firstAt) * 1000);
      const { mode: path, round, down: bytes } = order;
      out.push({ type: 'report', event: { type: 'rate.sample', path, round, bytes, micros } });
    }
    return tunnel.sent < order.up ? out : [...out, ...this.#more(conn, tunnel)];
  }

  #closed(conn: Conn, why: string): readonly Out[] {
    const tunnel = this.#tunnels.get(conn);
    if (tunnel === undefined) return NOTHING;
    if (why === 'end') return this.#done(conn, tunnel, 'fin');
    if (why === 'timeout' || why === 'unreachable') return this.#done(conn, tunnel, 'timeout');
    // Our own host had no socket left: nobody refused anything.
    if (why === 'exhausted') return this.#done(conn, tunnel, 'none');
    return this.#done(conn, tunnel, tunnel.connected ? 'rst' : 'refused');
  }

  #expire(now: Millis): readonly Out[] {
    const out: Out[] = [];
    for (const [conn, tunnel] of this.#tunnels) {
      if (tunnel.wakeAt !== undefined && tunnel.wakeAt <= now) {
        tunnel.wakeAt = undefined;
        const resumed = { type: 'tunnel.resumed', tunnel: tunnel.order.tunnel } as const;
        out.push({ type: 'report', event: resumed }, { type: 'resume', conn });
      } else if (tunnel.patience <= now) out.push(...this.#giveUp(conn, 'timeout'));
    }
    return out;
  }

  #giveUp(conn: Conn, gotEnd: 'timeout' | 'none'): readonly Out[] {
    const tunnel = this.#tunnels.get(conn);
    if (tunnel === undefined) return NOTHING;
    return [{ type: 'reset', conn }, ...this.#done(conn, tunnel, gotEnd)];
  }

  #done(conn: Conn, tunnel: Tunnel, gotEnd: 'fin' | 'rst' | 'timeout' | 'refused' | 'none'): readonly Out[] {
    this.#tunnels.delete(conn);
    const { order, ledger, sent, sentEnd } = tunnel;
    const spans = ledger.finish().map((span) => this.#span(order.tunnel, span));
    const received = ledger.received;
    const done = {
      type: 'tunnel.done',
      tunnel: order.tunnel,
      side: 'user',
      sent,
      received,
      sentEnd,
      gotEnd,
    } as const;
    return [...spans, { type: 'report', event: done }];
  }
}
