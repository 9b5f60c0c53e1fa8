/** What a scenario file says: what stands where, what happens when, what is judged. `scenarios/` holds one file each. */
import type { Fault } from 'chaos-proxy';
import type { Schedule } from '../../reference-impl/backoff/schedule.ts';
import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { NatEvent } from '../agents/actor-spec.ts';
import type { LabName } from '../labs/lab.ts';
import type { Topology } from '../labs/topology.ts';
import type { GoalName, Happening, TraceEvent } from '../trace/trace.ts';
import type { CheckName } from './checks/registry.ts';

/** What the command line may set; a scenario gives the defaults. */
export type Options = {
  readonly lab: LabName;
  readonly seed: number;
  readonly sites: number;
  /** Relay clients a site. */
  readonly clients: number;
  /** Users outside, each opening one tunnel after the other. */
  readonly users: number;
  /** Measurement agents a site, in scenarios that have them. */
  readonly agents?: number;
  /** Nodes addressed by key a site, in scenarios that have them. */
  readonly identity?: number;
  /** How long the whole timeline is to take; a scenario stretches its steady phases to fit. */
  readonly durationMillis: Millis;
};

/** When something happens: at a time of the run, or when the trace says so (the nth event that matches, and a little later). */
export type When = Millis | { readonly after: Match; readonly nth?: number; readonly delayMillis?: Millis };
/** Every field given must be equal. */
export type Match = Partial<TraceEvent> & { readonly type: Happening['type'] };

export type TunnelShape = {
  /** Bytes; `up` includes the 32-byte request. */
  readonly up: number;
  readonly down: number;
  readonly close: 'half' | 'full' | 'abort';
  /** A user who reads nothing for this long after the first byte. */
  readonly stallMillis?: Millis;
  readonly patienceMillis?: Millis;
};

export type Step =
  | { readonly do: 'phase'; readonly name: string }
  | { readonly do: 'nat'; readonly site: string; readonly event: NatEvent; readonly text: string }
  | {
      readonly do: 'link';
      readonly site: string;
      readonly fault: Fault;
      readonly forMillis: Millis;
      readonly text: string;
    }
  /** A server is killed and started again. `server`: its name; the relay if none is given. */
  | { readonly do: 'outage'; readonly server?: string; readonly millis: Millis; readonly text: string }
  /** Stops an actor in order. */
  | { readonly do: 'stop'; readonly who: string }
  | { readonly do: 'audit'; readonly moment: 'before' | 'after' | 'sample' }
  /** Opens tunnels to a client by name, or to the port a `script.mark` told: one, or `times` in the same instant. */
  | {
      readonly do: 'tunnel';
      readonly client: string;
      readonly shape: TunnelShape;
      readonly times?: number;
    }
  /** Opens one tunnel that must be served, or must be refused, to prove this clause. `client`: where its port is (or was). */
  | {
      readonly do: 'probe';
      readonly client: string;
      readonly clause: string;
      readonly expects: 'served' | 'refused';
      readonly shape: TunnelShape;
    }
  /** Lets the measurement agents measure, and lets them rest and send what they have. */
  | { readonly do: 'agents'; readonly state: 'go' | 'rest' }
  /** The store of a server is read to its end: what is not there then is missing. */
  | { readonly do: 'read'; readonly server: string }
  /** Lets the users start, and lets them finish what they do and rest. */
  | { readonly do: 'users'; readonly state: 'go' | 'rest' }
  /** Interleaved rounds of direct and relayed transfers; the timeline's clock goes on meanwhile. */
  | {
      readonly do: 'throughput';
      readonly rounds: number;
      readonly bytes: number;
      readonly source: string;
      readonly clients: readonly string[];
    }
  /** The run is over once users rest and nothing is open, at the latest this much later. */
  | { readonly do: 'finish'; readonly settleMillis: Millis };

export type TimelineEntry = { readonly when: When; readonly step: Step };

export type Fleet = {
  readonly name: string;
  readonly schedule: Schedule;
  readonly members: readonly string[];
  /** The server they come back to; the relay if none is given. */
  readonly server?: string;
};

export type Plan = {
  readonly topology: Topology;
  readonly fleets: readonly Fleet[];
  readonly timeline: readonly TimelineEntry[];
  readonly users: {
    readonly count: number;
    /** Rest between two tunnels of a user, drawn evenly. */
    readonly thinkMillis: readonly [Millis, Millis];
    /** What the next tunnel of a user looks like. `unit`: a draw in [0, 1), twice. */
    readonly shape: (mode: string, site: string, unit: () => number) => TunnelShape;
  };
  /** Numbers that checks judge by; printed in the report. */
  readonly goals: Readonly<Partial<Record<GoalName, number>>>;
  /** The run is cut off then, as incomplete: no timeline may wait for ever. */
  readonly limitMillis: Millis;
};

export type Scenario = {
  readonly name: string;
  /** One line for `relaylab list`. */
  readonly summary: string;
  readonly defaults: Omit<Options, 'lab' | 'seed'>;
  readonly plan: (options: Options) => Plan;
  readonly checks: readonly CheckName[];
  /**
   * Its sites never dial each other, all that counts of them are clients of the relay, and half as many sites are as good a
   * scenario: a large simulated run may be counted and dealt to islands (crowd.ts).
   */
  readonly divisible?: boolean;
};

/** Gives a scenario file its types. */
export const defineScenario = (scenario: Scenario): Scenario => scenario;
