/** Which program is judged, as the command line names it. */
import { distance } from 'fastest-levenshtein';
import type { Profile } from '../conformance/case.ts';
import { nearestNames } from '../conformance/nearest.ts';
import { addressServer } from '../conformance/targets/address-server.ts';
import type { ClientCommand } from '../conformance/targets/client-target.ts';
import { execServer } from '../conformance/targets/exec-server.ts';
import { imageServer } from '../conformance/targets/image-server.ts';
import type { ServerTarget } from '../conformance/targets/target.ts';
import { UsageError, unknown } from './usage.ts';

export type TargetFlags = {
  readonly exec: string | undefined;
  readonly address: string | undefined;
  readonly image: string | undefined;
  readonly pid: number | undefined;
  /** The public key that the target must have, and a file that holds it. */
  readonly key: string | undefined;
  readonly ticket: string | undefined;
};

const addressOf = (text: string): { readonly host: string; readonly port: number } => {
  const found = /^(.+):(\d{1,5})$/.exec(text);
  const port = Number(found?.[2]);
  if (found === null || port < 1 || port > 65_535)
    throw new UsageError(`--address ${text}: expected HOST:PORT.`);
  return { host: (found[1] as string).replace(/^\[|\]$/g, ''), port };
};

/** As reports name it. */
export const targetText = ({ exec, address, image }: TargetFlags): string =>
  exec ?? address ?? (image === undefined ? '' : `image ${image}`);

/**
 * @param files what the profile's targets read
 * @throws UsageError for an address that is none
 */
export const serverOf = (
  { exec, address, image, pid }: TargetFlags,
  files: Readonly<Record<string, string>> = {},
): ServerTarget => {
  if (address !== undefined) return addressServer(addressOf(address), pid);
  return image === undefined ? execServer(exec as string, files) : imageServer(image);
};

/** Of a profile whose cases start it themselves. */
export const clientOf = ({ exec, image }: TargetFlags): ClientCommand =>
  image === undefined ? (exec as string) : { image };

/** What its command line may have in it, each with what it stands for. */
const placeholdersOf = (profile: Profile): Readonly<Record<string, string>> => {
  switch (profile.role) {
    case 'adapter':
      return {};
    case 'client':
      return profile.placeholders;
    case 'server':
      return {
        port: 'where it must listen; without it, it must print the port that it took',
        ...Object.fromEntries(Object.keys(profile.files ?? {}).map((name) => [name, 'a file that it reads'])),
        ...profile.placeholders,
      };
  }
};

/** `Give --exec './my-program {port}'`, and below it what may stand there. */
const advice = (profile: Profile, others = ''): string => {
  if (profile.role === 'adapter') return "Give --exec './my-adapter'.";
  const entries = Object.entries(placeholdersOf(profile));
  const width = Math.max(...entries.map(([name]) => name.length)) + 2;
  const meanings = entries.map(([name, meaning]) => `\n  ${`{${name}}`.padEnd(width)}  ${meaning}`).join('');
  const words = entries.map(([name]) => `{${name}}`).join(' ');
  const few = entries.length > 1 ? ' It takes those that it needs.' : '';
  const told =
    profile.role === 'client'
      ? `\nAn image has them in its environment, too: RELAYLAB_${(entries[0]?.[0] ?? '').toUpperCase()} and so on.`
      : '';
  return `Give --exec './my-program ${words}'${others}.${few}${meanings}${told}`;
};

/** Nobody can know where to dial, or what to obey, whom nothing tells. */
const refuseUntold = (profile: Profile, exec: string): void => {
  const names = Object.keys(placeholdersOf(profile));
  if (profile.role !== 'client' || names.some((name) => exec.includes(`{${name}}`))) return;
  throw new UsageError(
    `--exec '${exec}' has no {...} in it, and each case starts the program with files and addresses of its own.\n${advice(profile)}`,
  );
};

/** How far a {word} is from one that is filled in, and was meant to be it. */
const TYPO_MAX = 2;

/** A mistyped {word} would reach the program as it stands. A profile whose cases start it fills in all, or none. */
const refuseMistyped = (profile: Profile, command: string): void => {
  const names = [...Object.keys(placeholdersOf(profile)), ...(profile.role === 'server' ? ['dir'] : [])];
  for (const [, word = ''] of command.matchAll(/\{(\w+)\}/g)) {
    if (profile.role === 'adapter' || names.includes(word)) continue;
    const [nearest = ''] = nearestNames(word, names);
    if (profile.role === 'client' || distance(word, nearest) <= TYPO_MAX)
      throw unknown(
        'placeholder',
        `{${word}}`,
        names.map((name) => `{${name}}`),
      );
  }
};

/** @throws UsageError: no target, two of them, or one of a kind that this profile cannot judge */
export const refuseWrongTarget = (profile: Profile, flags: TargetFlags): void => {
  const { exec, address, image, pid } = flags;
  const given = [exec, address, image].filter((one) => one !== undefined);
  const others = { server: ', --address HOST:PORT or --image NAME', client: ' or --image NAME', adapter: '' }[
    profile.role
  ];
  if (given.length === 0) throw new UsageError(`what is to be judged? ${advice(profile, others)}`);
  if (given.length > 1)
    throw new UsageError('--exec, --address and --image are three ways to name one target: give one.');
  if (pid !== undefined && address === undefined)
    throw new UsageError('--pid goes with --address: of a program that we start, we know it.');
  if (profile.role === 'client' && address !== undefined)
    throw new UsageError(
      `${profile.name}: each case starts the program for itself; one that runs already cannot be judged.\n${advice(profile, others)}`,
    );
  if (profile.role === 'adapter' && exec === undefined)
    throw new UsageError(
      `${profile.name} judges a program that is talked to over its standard input. ${advice(profile)}${image === undefined ? '' : `\nAn image is such a program, too: --exec 'docker run --rm -i ${image}'.`}`,
    );
  refuseMistyped(profile, exec ?? image ?? '');
  if (exec !== undefined) refuseUntold(profile, exec);
};
