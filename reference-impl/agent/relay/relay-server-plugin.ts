import type { Address } from '../../machine/machine.ts';
import type { AgentContext, Plugin } from '../plugin.ts';
import { readAddress } from './address.ts';

export type RelayServerConfig = {
  readonly listen: Address;
  readonly acknowledge: boolean;
  readonly connectionsMax: number;
  readonly greetMillis: number;
  readonly drainMillis: number;
};

/** Takes measurements of other agents, of this program or Alumet's. */
export const relayServerPlugin: Plugin<RelayServerConfig, AgentContext> = {
  name: 'relay-server',
  defaults: `# Where to listen; [::] is every address of this machine, of IPv4 too. Port 0: any free one.
address = "[::]:50051"
# Tell clients that ask for it what is stored. Alumet's do not ask.
acknowledge = true
max_connections = 1024
# How long a client may take to say who it is.
greet_timeout = "30s"
# How long a stop waits for outputs to store what came in.
drain_timeout = "5s"
`,
  read: (table) => ({
    listen: readAddress(table, 'address', '[::]:50051', 0),
    acknowledge: table.boolean('acknowledge', true),
    connectionsMax: table.integer('max_connections', { least: 1, most: 1_000_000 }, 1_024),
    greetMillis: table.duration('greet_timeout', '30s', { moreThanZero: true }),
    drainMillis: table.duration('drain_timeout', '5s'),
  }),
  create: async (config, context) => {
    // a fifth of the time of a start, for those only who relay
    const { RelayServerSource } = await import('./relay-server-source.ts');
    return [{ type: 'source', source: new RelayServerSource(config, context) }];
  },
};
