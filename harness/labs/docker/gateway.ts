/** A container that does NAT with the kernel's own means: one face towards the public side, one towards its site. */
import type { Site } from '../topology.ts';
import { type Place, startHost } from './host-container.ts';
import { nameFor } from './labels.ts';
import { Shell } from './shell.ts';
import type { Stage } from './stage.ts';

export type GatewaySpec = {
  readonly site: Site;
  /** `gateway`: the only one, or the carrier's; `home`: the one in front of a carrier's. */
  readonly role: 'gateway' | 'home';
  readonly outside: Place;
  readonly inside: Place;
  /** What is beyond the outside network is reached through this address; undefined: nothing is. */
  readonly uplink: string | undefined;
};

/**
 * Interfaces come up in no stable order: they are found by address and get the names the rules use. Their renaming drops
 * routes, so the way out is set last. Without an uplink the way out Docker made is taken away.
 */
const NAME_FACES = `
named() {
  device=$(ip -o -4 addr show | while read -r _ name _ cidr _; do if [ "\${cidr%/*}" = "$1" ]; then echo "$name"; fi; done)
  [ -n "$device" ] || { echo "no interface has $1"; exit 1; }
  ip link set "$device" down
  ip link set "$device" name "$2"
  ip link set "$2" up
}`;

export const setupScript = ({ outside, inside, uplink }: Omit<GatewaySpec, 'site' | 'role'>): string =>
  [
    NAME_FACES,
    `named ${outside.address} wan0`,
    `named ${inside.address} lan0`,
    'ip route flush exact 0.0.0.0/0',
    ...(uplink === undefined ? [] : [`ip route replace default via ${uplink} dev wan0`]),
  ].join('\n');

export class Gateway {
  readonly spec: GatewaySpec;
  readonly shell: Shell;
  /** Its id. */
  readonly container: string;

  /** The address on its outer side. */
  get address(): string {
    return this.spec.outside.address;
  }

  get uplink(): string | undefined {
    return this.spec.uplink;
  }

  private constructor(spec: GatewaySpec, container: string, shell: Shell) {
    this.spec = spec;
    this.container = container;
    this.shell = shell;
  }

  /** Starts the container with both faces named; it forwards, and translates nothing yet. @throws LabError */
  static async start(stage: Stage, spec: GatewaySpec): Promise<Gateway> {
    const { name } = spec.site;
    const { docker } = stage.engine;
    const container = await startHost({
      docker,
      image: stage.image,
      name: nameFor(stage.runId, name, spec.role),
      hostname: spec.role,
      labels: stage.labels,
      places: [spec.outside, spec.inside],
      role: 'gateway',
      folders: [],
    });
    const shell = await Shell.open(docker, container, `the ${spec.role} of ${name}`);
    await shell.run(setupScript(spec));
    return new Gateway(spec, container, shell);
  }
}
