/** What a userspace NAT is made from. */
import type { Address, Listener, Millis, NameConn } from '../../reference-impl/machine/machine.ts';
import type { Rng } from '../../reference-impl/machine/rng.ts';
import type { Nat } from './nat.ts';

export type ConnectionsOptions = {
  readonly upstream: Address;
  /** Listeners whose connections lead elsewhere; whoever runs the machine opens them. Mappings, ports and faults are shared. */
  readonly upstreams?: ReadonlyMap<Listener, Address>;
  /** Address it dials from. undefined: the system chooses address and port, and mappings are only counted. */
  readonly publicHost: string | undefined;
  readonly nat: Nat;
  readonly rng: Rng;
  readonly name: NameConn;
  /** TCP keepalive of the inner ends: how long they take to notice silence. 0: they never do. A userspace NAT ends TCP and
   *  cannot see their probes, so it does for them what those would do: keep a mapping fresh, or find it gone. */
  readonly innerKeepaliveMillis: Millis;
  readonly outerKeepaliveMillis: Millis;
};

export type NatOptions = ConnectionsOptions & {
  /** Inner side. `host` undefined: the driver's bind address; `port` 0: any free one. */
  readonly listen: { readonly host: string | undefined; readonly port: number };
};
