/**
 * What is known to fail, each entry with its reason, a link, an owner and a day on which it expires. A failure that is listed does
 * not fail the run; an entry whose case passes, or whose day is over, does (exit code 5): a list may only shrink.
 */
import { PATH_NAMES } from '../engine/path.ts';
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
    const [id = '', path] = read.case.split('@');
    if (!ids.includes(id))
      throw new Error(
        `${where}: ${unknownName('case', id, ids, 'relaylab conformance PROFILE --list prints them')}`,
      );
    if (path !== undefined && !PATH_NAMES.includes(path))
      throw new Error(`${where}: ${unknownName('path', path, PATH_NAMES, 'direct, LINK, NAT or LINK+NAT')}`);
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
    const failing = of.filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive');
    for (const result of failing) known.set(resultKey(result), entry);
    // what has expired is still no news: the list is out of date, which has an exit code of its own
    if (entry.expires < today) stale.push({ entry, why: `it expired on ${entry.expires}` });
    // not judged in this run, or only undecided: nothing can be said about it
    else if (of.length > 0 && of.every(({ verdict }) => verdict === 'pass'))
      stale.push({ entry, why: 'the case passes now' });
  }
  return { known, stale };
};

/** What a new entry says; `reason` empty: what came instead of what was expected. */
export type NewEntry = Pick<BaselineEntry, 'owner' | 'expires' | 'link' | 'reason'>;

/**
 * The list that fits a run: what passes now goes, what fails and is listed keeps what it says, what fails anew is added.
 * @param results of one run; an entry about something that was not judged in it, or only undecided, is kept
 */
export const updated = (
  entries: readonly BaselineEntry[],
  results: readonly CaseResult[],
  fresh: NewEntry,
): readonly BaselineEntry[] => {
  const about = (entry: BaselineEntry, result: CaseResult): boolean =>
    entry.case === result.id || entry.case === resultKey(result);
  const kept = entries.filter((entry) => {
    const of = results.filter((result) => about(entry, result));
    return of.length === 0 || of.some(({ verdict }) => verdict !== 'pass');
  });
  const failing = results.filter(({ verdict, level }) => verdict === 'fail' && level === 'MUST');
  const paths = new Set(results.map(({ path }) => path));
  const added = new Map<string, BaselineEntry>();
  for (const result of failing) {
    if (kept.some((entry) => about(entry, result))) continue;
    const everywhere = failing.filter(({ id }) => id === result.id).length === paths.size;
    const key = everywhere ? result.id : resultKey(result);
    const reason = fresh.reason === '' ? `fails: ${result.got.split('\n')[0] ?? ''}` : fresh.reason;
    added.set(key, { ...{ case: key }, ...fresh, reason });
  }
  return [...kept, ...added.values()].sort((a, b) => (a.case < b.case ? -1 : 1));
};
