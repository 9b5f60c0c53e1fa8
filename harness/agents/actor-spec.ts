/**
 * Actors are the machines that do the work inside a lab's hosts. A spec is plain JSON, so that the same one starts an actor
 * in the simulator, in a process on loopback or in a container. `Place` is how it speaks about others: a name (`Ref`) in a
 * topology, an address once a lab has resolved it.
 */
import type { Fault } from 'chaos-proxy';
import type { Schedule } from '../../reference-impl/backoff/schedule.ts';
import type { Address, Millis } from '../../reference-impl/machine/machine.ts';
import type { RelayLimits } from '../../reference-impl/port-relay/relay/limits.ts';
import type { Nat } from '../nat/nat.ts';
import type { IdentityNodeSpec, IdentityRelaySpec } from './identity-spec.ts';
import type { MeasurementAgentSpec, MeasurementServerSpec, StoreReaderSpec } from './measurement-spec.ts';

/** An actor by its host path: `relay`, `users`, `home/service`. */
export type Ref = string;

/** A way out of a site: whoever dials this door of a link or NAT reaches `target`, over `upstream`. */
export type Door<Place> = { readonly target: Ref; readonly upstream: Place };

export type ActorSpec<Place> =
  /** One of our relay clients: registers, serves each tunnel by dialling `service`. */
  | {
      readonly kind: 'client';
      readonly mode: 'pool' | 'event' | 'multiplex';
      readonly relay: Place;
      readonly service: Place;
      readonly poolSize: number;
      readonly schedule: Schedule;
      readonly dialMillis: Millis;
      readonly keepaliveMillis: Millis;
      readonly startAfterMillis: Millis;
    }
  /** `relay --localForwardPort`: the program itself in real labs, its machine in the simulator. */
  | { readonly kind: 'forwarder'; readonly relay: Place; readonly service: Place }
  /** An unmodified TCP service that knows nothing of the relay: reads a request, answers position-coded bytes. */
  | { readonly kind: 'service' }
  /** Users outside: told to open tunnels (`TunnelOrder`). */
  | { readonly kind: 'users' }
  /** The far end of the direct path of the throughput phase. */
  | { readonly kind: 'sink' }
  /** The near end of it: told to push. */
  | { readonly kind: 'source'; readonly to: Place }
  /** A raw client that says literal bytes (see harness/agents/script.ts). */
  | { readonly kind: 'script'; readonly to: Place; readonly steps: readonly ScriptStep[] }
  /** A flaky link. All its doors share its faults. `from`: the address it dials from; without it, any. */
  | {
      readonly kind: 'link';
      readonly doors: readonly Door<Place>[];
      readonly from?: string | undefined;
      readonly faults: readonly Fault[];
      readonly keepaliveMillis: Millis;
    }
  /** A userspace NAT. All its doors share its mappings. `publicHost`: the address it dials from. */
  | {
      readonly kind: 'nat';
      readonly doors: readonly Door<Place>[];
      readonly publicHost: string | undefined;
      readonly nat: Nat;
      readonly innerKeepaliveMillis: Millis;
      readonly outerKeepaliveMillis: Millis;
    }
  /** Our relay as a machine (simulator). */
  | {
      readonly kind: 'relay';
      readonly port: number;
      readonly limits: Partial<RelayLimits>;
      readonly defect: string | undefined;
    }
  /** Measures, and sends what it measured to a server: a made-up, position-coded source before our client. */
  | MeasurementAgentSpec<Place>
  /** Before an agent that is not ours: tells what it does. */
  | { readonly kind: 'agent-tap'; readonly upstream: Place }
  /** Takes points and stores them. */
  | MeasurementServerSpec
  /** Our identity relay, and a node that is addressed by its key. */
  | IdentityRelaySpec
  | IdentityNodeSpec<Place>
  /** Reads the store of a measurement server beside it, and tells what lies there. */
  | StoreReaderSpec
  /** A program. `{port}` in its arguments is replaced by a free port; ready when that port takes a connection. */
  | {
      readonly kind: 'program';
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly host: string;
      readonly listens: boolean;
    };

/** One step of a raw client. Connections are named by the script (`c1`). */
export type ScriptStep =
  | { readonly do: 'dial'; readonly conn: string }
  | { readonly do: 'send'; readonly conn: string; readonly text: string }
  /** Waits for a line and keeps it under a name; `{name}` in later `send`s is replaced by it. */
  | { readonly do: 'line'; readonly conn: string; readonly as: string }
  | { readonly do: 'end'; readonly conn: string }
  | { readonly do: 'reset'; readonly conn: string }
  | { readonly do: 'wait'; readonly millis: Millis }
  /** Says to everybody that this point was reached: a timeline may go on by it. The value kept under `port` is told along. */
  | { readonly do: 'mark'; readonly name: string; readonly port: string | undefined }
  /** Waits until the other side ends this connection and reports how (`script.saw`), at most this long. */
  | { readonly do: 'expectEnd'; readonly conn: string; readonly name: string; readonly millis: Millis }
  /** Serves whatever comes on this connection from now on as `service` would. */
  | { readonly do: 'serve'; readonly conn: string };

/** What an actor is told while it runs; each actor kind takes its own. */
export type ActorCommand =
  | TunnelOrder
  /** A measurement agent measures, or rests and sends what it has. */
  | { readonly do: 'measure'; readonly state: 'go' | 'rest' }
  /** A store is read to its end. */
  | { readonly do: 'read' }
  | { readonly do: 'push'; readonly round: number; readonly bytes: number }
  | { readonly do: 'nat'; readonly fault: number; readonly event: NatEvent }
  | { readonly do: 'link'; readonly fault: number; readonly what: Fault; readonly forMillis: Millis };

/** What happens to a NAT. */
export type NatEvent =
  | { readonly kind: 'reboot'; readonly downMillis: Millis }
  | { readonly kind: 'expire' }
  | { readonly kind: 'readdress' }
  | { readonly kind: 'flap'; readonly millis: Millis };

/** Open one connection to a public port and behave like this. Sizes in bytes, the 32-byte request header included in `up`. */
export type TunnelOrder = {
  readonly do: 'open';
  readonly tunnel: number;
  readonly to: Address;
  readonly mode: 'pool' | 'event' | 'multiplex' | 'forwarder';
  readonly client: string;
  readonly up: number;
  readonly down: number;
  readonly close: 'half' | 'full' | 'abort';
  /** Gives up when nothing moved for this long. */
  readonly patienceMillis: Millis;
  /** > 0: reads nothing for this long after the first byte came (a stalled user). */
  readonly stallMillis: Millis;
  /** >= 0: this is a round of the throughput phase, and its rate is reported. */
  readonly round: number;
};
