/** A client with a spool on disk, to be killed: `node spooling-client.ts FILE PORT FIRST`. Prints each value once it is taken. */
import { writeSync } from 'node:fs';
import { SqliteSpool } from '../disk/spool-sqlite.ts';
import { MetricRegistry } from '../metrics.ts';
import { newSpoolId, openMeasurementClient } from '../node/client.ts';
import { agentPoint } from './wire.ts';

const [file = '', port = '', first = ''] = process.argv.slice(2);
const registry = new MetricRegistry();
const metric_id = registry.define({
  name: 'm0',
  valueType: 'U64',
  unit: { base: 'J', prefix: '' },
  description: '',
});
const client = openMeasurementClient({
  server: { host: '127.0.0.1', port: Number(port) },
  clientName: 'leaf',
  registry,
  spool: new SqliteSpool(file, newSpoolId),
  bufferMaxLength: 20,
  bufferTimeoutMillis: 100,
  retry: { maxTimes: Number.POSITIVE_INFINITY, initialDelayMillis: 20, maxDelayMillis: 100 },
});
let value = Number(first);
setInterval(() => {
  client.append([agentPoint(value, { metric_id })]);
  writeSync(1, `${value++}\n`);
}, 2);
