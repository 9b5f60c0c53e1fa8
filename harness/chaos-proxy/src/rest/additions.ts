import { COMMON, SELECTOR, WHEN } from '../faults/check.ts';
import { TOXIC_TYPES } from './toxic-types.ts';

/** What the server can beyond Toxiproxy, how it is asked for, and what happens there instead. */
export type Addition = { readonly what: string; readonly how: string; readonly there: string };

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');
const own = [...TOXIC_TYPES.values()].filter(({ origin }) => origin === 'own').map(({ type }) => type);
const selectors = SELECTOR.map(({ name }) => name)
  .filter((name) => name !== 'probability')
  .map((name) => `selector.${name}`);
const timed = COMMON.map(({ name }) => name).filter((name) => name !== 'direction');

/** In the order of the README. The names in it are those of the registry. */
export const ADDITIONS: readonly Addition[] = [
  {
    what: 'Exact half-close',
    how: 'nothing to do: a FIN passes as a FIN, the other direction goes on',
    there: 'a FIN in one direction closes both',
  },
  {
    what: 'RST on living connections',
    how: '`reset_peer` or `down` added to a proxy in use; RST passes as RST',
    there: 'only connections younger than the toxic, and only when data comes; others may see FIN',
  },
  {
    what: 'Seeds that work',
    how: '`serve --seed HEX`, or `seed` of a proxy; the same connections meet the same faults',
    there: 'the seed has no effect',
  },
  {
    what: 'Schedules and triggers',
    how: `attributes of any toxic: ${code([...WHEN.map(({ name }) => `when.${name}`), ...timed])}`,
    there: 'none',
  },
  {
    what: 'Selectors: the first n, the n-th, a range',
    how: `attributes of any toxic: ${code(selectors)} (\`toxicity\` is the share, drawn once a connection)`,
    there: '`toxicity` only, drawn again whenever toxics change',
  },
  {
    what: 'Receipts',
    how: '`GET /proxies/NAME/receipts`; `chaos_proxy_toxic_effects_total` in `/metrics`',
    there: 'none',
  },
  {
    what: 'Toxics from the first connection on',
    how: '`toxics` of a proxy in `POST /proxies`, `POST /populate` and `--config`',
    there: 'toxics can only be added to a proxy that already listens',
  },
  {
    what: 'Dump',
    how: '`GET /dump` writes a file for `--config` or `/populate`: addresses, seeds, toxics',
    there: 'none',
  },
  {
    what: 'A slow dial delays nobody else',
    how: 'nothing to do',
    there: 'one dial at a time for each proxy',
  },
  { what: 'More types of toxics', how: code(own), there: 'unknown types' },
  {
    what: 'More attributes of its toxics',
    how: [...TOXIC_TYPES.values()]
      .filter(({ origin, more }) => origin === 'toxiproxy' && more.length > 0)
      .map(({ type, more }) => `\`${type}\`: ${code(more.map(({ name }) => name))}`)
      .join('; '),
    there: 'ignored',
  },
  { what: 'Hints', how: '`hint` in the body of an error names the nearest right word', there: 'none' },
];
