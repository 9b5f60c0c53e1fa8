/** Packets on their way through one direction of a link: each leaves after its delay, in order unless it is to overtake. */
import type { Rng } from '../../../reference-impl/machine/rng.ts';
import type { PacketWay } from '../packet-form.ts';

export type DelayLineOptions = Pick<PacketWay, 'delayMillis' | 'jitterMillis' | 'dist' | 'reorder'>;

/** More than this many are dropped at the tail, as a full queue of a router does. */
const PACKETS_MAX = 20_000;

const deviation = (rng: Rng, dist: DelayLineOptions['dist']): number => {
  const unit = rng.unit();
  if (dist === 'uniform') return 2 * unit - 1;
  if (dist === 'pareto') return Math.min(10, 1 / Math.sqrt(1 - unit) - 1);
  return Math.sqrt(-2 * Math.log(1 - unit)) * Math.cos(2 * Math.PI * rng.unit());
};

export class DelayLine<Packet> {
  readonly #options: DelayLineOptions;
  readonly #rng: Rng;
  #waiting: { readonly due: number; readonly packet: Packet }[] = [];
  #last = Number.NEGATIVE_INFINITY;
  #overtaking: Packet[] = [];
  passed = 0;
  overtook = 0;
  dropped = 0;

  constructor(options: DelayLineOptions, rng: Rng) {
    this.#options = options;
    this.#rng = rng;
  }

  /** @param now milliseconds of a clock that never goes back */
  push(now: number, packet: Packet): void {
    const { delayMillis, jitterMillis, dist, reorder } = this.#options;
    if (reorder > 0 && this.#rng.unit() < reorder) {
      this.overtook++;
      this.#overtaking.push(packet);
      return;
    }
    if (this.#waiting.length >= PACKETS_MAX) {
      this.dropped++;
      return;
    }
    const jitter = jitterMillis === 0 ? 0 : jitterMillis * deviation(this.#rng, dist);
    this.#last = Math.max(this.#last, now + Math.max(0, delayMillis + jitter));
    this.#waiting.push({ due: this.#last, packet });
  }

  /** What leaves now, in order. */
  take(now: number): readonly Packet[] {
    let count = 0;
    while (count < this.#waiting.length && (this.#waiting[count]?.due ?? 0) <= now) count++;
    const out = [...this.#overtaking, ...this.#waiting.splice(0, count).map(({ packet }) => packet)];
    this.#overtaking = [];
    this.passed += out.length;
    return out;
  }

  /** When to take again; undefined: when something comes. */
  due(): number | undefined {
    return this.#overtaking.length > 0 ? Number.NEGATIVE_INFINITY : this.#waiting[0]?.due;
  }
}
