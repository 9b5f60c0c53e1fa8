import type { Millis } from '../machine.ts';
import type { Family, FaultCommon, Place, Stage } from './fault.ts';

/** A black hole with a memory: nothing leaves while it is on (bytes are taken and held), all of it afterwards. */
export type StallFault = FaultCommon & {
  readonly kind: 'stall';
  readonly onMs: number;
  /** Clear time before the next stall; without it there is one stall only. */
  readonly offMs?: number;
};

class StallStage implements Stage {
  readonly #fault: StallFault;
  readonly #place: Place;
  #since: Millis = 0;
  constructor(fault: StallFault, place: Place) {
    this.#fault = fault;
    this.#place = place;
  }

  began(since: Millis): void {
    this.#since = since;
  }

  gate(): Millis {
    const { onMs, offMs = Number.POSITIVE_INFINITY } = this.#fault;
    const now = this.#place.clock.now;
    const cycle = onMs + offMs;
    const start = cycle === Number.POSITIVE_INFINITY ? 0 : Math.floor((now - this.#since) / cycle) * cycle;
    const end = this.#since + start + onMs;
    return now < end ? end : 0;
  }
}

export const STALL: Family<StallFault> = {
  kind: 'stall',
  note: 'nothing leaves while it is on (bytes are taken and held), all of it afterwards; repeats with offMs',
  proof: 'bytes held past their time',
  attributes: [
    { name: 'onMs', type: 'millis', standard: 'required', note: 'how long nothing leaves' },
    { name: 'offMs', type: 'millis', standard: 'once only', note: 'clear time before the next stall' },
  ],
  example: 'stall:onMs=800,offMs=4s,direction=up',
  triggers: 'any',
  directed: true,
  begin: (fault) => ({ stage: (place) => new StallStage(fault, place) }),
};
