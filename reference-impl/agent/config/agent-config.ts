import { AgentError } from '../agent-error.ts';
import type { AnyPlugin } from '../plugin.ts';
import { ConfigTable, isTable, type TomlTable } from './config-table.ts';
import { nearestHint } from './nearest.ts';
import { type Environment, substitute } from './substitute.ts';
import { merged, readToml } from './toml-text.ts';

/** What the command line says about the configuration. */
export type ConfigRequest = {
  /** TOML each, such as `plugins.csv.output_path = 'x.csv'`; a later one wins. */
  readonly overrides: readonly string[];
  /** Just these plugins run (and those that another option names); undefined: what the configuration has. */
  readonly plugins: readonly string[] | undefined;
  readonly relayIn: string | undefined;
  readonly relayOut: string | undefined;
  readonly outputFile: string | undefined;
};

export const NO_REQUEST: ConfigRequest = {
  overrides: [],
  plugins: undefined,
  relayIn: undefined,
  relayOut: undefined,
  outputFile: undefined,
};

/** The configuration of one run, read and checked. */
export type AgentConfig = {
  /** How long a stop may take until what is not written is given up. */
  readonly graceMillis: number;
  /** Buffers that wait for one output before sources are held back. */
  readonly queueBuffers: number;
  /** Whether `trigger-now` does anything. */
  readonly manualTrigger: boolean;
  /** Those that run, in the order of the file: transforms work in it. */
  readonly plugins: readonly ConfiguredPlugin[];
};

export type ConfiguredPlugin = {
  readonly name: string;
  /** Two configurations of a plugin with equal text are the same: it need not be started anew. Holds secrets; never printed. */
  readonly fingerprint: string;
  readonly create: ReturnType<AnyPlugin['prepare']>;
};

/** The general part, as `config regen` prints it. */
export const GENERAL_DEFAULTS = `# How long a stop may take until what is not written yet is given up.
shutdown_grace = "10s"
# Buffers that may wait for one output; beyond that sources are held back.
source_channel_size = 2048
# Whether \`control source trigger-now\` does anything (\`relay-agent exec\` always allows it).
allow_manual_trigger = false
`;

const asTable = (value: unknown): TomlTable | undefined => (isTable(value) ? value : undefined);

/** `--config-override`s as one table, the later ones over the earlier; `${VAR}` as in the file. */
export const readOverrides = (overrides: readonly string[], environment: Environment): TomlTable => {
  let over: TomlTable = {};
  for (const [index, text] of overrides.entries()) {
    const where = `--config-override${overrides.length > 1 ? ` (${index + 1})` : ''}`;
    over = merged(over, readToml(substitute(text, environment, where), where));
  }
  return over;
};

/** Overrides and the three shorthands, as one table. */
const overridesOf = (request: ConfigRequest, environment: Environment): TomlTable => {
  let over = readOverrides(request.overrides, environment);
  const set = (plugin: string, key: string, value: string | undefined): void => {
    if (value !== undefined) over = merged(over, { plugins: { [plugin]: { [key]: value } } });
  };
  set('csv', 'output_path', request.outputFile);
  set('relay-client', 'relay_server', request.relayOut);
  set('relay-server', 'address', request.relayIn);
  return over;
};

/** Plugins that an option asks for by what it does. */
const askedFor = (request: ConfigRequest): ReadonlySet<string> =>
  new Set([
    ...(request.relayIn === undefined ? [] : ['relay-server']),
    ...(request.relayOut === undefined ? [] : ['relay-client']),
    ...(request.outputFile === undefined ? [] : ['csv']),
  ]);

/**
 * What runs without a configuration file: this machine's measurements into a CSV file. A server (`--relay-in`) measures nothing
 * itself, a client (`--relay-out`) writes no file itself.
 */
const withoutFile = (request: ConfigRequest, platform: string): ReadonlySet<string> =>
  new Set([
    ...(request.relayIn === undefined ? [platform === 'linux' ? 'procfs' : 'system'] : []),
    ...(request.relayOut === undefined ? ['csv'] : []),
    ...askedFor(request),
  ]);

const checkNames = (names: readonly string[], plugins: readonly AnyPlugin[], where: string): void => {
  const known = plugins.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new AgentError({
    code: 'CONFIG_UNKNOWN_PLUGIN',
    where,
    expected: 'the name of a plugin',
    got: `'${unknown}'`,
    hint: nearestHint(unknown, known),
  });
};

/** Takes `enabled` (or `enable`) out of a plugin's table. */
const switchOf = (name: string, values: TomlTable): readonly [enabled: boolean, rest: TomlTable] => {
  const { enabled, enable, ...rest } = values;
  const table = new ConfigTable(`plugins.${name}`, values);
  if (enabled !== undefined) return [table.boolean('enabled'), rest];
  return [enable === undefined || table.boolean('enable'), rest];
};

/** A plugin's table as text, with every key at its default. */
export const defaultTable = ({ name, defaults }: AnyPlugin, enabled: boolean): string =>
  `[plugins.${name}]\n${enabled ? '' : 'enabled = false\n'}${defaults.trim()}\n`;

const defaultsOf = (plugin: AnyPlugin): TomlTable => {
  const { plugins } = readToml(defaultTable(plugin, true), `defaults of ${plugin.name}`);
  return asTable(asTable(plugins)?.[plugin.name]) ?? {};
};

/**
 * Reads a configuration.
 * @param text of the file; undefined: there is none
 * @param where the file's name, for messages
 * @throws AgentError CONFIG_...
 */
export const readConfig = (
  text: string | undefined,
  where: string,
  {
    request,
    plugins,
    environment,
    platform,
  }: {
    readonly request: ConfigRequest;
    readonly plugins: readonly AnyPlugin[];
    readonly environment: Environment;
    /** As `process.platform` has it. */
    readonly platform: string;
  },
): AgentConfig => {
  const file = text === undefined ? {} : readToml(substitute(text, environment, where), where);
  const over = overridesOf(request, environment);
  const root = new ConfigTable('', merged(file, over));
  const general = readGeneral(root);
  const tables = new ConfigTable('plugins', root.values('plugins'));
  const names = Object.keys(root.values('plugins'));
  for (const name of names) tables.table(name);
  root.done();
  checkNames(names, plugins, text === undefined ? '--config-override' : `${where}: plugins`);
  checkNames(request.plugins ?? [], plugins, '--plugins');

  const inFile = asTable(file.plugins) ?? {};
  const always = askedFor(request);
  const chosen = request.plugins === undefined ? undefined : new Set([...request.plugins, ...always]);
  const base = text === undefined ? withoutFile(request, platform) : always;
  const order = [...new Set([...names, ...plugins.map(({ name }) => name)])];
  const running = order.flatMap((name) => {
    const plugin = plugins.find((each) => each.name === name) as AnyPlugin;
    const written = asTable(inFile[name]);
    const ours = asTable(asTable(over.plugins)?.[name]) ?? {};
    // the defaults hold when the whole table is absent; in one that is there, each key has its own
    const [enabled, values] = switchOf(name, merged(written ?? defaultsOf(plugin), ours));
    const mentioned = names.includes(name);
    const wanted = always.has(name) || ((base.has(name) || mentioned) && enabled);
    const runs = chosen === undefined ? wanted : chosen.has(name);
    return runs || mentioned ? [{ plugin, values, runs }] : [];
  });
  return {
    ...general,
    plugins: running.flatMap(({ plugin, values, runs }) => {
      // also those that do not run: a mistake in a table is told when it is made, not when it is switched on
      const create = plugin.prepare(new ConfigTable(`plugins.${plugin.name}`, values));
      return runs ? [{ name: plugin.name, fingerprint: JSON.stringify(values), create }] : [];
    }),
  };
};

const readGeneral = (root: ConfigTable): Omit<AgentConfig, 'plugins'> => {
  const general = {
    graceMillis: root.duration('shutdown_grace', '10s'),
    queueBuffers: root.integer('source_channel_size', { least: 1, most: 1_000_000 }, 2048),
    manualTrigger: root.boolean('allow_manual_trigger', false),
  };
  // Alumet's: how late its sources may hear a command. Ours hear at once.
  root.duration('max_update_interval', '500ms');
  return general;
};

const ON_BY_DEFAULT: ReadonlySet<string> = new Set(['procfs', 'csv']);

/**
 * The text of a configuration with every key at its default.
 * @param only undefined: every plugin, those that want something from their user (a server, a database) switched off
 */
export const defaultConfigText = (
  plugins: readonly AnyPlugin[],
  only: readonly string[] | undefined,
): string => {
  checkNames(only ?? [], plugins, '--plugins');
  const tables = plugins
    .filter(({ name }) => only === undefined || only.includes(name))
    .map((plugin) => defaultTable(plugin, only !== undefined || ON_BY_DEFAULT.has(plugin.name)));
  return [GENERAL_DEFAULTS, ...tables].join('\n');
};
