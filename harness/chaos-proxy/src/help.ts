import type { Attribute } from './faults/attribute.ts';
import { COMMON, SELECTOR, WHEN } from './faults/check.ts';
import type { Family } from './faults/fault.ts';
import { FAMILIES, type Fault } from './faults/registry.ts';
import { PROFILES } from './profiles.ts';
import { ADDITIONS } from './rest/additions.ts';
import { SERVE_FLAGS } from './rest/serve-command.ts';
import { TOXIC_TYPES, type ToxicType } from './rest/toxic-types.ts';

const families = (): readonly Family<Fault>[] => Object.values(FAMILIES) as unknown as Family<Fault>[];

/** The flags of the command line. */
export const FLAGS = {
  listen: { value: 'HOST:PORT', note: 'where to listen (default 127.0.0.1:0, any free port)' },
  upstream: { value: 'HOST:PORT', note: 'where to connect to; required' },
  fault: { value: 'SPEC', note: 'a fault, see below; may be given several times' },
  profile: { value: 'NAME', note: 'a named list of faults, see below' },
  seed: { value: 'HEX', note: 'repeats the choices of an earlier run (default: a fresh one, printed)' },
  keepalive: { value: 'TIME', note: 'reset the ends of a silently cut connection after this time' },
  duration: { value: 'TIME', note: 'end by itself after this time (10s, 2min)' },
  receipts: { value: 'text|json', note: 'how to print at the end what each fault did (default text)' },
  help: { value: '', note: 'print this' },
  version: { value: '', note: 'print the version' },
} as const;

const described = ({ name, standard, note, words }: Attribute): string => {
  const choice = words === undefined || note.includes('|') ? '' : ` (${words.join(', ')})`;
  const preset = standard === '' ? '' : ` [${standard}]`;
  return `${name}${preset}: ${note}${choice}`;
};

const flagRows = (
  flags: Readonly<Record<string, { readonly value: string; readonly note: string }>>,
): string[] =>
  Object.entries(flags).map(([name, { value, note }]) => `  ${`--${name} ${value}`.padEnd(24)}${note}`);

/** What `serve --help` prints. */
export const serveHelpText = (): string =>
  [
    'chaos-proxy serve [--listen HOST:PORT] [--config FILE] [--seed HEX]',
    '',
    "Toxiproxy's HTTP API: proxies and toxics at run time, by any client of Toxiproxy.",
    '',
    'Flags',
    ...flagRows(SERVE_FLAGS),
    '',
    "Types of toxics; Toxiproxy's",
    ...toxicTypes('toxiproxy').map(
      ({ type, terms }) => `  ${type.padEnd(12)}${terms.map(termText).join(', ')}`,
    ),
    `our own: ${toxicTypes('own')
      .map(({ type }) => type)
      .join(', ')} (attributes: chaos-proxy --help)`,
    '',
    'Beyond Toxiproxy: GET /proxies/NAME/receipts tells what each toxic did, GET /dump writes a file for --config.',
    'Exit: 0 interrupted, 2 wrong usage or file, 3 cannot listen or failed.',
    '',
  ].join('\n');

/** What `--help` prints. */
export const helpText = (): string => {
  const flags = flagRows(FLAGS);
  const faults = families().flatMap(({ kind, note, attributes, example }) => [
    `  ${kind}: ${note}`,
    ...attributes.map((attribute) => `      ${described(attribute)}`),
    `      e.g. ${example}`,
  ]);
  const rows = (prefix: string, attributes: readonly Attribute[]): string[] =>
    attributes.map((attribute) => `  ${prefix}${described(attribute)}`);
  const profiles = Object.entries(PROFILES).map(([name, { note }]) => `  ${name.padEnd(11)}${note}`);
  return [
    'chaos-proxy --upstream HOST:PORT [--listen HOST:PORT] [--fault SPEC ...] [--profile NAME]',
    "chaos-proxy serve: Toxiproxy's HTTP API, see chaos-proxy serve --help",
    '',
    'A TCP link you can script. Half-close and RST pass exactly; without a fault it is as if it were not there.',
    '',
    'Flags',
    ...flags,
    '',
    'Faults (--fault KIND:key=value,key=value)',
    ...faults,
    '',
    'Every fault also takes',
    ...rows('', COMMON),
    ...rows('selector.', SELECTOR),
    ...rows('when.', WHEN),
    '',
    'Profiles',
    ...profiles,
    '',
    'Exit: 0 done or interrupted, 2 wrong usage, 3 cannot listen or failed.',
    '',
  ].join('\n');
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The fault table of the README, as Markdown. */
export const faultTable = (): string =>
  [
    '| fault | what it does | attributes [default] | receipt counts |',
    '| --- | --- | --- | --- |',
    ...families().map(({ kind, note, attributes, proof }) => {
      const list = attributes.map(({ name, standard }) => `\`${name}\` [${standard}]`).join(', ');
      return `| \`${kind}\` | ${cell(note)} | ${list || 'none'} | ${cell(proof)} |`;
    }),
  ].join('\n');

const toxicTypes = (origin: ToxicType['origin']): readonly ToxicType[] =>
  [...TOXIC_TYPES.values()].filter((each) => each.origin === origin);
const termText = ({ name, unit }: ToxicType['terms'][number]): string => `${name} (${unit})`;

/** The table of Toxiproxy's toxics, as Markdown. */
export const toxicTable = (): string =>
  [
    '| toxic | attributes | what it does here | fault |',
    '| --- | --- | --- | --- |',
    ...toxicTypes('toxiproxy').map(({ type, terms, note, kind }) => {
      const list = terms.map(({ name, unit }) => `\`${name}\` (${unit})`).join(', ');
      return `| \`${type}\` | ${list || 'none'} | ${cell(note)} | \`${kind}\` |`;
    }),
  ].join('\n');

/** The table of what goes beyond Toxiproxy, as Markdown. */
export const additionTable = (): string =>
  [
    '| addition | how | Toxiproxy |',
    '| --- | --- | --- |',
    ...ADDITIONS.map(({ what, how, there }) => `| ${what} | ${cell(how)} | ${cell(there)} |`),
  ].join('\n');

/** The profile table of the README, as Markdown. */
export const profileTable = (): string =>
  [
    '| profile | in words |',
    '| --- | --- |',
    ...Object.entries(PROFILES).map(([name, { note }]) => `| \`${name}\` | ${note} |`),
  ].join('\n');
