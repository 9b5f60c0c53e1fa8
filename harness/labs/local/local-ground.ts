/** Processes on loopback: no root, no Docker. Each site has a public address of its own in 127/8 where the system has one. */
import { fileURLToPath } from 'node:url';
import type { AgentChannel, Ground } from '../ground.ts';
import type { LabContext } from '../lab.ts';
import { outsideHosts, type Site, type Topology } from '../topology.ts';
import { ProcessChannel } from './process-channel.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
/** Sites share this many agents at most: a process costs 50 MB and a fifth of a second of CPU. */
const SITE_AGENTS_MAX = 6;

export class LocalGround implements Ground {
  readonly root = ROOT;
  readonly node = process.execPath;
  readonly kernelNat = undefined;
  readonly shares = { network: true, files: true };
  readonly #channels = new Map<string, ProcessChannel>();
  readonly #sites: string[] = [];
  readonly #outside: string[] = [];
  #context: LabContext | undefined;

  async open(topology: Topology, context: LabContext): Promise<void> {
    this.#context = context;
    const agents = Math.min(SITE_AGENTS_MAX, topology.sites.length);
    const outside = outsideHosts(topology);
    context.progress(`starting ${agents + outside.length} processes on loopback`);
    for (const host of outside) {
      this.#outside.push(host);
      this.#channels.set(host, new ProcessChannel());
    }
    const shared = Array.from({ length: agents }, () => new ProcessChannel());
    for (const [index, site] of topology.sites.entries()) {
      this.#sites.push(site.name);
      this.#channels.set(site.name, shared[index % agents] as ProcessChannel);
    }
  }

  channel(host: string): AgentChannel {
    const channel = this.#channels.get(host);
    if (channel === undefined)
      throw new Error(`no host is called ${host}; known: ${[...this.#channels.keys()].join(', ')}`);
    return channel;
  }

  /** Whoever is outside has an address of its own; what is inside a site is on localhost, as a forwarder's service must be. */
  bind(host: string): string {
    if (process.platform !== 'linux') return '127.0.0.1';
    if (host === 'users') return '127.31.0.1';
    const server = this.#outside.indexOf(host);
    return server < 0 ? '127.0.0.1' : `127.30.0.${server + 1}`;
  }

  address(host: string): string {
    return this.bind(host);
  }

  publicHost(site: Site): string | undefined {
    if (process.platform !== 'linux') return undefined;
    const index = this.#sites.indexOf(site.name) + 1;
    return `127.10.${index >> 8}.${index & 255}`;
  }

  /** Ends every process; with `keep`, says where they are and how to end them instead. Another `open` may follow. */
  async close(): Promise<readonly string[]> {
    const channels = new Set(this.#channels.values());
    if (this.#context?.keep === true) {
      for (const line of this.#lookInside(channels)) this.#context.progress(line);
      for (const channel of channels) channel.leave();
    } else await Promise.all([...channels].map((channel) => channel.close()));
    this.#channels.clear();
    this.#sites.length = 0;
    this.#outside.length = 0;
    return [];
  }

  #lookInside(channels: ReadonlySet<ProcessChannel>): readonly string[] {
    const lines = ['left running:'];
    for (const channel of channels) {
      const hosts = [...this.#channels].filter(([, other]) => other === channel).map(([host]) => host);
      const shown =
        hosts.length > 6 ? `${hosts.slice(0, 6).join(', ')} and ${hosts.length - 6} more` : hosts.join(', ');
      lines.push(`  pid ${channel.pid}  agent of ${shown}`);
      for (const [who, pid] of channel.programs) lines.push(`  pid ${pid}  ${who}`);
    }
    const pids = [...channels].map((channel) => channel.pid).join(' ');
    return [
      ...lines,
      `ports:     ss -ltnp | grep -E '${[...channels]
        .flatMap((channel) => [channel.pid, ...channel.programs.values()])
        .map((pid) => `pid=${pid},`)
        .join('|')}'`,
      `end them:  kill ${pids}`,
    ];
  }
}
