import type { KeyedStream } from '../keyed-random.ts';
import type { Millis } from '../machine.ts';
import type { Family, FaultCommon, Next, Piece, Place, Stage } from './fault.ts';
import { split } from './fault.ts';

/** Every byte (and the FIN) arrives `ms` later, give or take `jitter`. */
export type LatencyFault = FaultCommon & {
  readonly kind: 'latency';
  readonly ms: number;
  /** uniform: half the width; normal: standard deviation; pareto: mean of the extra delay. */
  readonly jitter?: number;
  readonly dist?: 'uniform' | 'normal' | 'pareto';
  /** 0 to 1: how much a draw resembles the one before. */
  readonly correlation?: number;
  /** Bytes of the stream that share one draw. */
  readonly unit?: number;
};

const UNIT_BYTES = 256;
const MEMORY = 32;

const sample = (random: KeyedStream, dist: string, unit: number): number => {
  if (dist === 'normal') return random.normal(unit);
  if (dist === 'pareto') return Math.min(10, 1 / Math.sqrt(1 - random.unit(unit)) - 1);
  return 2 * random.unit(unit) - 1;
};

/** The deviation of one unit of the stream, in jitters. A moving sum of keyed draws, so it needs no history of its own. */
const deviation = (random: KeyedStream, dist: string, correlation: number, unit: number): number => {
  if (correlation === 0) return sample(random, dist, unit);
  let sum = 0;
  let weight = Math.sqrt(1 - correlation * correlation);
  for (let back = 0; back < MEMORY && back <= unit; back++, weight *= correlation)
    sum += weight * sample(random, dist, unit - back);
  return sum;
};

class LatencyStage implements Stage {
  readonly #fault: LatencyFault;
  readonly #place: Place;
  #last: Millis = 0;
  #unit = -1;
  #delay: Millis = 0;
  constructor(fault: LatencyFault, place: Place) {
    this.#fault = fault;
    this.#place = place;
  }

  push(piece: Piece, next: Next): void {
    const { jitter = 0, unit = UNIT_BYTES } = this.#fault;
    if (jitter === 0) {
      this.#pass(piece, piece.at + this.#fault.ms, next);
      return;
    }
    // Units that do not move the moment (the order of bytes is kept) stay in one piece.
    let rest = piece;
    let at = this.#due(piece.at, Math.floor(piece.offset / unit));
    const end = piece.offset + piece.bytes.length;
    for (let border = (Math.floor(piece.offset / unit) + 1) * unit; border < end; border += unit) {
      const due = this.#due(piece.at, border / unit);
      if (due === at) continue;
      const [head, tail] = split(rest, border - rest.offset);
      this.#pass(head, at, next);
      rest = tail;
      at = due;
    }
    this.#pass(rest, at, next);
  }

  fin(at: Millis): Millis {
    return Math.max(this.#last, at + this.#fault.ms);
  }

  #due(at: Millis, unit: number): Millis {
    const { ms, jitter = 0, dist = 'uniform', correlation = 0 } = this.#fault;
    if (unit !== this.#unit) {
      this.#unit = unit;
      this.#delay = Math.max(0, ms + jitter * deviation(this.#place.random, dist, correlation, unit));
    }
    const due = Math.max(this.#last, at + this.#delay);
    this.#last = due;
    return due;
  }

  #pass(piece: Piece, at: Millis, next: Next): void {
    const { conn, direction, receipt } = this.#place;
    this.#last = Math.max(this.#last, at);
    receipt.delay(piece.bytes.length, this.#last - piece.at);
    if (this.#last > piece.at) receipt.note('delayed', conn, direction, piece.bytes.length, 'bytes');
    next({ ...piece, at: this.#last, by: receipt });
  }
}

export const LATENCY: Family<LatencyFault> = {
  kind: 'latency',
  note: 'every byte and the FIN arrive later; the order is kept',
  proof: 'bytes delayed',
  attributes: [
    { name: 'ms', type: 'millis', standard: 'required', note: 'delay one way' },
    {
      name: 'jitter',
      type: 'millis',
      standard: '0',
      note: 'spread: half width (uniform), standard deviation (normal), mean of the extra (pareto)',
    },
    {
      name: 'dist',
      type: 'word',
      standard: 'uniform',
      words: ['uniform', 'normal', 'pareto'],
      note: 'shape of the jitter',
    },
    {
      name: 'correlation',
      type: 'ratio',
      standard: '0',
      note: 'how much a draw resembles the one before',
    },
    {
      name: 'unit',
      type: 'bytes',
      standard: String(UNIT_BYTES),
      least: 1,
      note: 'bytes of the stream that share one draw',
    },
  ],
  example: 'latency:ms=60,jitter=25,dist=normal,direction=down',
  triggers: 'any',
  directed: true,
  check: (fault) => (fault.correlation === 1 ? 'a correlation below 1' : undefined),
  begin: (fault) => ({
    stage: (place) => new LatencyStage(fault, place),
    latencyMillis: fault.ms + (fault.jitter ?? 0),
  }),
};
