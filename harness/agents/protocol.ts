/**
 * The control channel of an agent: JSON lines in on standard input, trace events out on standard output. One agent runs the
 * actors of one or several hosts. End of input ends the agent and everything it started, so a killed runner leaves nothing.
 */
import type { Address } from '../../reference-impl/machine/machine.ts';
import type { ActorCommand, ActorSpec } from './actor-spec.ts';

export type AgentCommand =
  /** First of all. `base`: reading of the monotonic clock (ns, decimal) that is t = 0 of the trace; `seed`: of the run. */
  | { readonly do: 'begin'; readonly base: string; readonly seed: number }
  /** `bind`: address the actor listens on. `watch`: its wire goes to the trace. Answered by `host.started`, and by
   *  `host.ready` with the port if it listens. */
  | {
      readonly do: 'start';
      readonly who: string;
      readonly actor: ActorSpec<Address>;
      readonly bind: string;
      readonly watch: boolean;
    }
  | { readonly do: 'tell'; readonly who: string; readonly command: ActorCommand }
  /** Orderly (`stop` input, SIGTERM to a program), or at once (destroy, SIGKILL). Answered by `host.stopped` or `host.crashed`. */
  | { readonly do: 'stop'; readonly who: string; readonly how: 'orderly' | 'kill' }
  /** Reads the books of a program: answered by `audit.relay`. */
  | { readonly do: 'audit'; readonly who: string; readonly moment: 'before' | 'after' | 'sample' }
  /** `--keep`: goes on when its input ends, and says nothing any more. SIGTERM ends it and everything it started. */
  | { readonly do: 'keep' }
  | { readonly do: 'exit' };
