#!/usr/bin/env node
/** Our port clients as a program: `port-client.ts [--defect NAME] pool|event|multiplex RELAY_PORT SERVICE_PORT`. */
import { openEvent, openMultiplex, openPool } from '../../../reference-impl/port-relay/library.ts';
import { openMiddle, type Spoiler } from '../mutants/middle.ts';
import { CLIENT_DEFECTS, type ClientDefect } from './client-defects.ts';

const OPEN = { pool: openPool, event: openEvent, multiplex: openMultiplex } as const;
const HOST = '127.0.0.1';
/** No wait, no end: what a client must not do. */
const HAMMER = { baseMillis: 1, factor: 1, capMillis: 1, jitter: 0 } as const;

/** The port to dial instead, where somebody spoils the way there. */
const behind = async (port: string, spoiler: (() => Spoiler) | undefined): Promise<number> => {
  if (spoiler === undefined) return Number(port);
  const upstream = { host: HOST, port: Number(port) };
  return (await openMiddle({ host: HOST, port: 0 }, upstream, spoiler())).port;
};

const args = process.argv.slice(2);
const defect: Partial<ClientDefect> | undefined =
  args[0] === '--defect' ? CLIENT_DEFECTS[args.splice(0, 2)[1] ?? ''] : {};
const [mode, relay, service] = args;
const open = OPEN[mode as keyof typeof OPEN];
if (defect === undefined || open === undefined || relay === undefined || service === undefined) {
  console.error('usage: port-client.ts [--defect NAME] pool|event|multiplex RELAY_PORT SERVICE_PORT');
  console.error(`defects: ${Object.keys(CLIENT_DEFECTS).join(', ')}`);
  process.exitCode = 2;
} else {
  const registration = open({
    relay: { host: HOST, port: await behind(relay, defect.relay) },
    service: { host: HOST, port: await behind(service, defect.service) },
    ...(defect.hammers === true ? { schedule: HAMMER } : {}),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void registration.close().then(() => process.exit()));
}
