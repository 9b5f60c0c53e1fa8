/** Public ports, both ends included. */
export type PortRange = { readonly from: number; readonly to: number };

/** The ports above a control port, as the relay's documentation has it. Empty (`from` > `to`) above 65535. */
export const portsAbove = (controlPort: number): PortRange => ({ from: controlPort + 1, to: 65_535 });

/** Which ports of a range are lent to registrations. The lowest free one goes first, so a client that returns soon gets its port again. */
export class PortLease {
  readonly #from: number;
  readonly #lent: Uint8Array;
  /** Every place before this one is lent. */
  #lowest = 0;

  constructor(range: PortRange) {
    this.#from = range.from;
    this.#lent = new Uint8Array(Math.max(0, range.to - range.from + 1));
  }

  /** @param above only ports higher than this (0: any) @returns undefined when none is left */
  take(above: number): number | undefined {
    const first = Math.max(0, above + 1 - this.#from);
    const at = this.#lent.indexOf(0, Math.max(first, this.#lowest));
    if (first <= this.#lowest) this.#lowest = at < 0 ? this.#lent.length : at;
    if (at < 0) return undefined;
    this.#lent[at] = 1;
    return this.#from + at;
  }

  giveBack(port: number): void {
    const at = port - this.#from;
    this.#lent[at] = 0;
    if (at < this.#lowest) this.#lowest = at;
  }
}
