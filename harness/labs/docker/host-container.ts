/** A container of the lab: testcontainers starts it, with what its interface does not know set underneath. */
import type Docker from 'dockerode';
import { GenericContainer, PullPolicy } from 'testcontainers';
import type { RunLabels } from './labels.ts';

/** Where a host stands in a network. */
export type Place = { readonly network: string; readonly address: string };

export type HostSpec = {
  readonly docker: Docker;
  readonly image: string;
  readonly name: string;
  readonly hostname: string;
  readonly labels: RunLabels;
  /** One network or more; the host is in all of them before it starts. */
  readonly places: readonly [Place, ...Place[]];
  /** `gateway`: forwards, and may write /proc/sys. `agent`: runs programs, with the folders below. */
  readonly role: 'gateway' | 'agent';
  /** Folders of this machine, read-only at the same path. */
  readonly folders: readonly string[];
};

/** A container ends by itself after this long, whatever became of the run. */
const LIFETIME_SECONDS = 6 * 3600;
const MEBIBYTE = 1 << 20;
const LIMITS = {
  gateway: { memory: 128 * MEBIBYTE, processes: 64 },
  agent: { memory: 2048 * MEBIBYTE, processes: 4096 },
} as const;

/** The first process: ends by itself, and buries orphans (a shell that waits reaps whatever dies). */
const PATIENCE = `sleep ${LIFETIME_SECONDS} & while kill -0 $! 2>/dev/null; do wait $!; done`;

const endpoint = (place: Place) => ({ IPAMConfig: { IPv4Address: place.address } });

class HostContainer extends GenericContainer {
  readonly #spec: HostSpec;

  constructor(spec: HostSpec) {
    super(spec.image);
    this.#spec = spec;
    const limits = LIMITS[spec.role];
    const [first] = spec.places;
    this.withName(spec.name)
      .withLabels(spec.labels)
      .withEntrypoint(['/bin/sh', '-c'])
      .withCommand([PATIENCE])
      .withAddedCapabilities('NET_ADMIN')
      .withNetworkMode(first.network)
      .withAutoCleanup(false)
      .withPullPolicy(PullPolicy.neverPull())
      .withBindMounts(spec.folders.map((folder) => ({ source: folder, target: folder, mode: 'ro' })));
    Object.assign(this.createOpts, {
      Hostname: spec.hostname,
      StopSignal: 'SIGKILL',
      NetworkingConfig: { EndpointsConfig: { [first.network]: endpoint(first) } },
    });
    Object.assign(this.hostConfig, {
      AutoRemove: true,
      Memory: limits.memory,
      MemorySwap: limits.memory,
      PidsLimit: limits.processes,
      LogConfig: { Type: 'none', Config: {} },
      // the local port range is wide so that a relay's random public ports and thousands of dials find room
      Sysctls: {
        'net.ipv4.ip_local_port_range': '10240 65535',
        ...(spec.role === 'gateway' ? { 'net.ipv4.ip_forward': '1' } : {}),
      },
      // makes /proc/sys writable with NET_ADMIN alone: NAT timeouts are set there while the gateway runs
      ...(spec.role === 'gateway' ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    });
  }

  /** testcontainers calls this between create and start: the other networks are there when the first process is. */
  protected override async containerCreated(id: string): Promise<void> {
    const { docker, places } = this.#spec;
    for (const place of places.slice(1))
      await docker.getNetwork(place.network).connect({ Container: id, EndpointConfig: endpoint(place) });
  }
}

/** Starts a host and says its container's id. @throws what the engine answers */
export const startHost = async (spec: HostSpec): Promise<string> =>
  (await new HostContainer(spec).start()).getId();
