import type { Address, Conn, Millis } from '../machine/machine.ts';
import type { SimHost } from './sim-host.ts';

/** Bytes on the way or unread, per direction; a sender holds what goes beyond. */
export const WINDOW_BYTES = 262_144;

/** What a sender holds or a receiver has not read yet. */
export type Chunk = { readonly bytes: Uint8Array; next: Chunk | undefined };

/** Stands for a FIN in a list of chunks: it keeps its place behind the bytes. Known by identity. */
export const FIN = new Uint8Array(0);
/** Stands for a `flush` in the list of what is unsent: the answer goes out when its turn comes. */
export const FLUSH = new Uint8Array(0);

export const DIALING = 1;
export const FIN_SENT = 2;
export const FIN_SEEN = 4;
/** The machine does not want to read. */
export const PAUSED = 8;
/** A splice does not read: its other side holds bytes already. */
export const HELD = 16;
/** Over for this host, only its `closed` is still on the way. */
export const DEAD = 32;
/** What was sent waits for a retransmission. */
export const STALLED = 64;
/** A WINDOW_OPEN is on the way. */
export const OPENING = 128;
/** After `close`: what comes is dropped. */
export const LINGERING = 256;
/** Carries a yamux session. */
export const CARRIER = 512;
/** Asked to end: nothing more is taken from the machine, whether the FIN has left or not. */
export const ENDING = 1024;

/** What a dial needs until it is answered. */
export type Dial = { readonly port: number; readonly from: Address | undefined };

/** One end of a connection. Ends come in pairs: the dialler's number is even, the other is its number + 1 (`conn ^ 1`). */
export class End {
  readonly host: SimHost;
  readonly far: SimHost;
  state = 0;
  /** The end or stream it is spliced with; -1: none. */
  splice: Conn = -1;
  /** When something of the peer was heard last. */
  heardAt: Millis;
  /** Arrival of what was sent last: nothing overtakes it. */
  lastArrival: Millis = 0;
  keepaliveMillis: Millis = 0;
  /** Chunks at the head of the list that have arrived; those behind are on the way. */
  arrived = 0;
  head: Chunk | undefined;
  tail: Chunk | undefined;
  unsentHead: Chunk | undefined;
  unsentTail: Chunk | undefined;
  inFlightBytes = 0;
  received = 0;
  sent = 0;
  /** Read and dropped after `close`. */
  lingeredBytes = 0;
  dial: Dial | undefined;
  /** Port of its place's border that it left from; 0: none. */
  publicPort = 0;

  constructor(host: SimHost, far: SimHost, now: Millis) {
    this.host = host;
    this.far = far;
    this.heardAt = now;
  }

  get heldBytes(): number {
    let bytes = 0;
    for (let chunk = this.unsentHead; chunk !== undefined; chunk = chunk.next) bytes += chunk.bytes.length;
    let chunk = this.head;
    for (let i = this.arrived; i > 0 && chunk !== undefined; i--) {
      bytes += chunk.bytes.length;
      chunk = chunk.next;
    }
    return bytes;
  }
}

/** Behind what has arrived and what is on the way. */
export const pushArriving = (end: End, chunk: Chunk): void => {
  if (end.tail === undefined) end.head = chunk;
  else end.tail.next = chunk;
  end.tail = chunk;
};

/** The first chunk that has arrived; there must be one. */
export const shiftArrived = (end: End): Uint8Array => {
  const chunk = end.head as Chunk;
  end.head = chunk.next;
  if (end.head === undefined) end.tail = undefined;
  end.arrived--;
  return chunk.bytes;
};

export const pushUnsent = (end: End, bytes: Uint8Array): void => {
  const chunk: Chunk = { bytes, next: undefined };
  if (end.unsentTail === undefined) end.unsentHead = chunk;
  else end.unsentTail.next = chunk;
  end.unsentTail = chunk;
};

/** Takes the first unsent bytes, at most `bytesMax` of them (a FIN or FLUSH is taken in any case). */
export const shiftUnsent = (end: End, bytesMax: number): Uint8Array => {
  const chunk = end.unsentHead as Chunk;
  const { bytes } = chunk;
  if (bytes.length > bytesMax) {
    const rest: Chunk = { bytes: bytes.subarray(bytesMax), next: chunk.next };
    end.unsentHead = rest;
    if (end.unsentTail === chunk) end.unsentTail = rest;
    return bytes.subarray(0, bytesMax);
  }
  end.unsentHead = chunk.next;
  if (end.unsentHead === undefined) end.unsentTail = undefined;
  return bytes;
};
