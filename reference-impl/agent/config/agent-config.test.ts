import t from 'tap';
import { AgentError } from '../agent-error.ts';
import { type AnyPlugin, anyPlugin } from '../plugin.ts';
import { PLUGINS } from '../plugins.ts';
import {
  type AgentConfig,
  type ConfigRequest,
  defaultConfigText,
  defaultTable,
  NO_REQUEST,
  readConfig,
} from './agent-config.ts';
import { ConfigTable } from './config-table.ts';
import { readToml } from './toml-text.ts';

const fake = (name: string, key: string): AnyPlugin =>
  anyPlugin({
    name,
    defaults: `${key} = "default"`,
    read: (table) => ({ [key]: table.string(key, 'absent') }),
    create: () => [],
  });
const FAKES = [
  fake('procfs', 'a'),
  fake('system', 'a'),
  fake('relay-server', 'address'),
  fake('csv', 'output_path'),
  fake('relay-client', 'relay_server'),
];

const read = (
  text: string | undefined,
  request: Partial<ConfigRequest> = {},
  platform = 'linux',
): AgentConfig =>
  readConfig(text, 'file.toml', {
    request: { ...NO_REQUEST, ...request },
    plugins: FAKES,
    environment: { SET: 'it is' },
    platform,
  });
const names = (config: AgentConfig): readonly string[] => config.plugins.map(({ name }) => name);
const tableOf = (config: AgentConfig, plugin: string): unknown =>
  JSON.parse(config.plugins.find(({ name }) => name === plugin)?.fingerprint ?? 'null');

const RUNS: readonly (readonly [
  what: string,
  text: string | undefined,
  request: Partial<ConfigRequest>,
  names: readonly string[],
])[] = [
  ['without a file, this machine into a file', undefined, {}, ['procfs', 'csv']],
  ['without a file, a server into a file', undefined, { relayIn: ':1' }, ['relay-server', 'csv']],
  ['without a file, this machine to a server', undefined, { relayOut: 'h:1' }, ['relay-client', 'procfs']],
  [
    'a client that also writes',
    undefined,
    { relayOut: 'h:1', outputFile: 'x' },
    ['csv', 'relay-client', 'procfs'],
  ],
  ['a file says what runs, in its order', '[plugins.csv]\n[plugins.system]', {}, ['csv', 'system']],
  [
    'a table that is switched off',
    '[plugins.csv]\nenabled = false\n[plugins.system]\nenable = true',
    {},
    ['system'],
  ],
  [
    'an option that names one switches it on',
    '[plugins.relay-server]\nenabled = false',
    { relayIn: ':1' },
    ['relay-server'],
  ],
  ['just those of --plugins', '[plugins.csv]\n[plugins.system]', { plugins: ['procfs'] }, ['procfs']],
  [
    'and those another option names',
    '[plugins.csv]',
    { plugins: ['procfs'], relayOut: 'h:1' },
    ['relay-client', 'procfs'],
  ],
  [
    'an override brings a plugin',
    undefined,
    { overrides: ["plugins.system.a = 'x'"] },
    ['system', 'procfs', 'csv'],
  ],
  ['an override switches one off', undefined, { overrides: ['plugins.csv.enabled = false'] }, ['procfs']],
];

t.test('what runs follows from the file and the options', async (t) => {
  for (const [what, text, request, expected] of RUNS) t.same(names(read(text, request)), expected, what);
});

t.test('other platforms measure with what is portable', async (t) => {
  t.same(names(read(undefined, {}, 'darwin')), ['system', 'csv']);
});

t.test("a table's defaults hold when it is absent, an option wins over the file", async (t) => {
  t.same(tableOf(read(undefined), 'csv'), { output_path: 'default' });
  t.same(tableOf(read('[plugins.csv]\n'), 'csv'), {}, 'in a table that is there each key has its own');
  t.same(tableOf(read('[plugins.csv]\noutput_path = "f"', { outputFile: 'o' }), 'csv'), { output_path: 'o' });
  t.same(
    tableOf(
      read(undefined, { overrides: ['plugins.csv.output_path = "1"', 'plugins.csv.output_path = "2"'] }),
      'csv',
    ),
    { output_path: '2' },
    'of two overrides the later one',
  );
  const output = (toml: string): unknown =>
    tableOf(read(undefined, { overrides: [`plugins.csv.output_path = ${toml}`] }), 'csv');
  t.same(output(`'\${SET}'`), { output_path: 'it is' }, 'the environment, as in the file');
  t.same(output(`'\\\${SET}'`), { output_path: `\${SET}` });
  t.throws(() => output(`'\${UNSET}'`), { code: 'CONFIG_VARIABLE', message: /--config-override:1: .*UNSET/ });
});

t.test('the general part has its defaults and its limits', async (t) => {
  t.match(read(''), { graceMillis: 10_000, queueBuffers: 2048, manualTrigger: false });
  t.match(read('shutdown_grace = "1s"\nsource_channel_size = 4\nmax_update_interval = "1s"'), {
    graceMillis: 1_000,
    queueBuffers: 4,
  });
});

const REFUSED: readonly (readonly [
  what: string,
  text: string | undefined,
  request: Partial<ConfigRequest>,
  code: string,
  message: RegExp,
])[] = [
  [
    'a plugin nobody knows',
    '[plugins.cvs]',
    {},
    'CONFIG_UNKNOWN_PLUGIN',
    /file\.toml: plugins: .*'cvs'; did you mean 'csv'/,
  ],
  [
    'one of --plugins',
    undefined,
    { plugins: ['proc'] },
    'CONFIG_UNKNOWN_PLUGIN',
    /--plugins: .*did you mean 'procfs'/,
  ],
  [
    'a key nobody knows',
    '[plugins.csv]\noutputpath = ""',
    {},
    'CONFIG_UNKNOWN_KEY',
    /did you mean 'output_path'/,
  ],
  [
    'also in a table that is switched off',
    '[plugins.csv]\nenabled = false\nx = 1',
    {},
    'CONFIG_UNKNOWN_KEY',
    /plugins\.csv\.x/,
  ],
  [
    'a general key nobody knows',
    'shutdown_grce = "1s"',
    {},
    'CONFIG_UNKNOWN_KEY',
    /did you mean 'shutdown_grace'/,
  ],
  ['no TOML', 'a = \n', {}, 'CONFIG_TOML', /file\.toml:1:\d+: expected TOML/],
  ['an override that is no TOML', undefined, { overrides: ['x'] }, 'CONFIG_TOML', /--config-override:1:/],
  ['plugins that is no table', 'plugins = 1', {}, 'CONFIG_VALUE', /plugins: expected a table/],
  [
    'a plugin that is no table',
    '[plugins]\ncsv = true',
    {},
    'CONFIG_VALUE',
    /plugins\.csv: expected a table, got boolean true/,
  ],
  ['a switch that is none', '[plugins.csv]\nenabled = "no"', {}, 'CONFIG_VALUE', /plugins\.csv\.enabled/],
];

t.test('a configuration that cannot be is refused with the place and what to do', async (t) => {
  for (const [what, text, request, code, message] of REFUSED) {
    try {
      read(text, request);
      t.fail(what);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      t.equal(error.code, code, what);
      t.match(error.message, message, what);
    }
  }
});

t.test('what config regen writes is read back, and runs what runs without a file', async (t) => {
  const options = { request: NO_REQUEST, plugins: PLUGINS, environment: {}, platform: 'linux' };
  const written = readConfig(defaultConfigText(PLUGINS, undefined), 'f', options);
  t.same([...names(written)].sort(), [...names(readConfig(undefined, 'f', options))].sort());
  t.same(names(readConfig(defaultConfigText(PLUGINS, ['system']), 'f', options)), ['system']);
});

/** Keys that have no default in a table that is there. */
const REQUIRED: Readonly<Record<string, Record<string, unknown>>> = {
  'socket-control': { socket_path: 'alumet-control.sock' },
};

t.test(
  "the text of a plugin's defaults is its table, and says what holds where a key is left out",
  async (t) => {
    for (const plugin of PLUGINS) {
      const { plugins } = readToml(defaultTable(plugin, true), plugin.name) as {
        plugins: Record<string, Record<string, unknown>>;
      };
      t.same(Object.keys(plugins), [plugin.name], `${plugin.name}: one table of its name`);
      const values = plugins[plugin.name] ?? {};
      t.doesNotThrow(() => plugin.prepare(new ConfigTable('', values)), plugin.name);
      t.same(
        plugin.read(new ConfigTable('', { ...REQUIRED[plugin.name] })),
        plugin.read(new ConfigTable('', values)),
        plugin.name,
      );
    }
  },
);
