/**
 * What is known to fail, each entry with its reason, a link, an owner and a day on which it expires. A failure that is listed does
 * not fail the run; an entry whose case passes, or whose day is over, does (exit code 5): a list may only shrink.
 */
import { unknownName } from '../nearest.ts';
import type { CaseResult } from '../outcome.ts';

export type BaselineEntry = {
  /** Case id, `port-relay/reg/silent-probe`; on one path only: `port-relay/reg/silent-probe@mobile`. */
  readonly case: string;
  readonly reason: string;
  /** Where it is worked on; may be empty. */
  readonly link: string;
  readonly owner: string;
  /** `2027-01-31`: the last day on which the entry counts. */
  readonly expires: string;
};

const FIELDS = ['case', 'reason', 'link', 'owner', 'expires'] as const;

/**
 * @param ids every case there is
 * @throws Error naming the entry, what was expected and what stood there
 */
export const readBaseline = (
  text: string,
  file: string,
  ids: readonly string[],
): readonly BaselineEntry[] => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is no JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(parsed)) throw new Error(`${file}: expected a list of entries`);
  const seen = new Set<string>();
  return parsed.map((raw: unknown, index): BaselineEntry => {
    const where = `${file}, entry ${index + 1}`;
    if (typeof raw !== 'object' || raw === null) throw new Error(`${where}: expected an object`);
    const entry = raw as Record<string, unknown>;
    for (const key of Object.keys(entry))
      if (!(FIELDS as readonly string[]).includes(key))
        throw new Error(`${where}: ${unknownName('field', key, FIELDS)}`);
    for (const field of FIELDS)
      if (typeof entry[field] !== 'string')
        throw new Error(`${where}: ${field}: expected a text, got ${JSON.stringify(entry[field])}`);
    const read = entry as unknown as BaselineEntry;
    const [id = ''] = read.case.split('@');
    if (!ids.includes(id)) throw new Error(`${where}: ${unknownName('case', id, ids)}`);
    if (read.reason.trim() === '' || read.owner.trim() === '')
      throw new Error(`${where}: reason and owner must say something`);
    if (!/^\d{4}-\d\d-\d\d$/.test(read.expires) || Number.isNaN(Date.parse(read.expires)))
      throw new Error(`${where}: expires: expected a day like 2027-01-31, got ${read.expires}`);
    if (seen.has(read.case)) throw new Error(`${where}: ${read.case} is listed twice`);
    seen.add(read.case);
    return read;
  });
};

export type Stale = { readonly entry: BaselineEntry; readonly why: string };

export type Compared = {
  /** Results that an entry excuses, by `id@path`. */
  readonly known: ReadonlyMap<string, BaselineEntry>;
  readonly stale: readonly Stale[];
};

export const resultKey = ({ id, path }: Pick<CaseResult, 'id' | 'path'>): string => `${id}@${path}`;

/**
 * @param today ISO day
 * @param complete every case ran: only then an entry without a failure can be called stale
 */
export const compared = (
  entries: readonly BaselineEntry[],
  results: readonly CaseResult[],
  today: string,
): Compared => {
  const known = new Map<string, BaselineEntry>();
  const stale: Stale[] = [];
  for (const entry of entries) {
    const [id, path] = entry.case.split('@');
    const of = results.filter((result) => result.id === id && (path === undefined || result.path === path));
    if (entry.expires < today) {
      stale.push({ entry, why: `it expired on ${entry.expires}` });
      continue;
    }
    const failing = of.filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive');
    for (const result of failing) known.set(resultKey(result), entry);
    // not judged in this run, or only undecided: nothing can be said about it
    if (of.length > 0 && of.every(({ verdict }) => verdict === 'pass'))
      stale.push({ entry, why: 'the case passes now' });
  }
  return { known, stale };
};

/** The list a run would need: known entries keep what they say, new failures get a reason to fill in. */
export const updated = (
  entries: readonly BaselineEntry[],
  results: readonly CaseResult[],
  owner: string,
  expires: string,
): readonly BaselineEntry[] => {
  const old = new Map(entries.map((entry) => [entry.case, entry]));
  const failing = results.filter(({ verdict, level }) => verdict === 'fail' && level === 'MUST');
  const judged = new Set(results.map(({ id }) => id));
  const kept = entries.filter((entry) => !judged.has(entry.case.split('@')[0] ?? ''));
  const several = new Set(results.map(({ path }) => path)).size > 1;
  const fresh = failing.map((result): BaselineEntry => {
    const key = several ? resultKey(result) : result.id;
    return (
      old.get(key) ??
      old.get(result.id) ?? {
        case: key,
        reason: `fails: ${result.got.split('\n')[0] ?? ''}`,
        link: '',
        owner,
        expires,
      }
    );
  });
  return [...kept, ...new Map(fresh.map((entry) => [entry.case, entry])).values()];
};
