import type { Logger } from 'pino';
import type { MetricRegistry } from '../measurement-relay/metrics.ts';
import type { ConfigTable } from './config/config-table.ts';
import type { Element } from './pipeline/element.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** A group of elements that are configured together, in the table `[plugins.<name>]`. */
export type Plugin<Config> = {
  readonly name: string;
  /** Its TOML table with every key at its default and a comment each, as `relay-agent config regen` prints it. */
  readonly defaults: string;
  /** Reads its table, or the table of `defaults` when the configuration has none. @throws AgentError CONFIG_... */
  readonly read: (table: ConfigTable) => Config;
  readonly create: (
    config: Config,
    context: PluginContext,
  ) => readonly Element[] | Promise<readonly Element[]>;
};

export type PluginContext = {
  /** Every metric of this agent, local or relayed. */
  readonly registry: MetricRegistry;
  readonly log: Log;
  /** Name of this host. */
  readonly self: string;
};

/** A plugin whose configuration only itself understands: how the list of all plugins (`plugins.ts`) holds them. */
export type AnyPlugin = {
  readonly name: string;
  readonly defaults: string;
  /** Reads and checks the table; what comes back makes the elements. @throws AgentError CONFIG_... */
  readonly prepare: (
    table: ConfigTable,
  ) => (context: PluginContext) => readonly Element[] | Promise<readonly Element[]>;
};

/** `anyPlugin(csvPlugin)`: an entry of the list of all plugins. */
export const anyPlugin = <Config>({ name, defaults, read, create }: Plugin<Config>): AnyPlugin => ({
  name,
  defaults,
  prepare: (table) => {
    const config = read(table);
    table.done();
    return (context) => create(config, context);
  },
});
