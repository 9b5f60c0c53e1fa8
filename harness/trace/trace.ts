/**
 * The vocabulary of `trace.ndjson`: one flat JSON line an event, the same words in every lab. Checks and reports are pure
 * functions of it. Fields are whole numbers, short strings, booleans or hex. Times (`t`, every `...Micros`) are whole
 * microseconds; in the simulator `t` is a multiple of 1,000.
 */

import type { IdentityEvent } from './identity-words.ts';
import type { AgentEvent, IngestEvent, MeasurementPlanEvent, StoreEvent } from './measurement-words.ts';

/** Where and when: `t` since run.began on one monotonic clock, `who` the host path, `n` the host's own event number.
 *  Order is judged only within one `who`. */
export type Stamp = { readonly t: number; readonly who: string; readonly n: number };

export type TransferMode = 'pool' | 'event' | 'multiplex' | 'forwarder';
/** Who ends a tunnel and how: `half`: the user ends its half first and then reads the answer to its end; `full`: the service
 *  ends first; `abort`: the user resets midway. */
export type CloseKind = 'half' | 'full' | 'abort';
export type Direction = 'up' | 'down';

/**
 * Numbers of a scenario that checks judge by. `back-millis`: a client is back so long after its path is; `throughput-ratio`: at
 * least this share of the direct path, of one mode or of all; `herd-share`: at most this share of a fleet (or of any) in 100 ms.
 */
export type GoalName =
  | 'back-millis'
  | 'throughput-ratio'
  | `throughput-ratio/${TransferMode}`
  | 'herd-share'
  | `herd-share/${string}`;

export type RunEvent =
  | {
      readonly type: 'run.began';
      readonly scenario: string;
      readonly lab: string;
      readonly labReason: string;
      /** As printed and as `--seed` takes it: hex. */
      readonly seed: string;
      readonly version: string;
      readonly node: string;
      readonly machine: string;
      /** The exact command that runs this again. */
      readonly rerun: string;
      /** The program judged: `relaylab's own relay` or the command given by --relay-exec. */
      readonly target: string;
      readonly timeScale: number;
      /** sha-256 of the plan (what is to happen, before anything happened), first 16 hex digits. */
      readonly plan: string;
      /** Wall clock, ISO 8601; for people only (the simulator writes the fixed epoch 1970-01-01T00:00:00.000Z). */
      readonly startedAt: string;
    }
  /** One a site: what stands between its clients and the relay. `nat`/`link`: preset names; notes: their parameters in words. */
  | {
      readonly type: 'site.declared';
      readonly site: string;
      readonly nat: string;
      readonly natNote: string;
      readonly natForm: string;
      readonly link: string;
      readonly linkNote: string;
      readonly linkForm: string;
      readonly clients: number;
    }
  | {
      readonly type: 'client.declared';
      readonly client: string;
      readonly site: string;
      readonly mode: TransferMode;
      readonly fleet: string;
    }
  /** The retry schedule a fleet of clients declares; checks fit what they did against it. */
  | {
      readonly type: 'schedule.declared';
      readonly fleet: string;
      readonly size: number;
      readonly baseMillis: number;
      readonly factor: number;
      readonly capMillis: number;
      readonly jitter: number;
      readonly healthyMillis: number;
      /** Whom it is about; absent: the relay. */
      readonly server?: string;
      /** Attempts in a row before giving up; absent: no end. */
      readonly triesMax?: number;
    }
  /** A server outside besides the relay. */
  | { readonly type: 'server.declared'; readonly server: string; readonly target: string }
  | { readonly type: 'goal.declared'; readonly goal: GoalName; readonly value: number }
  /** Every host and actor is up; the timeline counts from here. `millis`: since somebody asked for the lab. Real labs only. */
  | { readonly type: 'lab.started'; readonly sites: number; readonly millis: number }
  /** The run is too large to be told whole (harness/scenario/crowd.ts). `islands`: worlds with a relay of their own, one after
   *  the other; `stride`: every how manieth client has lines, of all there are `total.second` rows; `wholeSites`: sites of each
   *  island whose NAT and link are hosts because the timeline names them. */
  | {
      readonly type: 'crowd.declared';
      readonly islands: number;
      readonly sites: number;
      readonly clients: number;
      readonly stride: number;
      readonly wholeSites: number;
    }
  /** From here to `island.ended` another world: other hosts (of whatever name), and time begins at 0. `told`: clients with lines. */
  | {
      readonly type: 'island.began';
      readonly island: number;
      readonly of: number;
      readonly seed: string;
      readonly sites: number;
      readonly clients: number;
      readonly told: number;
    }
  | { readonly type: 'island.ended'; readonly complete: boolean; readonly why: string }
  /** For the last `millis` the machine had next to no processor time to spare: who was late then may not be to blame. Real labs only. */
  | { readonly type: 'machine.busy'; readonly millis: number }
  | { readonly type: 'run.phase'; readonly name: string }
  /** A step of the timeline that never came to its turn, or found nobody to act on: what it was to show was not shown. */
  | { readonly type: 'step.unmet'; readonly step: string; readonly why: string }
  /** `complete` false: interrupted or filtered, the report is marked partial. */
  | { readonly type: 'run.ended'; readonly complete: boolean; readonly why: string };

export type HostEvent =
  | { readonly type: 'host.started'; readonly form: string }
  | { readonly type: 'host.ready'; readonly port: number }
  /** A link or NAT with several ways out: whoever dials this port reaches `target`. All of them come before `host.ready`. */
  | { readonly type: 'host.door'; readonly target: string; readonly port: number }
  | { readonly type: 'host.stopped'; readonly code: number }
  /** `reason`: signal or exit code, with the last line the process said. */
  | { readonly type: 'host.crashed'; readonly reason: string }
  | { readonly type: 'host.output'; readonly text: string };

export type FaultEvent =
  /** `fault`: 1..n in the order of the timeline. `site`: '' for the relay, the name of another server that is hit. */
  | {
      readonly type: 'fault.begun';
      readonly fault: number;
      readonly kind: string;
      readonly site: string;
      readonly text: string;
    }
  | { readonly type: 'fault.ended'; readonly fault: number; readonly kind: string; readonly site: string }
  /** Proof of what the fault really did. `effects`: how many measurable things it did (mappings dropped, bytes held,
   *  RSTs sent, dials refused); 0: no proof, the checks that rest on it become inconclusive. */
  | {
      readonly type: 'fault.receipt';
      readonly fault: number;
      readonly kind: string;
      readonly site: string;
      readonly effects: number;
      readonly text: string;
    };

export type PathEvent =
  | { readonly type: 'nat.mapped'; readonly conn: number; readonly port: number }
  | { readonly type: 'nat.expired'; readonly conn: number; readonly idleMillis: number }
  | { readonly type: 'nat.exhausted'; readonly inUse: number }
  | {
      readonly type: 'nat.dropped';
      readonly mappings: number;
      readonly cause: 'reboot' | 'readdress' | 'expire';
    }
  /** An end whose path is gone was reset at its declared keepalive time (userspace form), or heard RST from the gateway. */
  | {
      readonly type: 'nat.noticed';
      readonly conn: number;
      readonly side: 'inner' | 'outer';
      readonly how: 'keepalive' | 'rst';
    }
  /** What was measured of a kind of link fault before the run (harness/links). `effect`: the fault that was measured, in the
   *  command line's words. `off`: it does not do here what it declares, and no fault of this `kind` proves anything;
   *  `unclear`: the machine was too busy to tell. */
  | {
      readonly type: 'link.trusted';
      readonly kind: string;
      readonly effect: string;
      readonly standing: 'ok' | 'off' | 'unclear';
      readonly text: string;
    }
  /** A link did something to a connection. `amount`: bytes or milliseconds, see `unit`. */
  | {
      readonly type: 'link.effect';
      readonly effect: string;
      readonly conn: number;
      readonly direction: Direction | 'both';
      readonly amount: number;
      readonly unit: 'bytes' | 'ms' | 'count';
    };

/** Wire of watched hosts. `dir`: `out` was sent by `who`. */
export type WireEvent =
  | {
      readonly type: 'conn.opened';
      readonly conn: number;
      readonly to: string;
      readonly role: 'dialled' | 'accepted' | 'stream';
    }
  | { readonly type: 'conn.connected'; readonly conn: number }
  /** At most 64 bytes are shown; `length` is how many came at once. Written for the first 256 bytes of each direction. */
  | {
      readonly type: 'conn.bytes';
      readonly conn: number;
      readonly dir: 'in' | 'out';
      readonly offset: number;
      readonly length: number;
      readonly hex: string;
    }
  | { readonly type: 'conn.ended'; readonly conn: number; readonly dir: 'in' | 'out' }
  | { readonly type: 'conn.reset'; readonly conn: number }
  | {
      readonly type: 'conn.closed';
      readonly conn: number;
      readonly why: string;
      readonly received: number;
      readonly sent: number;
    };

export type RelayEvent =
  | {
      readonly type: 'relay.registered';
      readonly conn: number;
      readonly mode: TransferMode;
      readonly port: number;
    }
  | { readonly type: 'relay.unregistered'; readonly port: number; readonly why: string }
  | { readonly type: 'relay.user'; readonly conn: number; readonly port: number }
  | {
      readonly type: 'relay.tunnel';
      readonly client: number;
      readonly user: number;
      readonly waitedMillis: number;
    }
  | { readonly type: 'relay.refused'; readonly conn: number; readonly why: string };

export type ClientEvent =
  | { readonly type: 'client.dialing'; readonly attempt: number }
  | { readonly type: 'client.registered'; readonly port: number; readonly mode: TransferMode }
  | {
      readonly type: 'client.lost';
      readonly why: string;
      readonly waitMillis: number;
      readonly attempt: number;
    }
  /** A connection was added to the client's pool and has settled: its path is alive now. */
  | { readonly type: 'client.joined'; readonly conn: number }
  | { readonly type: 'client.tunnel'; readonly conn: number; readonly service: number }
  | { readonly type: 'client.gaveUp'; readonly attempts: number }
  | { readonly type: 'client.stopped' };

/** A raw client (harness/agents/script.ts) came to a point its author named, or saw how a connection ended. */
export type ScriptEvent =
  | { readonly type: 'script.mark'; readonly name: string; readonly port: number }
  | {
      readonly type: 'script.saw';
      readonly name: string;
      readonly what: 'end' | 'reset' | 'refused' | 'timeout' | 'bytes' | 'open';
    }
  | { readonly type: 'script.stuck'; readonly step: number; readonly waitingFor: string };

/** Both ends of a tunnel tell what they did; checks join the two. `side`: `user` outside, `service` behind the NAT (which
 *  reads what it knows from the request and leaves `client` empty). */
export type TunnelEvent =
  | {
      readonly type: 'tunnel.opened';
      readonly tunnel: number;
      readonly side: 'user' | 'service';
      readonly mode: TransferMode;
      readonly client: string;
      readonly up: number;
      readonly down: number;
      readonly close: CloseKind;
    }
  /** The user's dial was answered. Latencies are differences of `t` on the same `who`. */
  | { readonly type: 'tunnel.connected'; readonly tunnel: number }
  /** The first byte from the other side. */
  | { readonly type: 'tunnel.firstByte'; readonly tunnel: number; readonly side: 'user' | 'service' }
  /** The user reads nothing from here on, and reads again: `forMillis` is what it was told. */
  | { readonly type: 'tunnel.stalled'; readonly tunnel: number; readonly forMillis: number }
  | { readonly type: 'tunnel.resumed'; readonly tunnel: number }
  /** What this side saw when its connection was over. `sent`/`received`: payload bytes; `sentEnd`: how it ended its own half;
   *  `gotEnd`: how the other half ended for it; `timeout`: it gave up waiting. */
  | {
      readonly type: 'tunnel.done';
      readonly tunnel: number;
      readonly side: 'user' | 'service';
      readonly sent: number;
      readonly received: number;
      readonly sentEnd: 'fin' | 'rst' | 'none';
      readonly gotEnd: 'fin' | 'rst' | 'timeout' | 'refused' | 'none';
    }
  /** A stretch of received payload that is not what belongs there. `lost`: bytes missing before `offset`; the others: bytes
   *  at `offset` that belong elsewhere (`from`: `tunnel/direction/offset`, or '' when no position can be read in them). */
  | {
      readonly type: 'ledger.span';
      readonly tunnel: number;
      readonly direction: Direction;
      readonly offset: number;
      readonly length: number;
      readonly state: 'lost' | 'repeated' | 'reordered' | 'foreign';
      readonly from: string;
      readonly hex: string;
    };

/** A tunnel opened to prove one clause rather than to carry data. */
export type ProbeEvent = {
  readonly type: 'probe.declared';
  readonly tunnel: number;
  readonly clause: string;
  readonly expects: 'served' | 'refused';
};

export type MeasureEvent =
  /** One timed transfer of the throughput phase; rounds of `direct` and relayed paths are interleaved. */
  | {
      readonly type: 'rate.sample';
      readonly path: 'direct' | TransferMode;
      readonly round: number;
      readonly bytes: number;
      readonly micros: number;
    }
  /** The relay process from outside (or the relay machine's own books in sim). -1: cannot be read here. */
  | {
      readonly type: 'audit.relay';
      readonly moment: 'before' | 'after' | 'sample';
      readonly fds: number;
      readonly sockets: number;
      readonly listening: number;
      readonly rssBytes: number;
    }
  /** Exact totals per whole second over all clients, told of or not. `event`: what they said, a `client.*` of this vocabulary;
   *  `client.up`, `client.down`: a client got a port at the relay, and is without one again. */
  | {
      readonly type: 'total.second';
      readonly event: string;
      readonly second: number;
      readonly count: number;
    };

export type Happening =
  | RunEvent
  | HostEvent
  | FaultEvent
  | PathEvent
  | WireEvent
  | RelayEvent
  | ClientEvent
  | ScriptEvent
  | TunnelEvent
  | ProbeEvent
  | MeasureEvent
  | MeasurementPlanEvent
  | AgentEvent
  | StoreEvent
  | IngestEvent
  | IdentityEvent;

/** One line of the trace. */
export type TraceEvent = Stamp & Happening;
/** The trace event of one type: `EventOf<'fault.begun'>`. */
export type EventOf<Type extends Happening['type']> = Stamp & Extract<Happening, { readonly type: Type }>;
