/** What stands between a case and its target: nothing, or a link profile and a NAT preset, as everywhere in this house. */
import { createChaosProxy, PROFILES, type ProfileName } from 'chaos-proxy';
import type { Address } from '../../../reference-impl/machine/machine.ts';
import type { PresetName } from '../../nat/presets.ts';

export type PathSpec = { readonly link: ProfileName | undefined; readonly nat: PresetName | undefined };

export const DIRECT: PathSpec = { link: undefined, nat: undefined };

/** `direct`, `mobile`, `mobile+hostile`. */
export const pathName = ({ link, nat }: PathSpec): string =>
  [link, nat].filter((part) => part !== undefined).join('+') || 'direct';

export interface OpenPath {
  readonly address: Address;
  close(): Promise<void>;
}

/** Links that hold bytes back hold a case back as well: what is allowed on top of every patience. */
export const pathMillis = ({ link }: PathSpec): number =>
  link === undefined || link === 'clean' ? 0 : link === 'stalling' ? 20_000 : 10_000;

export const openPath = async ({ link }: PathSpec, upstream: Address, seed: number): Promise<OpenPath> => {
  if (link === undefined) return { address: upstream, close: async () => undefined };
  const proxy = await createChaosProxy({ upstream, faults: PROFILES[link].faults, seed });
  return {
    address: { host: proxy.host, port: proxy.port },
    close: () => proxy.close(),
  };
};
