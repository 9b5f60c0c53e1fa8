import type { Rng } from '../../reference-impl/machine/rng.ts';
import type { Nat } from './nat.ts';
import type { Pair } from './nat-pair.ts';
import { PortTable } from './port-table.ts';

/**
 * The tables of one NAT: the one whose ports the upstream sees, and with depth 2 the home NAT's in front of it. A home NAT that
 * reboots forgets its own mappings only; the carrier's stay until they idle out or their connection ends.
 */
export class PortTranslation {
  readonly #ports: PortTable;
  readonly #home: PortTable | undefined;

  constructor(nat: Nat, rng: Rng) {
    this.#ports = new PortTable(nat.mapping, rng);
    this.#home = nat.depth === 2 ? new PortTable({ kind: 'preserving' }, rng) : undefined;
  }

  /** Mappings that exist on the public side. */
  get inUse(): number {
    return this.#ports.inUse;
  }

  /**
   * Gives the pair its mapping.
   * @param elsewhere not the port it would have got first
   * @returns false: exhausted
   */
  take(pair: Pair, elsewhere: boolean): boolean {
    const homePort = this.#home === undefined ? pair.from.port : this.#home.take(pair.from.port);
    const port = homePort === undefined ? undefined : this.#ports.take(homePort, elsewhere);
    if (homePort === undefined || port === undefined) {
      if (homePort !== undefined) this.#home?.release(homePort, false);
      return false;
    }
    pair.port = port;
    pair.homePort = homePort;
    pair.mapped = true;
    return true;
  }

  /** Whether a socket of a mapping that is gone still stands on this port; asking takes the mark away. */
  takeOver(port: number): boolean {
    return this.#ports.takeOver(port);
  }

  /** The mapping is gone. `lingers`: its outer socket is not. */
  release(pair: Pair, lingers: boolean): void {
    this.#home?.release(pair.homePort, false);
    if (!pair.mapped) return;
    pair.mapped = false;
    this.#ports.release(pair.port, lingers);
  }

  /** The NAT next to the inner end forgets; a carrier behind it does not. */
  releaseInner(pair: Pair, lingers: boolean): void {
    if (this.#home === undefined) this.release(pair, lingers);
    else this.#home.release(pair.homePort, false);
  }

  /** Both sockets are gone. `lingered`: the mapping went first. */
  over(pair: Pair, lingered: boolean): void {
    if (pair.mapped) this.release(pair, false);
    else if (lingered) this.#ports.forget(pair.port);
    pair.port = 0;
  }
}
