/**
 * Position codes of measurement points. A point's value is its number among all points of its agent; the microseconds of its
 * timestamp are a code of agent, metric and number. Both survive every store there is, and neither makes a series of its own.
 */

const FNV_OFFSET = 2_166_136_261;
const FNV_PRIME = 16_777_619;
const MICROS_IN_SECOND = 1_000_000;

const hashed = (text: string): number => {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash >>> 0;
};

/** The codes of one agent's points under one metric. `metric`: the name the agent gave it, not what a server made of it. */
export class PointCode {
  readonly #base: number;

  constructor(agent: string, metric: string) {
    this.#base = hashed(`${agent}\0${metric}`);
  }

  /** 0 to 999,999: the microseconds within a second of point number `point`. */
  micros(point: number): number {
    // murmur3's last steps: neighbours share nothing
    let hash = this.#base ^ Math.imul(point + 1, 0x9e37_79b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) % MICROS_IN_SECOND;
  }
}

/** What a server appends to the name of a metric that clashes with another client's. */
export const renamedFor = (metric: string, client: string): string => `${metric}_relay-client-${client}`;

/** The name a client gave to what it is called in the store: the suffix of a rename (`..._2` for a further one) taken off. */
export const plainMetric = (stored: string, client: string): string => {
  const suffix = renamedFor('', client);
  const at = stored.lastIndexOf(suffix);
  if (at < 0 || !/^(_[1-9]\d*)?$/.test(stored.slice(at + suffix.length))) return stored;
  return stored.slice(0, at);
};
