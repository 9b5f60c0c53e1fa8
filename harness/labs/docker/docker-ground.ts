/** The ground of the Docker lab: containers behind gateways that do NAT in the kernel, in networks nothing leaves. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { warmCompileCache } from '../compile-cache.ts';
import type { AgentChannel, Ground, PacketLinks, Receipt } from '../ground.ts';
import { type CallOff, hireJanitor } from '../janitor.ts';
import type { KernelNat } from '../kernel/kernel-nat.ts';
import { newAddresses, SITES_MAX, WAN_PREFIX, wanAddress } from '../kernel/places.ts';
import { type LabContext, LabError } from '../lab.ts';
import { thisOwner } from '../owner.ts';
import { hasLoss, isPacket, packetFormText, packetLink, packetRefusal } from '../packet-form.ts';
import { programFile } from '../program-file.ts';
import { type FaultOrder, outsideHosts, type Site, type Topology } from '../topology.ts';
import type { DockerChannel } from './channel.ts';
import { openEngine } from './engine.ts';
import { ensureImage, NODE_IN_IMAGE } from './image.ts';
import { LABEL, nameFor, runLabels } from './labels.ts';
import { Networks } from './networks.ts';
import { NETEM_PROBE, smallFrameLines } from './packet-lines.ts';
import { type PacketSite, runOnce } from './packet-site.ts';
import { eachAtMost, removeRun } from './removal.ts';
import type { Shell } from './shell.ts';
import { startSite } from './sites.ts';
import { foldersFor, openAgent, type Stage, startAgentHost } from './stage.ts';
import { sweepDeadRuns } from './sweep.ts';

export type DockerGroundOptions = {
  /** Folder of this repository; agents find it at the same path, read-only. Default: where this file is. */
  readonly root?: string;
  /** Short and unlike any other run's: names and labels carry it. Default: eight random hex digits for each `open`. */
  readonly runId?: string;
  /** The agent program. Default: that of harness/agents. */
  readonly agent?: string;
  /** Where agents work; mounted read-only as well. Default: where this process works. */
  readonly workFolder?: string;
  /** Links act on packets in the gateways, by netem where the kernel has it. Default: on streams, in the sites' containers. */
  readonly packets?: { readonly netem: boolean };
};

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const AGENT = programFile('../../agents/agent', import.meta.url);
const JANITOR = programFile('./janitor', import.meta.url);

/** Starting more at once than this is no faster (measured on 2 cores). */
const startAtOnce = (): number => Math.min(8, 4 * availableParallelism());

export class DockerGround implements Ground {
  readonly root: string;
  readonly node = NODE_IN_IMAGE;
  readonly shares = { network: false, files: false };
  readonly packetLinks: PacketLinks | undefined;
  readonly kernelNat: { fault(site: Site, order: FaultOrder): Promise<Receipt> };
  readonly #options: DockerGroundOptions;
  readonly #channels = new Map<string, DockerChannel>();
  /** Hosts on the open side and their addresses. */
  readonly #outside = new Map<string, string>();
  readonly #packets = new Map<string, PacketSite>();
  readonly #nats = new Map<string, KernelNat>();
  readonly #shells: Shell[] = [];
  #stage: Stage | undefined;
  #context: LabContext | undefined;
  #callOff: CallOff = () => undefined;
  #opening: Promise<void> = Promise.resolve();
  #closed: Promise<readonly string[]> | undefined;

  constructor(options: DockerGroundOptions = {}) {
    this.root = resolve(options.root ?? ROOT);
    this.#options = options;
    const { packets } = options;
    if (packets !== undefined)
      this.packetLinks = {
        form: ({ link }) => packetFormText(packetLink(link.faults), packets.netem),
        isPacket,
        refusal: packetRefusal,
        fault: (site, order) => this.#packetFault(site, order),
      };
    this.kernelNat = { fault: (site, order) => this.#fault(site, order) };
  }

  /** Starts everything. When it throws, `close` still has to be called. @throws LabError, or the signal's reason */
  open(topology: Topology, context: LabContext): Promise<void> {
    this.#context = context;
    this.#closed = undefined;
    this.#opening = this.#open(topology, context);
    return this.#opening;
  }

  async #open(topology: Topology, context: LabContext): Promise<void> {
    const { sites } = topology;
    if (sites.length > SITES_MAX)
      throw new LabError(`${sites.length} sites`, `the Docker lab holds ${SITES_MAX}: take --lab sim`);
    const engine = await openEngine();
    const {
      runId = randomBytes(4).toString('hex'),
      workFolder = process.cwd(),
      agent = AGENT,
    } = this.#options;
    const labels = runLabels(runId, thisOwner(), context.keep);
    if (!context.keep) this.#callOff = hireJanitor(JANITOR, runId);
    for (const line of await sweepDeadRuns(engine.docker)) context.progress(line);
    const image = await ensureImage(engine.docker, context.progress);
    context.signal.throwIfAborted();
    context.progress(`starting ${sites.length} sites on Docker ${engine.version}`);
    const warm = warmCompileCache(this.root, agent);
    const networks = await Networks.survey(engine.docker, labels, runId);
    const wan = await networks.make(nameFor(runId, 'wan', 'net'), 'lab', WAN_PREFIX);
    const nextAddress = newAddresses(wan);
    await warm;
    const folders = foldersFor(this.root, resolve(workFolder));
    const { keep } = context;
    const stage: Stage = {
      ...{ engine, image, runId, labels, networks, wan, nextAddress },
      ...{ agent, root: this.root, folders, keep },
    };
    this.#stage = stage;
    for (const [index, host] of outsideHosts(topology).entries())
      this.#outside.set(host, wanAddress.outside(wan, index));
    const jobs = [
      ...[...this.#outside].map(
        ([host, address]) =>
          () =>
            this.#startOutside(stage, host, address, topology),
      ),
      ...sites.map((site, index) => () => this.#startSite(stage, site, index)),
    ];
    // every job is waited for, also after a failure: nothing may still be created while close() removes
    let failed = false;
    const failures = await eachAtMost(startAtOnce(), jobs, async (job) => {
      context.signal.throwIfAborted();
      if (failed) return;
      await job().catch((error: unknown) => {
        failed = true;
        throw error;
      });
    });
    context.signal.throwIfAborted();
    const error = failures[0]?.error;
    if (error instanceof LabError) throw error;
    if (error !== undefined)
      throw new LabError(
        `the lab cannot be started: ${(error as Error).message}`,
        'see docker info and docker ps',
        {
          cause: error,
        },
      );
  }

  async #startOutside(
    stage: Stage,
    host: string,
    address: string,
    { sites, servers = [] }: Topology,
  ): Promise<void> {
    const sees = servers.find(({ name }) => name === host)?.sees ?? [];
    const container = await startAgentHost(stage, host, { network: stage.wan.name, address }, sees);
    const losing =
      this.packetLinks !== undefined && sites.some(({ link }) => hasLoss(packetLink(link.faults)));
    if (losing) await runOnce(stage, container, host, smallFrameLines(address));
    this.#channels.set(host, await openAgent(stage, host, container, undefined));
  }

  async #startSite(stage: Stage, site: Site, index: number): Promise<void> {
    const { packets } = this.#options;
    const seed = this.#context?.seed ?? 0;
    const { nat, channel, shells, packet } = await startSite(
      ...([stage, site, index] as const),
      packets && { ...packets, seed },
    );
    if (packet !== undefined) this.#packets.set(site.name, packet);
    this.#shells.push(...shells);
    this.#nats.set(site.name, nat);
    this.#channels.set(site.name, channel);
  }

  channel(host: string): AgentChannel {
    const channel = this.#channels.get(host);
    if (channel === undefined)
      throw new Error(`no host is called ${host}; known: ${[...this.#channels.keys()].join(', ')}`);
    return channel;
  }

  bind(host: string): string {
    // actors of a site speak with each other only; whatever is outside must be reachable under its address
    return this.#outside.get(host) ?? '127.0.0.1';
  }

  address(host: string): string {
    const address = this.#outside.get(host);
    if (address === undefined)
      throw new Error(
        `${host} cannot be reached from outside; these can: ${[...this.#outside.keys()].join(', ')}`,
      );
    return address;
  }

  /** Nobody dials from it: the kernel translates. */
  publicHost(): undefined {
    return undefined;
  }

  /** The address under which the relay sees a site now. */
  publicAddress(site: string): string {
    return this.#nat(site).publicAddress;
  }

  #nat(site: string): KernelNat {
    const nat = this.#nats.get(site);
    if (nat === undefined)
      throw new Error(`no site is called ${site}; known: ${[...this.#nats.keys()].join(', ')}`);
    return nat;
  }

  async #fault(site: Site, order: FaultOrder): Promise<Receipt> {
    if (order.what.kind !== 'nat')
      throw new Error(`fault ${order.fault}: ${order.what.kind} is not the NAT's to do`);
    return this.#nat(site.name).fault(order.what.event);
  }

  async #packetFault(site: Site, { fault, what }: FaultOrder): Promise<Receipt> {
    const link = this.#packets.get(site.name);
    if (link === undefined || what.kind !== 'link' || what.fault.kind !== 'stall')
      throw new Error(`fault ${fault}: ${what.kind} has no packet form at ${site.name}`);
    return link.stall(what.fault, what.forMillis);
  }

  /** Packets a site's link has seen and lost since it was started. */
  async packetCounters(site: string): Promise<Awaited<ReturnType<PacketSite['counters']>> | undefined> {
    return this.#packets.get(site)?.counters();
  }

  /** Whether the kernel of the gateways has netem. Needs a site. @throws LabError */
  async hasNetem(): Promise<boolean> {
    return (await this.#shells[0]?.run(NETEM_PROBE))?.trim() === 'yes';
  }

  /** Removes the run's containers and networks (another `open` may follow); with `keep`, says how to look at them instead. Waits for an `open` under way. */
  close(): Promise<readonly string[]> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<readonly string[]> {
    await this.#opening.catch(() => undefined);
    const stage = this.#stage;
    const keep = this.#context?.keep === true;
    const channels = [...this.#channels.values()];
    await Promise.all([
      ...channels.map((channel) => (keep ? channel.leave() : channel.close())),
      ...this.#shells.map((shell) => shell.close()),
      ...[...this.#packets.values()].map((packet) => packet.close()),
    ]);
    this.#packets.clear();
    this.#channels.clear();
    this.#shells.length = 0;
    this.#outside.clear();
    this.#stage = undefined;
    if (stage === undefined) {
      this.#callOff();
      return [];
    }
    if (keep) {
      for (const line of this.#lookInside(stage)) this.#context?.progress(line);
      return [];
    }
    const left = await removeRun(stage.engine.docker, stage.runId);
    // what could not be removed now is tried again by the janitor, whom nobody calls off
    if (left.length === 0) this.#callOff();
    return left;
  }

  #lookInside({ runId }: Stage): readonly string[] {
    const label = `label=${LABEL.run}=${runId}`;
    return [
      `run ${runId} is left running (its containers end by themselves after 6 hours)`,
      `see it:    docker ps --filter ${label}`,
      `relay:     docker exec -it ${nameFor(runId, 'relay', 'host')} sh`,
      ...[...this.#nats.keys()]
        .slice(0, 3)
        .flatMap((site) => [
          `${site}:  docker exec -it ${nameFor(runId, site, 'host')} sh`,
          `its NAT:   docker exec -it ${nameFor(runId, site, 'gateway')} sh -c 'nft list ruleset; conntrack -L'`,
        ]),
      `remove it: docker rm -f $(docker ps -aq --filter ${label}); docker network rm $(docker network ls -q --filter ${label})`,
    ];
  }
}
