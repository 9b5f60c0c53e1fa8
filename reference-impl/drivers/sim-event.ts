import type { Millis, NetInput } from '../machine/machine.ts';
import type { SimHost } from './sim-host.ts';

/**
 * What an event of the simulator is: one whole number, `target << EVENT_BITS | kind`. The target is a host's index, a
 * connection end or a waiting call. Payload waits in the receiving end's own list, never in the event.
 */
export type EventKind = number;

export const EVENT_BITS = 5;
/** Targets are whole numbers below this, so that every event is a small integer of the engine. */
export const TARGETS_MAX = 1 << (30 - EVENT_BITS);

/** Target: a host. */
export const WAKE = 0;
/** Target: a call that waits. */
export const CALL = 1;
/** Target: a connection end, the dialler's for SYN. */
export const SYN = 2;
export const SYN_ACK = 3;
export const REFUSED = 4;
export const UNREACHABLE = 5;
export const CHUNK = 6;
export const RST = 7;
/** Both halves have ended. */
export const FINISHED = 8;
export const FLUSHED = 9;
/** Waiting bytes may be read again (resume, splice). */
export const DRAIN = 10;
/** The peer has taken bytes: the window is open again. */
export const WINDOW_OPEN = 11;
/** Retransmission of what a cut has held. */
export const RETRY = 12;
/** Retransmission, or the dial, gives up. */
export const EXPIRE = 13;
/** Keepalive probes have had no answer. */
export const PROBED = 14;
/** After `close` the peer had its time. */
export const LINGERED = 15;
/** Target: the carrier of a yamux session. */
export const MUX_TURN = 16;
export const MUX_WAKE = 17;
/** Target: nobody. Idle splices of the whole world are looked at. */
export const LOOK = 18;
/** An input of the driver's own is due. Target: the host it is for. */
export const INPUT = 19;

/** What the parts of the simulator ask of its middle. */
export type Agenda = {
  /** An event at a whole millisecond, not before now. */
  post(at: Millis, kind: EventKind, target: number): void;
  /** Hands an input to a host's machine and performs what it answers. Only ever called from an event. */
  feed(now: Millis, host: SimHost, input: NetInput): void;
};
