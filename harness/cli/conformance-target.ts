/** Which program is judged, as the command line names it. */
import type { Profile } from '../conformance/case.ts';
import { addressServer } from '../conformance/targets/address-server.ts';
import { execServer } from '../conformance/targets/exec-server.ts';
import { imageServer } from '../conformance/targets/image-server.ts';
import type { ServerTarget } from '../conformance/targets/target.ts';
import { UsageError } from './usage.ts';

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

const placeholdersOf = (profile: Profile): string => {
  if (profile.role === 'adapter') return '';
  const names =
    profile.role === 'server'
      ? ['port', ...Object.keys(profile.files ?? {})]
      : Object.keys(profile.placeholders);
  return names.map((name) => ` {${name}}`).join('');
};

/** @throws UsageError: no target, two of them, or one of a kind that this profile cannot judge */
export const refuseWrongTarget = (profile: Profile, flags: TargetFlags): void => {
  const { exec, address, image, pid } = flags;
  const given = [exec, address, image].filter((one) => one !== undefined);
  const others = profile.role === 'server' ? ', --address HOST:PORT or --image NAME' : '';
  if (given.length === 0)
    throw new UsageError(
      `what is to be judged? Give --exec './my-program${placeholdersOf(profile)}'${others}.`,
    );
  if (given.length > 1)
    throw new UsageError('--exec, --address and --image are three ways to name one target: give one.');
  if (pid !== undefined && address === undefined)
    throw new UsageError('--pid goes with --address: of a program that we start, we know it.');
  if (profile.role === 'client' && exec === undefined)
    throw new UsageError(
      `${profile.name} judges a program that dials: each case must start it. Give --exec './my-program${placeholdersOf(profile)}'.`,
    );
  if (profile.role === 'adapter' && exec === undefined)
    throw new UsageError(
      `${profile.name} judges a program that is talked to over its standard input. Give --exec './my-adapter'.`,
    );
};
