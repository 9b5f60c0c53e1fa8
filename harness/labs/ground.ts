/**
 * What a real lab stands on: where hosts are and how to speak with the agent in each. `real-lab.ts` does the rest the same way
 * for processes on loopback and for containers.
 */
import type { Fault } from 'chaos-proxy';
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

/** Links that act on packets, where a ground has them. */
export type PacketLinks = {
  /** How a site's link is done, for `site.declared`. */
  readonly form: (site: Site) => string;
  /** Whether packets meet this fault; else it stays one of streams. */
  readonly isPacket: (fault: Fault) => boolean;
  /** Why a fault cannot be had with packet-level links; undefined: it can. */
  readonly refusal: (fault: Fault, where: 'site' | 'timeline') => string | undefined;
  /** Does a fault of the timeline that `isPacket`, and comes back when it is over. */
  readonly fault: (site: Site, order: FaultOrder) => Promise<Receipt>;
};

export interface Ground {
  /** Networks, containers, processes for `outsideHosts` and every site. @throws LabError */
  open(topology: Topology, context: LabContext): Promise<void>;
  /** The agent of a host: one outside or a site, by name. Several hosts may share one. */
  channel(host: string): AgentChannel;
  /** The address on which actors of this host listen. */
  bind(host: string): string;
  /** The address under which this host outside is reached, by sites and by others outside. */
  address(host: string): string;
  /** Where programs find this repository (our own relay's source, the working folder of `--relay-exec`). */
  readonly root: string;
  /** Where `node` is for them. */
  readonly node: string;
  /** Kernel NAT: how to do a NAT event and prove it. undefined: NATs are actors (userspace form). */
  readonly kernelNat: { fault(site: Site, order: FaultOrder): Promise<Receipt> } | undefined;
  /** undefined or absent: links are actors and act on streams. */
  readonly packetLinks?: PacketLinks | undefined;
  /** What hosts have of this machine: whoever is reached from it, and its files to write. */
  readonly shares: { readonly network: boolean; readonly files: boolean };
  /** The address a site dials from, for its userspace NAT or else for its link; undefined: any. */
  publicHost(site: Site): string | undefined;
  /** Everything gone: processes, containers, networks. Never throws; says what could not be removed. */
  close(): Promise<readonly string[]>;
}
