import type { AgentContext, Plugin } from '../../plugin.ts';
import { QUEUE_DEFAULTS, RETRY_DEFAULTS, readQueue } from '../queue-config.ts';
import { type SqliteConfig, SqliteOutput } from './sqlite-output.ts';

/** `[plugins.sqlite]`: measurements into a database that is a file. */
export const sqlitePlugin: Plugin<SqliteConfig, AgentContext> = {
  name: 'sqlite',
  defaults: `# The file; made when it is not there, for its owner alone. Ask its view "measurements".
path = "measurements.sqlite"
# "full": what is stored survives a power cut; "normal": only the end of the agent.
synchronous = "full"
${QUEUE_DEFAULTS}${RETRY_DEFAULTS}`,
  read: (table) => ({
    path: table.string('path', 'measurements.sqlite'),
    synchronous: table.choice('synchronous', ['full', 'normal'], 'full'),
    ...readQueue(table),
  }),
  create: (config, { registry, log, clock }) => [
    { type: 'output', output: new SqliteOutput(config, registry, log, clock) },
  ],
};
