import type { Address } from '../../machine/machine.ts';
import type { RetryOptions } from '../../measurement-relay/client-report.ts';
import type { AgentContext, Plugin } from '../plugin.ts';
import { readAddress } from './address.ts';

export type RelayClientConfig = {
  readonly clientName: string | undefined;
  readonly server: Address;
  readonly bufferMaxLength: number;
  readonly bufferTimeoutMillis: number;
  readonly retry: RetryOptions;
  readonly acknowledge: boolean;
  /** undefined: in memory. */
  readonly spoolPath: string | undefined;
  readonly spoolBytesMax: number;
  readonly spoolWhenFull: 'hold' | 'drop-oldest';
  readonly drainMillis: number;
};

const DEFAULTS = `# The name of this client at the server; default: the host's name.
#client_name = "\${NODE_NAME}"
# Host and port of the server.
relay_server = "[::1]:50051"
# Points that are sent together at most (those of one poll are never split) ...
buffer_max_length = 4096
# ... and how long they may wait for others.
buffer_timeout = "30s"
# Ask the server to acknowledge what it stored. One that cannot (Alumet) is served without.
acknowledge = true
# Keep what is not delivered in this file: it survives a restart and a crash. Default: in memory.
#spool_path = "relay-client.spool"
spool_max_bytes = 67108864
# When it is nearly full: "hold" sources back (what they have in hand still goes in), or "drop-oldest"
spool_when_full = "hold"
# How long a stop may take to deliver what is left.
drain_timeout = "5s"

# Waits between attempts: initial_delay, doubled each time up to max_delay.
[plugins.relay-client.retry]
# Retries before it gives up and the agent ends with an error ...
max_times = 8
# ... unless it is to go on for ever.
forever = false
initial_delay = "500ms"
max_delay = "4s"
`;

/** Sends what this agent measures to a relay server. */
export const relayClientPlugin: Plugin<RelayClientConfig, AgentContext> = {
  name: 'relay-client',
  defaults: DEFAULTS,
  read: (table) => {
    const retry = table.table('retry');
    const maxTimes = retry.integer('max_times', { least: 0, most: 65_535 }, 8);
    return {
      clientName: table.optionalString('client_name'),
      server: readAddress(table, 'relay_server', '[::1]:50051', 1),
      bufferMaxLength: table.integer('buffer_max_length', { least: 1, most: 10_000_000 }, 4_096),
      bufferTimeoutMillis: table.duration('buffer_timeout', '30s'),
      acknowledge: table.boolean('acknowledge', true),
      spoolPath: table.optionalString('spool_path'),
      spoolBytesMax: table.integer('spool_max_bytes', { least: 65_536, most: 2 ** 40 }, 64 * 1024 * 1024),
      spoolWhenFull: table.choice('spool_when_full', ['hold', 'drop-oldest'], 'hold'),
      drainMillis: table.duration('drain_timeout', '5s'),
      retry: {
        maxTimes: retry.boolean('forever', false) ? Number.POSITIVE_INFINITY : maxTimes,
        initialDelayMillis: retry.duration('initial_delay', '500ms'),
        maxDelayMillis: retry.duration('max_delay', '4s'),
      },
    };
  },
  create: async (config, context) => {
    // a fifth of the time of a start, for those only who relay
    const { RelayClientOutput } = await import('./relay-client-output.ts');
    return [{ type: 'output', output: new RelayClientOutput(config, context) }];
  },
};
