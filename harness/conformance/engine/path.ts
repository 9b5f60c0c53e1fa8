/**
 * What stands between a case and its target: nothing, or a link profile and a NAT preset, as everywhere in this house. Seen from
 * whoever dials, the NAT comes first and the link behind it.
 */
import { type ChaosProxy, createChaosProxy, PROFILES, type ProfileName } from 'chaos-proxy';
import { connNames, NodeDriver } from '../../../reference-impl/drivers/node.ts';
import type { Address } from '../../../reference-impl/machine/machine.ts';
import { rngFor } from '../../../reference-impl/machine/rng.ts';
import { NatMachine } from '../../nat/nat-machine.ts';
import type { NatCommand, NatReport } from '../../nat/nat-report.ts';
import { PRESETS, type PresetName } from '../../nat/presets.ts';

export type PathSpec = { readonly link: ProfileName | undefined; readonly nat: PresetName | undefined };

export const DIRECT: PathSpec = { link: undefined, nat: undefined };

/** `direct`, `mobile`, `mobile+hostile`. */
export const pathName = ({ link, nat }: PathSpec): string =>
  [link, nat].filter((part) => part !== undefined).join('+') || 'direct';

/** Every path that a run can have. */
export const PATH_NAMES: readonly string[] = [undefined, ...(Object.keys(PROFILES) as ProfileName[])].flatMap(
  (link) => [undefined, ...(Object.keys(PRESETS) as PresetName[])].map((nat) => pathName({ link, nat })),
);

export interface OpenPath {
  readonly address: Address;
  /** What the faults of the path really did, in words; faults that did nothing are left out. */
  receipts(): readonly string[];
  /** What the path took from the case: mappings that were forgotten, connections refused. Whoever lost one is not to blame. */
  losses(): readonly string[];
  close(): Promise<void>;
}

/** What is allowed on top of every patience: links that stall for a moment, and those on which megabytes take minutes. */
const ALLOWED_MILLIS: Readonly<Record<ProfileName, number>> = {
  clean: 0,
  mobile: 10_000,
  slow: 60_000,
  lossy: 10_000,
  stalling: 20_000,
  satellite: 30_000,
};

export const pathMillis = ({ link }: PathSpec): number => (link === undefined ? 0 : ALLOWED_MILLIS[link]);

const openLink = async (name: ProfileName, upstream: Address, seed: number): Promise<OpenPath> => {
  const proxy: ChaosProxy = await createChaosProxy({ upstream, faults: PROFILES[name].faults, seed });
  return {
    address: { host: proxy.host, port: proxy.port },
    receipts: () =>
      proxy
        .receipts()
        .filter(({ effects }) => effects > 0)
        .map(({ text }) => `link ${name}: ${text}`),
    losses: () => [],
    close: () => proxy.close(),
  };
};

const openNat = async (preset: PresetName, upstream: Address, seed: number): Promise<OpenPath> => {
  const ready = Promise.withResolvers<number>();
  const stopped = Promise.withResolvers<void>();
  let [mapped, expired, exhausted] = [0, 0, 0];
  const hear = (event: NatReport): void => {
    if (event.type === 'nat.ready') ready.resolve(event.port);
    else if (event.type === 'nat.failed') ready.reject(new Error(`the NAT cannot listen: ${event.why}`));
    else if (event.type === 'nat.stopped') stopped.resolve();
    else if (event.type === 'nat.mapped') mapped++;
    else if (event.type === 'nat.expired') expired++;
    else if (event.type === 'nat.exhausted') exhausted++;
  };
  const name = connNames();
  const machine = new NatMachine({
    listen: { host: '127.0.0.1', port: 0 },
    ...{ upstream, publicHost: undefined, nat: PRESETS[preset], rng: rngFor(seed, `nat ${preset}`), name },
    ...{ innerKeepaliveMillis: 0, outerKeepaliveMillis: 0 },
  });
  const driver = new NodeDriver<NatReport, NatCommand>(machine, { name, report: hear });
  driver.start();
  const port = await ready.promise;
  return {
    address: { host: '127.0.0.1', port },
    receipts: () => (mapped === 0 ? [] : [`NAT ${preset}: ${mapped} mappings, ${expired} forgotten`]),
    losses: () => [
      ...(expired > 0 ? [`the NAT ${preset} forgot ${expired} idle mappings`] : []),
      ...(exhausted > 0 ? [`the NAT ${preset} refused ${exhausted} connections`] : []),
    ],
    close: async () => {
      driver.stop();
      await stopped.promise;
      driver.destroy();
    },
  };
};

/** @returns where to dial so that what comes out at the far end has passed NAT and link, in this order */
export const openPath = async (
  { link, nat }: PathSpec,
  upstream: Address,
  seed: number,
): Promise<OpenPath> => {
  const far = link === undefined ? undefined : await openLink(link, upstream, seed);
  const near = nat === undefined ? undefined : await openNat(nat, far?.address ?? upstream, seed);
  const parts = [near, far].filter((part) => part !== undefined);
  return {
    address: parts[0]?.address ?? upstream,
    receipts: () => parts.flatMap((part) => part.receipts()),
    losses: () => parts.flatMap((part) => part.losses()),
    close: async () => {
      for (const part of parts) await part.close();
    },
  };
};
