/** Which cases of a profile are asked for: ids, prefixes or globs; whatever matches nothing is an error that names the nearest. */
import { unknownName } from './nearest.ts';

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** `*` stands for one part of an id, `**` for any number. */
const pattern = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .split('**')
      .map((piece) => piece.split('*').map(escaped).join('[^/]*'))
      .join('.*')}$`,
  );

/**
 * @param ids every case of the profile, `port-relay/reg/silent-probe`
 * @param wanted as the command line has them; the profile's name in front may be left out; none: all
 * @throws Error for one that matches no case
 */
export const selected = (
  profile: string,
  ids: readonly string[],
  wanted: readonly string[],
): ReadonlySet<string> => {
  if (wanted.length === 0) return new Set(ids);
  const found = new Set<string>();
  for (const given of wanted) {
    const full = given.startsWith(`${profile}/`) ? given : `${profile}/${given}`;
    const whole = pattern(full);
    const matching = ids.filter((id) => whole.test(id) || id.startsWith(`${full.replace(/\/$/, '')}/`));
    if (matching.length === 0)
      throw new Error(unknownName('case', given, ids, `relaylab conformance ${profile} --list prints them`));
    for (const id of matching) found.add(id);
  }
  return found;
};
