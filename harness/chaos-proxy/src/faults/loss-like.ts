import type { Millis } from '../machine.ts';
import type { Family, FaultCommon, Next, Piece, Place, Stage } from './fault.ts';
import { split } from './fault.ts';

/** What packet loss looks like from inside TCP: bytes come late, never not at all. */
export type LossLikeFault = FaultCommon & {
  readonly kind: 'lossLike';
  /** Share of 1,460-byte segments lost. */
  readonly ratio: number;
  /** Segments lost together. */
  readonly burst?: number;
  /** Added to the ratio right behind a lost segment: losses come in runs. */
  readonly correlation?: number;
  /** First retransmission time-out; it doubles with each further loss. */
  readonly rtoMs?: number;
};

const SEGMENT_BYTES = 1460;
const RTO_MILLIS = 200;
const TRIES_MAX = 6;

class LossLikeStage implements Stage {
  readonly #fault: LossLikeFault;
  readonly #place: Place;
  #block = -1;
  #clear: Millis = 0;
  #lost = false;
  constructor(fault: LossLikeFault, place: Place) {
    this.#fault = fault;
    this.#place = place;
  }

  push(piece: Piece, next: Next): void {
    const blockBytes = SEGMENT_BYTES * (this.#fault.burst ?? 1);
    const { receipt } = this.#place;
    let rest = piece;
    while (rest.bytes.length > 0) {
      const block = Math.floor(rest.offset / blockBytes);
      if (block !== this.#block) {
        this.#block = block;
        // Bytes behind a lost segment wait for it: that is TCP's order, and where most of the pain comes from.
        this.#clear = Math.max(this.#clear, rest.at + this.#wait(block));
      }
      const [head, tail] = split(rest, Math.min((block + 1) * blockBytes - rest.offset, rest.bytes.length));
      const at = Math.max(this.#clear, head.at);
      receipt.delay(head.bytes.length, at - head.at);
      next({ ...head, at, by: at > head.at ? receipt : head.by });
      rest = tail;
    }
  }

  #wait(block: number): Millis {
    const { ratio, correlation = 0, rtoMs = RTO_MILLIS } = this.#fault;
    const { conn, direction, random, receipt } = this.#place;
    let millis = 0;
    let tries = 0;
    const share = (): number => (this.#lost || tries > 0 ? ratio + correlation : ratio);
    while (tries < TRIES_MAX && random.unit(block, tries) < share()) millis += rtoMs * 2 ** tries++;
    this.#lost = tries > 0;
    receipt.note('retransmitted', conn, direction, tries, 'count');
    return millis;
  }
}

export const LOSS_LIKE: Family<LossLikeFault> = {
  kind: 'lossLike',
  note: 'packet loss as TCP users see it: 1,460-byte segments come 200, 600, 1400 ms late, none is dropped',
  proof: 'retransmissions',
  attributes: [
    { name: 'ratio', type: 'ratio', standard: 'required', note: 'share of segments lost' },
    { name: 'burst', type: 'count', standard: '1', least: 1, note: 'segments lost together' },
    {
      name: 'correlation',
      type: 'ratio',
      standard: '0',
      note: 'added to the ratio right behind a lost segment',
    },
    {
      name: 'rtoMs',
      type: 'millis',
      standard: String(RTO_MILLIS),
      note: 'first retransmission time-out; doubles',
    },
  ],
  example: 'lossLike:ratio=1%,burst=2',
  triggers: 'any',
  directed: true,
  begin: (fault) => ({ stage: (place) => new LossLikeStage(fault, place) }),
};
