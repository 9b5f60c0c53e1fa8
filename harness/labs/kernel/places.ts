/** Who has which address in a lab whose kernel does the NAT. */
import { LabError } from '../lab.ts';
import { addressAt, type Subnet } from './subnets.ts';

/** A network behind a NAT has room for five hosts: gateway, site, and whatever stands between them. */
export const LAN_PREFIX = 29;
/** Addresses in the public network: a /20. */
export const WAN_PREFIX = 20;
/** Numbers of hosts in a network behind a NAT. Between two NATs the outer one is `gateway`, the inner one `host`. */
export const INSIDE = { gateway: 1, host: 2, link: 3 } as const;

const WAN_PLACES = { outside: 10, gateways: 257, moved: 2049 } as const;
/** Sites there is room for. */
export const SITES_MAX = WAN_PLACES.moved - WAN_PLACES.gateways;
const OUTSIDE_MAX = WAN_PLACES.gateways - WAN_PLACES.outside;
const MOVES_MAX = 4094 - WAN_PLACES.moved;

type Wan = { readonly subnet: Subnet };

export const wanAddress = {
  /** Host number 0.. of those outside. @throws LabError when there are too many */
  outside: (wan: Wan, host: number): string => {
    if (host >= OUTSIDE_MAX) throw new LabError(`${host + 1} hosts outside`, `a lab has ${OUTSIDE_MAX}`);
    return addressAt(wan.subnet, WAN_PLACES.outside + host);
  },
  /** Site number 0.. */
  gateway: (wan: Wan, site: number): string => addressAt(wan.subnet, WAN_PLACES.gateways + site),
  /** The `move`th new address a gateway gets, from 0, never one that was used before. @throws LabError when there is none left */
  moved: (wan: Wan, move: number): string => {
    if (move >= MOVES_MAX)
      throw new LabError(`${move + 1} address changes in one run`, `a lab has ${MOVES_MAX}: plan fewer`);
    return addressAt(wan.subnet, WAN_PLACES.moved + move);
  },
} as const;

/** Addresses for the gateways of one run that move: none comes twice. */
export const newAddresses = (wan: Wan): (() => string) => {
  let moves = 0;
  return () => wanAddress.moved(wan, moves++);
};
