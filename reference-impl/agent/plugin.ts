import type { Logger } from 'pino';
import type { MetricRegistry } from '../measurement-relay/metrics.ts';
import type { ConfigTable } from './config/config-table.ts';
import type { Command } from './control/command.ts';
import type { Clock } from './pipeline/clock.ts';
import type { Element, Output } from './pipeline/element.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** A group of elements that are configured together, in the table `[plugins.<name>]`. */
export type Plugin<Config, Context extends PluginContext = PluginContext> = {
  readonly name: string;
  /** What stands below `[plugins.<name>]` in TOML: every key at its default, with comments. `relay-agent config regen` prints it. */
  readonly defaults: string;
  /** Reads its table, or the table of `defaults` when the configuration has none. @throws AgentError CONFIG_... */
  readonly read: (table: ConfigTable) => Config;
  readonly create: (config: Config, context: Context) => Elements | Promise<Elements>;
};

export type PluginContext = {
  /** Every metric of this agent, local or relayed. */
  readonly registry: MetricRegistry;
  readonly log: Log;
  /** Name of this host. */
  readonly self: string;
};

export type Elements = readonly Element[];

/** What plugins may know that take part in more than their own elements: `Plugin<Config, AgentContext>`. */
export type AgentContext = PluginContext & {
  readonly clock: Clock;
  /** An element is at its end in a way no call of it can tell: the agent stops, with an error. */
  readonly failed: (element: string, error: unknown) => void;
  /** Carries a command of socket control out. */
  readonly obey: (command: Command) => void;
  /** The outputs at work just now. */
  readonly outputs: () => readonly Output[];
  /** Processes that `exec` and `watch` are about. It changes. */
  readonly watched: ReadonlySet<number>;
  /** Tells the user something they wait for, in one line: where a server listens. */
  readonly say: (line: string) => void;
};

/** A plugin whose configuration only itself understands: how the list of all plugins (`plugins.ts`) holds them. */
export type AnyPlugin = {
  readonly name: string;
  readonly defaults: string;
  readonly read: (table: ConfigTable) => unknown;
  /** Reads and checks the table; what comes back makes the elements. @throws AgentError CONFIG_... */
  readonly prepare: (table: ConfigTable) => (context: AgentContext) => Elements | Promise<Elements>;
};

/** `anyPlugin(csvPlugin)`: an entry of the list of all plugins. */
export const anyPlugin = <Config>({
  name,
  defaults,
  read,
  create,
}: Plugin<Config, AgentContext>): AnyPlugin => ({
  name,
  defaults,
  read,
  prepare: (table) => {
    const config = read(table);
    table.done();
    return (context) => create(config, context);
  },
});
