#!/usr/bin/env node
/** Our port clients as a program: `port-client.ts pool|event|multiplex RELAY_PORT SERVICE_PORT`. */
import { openEvent, openMultiplex, openPool } from '../../../reference-impl/port-relay/library.ts';

const OPEN = { pool: openPool, event: openEvent, multiplex: openMultiplex } as const;

const [mode, relay, service] = process.argv.slice(2);
const open = OPEN[mode as keyof typeof OPEN];
if (open === undefined || relay === undefined || service === undefined) {
  console.error('usage: port-client.ts pool|event|multiplex RELAY_PORT SERVICE_PORT');
  process.exitCode = 2;
} else {
  const registration = open({
    relay: { host: '127.0.0.1', port: Number(relay) },
    service: { host: '127.0.0.1', port: Number(service) },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void registration.close());
}
