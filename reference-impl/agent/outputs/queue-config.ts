import type { Schedule } from '../../backoff/schedule.ts';
import type { ConfigTable } from '../config/config-table.ts';

/** Keys that all outputs read alike. They stand in the output's own table, last, since tables follow them in none. */
export const RETRY_DEFAULTS = `# Waits between two tries: doubled each time, half of each drawn by lot. It is tried for as long as the agent runs.
retry_initial_delay = "250ms"
retry_max_delay = "30s"
`;

/** @throws AgentError CONFIG_DURATION */
export const readRetry = (table: ConfigTable): Schedule => {
  const moreThanZero = { moreThanZero: true };
  return {
    baseMillis: table.duration('retry_initial_delay', '250ms', moreThanZero),
    factor: 2,
    capMillis: table.duration('retry_max_delay', '30s', moreThanZero),
    jitter: 0.5,
    healthyMillis: 0,
    triesMax: Number.POSITIVE_INFINITY,
  };
};

/** Of the outputs that write to a database. */
export const QUEUE_DEFAULTS = `# The queue before the database: with so many points or bytes in it, whoever measures waits.
queue_points = 100000
queue_bytes = 67108864
# Points of one transaction or request, and how long they wait for each other (not when a client waits to hear that they are stored).
batch_points = 10000
batch_timeout = "1s"
# How long the end waits for a database that is away.
end_timeout = "10s"
`;

/** What `QUEUE_DEFAULTS` and `RETRY_DEFAULTS` say, read. @throws AgentError CONFIG_... */
export const readQueue = (
  table: ConfigTable,
): {
  readonly pointsMax: number;
  readonly bytesMax: number;
  readonly groupPoints: number;
  readonly lingerMillis: number;
  readonly endMillis: number;
  readonly retry: Schedule;
} => ({
  pointsMax: table.integer('queue_points', { least: 1, most: 1e9 }, 100_000),
  bytesMax: table.integer('queue_bytes', { least: 1, most: 2 ** 40 }, 64 * 2 ** 20),
  groupPoints: table.integer('batch_points', { least: 1, most: 1e7 }, 10_000),
  lingerMillis: table.duration('batch_timeout', '1s'),
  endMillis: table.duration('end_timeout', '10s'),
  retry: readRetry(table),
});
