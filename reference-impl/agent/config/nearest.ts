import { closest, distance } from 'fastest-levenshtein';

/** The known name that was probably meant, if one is near enough. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  if (known.length === 0) return undefined;
  const candidate = closest(name, [...known]);
  const reach = Math.max(2, Math.floor(Math.max(name.length, candidate.length) / 3));
  return distance(name, candidate) <= reach || candidate.startsWith(name) || name.startsWith(candidate)
    ? candidate
    : undefined;
};

/** `did you mean 'x'?`, or the list of what there is. */
export const nearestHint = (name: string, known: readonly string[]): string => {
  const meant = nearest(name, known);
  if (meant !== undefined) return `did you mean '${meant}'?`;
  return known.length === 0 ? 'nothing may stand here' : `there is ${known.join(', ')}`;
};
