/** The packet-level link of one site: put in place between the site's container and its gateway, shut and counted. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from 'chaos-proxy';
import type { Receipt } from '../ground.ts';
import { LabError } from '../lab.ts';
import { hasLoss, type PacketLink, type PacketStall, packetLink, stallOf, type Way } from '../packet-form.ts';
import { programFile } from '../program-file.ts';
import type { Site } from '../topology.ts';
import { Attached } from './attach.ts';
import type { Gateway } from './gateway.ts';
import { startHost } from './host-container.ts';
import { NODE_IN_IMAGE } from './image.ts';
import { nameFor } from './labels.ts';
import type { LinkRelayArgument } from './link-relay.ts';
import {
  counterLines,
  gatewayTunnelLines,
  hostTunnelLines,
  type LinkCounter,
  linkLines,
  needsTunnel,
  OVERLAY,
  openLines,
  shutLines,
  smallFrameLines,
  VXLAN_PORT,
} from './packet-lines.ts';
import { Shell } from './shell.ts';
import type { Stage } from './stage.ts';

export type PacketSiteSpec = {
  readonly site: Site;
  /** The gateway next to the site. */
  readonly gateway: Gateway;
  /** The site's container and its address, and where the link container may stand in the same network. */
  readonly container: string;
  readonly address: string;
  readonly linkAddress: string;
  readonly seed: number;
  readonly netem: boolean;
};

const READY_MILLIS = 15_000;

const counters = (text: string): Readonly<Record<LinkCounter, number>> =>
  Object.fromEntries(
    text
      .split('\n')
      .map((line) => line.trim().split(' '))
      .map(([name, packets]) => [name, Number(packets)]),
  ) as Record<LinkCounter, number>;

/** Runs lines once in a container that has no shell of the lab's open. */
export const runOnce = async (
  stage: Stage,
  container: string,
  where: string,
  lines: readonly string[],
): Promise<void> => {
  const shell = await Shell.open(stage.engine.docker, container, where);
  try {
    await shell.run(lines.join('\n'));
  } finally {
    await shell.close();
  }
};

export class PacketSite {
  readonly #shell: Shell;
  readonly #over = new AbortController();
  #relay: Attached | undefined;

  private constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** @throws LabError */
  static async start(stage: Stage, spec: PacketSiteSpec): Promise<PacketSite> {
    const { site, gateway, container, address, netem } = spec;
    const link = packetLink(site.link.faults);
    const { docker } = stage.engine;
    const shell = await Shell.open(docker, gateway.container, `the link of ${site.name}`);
    const packet = new PacketSite(shell);
    if (needsTunnel(link, netem)) {
      packet.#relay = await packet.#startRelay(stage, spec, link);
      const { address: inside } = gateway.spec.inside;
      await shell.run(gatewayTunnelLines(inside, spec.linkAddress).join('\n'));
      await runOnce(stage, container, `the host of ${site.name}`, hostTunnelLines(address, spec.linkAddress));
    }
    if (hasLoss(link)) await runOnce(stage, container, `the host of ${site.name}`, smallFrameLines(address));
    await shell.run(linkLines(link, netem).join('\n'));
    for (const stall of link.stalls) packet.#repeat(stall);
    return packet;
  }

  /** Where the site's way out leads, with this link. */
  static wayOut(site: Site, netem: boolean, inside: string): string {
    return needsTunnel(packetLink(site.link.faults), netem) ? OVERLAY.gateway : inside;
  }

  async #startRelay(stage: Stage, spec: PacketSiteSpec, link: PacketLink): Promise<Attached> {
    const { site, gateway, address, linkAddress, seed } = spec;
    const { docker } = stage.engine;
    const container = await startHost({
      docker,
      image: stage.image,
      name: nameFor(stage.runId, site.name, 'link'),
      hostname: 'link',
      labels: stage.labels,
      places: [{ network: gateway.spec.inside.network, address: linkAddress }],
      role: 'agent',
      folders: stage.folders,
    });
    const argument: LinkRelayArgument = {
      port: VXLAN_PORT,
      seed,
      inner: address,
      outer: gateway.spec.inside.address,
      up: link.up,
      down: link.down,
    };
    return new Promise((resolve, reject) => {
      const failed = (how: string): void =>
        reject(
          new LabError(
            `the link of ${site.name} ${how}`,
            'run it again with --keep and look at its container',
          ),
        );
      const timer = setTimeout(() => failed('was not ready in time'), READY_MILLIS);
      let attached: Promise<Attached>;
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        settle();
      };
      attached = Attached.start(docker, {
        container,
        command: [NODE_IN_IMAGE, programFile('./link-relay', import.meta.url), JSON.stringify(argument)],
        folder: '/',
        onLine: () => done(() => resolve(attached)),
        onEnd: ({ said }) => done(() => failed(`ended: ${said.join(' | ')}`)),
      });
      attached.catch((error: unknown) => done(() => failed(`cannot be started: ${String(error)}`)));
    });
  }

  /** A stall that belongs to the link: again and again until the link is closed. */
  #repeat(stall: PacketStall): void {
    const { signal } = this.#over;
    const rest = (millis: number): Promise<void> => pause(millis, undefined, { signal });
    const run = async (): Promise<void> => {
      await rest(stall.afterMillis);
      do {
        await this.#shell.run(shutLines(stall.ways).join('\n'));
        await rest(stall.onMillis);
        await this.#shell.run(openLines(stall.ways).join('\n'));
        if (stall.offMillis !== undefined) await rest(stall.offMillis);
      } while (stall.offMillis !== undefined);
    };
    // ended with the link; a gateway that is gone is told by whoever needs it next
    run().catch(() => undefined);
  }

  /** Packets seen and lost since the start. @throws LabError */
  async counters(): Promise<Readonly<Record<LinkCounter, number>>> {
    return counters(await this.#shell.run(counterLines().join('\n')));
  }

  /** Nothing passes for a while; what was in TCP's hands is sent again afterwards. Comes back when it is over. @throws LabError */
  async stall(fault: Extract<Fault, { readonly kind: 'stall' }>, forMillis: number): Promise<Receipt> {
    const { ways, afterMillis, onMillis, offMillis } = stallOf(fault);
    const before = await this.counters();
    const ends = performance.now() + forMillis;
    const rest = (millis: number): Promise<void> =>
      pause(Math.max(0, Math.min(millis, ends - performance.now())));
    await rest(afterMillis);
    let shut = 0;
    do {
      const began = performance.now();
      await this.#shell.run(shutLines(ways).join('\n'));
      await rest(onMillis);
      await this.#shell.run(openLines(ways).join('\n'));
      shut += performance.now() - began;
      if (offMillis !== undefined) await rest(offMillis);
    } while (offMillis !== undefined && performance.now() < ends);
    const after = await this.counters();
    const dropped = (way: Way): number => after[`stalled_${way}`] - before[`stalled_${way}`];
    const effects = ways.reduce((sum, way) => sum + dropped(way), 0);
    const each = ways.map((way) => `${dropped(way)} ${way}`).join(', ');
    return {
      effects,
      text: `${effects} packets dropped (${each}), nothing passed for ${(shut / 1000).toFixed(1)} s`,
    };
  }

  async close(): Promise<void> {
    this.#over.abort();
    await Promise.all([this.#shell.close(), this.#relay?.end(500)]);
  }
}
