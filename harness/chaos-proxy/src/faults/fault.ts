import type { KeyedStream } from '../keyed-random.ts';
import type { Millis } from '../machine.ts';
import type { Receipt, Way } from '../receipt.ts';
import type { Attribute } from './attribute.ts';

/** Which way a fault acts: `up` towards the upstream, `down` back, `both` each for itself (the default). */
export type Direction = Way | 'both';

/** Which connections of the link are hit; what is given must all hold. Ordinals count from 1 in the order of accepting. */
export type Selector = {
  /** One ordinal, a range with both ends included, or all. */
  readonly connections?: number | readonly [number, number] | 'all';
  /** The first n connections of the link. */
  readonly first?: number;
  /** Every n-th: n, 2n, 3n, ... */
  readonly every?: number;
  /** 0 to 1, drawn once for each connection from seed, fault and ordinal. */
  readonly probability?: number;
};

/**
 * When a fault begins. `afterMillis` counts from when the fault was put on the link and is one moment for all
 * connections; the others are moments of each connection. What happened before the fault was there does not count.
 */
export type When =
  | { readonly afterMillis: number }
  /** From this offset of the direction's bytes on. */
  | { readonly byte: number }
  /** Right behind the given occurrence (1 unless told) of these bytes: text, or `hex:0d0a`. */
  | { readonly marker: string; readonly occurrence?: number }
  | { readonly event: 'accept' | 'connect' | 'firstByte' | 'fin' };

/** What every fault may say besides its own attributes. */
export type FaultCommon = {
  readonly direction?: Direction;
  readonly selector?: Selector;
  readonly when?: When;
  /** How long it acts once begun; without it: until it is removed. */
  readonly forMillis?: number;
};

/** How a connection is cut. `fin`: that direction only; `close`: FIN to both ends; `silent`: both stay open and hear nothing. */
export type CutHow = 'fin' | 'rst' | 'close' | 'silent';

/** Bytes on their way through the faults of one direction. */
export type Piece = {
  /** When it may leave. */
  readonly at: Millis;
  /** Of its first byte, in its direction. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** `apart`: leaves in a write of its own; `together`: in one write with the piece before it; `free`: as it comes. */
  readonly edge: 'free' | 'apart' | 'together';
  /** The last fault that delayed it. */
  readonly by: Receipt | undefined;
};
export type Next = (piece: Piece) => void;

/** Where one fault acts: one direction of one connection. */
export type Place = {
  /** Connection ordinal, from 1. */
  readonly conn: number;
  readonly direction: Way;
  readonly clock: { readonly now: Millis };
  readonly random: KeyedStream;
  readonly receipt: Receipt;
  /** Cuts the connection behind the pieces passed on so far. */
  readonly cut: (how: CutHow) => void;
  /** Resets both ends of the connection, whatever is still on its way. */
  readonly reset: (afterMillis: Millis) => void;
  /** FIN to both ends, what is still on its way is lost; an end that goes on talking gets RST. */
  readonly close: (afterMillis: Millis) => void;
};

/** What a fault does to the bytes of its place while it is active. Every method may be absent: nothing is done then. */
export interface Stage {
  /** The connection is closed when the fault is taken off while it acts: the stream has a hole that nothing can mend. */
  readonly closesWhenRemoved?: true;
  /** Passes bytes on: later, in other pieces, changed, or not at all. Never out of order. */
  push?(piece: Piece, next: Next): void;
  /** When the FIN may leave that could have left at `at`. */
  fin?(at: Millis): Millis;
  /** It became active. `since`: when; for a fault with `afterMillis` that moment, not the connection's own. */
  began?(since: Millis, offset: number): void;
  /** Pieces that are due leave no earlier than this. */
  gate?(): Millis;
}

/** What a fault says at the door of the link. */
export type Verdict = { readonly refuse: boolean; readonly delayMillis: Millis };
export type Door = { readonly conn: number; readonly random: KeyedStream; readonly receipt: Receipt };

/** One fault at work on one link. */
export type Acting = {
  readonly stage?: (place: Place) => Stage;
  readonly door?: (door: Door) => Verdict | undefined;
  /** How long bytes stay in the link and how fast they leave it, for the bound on what it holds. */
  readonly latencyMillis?: Millis;
  readonly bytesPerSecond?: number;
};

/** One kind of fault: parsing, help, README table and behaviour come from here. */
export interface Family<F extends FaultCommon & { readonly kind: string }> {
  readonly kind: F['kind'];
  /** One line for help and README. */
  readonly note: string;
  /** What its receipt counts. */
  readonly proof: string;
  readonly attributes: readonly Attribute[];
  readonly example: string;
  /** `time`: it acts on whole connections or the link, so only `when.afterMillis` makes sense. */
  readonly triggers: 'any' | 'time';
  readonly directed: boolean;
  /** What is wrong with attributes that are right one by one; undefined: nothing. */
  check?(fault: F): string | undefined;
  begin(fault: F): Acting;
}

/** A piece cut in two at `length` bytes; the second half stays with the first unless it is to be apart. */
export const split = (piece: Piece, length: number): readonly [Piece, Piece] => [
  { ...piece, bytes: piece.bytes.subarray(0, length) },
  { ...piece, bytes: piece.bytes.subarray(length), offset: piece.offset + length, edge: 'free' },
];
