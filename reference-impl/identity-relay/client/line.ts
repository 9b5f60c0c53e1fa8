/** One connection of a node to its relay: to listen on, or an end of a tunnel with the second secure channel in it. */
import { type Conn, type Millis, type NetOutput, soonest } from '../../machine/machine.ts';
import type { Chance } from '../chance.ts';
import { Conduit } from '../conduit.ts';
import type { Identity } from '../crypto.ts';
import { Link } from '../link.ts';
import type { InitConnection, MessageCodec } from '../messages.ts';
import { Outlet } from '../outlet.ts';
import { textOf } from '../public-key.ts';
import { saySend } from '../slab.ts';
import type { NodeLimits } from './node-limits.ts';
import type { NodeReport } from './node-report.ts';

export type NodeOutput = NetOutput<NodeReport>;
export type Out = NodeOutput[];

/** What the second channel seals must fit a frame of the first: random bytes grow by less than a percent. */
const INNER_SEALED_BYTES_MAX = 1_040_000;

/** `joining`: on the way to the relay; `meeting`: to the other node; `open`; `ending`: still sends what waits; `closing`: said goodbye. */
export type LineState = 'joining' | 'meeting' | 'open' | 'ending' | 'closing';

/** How long it may take until what waits is sent. */
const ENDING_MILLIS_MAX = 60_000;

export type LineOptions = {
  readonly conn: Conn;
  readonly init: InitConnection;
  readonly identity: Identity;
  readonly relayKey: Uint8Array;
  readonly chance: Chance;
  readonly codec: MessageCodec;
  readonly limits: NodeLimits;
};

export class Line {
  readonly conn: Conn;
  readonly init: InitConnection;
  /** The other node; empty for the one that listens. */
  readonly peer: string;
  readonly link: Link;
  readonly inner: Conduit | undefined;
  readonly outlet: Outlet;
  readonly #limits: NodeLimits;
  state: LineState = 'joining';
  since: Millis;
  paused = false;
  /** The owner was told that it is full. */
  full = false;

  constructor(options: LineOptions, now: Millis) {
    const { conn, init, identity, relayKey, chance, codec, limits } = options;
    const common = { ...limits, identity, chance, codec };
    this.conn = conn;
    this.init = init;
    this.peer = init.type === 'listen' ? '' : textOf(init.publicKey);
    this.link = new Link({ ...common, expected: relayKey });
    this.inner =
      init.type === 'listen'
        ? undefined
        : new Conduit({
            ...common,
            expected: init.publicKey,
            headroomBytes: 0,
            sealedBytesMax: INNER_SEALED_BYTES_MAX,
          });
    this.outlet = new Outlet(limits.unsentBytesMax);
    this.#limits = limits;
    this.since = now;
  }

  /** Whether it is still part of something. */
  get alive(): boolean {
    return this.state !== 'ending' && this.state !== 'closing';
  }

  become(now: Millis, state: LineState): void {
    this.state = state;
    this.since = now;
  }

  /** On the wire as it is. */
  put(bytes: Uint8Array, out: Out): void {
    saySend(this.conn, bytes, out);
    if (this.outlet.sent(bytes.length)) out.push({ type: 'flush', conn: this.conn });
  }

  /** To the relay, or through it. @throws WireError MESSAGE_TOO_LONG */
  tell(now: Millis, message: Uint8Array, out: Out): void {
    this.put(this.link.send(now, message), out);
  }

  hold(now: Millis, held: boolean, out: Out): void {
    if (this.paused === held) return;
    this.paused = held;
    this.link.hold(now, held);
    this.inner?.hold(now, held);
    out.push({ type: held ? 'pause' : 'resume', conn: this.conn });
  }

  deadline(): Millis | undefined {
    switch (this.state) {
      case 'joining':
        return this.since + this.#limits.joinMillisMax;
      case 'meeting':
        return soonest(this.since + this.#limits.meetMillisMax, this.link.deadline());
      case 'open':
        return soonest(this.link.deadline(), this.inner?.deadline());
      case 'ending':
        return this.since + ENDING_MILLIS_MAX;
      case 'closing':
        return undefined;
    }
  }

  /** Zeroes every key. */
  forget(): void {
    this.link.close();
    this.inner?.close();
  }
}
