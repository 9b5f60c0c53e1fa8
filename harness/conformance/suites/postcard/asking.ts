/** Asks an adapter a group of vectors, in an order drawn from the seed, and judges the group as one case. */
import type { AdapterContext, AdapterReply } from '../../case.ts';
import { NotApplicable } from '../../outcome.ts';
import { shownJson } from './same-value.ts';
import { EXTENDED } from './schema-features.ts';
import type { Schema } from './vectors.ts';

export type Answer = Readonly<Record<string, unknown>>;

/** What an answer shows. `wrong`: the clause is broken; `stricter`, `quieted`: latitude, observed. */
export type Found =
  | { readonly type: 'held' | 'quieted' }
  | { readonly type: 'wrong' | 'stricter'; readonly text: string };

export const HELD: Found = { type: 'held' };
export const wrong = (text: string): Found => ({ type: 'wrong', text });

/** One vector as a request, and how its answer is judged. */
export type Ask = {
  /** The vector's name. */
  readonly name: string;
  readonly request: Answer;
  /** Types and operations it needs: an adapter may lack those that are not core. */
  readonly features: ReadonlySet<string>;
  readonly judge: (answer: Answer) => Found;
};

/** Operations beside `encode` and `decode`. */
export const FRAMING: ReadonlySet<string> = new Set(['cobs', 'crc', 'accumulator']);

/** A group that keeps dying is not asked to its end. */
const DEATHS_MAX = 3;
const SHOWN_FAILURES = 5;
const SCHEMA_CHARS = 100;
const HEX_CHARS = 80;
/** Of a request in the log, to be asked again by hand. */
const LOGGED_CHARS = 2_000;

export const shuffled = <Item>(it: AdapterContext, items: readonly Item[]): Item[] => {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = it.rng.below(i + 1);
    [mixed[i], mixed[j]] = [mixed[j] as Item, mixed[i] as Item];
  }
  return mixed;
};

const isOptional = (feature: string): boolean => EXTENDED.has(feature) || FRAMING.has(feature);

/** A feature it needs that the adapter or the run's capabilities say is not there. */
export const lackedBy = (it: AdapterContext, ask: Ask): string | undefined => {
  for (const feature of ask.features)
    if (it.hello.lacks.has(feature) || (EXTENDED.has(feature) && !it.capabilities.has('full')))
      return feature;
  return undefined;
};

const cut = (text: string, chars: number): string =>
  text.length > chars ? `${text.slice(0, chars)}... (${text.length} characters)` : text;

/** `u16/300: schema "u16", value 300`. */
const described = ({ name, request }: Ask): string => {
  const { op, schema, value, hex, body } = request;
  const parts = [
    ...(schema === undefined ? [] : [`schema ${cut(JSON.stringify(schema as Schema), SCHEMA_CHARS)}`]),
    ...(value === undefined ? [] : [`value ${shownJson(value)}`]),
    ...(typeof hex === 'string' ? [`hex ${cut(hex, HEX_CHARS)}`] : []),
    ...(typeof body === 'string' ? [`body ${cut(body, HEX_CHARS)}`] : []),
  ];
  return `${name} (${op}: ${parts.join(', ')})`;
};

/** Judges one reply. */
export const foundIn = (ask: Ask, reply: AdapterReply): Found => {
  if (reply.type !== 'answer') return wrong(`${reply.type}: ${reply.text}`);
  return ask.judge(reply.fields);
};

/** `skip` of something optional. */
export const isLeftOut = (ask: Ask, reply: AdapterReply): boolean =>
  reply.type === 'answer' && reply.fields.skip !== undefined && [...ask.features].some(isOptional);

/**
 * Asks all of them; the case fails with the first ones that do, and how many of how many.
 * @throws Broken, NotApplicable when the adapter lacks what every one of them needs
 */
export const askAll = async (it: AdapterContext, asks: readonly Ask[]): Promise<void> => {
  const failures: string[] = [];
  const stricter: string[] = [];
  const lacks = new Set<string>();
  const missing = new Set<string>();
  let [asked, leftOut, unable, quieted, deaths] = [0, 0, 0, 0, 0];
  for (const ask of shuffled(it, asks)) {
    const lacked = lackedBy(it, ask);
    if (lacked !== undefined && isOptional(lacked)) {
      lacks.add(lacked);
      leftOut++;
      continue;
    }
    asked++;
    if (lacked !== undefined) {
      missing.add(lacked);
      unable++;
      continue;
    }
    const reply = await it.ask(ask.request);
    if (isLeftOut(ask, reply)) {
      asked--;
      leftOut++;
      continue;
    }
    const found = foundIn(ask, reply);
    if (found.type === 'quieted') quieted++;
    if (found.type === 'stricter') stricter.push(`${described(ask)}: ${found.text}`);
    if (found.type === 'wrong') {
      failures.push(`${described(ask)}: ${found.text}`);
      if (failures.length <= SHOWN_FAILURES && reply.type === 'answer') {
        it.step(`asked: ${cut(JSON.stringify(ask.request), LOGGED_CHARS)}`);
        it.step(`answered: ${cut(JSON.stringify(reply.fields), LOGGED_CHARS)}`);
      }
    }
    if (reply.type !== 'answer' && ++deaths >= DEATHS_MAX) break;
  }
  if (quieted > 0) it.observe(`${quieted} NaN came back quieted, or with another sign`);
  if (leftOut > 0)
    it.observe(`${leftOut} of ${asks.length} vectors left out: ${[...lacks].join(', ') || 'skipped'}`);
  if (stricter.length > 0)
    it.observe(`stricter than the crate in ${stricter.length} of ${asked}; the first: ${stricter[0]}`);
  const failed = failures.length + unable;
  if (failed > 0) {
    const untried = asks.length - leftOut - asked;
    const rest = untried > 0 ? `, ${untried} not tried after ${DEATHS_MAX} without an answer` : '';
    const core =
      unable > 0 ? [`${unable} need ${[...missing].join(', ')}: core, and the adapter lacks it`] : [];
    const hidden = failures.length - SHOWN_FAILURES;
    const lines = [
      ...failures.slice(0, SHOWN_FAILURES),
      ...(hidden > 0 ? [`and ${hidden} more`] : []),
      ...core,
    ];
    it.broken(
      `all ${asks.length - leftOut} vectors of the group hold`,
      `${failed} of ${asked} fail${rest}: ${lines.join('\n')}`,
    );
  }
  if (asked === 0)
    throw new NotApplicable(`the adapter lacks ${[...lacks].join(', ') || 'this, and skips it'}`);
};
