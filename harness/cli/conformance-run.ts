/** The cases that were asked for, on every path that was asked for, one path after the other. */
import { PROFILES as LINKS, type ProfileName } from 'chaos-proxy';
import type { AdapterContext, Case, ClientContext, Profile, ServerContext } from '../conformance/case.ts';
import type { Canary } from '../conformance/engine/canary.ts';
import type { PathSpec } from '../conformance/engine/path.ts';
import { runAdapterCases } from '../conformance/engine/run-adapter-cases.ts';
import { runClientCases } from '../conformance/engine/run-client-cases.ts';
import { runServerCases } from '../conformance/engine/run-server-cases.ts';
import type { CaseResult } from '../conformance/outcome.ts';
import type { Capabilities } from '../conformance/targets/capabilities.ts';
import { refuseMissing } from '../conformance/targets/client-target.ts';
import { PRESETS, type PresetName } from '../nat/presets.ts';
import { clientOf, serverOf, type TargetFlags } from './conformance-target.ts';
import { oneOf, UsageError } from './usage.ts';

export type RunFlags = TargetFlags & {
  readonly case: readonly string[];
  readonly link: readonly string[];
  readonly nat: readonly string[];
  readonly capabilities: string | undefined;
  readonly baseline: string | undefined;
  readonly jobs: number;
};

const linkNamed = oneOf('link profile', Object.keys(LINKS) as ProfileName[]);
const natNamed = oneOf('NAT preset', Object.keys(PRESETS) as PresetName[]);

/** Every link with every NAT; neither given: the direct path alone. @throws UsageError for a name that does not exist */
export const pathsOf = (
  profile: Profile,
  { link, nat }: Pick<RunFlags, 'link' | 'nat'>,
): readonly PathSpec[] => {
  const networked = profile.role === 'server' || (profile.role === 'client' && profile.local !== true);
  if (!networked && link.length + nat.length > 0)
    throw new UsageError(
      `${profile.name} has no network: --link and --nat change nothing there. Leave them out.`,
    );
  const links = link.length === 0 ? [undefined] : link.map(linkNamed);
  const nats = nat.length === 0 ? [undefined] : nat.map(natNamed);
  return links.flatMap((one) => nats.map((other) => ({ link: one, nat: other })));
};

const shellWord = (text: string): string =>
  /^[\w./:=,@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** How this program was called. */
const CALLED =
  process.env.npm_lifecycle_event === 'relaylab' ? 'npm run relaylab -- conformance' : 'relaylab conformance';

/** What was asked for, as a command again; `only` one case on one path. */
export const rerunOf = (
  profile: string,
  flags: RunFlags,
  seed: number,
  only?: { readonly id: string; readonly path: PathSpec },
): string => {
  const words: string[] = [profile];
  if (flags.exec !== undefined) words.push('--exec', flags.exec);
  if (flags.address !== undefined) words.push('--address', flags.address);
  if (flags.image !== undefined) words.push('--image', flags.image);
  if (flags.pid !== undefined) words.push('--pid', String(flags.pid));
  if (flags.key !== undefined) words.push('--key', flags.key);
  if (flags.ticket !== undefined) words.push('--ticket', flags.ticket);
  for (const one of only === undefined ? flags.case : [only.id]) words.push('--case', one);
  const links = only === undefined ? flags.link : [only.path.link ?? []].flat();
  const nats = only === undefined ? flags.nat : [only.path.nat ?? []].flat();
  if (links.length > 0) words.push('--link', links.join(','));
  if (nats.length > 0) words.push('--nat', nats.join(','));
  if (flags.capabilities !== undefined) words.push('--capabilities', flags.capabilities);
  if (flags.baseline !== undefined && only === undefined) words.push('--baseline', flags.baseline);
  words.push('--seed', seed.toString(16).padStart(6, '0'));
  return `${CALLED} ${words.map(shellWord).join(' ')}`;
};

export type Asked = {
  readonly profile: Profile;
  readonly flags: RunFlags;
  /** Ids of the cases. */
  readonly names: ReadonlySet<string>;
  readonly capabilities: Capabilities;
  /** Who the target must be, where that was said. */
  readonly targetKey: Uint8Array | undefined;
  readonly seed: number;
  readonly canary: Canary;
  /** Told each result as it comes: what came before a target was lost is not lost. */
  readonly done: (result: CaseResult) => void;
  readonly signal: AbortSignal;
};

/** @throws TargetError when the target does not come up, or not again */
export const runAsked = async (asked: Asked): Promise<void> => {
  const { profile, flags, names, capabilities, targetKey, seed, canary, done, signal } = asked;
  const wanted = <Context>(items: readonly Case<Context>[]): readonly Case<Context>[] =>
    items.filter((item) => names.has(`${profile.name}/${item.name}`));
  for (const path of pathsOf(profile, flags)) {
    if (signal.aborted) return;
    const base = {
      surroundings: { capabilities, canary, seed, targetKey },
      ...{ path, jobs: flags.jobs, done, signal },
      rerunOf: (id: string) => rerunOf(profile.name, flags, seed, { id, path }),
    };
    switch (profile.role) {
      case 'server': {
        const cases = wanted<ServerContext>(profile.cases);
        await runServerCases({ ...base, profile, cases, target: serverOf(flags, profile.files) });
        break;
      }
      case 'client': {
        const cases = wanted<ClientContext>(profile.cases);
        const command = clientOf(flags);
        await refuseMissing(command);
        await runClientCases({ ...base, profile, cases, command });
        break;
      }
      case 'adapter': {
        const cases = wanted<AdapterContext>(profile.cases);
        await runAdapterCases({ ...base, profile, cases, command: flags.exec as string });
        break;
      }
    }
  }
};
