/** What plays around an identity relay, as plain JSON like every spec of an actor. Keys are drawn from the run's seed by their names. */
import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { IdentityRole } from '../trace/identity-words.ts';

/** The protocol's own are ticks of a second; a lab has shorter ones, so that a run of a minute can show what they do. */
export type IdentityTimes = {
  readonly keepaliveMillis: Millis;
  readonly silenceMillis: Millis;
  readonly rekeyMillis: Millis;
  /** How long a connector waits to be accepted. */
  readonly halfTunnelMillis: Millis;
};

export type IdentityRelaySpec = { readonly kind: 'identity-relay'; readonly times: IdentityTimes };

/** A tunnel is opened, messages go one by one and come back, it is ended, and the next is opened. */
export type IdentityCalls = {
  /** Whose key is dialled. */
  readonly to: string;
  readonly fromMillis: Millis;
  readonly messages: number;
  readonly everyMillis: Millis;
  /** Tells its tunnels from those of all others in the run. */
  readonly firstTunnel: number;
};

export type IdentityNodeSpec<Place> = {
  readonly kind: 'identity-node';
  readonly relay: Place;
  readonly site: string;
  readonly role: IdentityRole;
  /** Whose key it shows; no two nodes of a run alike but for a twin and an impostor. */
  readonly key: string;
  readonly times: IdentityTimes;
  readonly mappingMillis: Millis;
  readonly startAfterMillis: Millis;
  /** It leaves then. */
  readonly leaveAfterMillis: Millis;
  /** undefined: it only waits for others. */
  readonly calls: IdentityCalls | undefined;
};
