import type { Rng } from '../../reference-impl/machine/rng.ts';
import type { Mapping } from './nat.ts';
import { portRange } from './nat.ts';

const LOWEST_PORT = 1024;
/** Random guesses before a free port is looked for one by one. */
const GUESSES = 16;

/**
 * The public ports of one NAT (RFC 4787 §4.2.1). A port is free, in use, or *lingering*: its mapping is gone but a socket of
 * ours still stands on it because the far end has not noticed; such a port is handed out last.
 */
export class PortTable {
  readonly #mapping: Mapping;
  readonly #rng: Rng;
  readonly #first: number;
  readonly #count: number;
  readonly #used = new Set<number>();
  readonly #lingering = new Set<number>();

  constructor(mapping: Mapping, rng: Rng) {
    this.#mapping = mapping;
    this.#rng = rng;
    const range = mapping.kind === 'range' ? portRange(mapping.ports) : { first: LOWEST_PORT, last: 65_535 };
    this.#first = range.first;
    this.#count = range.last - range.first + 1;
  }

  /** Mappings that exist. */
  get inUse(): number {
    return this.#used.size;
  }

  /**
   * @param innerPort what a port-preserving NAT keeps if it can
   * @param other must not be the inner port even if that is free (a mapping that was forgotten comes back elsewhere)
   * @returns undefined: exhausted
   */
  take(innerPort: number, other = false): number | undefined {
    if (this.#used.size >= this.#count) return undefined;
    const port = this.#preserved(innerPort, other) ?? this.#guess() ?? this.#search();
    if (port !== undefined) this.#used.add(port);
    return port;
  }

  /** Whether a socket of ours still stands on this port; asking takes the mark away. */
  takeOver(port: number): boolean {
    return this.#lingering.delete(port);
  }

  /** The mapping is gone. `lingers`: its socket is not. */
  release(port: number, lingers: boolean): void {
    if (this.#used.delete(port) && lingers) this.#lingering.add(port);
  }

  /** The socket on a lingering port is gone, too. */
  forget(port: number): void {
    this.#lingering.delete(port);
  }

  #preserved(innerPort: number, other: boolean): number | undefined {
    if (other || this.#mapping.kind !== 'preserving' || innerPort < LOWEST_PORT) return undefined;
    return this.#free(innerPort) ? innerPort : undefined;
  }

  #free(port: number): boolean {
    return !this.#used.has(port) && !this.#lingering.has(port);
  }

  #guess(): number | undefined {
    for (let tries = 0; tries < GUESSES; tries++) {
      const port = this.#first + this.#rng.below(this.#count);
      if (this.#free(port)) return port;
    }
    return undefined;
  }

  #search(): number | undefined {
    const from = this.#rng.below(this.#count);
    let lingering: number | undefined;
    for (let step = 0; step < this.#count; step++) {
      const port = this.#first + ((from + step) % this.#count);
      if (this.#free(port)) return port;
      if (!this.#used.has(port)) lingering ??= port;
    }
    return lingering;
  }
}
