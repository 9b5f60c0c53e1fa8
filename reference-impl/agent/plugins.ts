import { socketControlPlugin } from './control/socket-control-plugin.ts';
import { csvPlugin } from './outputs/csv/csv-plugin.ts';
import { influxPlugin } from './outputs/influx/influx-plugin.ts';
import { postgresPlugin } from './outputs/postgres/postgres-plugin.ts';
import { prometheusPlugin } from './outputs/prometheus/prometheus-plugin.ts';
import { sqlitePlugin } from './outputs/sqlite/sqlite-plugin.ts';
import { type AnyPlugin, anyPlugin } from './plugin.ts';
import { relayClientPlugin } from './relay/relay-client-plugin.ts';
import { relayServerPlugin } from './relay/relay-server-plugin.ts';
import { procfsPlugin } from './sources/procfs/procfs-plugin.ts';
import { raplPlugin } from './sources/rapl/rapl-plugin.ts';
import { syntheticPlugin } from './sources/synthetic-plugin.ts';
import { systemPlugin } from './sources/system-plugin.ts';
import { aggregatePlugin } from './transforms/aggregate-plugin.ts';
import { filterPlugin } from './transforms/filter-plugin.ts';

/** Every plugin there is: sources, transforms, outputs. `config regen` prints their tables in this order. */
export const PLUGINS: readonly AnyPlugin[] = [
  anyPlugin(procfsPlugin),
  anyPlugin(systemPlugin),
  anyPlugin(raplPlugin),
  anyPlugin(syntheticPlugin),
  anyPlugin(relayServerPlugin),
  anyPlugin(filterPlugin),
  anyPlugin(aggregatePlugin),
  // outputs: one line each
  anyPlugin(csvPlugin),
  anyPlugin(sqlitePlugin),
  anyPlugin(postgresPlugin),
  anyPlugin(prometheusPlugin),
  anyPlugin(influxPlugin),
  anyPlugin(relayClientPlugin),
  anyPlugin(socketControlPlugin),
];
