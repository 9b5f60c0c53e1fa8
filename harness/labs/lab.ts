/** What every lab is: it takes a topology and a director, lets time pass, and writes down what happened. */
import type { NetMachine } from '../../reference-impl/machine/machine.ts';
import type { ActorCommand } from '../agents/actor-spec.ts';
import type { Happening, TraceEvent } from '../trace/trace.ts';
import type { PacketLinks } from './ground.ts';
import type { FaultOrder, Topology } from './topology.ts';

export const LABS = ['sim', 'local', 'docker', 'netns'] as const;
export type LabName = (typeof LABS)[number];

/** What the director wants done. */
export type Order =
  | { readonly do: 'tell'; readonly who: string; readonly command: ActorCommand }
  | FaultOrder
  | { readonly do: 'stop'; readonly who: string }
  /** Whoever reads the store of this server reads it to its end, and says so (`store.read`). */
  | { readonly do: 'read'; readonly server: string }
  | { readonly do: 'audit'; readonly moment: 'before' | 'after' | 'sample' }
  /** Something to write into the trace in the runner's own name. */
  | { readonly do: 'say'; readonly event: Happening }
  | { readonly do: 'finish'; readonly complete: boolean; readonly why: string };

/** The timeline and the workload as a machine: hears every trace event, answers with orders. Runs in the lab's own clock. */
export type Director = NetMachine<Order, TraceEvent> & {
  /** Whether it wants to be told events of this type; without it, of every type but the wire's (`conn.*`). */
  readonly hears?: (type: TraceEvent['type']) => boolean;
};

/** A world too large to be written down whole (simulator): who of it is told of line by line, and what may be made cheaper. */
export type Sample = {
  /** The site has its NAT and its link as hosts, because something is to happen to them; others may have a border instead. */
  readonly isWhole: (site: string) => boolean;
  /** Its lines go to the trace and to the director; of all others there are exact totals. */
  readonly isTold: (who: string) => boolean;
};

export type LabContext = {
  readonly seed: number;
  /** Takes every event, in the order in which the runner learns of it. */
  readonly sink: (event: TraceEvent) => void;
  /** Aborted by Ctrl-C: the lab ends the run, cleans up and resolves. */
  readonly signal: AbortSignal;
  /** One line about what is being prepared, for a terminal. */
  readonly progress: (text: string) => void;
  /** Called once everything is removed, with how long that took (milliseconds). */
  readonly tornDown?: (millis: number) => void;
  /** Leave everything running at the end and say how to look at it. */
  readonly keep: boolean;
  /** Without it everything is written down. */
  readonly sample?: Sample | undefined;
};

export interface Lab {
  readonly name: LabName;
  /** How the site's NAT and link are done here: `userspace`, `kernel (nftables)`. */
  readonly forms: { readonly nat: string; readonly link: string };
  /** Links act on packets here: how, and which faults cannot be had. */
  readonly packetLinks?: Omit<PacketLinks, 'fault'> | undefined;
  /**
   * Starts the topology, runs the director until it says `finish`, tears everything down.
   * @throws LabError when the lab itself fails (exit code 3, never the relay's fault)
   */
  run(topology: Topology, director: Director, context: LabContext): Promise<void>;
}

/** The lab broke, not what it judges: an engine that stopped answering, an agent that died. */
export class LabError extends Error {
  override readonly name = 'LabError';
  /** What to try. */
  readonly hint: string;
  constructor(what: string, hint: string, options?: ErrorOptions) {
    super(what, options);
    this.hint = hint;
  }
}
