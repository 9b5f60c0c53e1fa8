/** The lab's networks: plain bridges that nothing leaves. The host has no address in them, and no route to them. */
import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';
import {
  lastAddress,
  parseSubnet,
  routedSubnets,
  type Subnet,
  SubnetPool,
  showSubnet,
} from '../kernel/subnets.ts';
import { LabError } from '../lab.ts';
import type { RunLabels } from './labels.ts';

export type LabNetwork = { readonly name: string; readonly subnet: Subnet };

/** Private space for what is public in the lab and behind its NATs, and the shared space of RFC 6598 between two NATs. */
const RANGES = { lab: '10.128.0.0/9', carrier: '100.64.0.0/10' } as const;
/** How many subnets may be refused by the engine before it is given up. */
const TRIES = 40;

const OPTIONS = {
  // the host must not rewrite what it bridges: frames with a foreign source would be masqueraded, and inbound ones lost
  'com.docker.network.bridge.enable_ip_masquerade': 'false',
  // nor have an address in there: nothing leaves the lab, and nothing reaches the host. `Internal` would do more than
  // that: its rules also drop whatever a gateway container forwards
  'com.docker.network.bridge.inhibit_ipv4': 'true',
} as const;

const hostRoutes = (): readonly Subnet[] => {
  try {
    return routedSubnets(readFileSync('/proc/net/route', 'utf8'));
  } catch {
    return []; // no Linux: the engine lives in a machine of its own
  }
};

const engineSubnets = async (docker: Docker): Promise<readonly Subnet[]> => {
  const networks = await docker.listNetworks();
  const texts = networks.flatMap(({ IPAM }) => (IPAM?.Config ?? []).map(({ Subnet }) => Subnet ?? ''));
  return texts.map(parseSubnet).filter((subnet) => subnet !== undefined);
};

/** A whole number out of a text, the same for the same text. */
const place = (text: string): number => {
  let hash = 2166136261;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 16777619) >>> 0;
  return hash;
};

export class Networks {
  readonly #docker: Docker;
  readonly #labels: RunLabels;
  readonly #pools: Readonly<Record<keyof typeof RANGES, SubnetPool>>;

  private constructor(docker: Docker, labels: RunLabels, runId: string, taken: readonly Subnet[]) {
    this.#docker = docker;
    this.#labels = labels;
    const pool = (range: keyof typeof RANGES) =>
      new SubnetPool(parseSubnet(RANGES[range]) as Subnet, taken, place(runId));
    this.#pools = { lab: pool('lab'), carrier: pool('carrier') };
  }

  /** Looks at what is taken on this machine. The run's name spreads runs that start side by side. */
  static async survey(docker: Docker, labels: RunLabels, runId: string): Promise<Networks> {
    return new Networks(docker, labels, runId, [...(await engineSubnets(docker)), ...hostRoutes()]);
  }

  /**
   * Makes a bridge with a subnet of this size. A subnet the engine says is taken is passed over (another run took it, or the
   * engine holds on to one that is long gone).
   * @throws LabError
   */
  async make(name: string, range: keyof typeof RANGES, prefix: number): Promise<LabNetwork> {
    for (let tries = 1; ; tries++) {
      const subnet = this.#pools[range].take(prefix);
      try {
        await this.#docker.createNetwork({
          Name: name,
          Driver: 'bridge',
          CheckDuplicate: true,
          Labels: { ...this.#labels },
          IPAM: { Driver: 'default', Config: [{ Subnet: showSubnet(subnet), Gateway: lastAddress(subnet) }] },
          Options: { ...OPTIONS },
        });
        return { name, subnet };
      } catch (error) {
        const { message } = error as Error;
        if (tries < TRIES && /overlap|conflicts with/i.test(message)) continue;
        throw new LabError(`network ${name} cannot be made: ${message}`, 'see docker network ls', {
          cause: error,
        });
      }
    }
  }
}
