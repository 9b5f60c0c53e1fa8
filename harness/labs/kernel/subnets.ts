/** IPv4 subnets for a run, chosen so that they collide neither with the engine's networks nor with the host's routes. */

/** `base`: the network address as an unsigned 32-bit number; `prefix`: 0..32. */
export type Subnet = { readonly base: number; readonly prefix: number };

const sizeOf = (prefix: number): number => 2 ** (32 - prefix);

/** Dotted form of a 32-bit number. */
export const dotted = (value: number): string =>
  [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

/** `10.1.2.0/24`, with the host bits dropped; undefined if it is no IPv4 subnet (IPv6 ones are none of our business). */
export const parseSubnet = (text: string): Subnet | undefined => {
  const found = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text);
  if (found === null) return undefined;
  const [a, b, c, d, prefix] = found.slice(1).map(Number) as [number, number, number, number, number];
  if (prefix > 32 || [a, b, c, d].some((byte) => byte > 255)) return undefined;
  const value = ((a * 256 + b) * 256 + c) * 256 + d;
  return { base: value - (value % sizeOf(prefix)), prefix };
};

/** `10.1.2.0/24`. */
export const showSubnet = (subnet: Subnet): string => `${dotted(subnet.base)}/${subnet.prefix}`;

/** The address number `index` of a subnet (0: the network itself). @throws RangeError outside it */
export const addressAt = (subnet: Subnet, index: number): string => {
  if (!(index > 0 && index < sizeOf(subnet.prefix) - 1))
    throw new RangeError(`${showSubnet(subnet)} has no address number ${index}`);
  return dotted(subnet.base + index);
};

/** The last address a host may have: where the lab puts the bridge's own. */
export const lastAddress = (subnet: Subnet): string => addressAt(subnet, sizeOf(subnet.prefix) - 2);

export const overlaps = (a: Subnet, b: Subnet): boolean =>
  a.base < b.base + sizeOf(b.prefix) && b.base < a.base + sizeOf(a.prefix);

/** What the host routes to somewhere, from the text of /proc/net/route. The default route is left out. */
export const routedSubnets = (text: string): readonly Subnet[] => {
  const found: Subnet[] = [];
  for (const line of text.split('\n').slice(1)) {
    const fields = line.split('\t').map((field) => field.trim());
    const [base, mask] = [fields[1], fields[7]].map((hex) => Buffer.from(hex ?? '', 'hex'));
    if (base?.length !== 4 || mask?.length !== 4) continue;
    // the kernel writes both as host-order numbers: byte order is reversed on every machine Node runs on
    const bits = mask.readUInt32LE().toString(2).split('1').length - 1;
    if (bits > 0) found.push({ base: base.readUInt32LE(), prefix: bits });
  }
  return found;
};

/** Hands out subnets of one range, never the same twice, none that overlaps what is taken. */
export class SubnetPool {
  readonly #range: Subnet;
  readonly #taken: Subnet[];
  /** Offset in the range at which the search goes on. */
  #next: number;
  /** Addresses searched so far; at the range's size it is used up. */
  #walked = 0;

  /** `start`: any whole number; two runs that begin at different places rarely meet. */
  constructor(range: Subnet, taken: readonly Subnet[], start: number) {
    this.#range = range;
    this.#taken = [...taken];
    const block = sizeOf(20);
    this.#next = (Math.abs(Math.trunc(start)) % Math.max(1, sizeOf(range.prefix) / block)) * block;
  }

  /** The next free subnet of this size. One the engine refuses is simply not asked for again. @throws RangeError when the range is used up */
  take(prefix: number): Subnet {
    const size = sizeOf(prefix);
    const whole = sizeOf(this.#range.prefix);
    while (this.#walked < whole) {
      const offset = Math.ceil(this.#next / size) * size;
      this.#walked += offset + size - this.#next;
      this.#next = (offset + size) % whole;
      if (offset + size > whole) continue;
      const subnet = { base: this.#range.base + offset, prefix };
      if (this.#taken.some((other) => overlaps(other, subnet))) continue;
      this.#taken.push(subnet);
      return subnet;
    }
    throw new RangeError(`no free /${prefix} left in ${showSubnet(this.#range)}`);
  }
}
