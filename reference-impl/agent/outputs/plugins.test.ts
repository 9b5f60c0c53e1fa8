import { parse } from 'smol-toml';
import t from 'tap';
import { ConfigTable, type TomlTable } from '../config/config-table.ts';
import { csvPlugin } from './csv/csv-plugin.ts';
import { influxPlugin } from './influx/influx-plugin.ts';
import { postgresPlugin } from './postgres/postgres-plugin.ts';
import { prometheusPlugin } from './prometheus/prometheus-plugin.ts';
import { sqlitePlugin } from './sqlite/sqlite-plugin.ts';

const PLUGINS = [csvPlugin, sqlitePlugin, postgresPlugin, influxPlugin, prometheusPlugin] as const;

const tableOf = (name: string, toml: string): ConfigTable =>
  new ConfigTable(`plugins.${name}`, parse(toml) as TomlTable);

t.test('what is printed as the defaults of an output is what holds without a table', async (t) => {
  for (const { name, defaults, read } of PLUGINS) {
    const table = tableOf(name, defaults);
    const printed = read(table);
    table.done();
    t.strictSame(printed, read(tableOf(name, '')), name);
  }
});

const WRONG: readonly (readonly [name: string, toml: string, where: string])[] = [
  ['csv', 'output_path = ""', 'output_path'],
  ['csv', 'csv_delimiter = ";;"', 'csv_delimiter'],
  ['csv', "csv_delimiter = '\"'", 'csv_delimiter'],
  ['csv', 'csv_late_delimiter = "="', 'csv_late_delimiter'],
  ['csv', 'force_flush = 1', 'force_flush'],
  ['csv', 'retry_max_delay = "0s"', 'retry_max_delay'],
  ['sqlite', 'synchronous = "off"', 'synchronous'],
  ['sqlite', 'queue_points = 0', 'queue_points'],
  ['prometheus', 'port = 70000', 'port'],
  ['prometheus', 'stale_after = "0s"', 'stale_after'],
];

t.test('a value that cannot be is told by its key', async (t) => {
  for (const [name, toml, where] of WRONG) {
    const plugin = PLUGINS.find((one) => one.name === name) as (typeof PLUGINS)[number];
    try {
      plugin.read(tableOf(name, toml));
      t.fail(`${toml} was read`);
    } catch (error) {
      t.match(error, { where: `plugins.${name}.${where}` }, toml);
    }
  }
});
