/**
 * What a real lab stands on: where hosts are and how to speak with the agent in each. `real-lab.ts` does the rest the same way
 * for processes on loopback and for containers.
 */
import type { AgentCommand } from '../agents/protocol.ts';
import type { TraceEvent } from '../trace/trace.ts';
import type { LabContext } from './lab.ts';
import type { FaultOrder, Site, Topology } from './topology.ts';

/** One agent, running. */
export interface AgentChannel {
  send(command: AgentCommand): void;
  /** Called for each line the agent writes. Set before the first `send`. */
  onEvent: (event: TraceEvent) => void;
  /** Called once when the agent is gone without having been asked to. */
  onGone: (reason: string) => void;
  close(): Promise<void>;
}

export type Receipt = { readonly effects: number; readonly text: string };

export interface Ground {
  /** Networks, containers, processes for `relay`, `users` and every site. @throws LabError */
  open(topology: Topology, context: LabContext): Promise<void>;
  /** The agent of a host: `relay`, `users` or a site's name. Several hosts may share one. */
  channel(host: string): AgentChannel;
  /** The address on which actors of this host listen. */
  bind(host: string): string;
  /** The address under which somebody outside reaches this host (`relay` or `users`). */
  address(host: string): string;
  /** Where programs find this repository (our own relay's source, the working folder of `--relay-exec`). */
  readonly root: string;
  /** Where `node` is for them. */
  readonly node: string;
  /** Kernel NAT: how to do a NAT event and prove it. undefined: NATs are actors (userspace form). */
  readonly kernelNat: { fault(site: Site, order: FaultOrder): Promise<Receipt> } | undefined;
  /** The public address of a site, for the userspace NAT to dial from; undefined: any. */
  publicHost(site: Site): string | undefined;
  /** Everything gone: processes, containers, networks. Never throws; says what could not be removed. */
  close(): Promise<readonly string[]>;
}
