/** The ground of the netns lab: namespaces of this machine behind gateways that do NAT in the kernel. Root, no engine. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { AgentChannel, Ground, Receipt } from '../ground.ts';
import { type CallOff, hireJanitor } from '../janitor.ts';
import { type KernelGateway, KernelNat } from '../kernel/kernel-nat.ts';
import type { LabContext } from '../lab.ts';
import { ProcessChannel } from '../local/process-channel.ts';
import { thisOwner } from '../owner.ts';
import { programFile } from '../program-file.ts';
import type { FaultOrder, Site, Topology } from '../topology.ts';
import { ipBatch, type Setup, setUp, shellIn } from './commands.ts';
import { type GatewayPlace, gatewayScript, type Layout, layoutOf, type SitePlace } from './layout.ts';
import { removeRun, sweepDeadRuns } from './removal.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const JANITOR = programFile('./janitor', import.meta.url);

type OpenSite = { readonly place: SitePlace; readonly nat: KernelNat };

export class NetnsGround implements Ground {
  readonly root = ROOT;
  readonly node = process.execPath;
  readonly shares = { network: false, files: true };
  readonly kernelNat: { fault(site: Site, order: FaultOrder): Promise<Receipt> };
  readonly #givenRun: string | undefined;
  readonly #channels = new Map<string, ProcessChannel>();
  readonly #sites = new Map<string, OpenSite>();
  #layout: Layout | undefined;
  #run = '';
  #context: LabContext | undefined;
  #callOff: CallOff = () => undefined;
  #opening: Promise<void> = Promise.resolve();

  /** @param run short, and unlike any other run's: names carry it. Default: eight random hex digits for each `open` */
  constructor(run?: string) {
    this.#givenRun = run;
    this.kernelNat = { fault: (site, order) => this.#fault(site, order) };
  }

  /** Starts everything. When it throws, `close` still has to be called. @throws LabError, or the signal's reason */
  open(topology: Topology, context: LabContext): Promise<void> {
    this.#context = context;
    this.#opening = this.#open(topology, context);
    return this.#opening;
  }

  async #open(topology: Topology, { keep, progress, signal }: LabContext): Promise<void> {
    this.#run = this.#givenRun ?? randomBytes(4).toString('hex');
    const layout = layoutOf(topology, { run: this.#run, owner: thisOwner(), kept: keep });
    this.#layout = layout;
    for (const line of await sweepDeadRuns()) progress(line);
    if (!keep) this.#callOff = hireJanitor(JANITOR, this.#run);
    progress(`starting ${topology.sites.length} sites in ${layout.namespaces.length} network namespaces`);
    await ipBatch(layout.namespaces.map((name) => `netns add ${name}`));
    signal.throwIfAborted();
    // agents load while their networks are made: nobody speaks before all of it is there
    this.#startAgents(layout);
    await ipBatch(layout.links);
    signal.throwIfAborted();
    await setUp([...layout.setups, ...layout.sites.flatMap((place) => this.#gateways(place, layout))]);
    signal.throwIfAborted();
  }

  #startAgents({ outside, sites }: Layout): void {
    const houses = new Map<string, ProcessChannel>();
    const agentIn = (namespace: string): ProcessChannel => {
      const agent = houses.get(namespace) ?? new ProcessChannel(['ip', 'netns', 'exec', namespace]);
      houses.set(namespace, agent);
      return agent;
    };
    for (const [host, { namespace }] of outside) this.#channels.set(host, agentIn(namespace));
    for (const { site, house } of sites) this.#channels.set(site.name, agentIn(house));
  }

  #gateways(place: SitePlace, { nextAddress }: Layout): readonly Setup[] {
    const reached = ({ namespace, outside, uplink }: GatewayPlace): KernelGateway => ({
      shell: shellIn(namespace),
      address: outside,
      uplink,
    });
    const [outerPlace, homePlace] = place.gateways;
    const outer = reached(outerPlace);
    const home = homePlace === undefined ? undefined : reached(homePlace);
    const nat = new KernelNat({ nat: place.site.nat.value, outer, home, nextAddress, besides: [] });
    this.#sites.set(place.site.name, { place, nat });
    const script = (gateway: GatewayPlace, shell: KernelGateway): Setup => ({
      namespace: gateway.namespace,
      script: gatewayScript(gateway, nat.lines(shell)),
    });
    return homePlace === undefined || home === undefined
      ? [script(outerPlace, outer)]
      : [script(outerPlace, outer), script(homePlace, home)];
  }

  channel(host: string): AgentChannel {
    const channel = this.#channels.get(host);
    if (channel === undefined)
      throw new Error(`no host is called ${host}; known: ${[...this.#channels.keys()].join(', ')}`);
    return channel;
  }

  /** Actors of a site speak with each other only; whoever is outside must be reachable under its address. */
  bind(host: string): string {
    return this.#layout?.outside.get(host)?.address ?? '127.0.0.1';
  }

  address(host: string): string {
    const address = this.#layout?.outside.get(host)?.address;
    if (address === undefined) throw new Error(`${host} cannot be reached: it is not a host outside`);
    return address;
  }

  /** The site's own address, behind its NAT: sites that share a house are told apart by it. */
  publicHost(site: Site): string {
    return this.#site(site.name).place.address;
  }

  /** The address under which others see a site now. */
  publicAddress(site: string): string {
    return this.#site(site).nat.publicAddress;
  }

  #site(name: string): OpenSite {
    const site = this.#sites.get(name);
    if (site === undefined)
      throw new Error(`no site is called ${name}; known: ${[...this.#sites.keys()].join(', ')}`);
    return site;
  }

  async #fault({ name }: Site, { fault, what }: FaultOrder): Promise<Receipt> {
    if (what.kind !== 'nat') throw new Error(`fault ${fault}: ${what.kind} is not the NAT's to do`);
    return this.#site(name).nat.fault(what.event);
  }

  /** Ends agents and removes namespaces; with `keep`, says how to look at them instead. Another `open` may follow. */
  async close(): Promise<readonly string[]> {
    await this.#opening.catch(() => undefined);
    const agents = [...new Set(this.#channels.values())];
    const keep = this.#context?.keep === true;
    if (keep) {
      for (const line of this.#lookInside()) this.#context?.progress(line);
      for (const agent of agents) agent.leave();
    } else await Promise.all(agents.map((agent) => agent.close()));
    this.#channels.clear();
    this.#sites.clear();
    this.#layout = undefined;
    if (keep || this.#run === '') return [];
    const left = await removeRun(this.#run);
    // what could not be removed now is tried again by the janitor, whom nobody calls off
    if (left.length === 0) this.#callOff();
    return left;
  }

  #lookInside(): readonly string[] {
    const names = `ip netns list | cut -d' ' -f1 | grep '^relaylab.${this.#run}.'`;
    const [first] = this.#sites.values();
    return [
      `run ${this.#run} is left running`,
      `see it:    ${names}`,
      ...(first === undefined
        ? []
        : [
            `a site:    ip netns exec ${first.place.house} sh`,
            `its NAT:   ip netns exec ${first.place.gateways[0].namespace} nft list ruleset`,
          ]),
      `remove it: for n in $(${names}); do ip netns pids $n | xargs -r kill; ip netns del $n; done`,
    ];
  }
}
