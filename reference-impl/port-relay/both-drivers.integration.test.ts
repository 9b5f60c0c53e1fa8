import t from 'tap';
import { connNames, NodeDriver } from '../drivers/node.ts';
import { Sim } from '../drivers/sim.ts';
import {
  type Address,
  type Conn,
  type NameConn,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../machine/machine.ts';
import { rngFor } from '../machine/rng.ts';
import { PLAIN } from './client/client-cases.ts';
import type { ClientConfig } from './client/client-config.ts';
import type { ClientReport } from './client/client-report.ts';
import { EventClient } from './client/event-client.ts';
import { MultiplexClient } from './client/multiplex-client.ts';
import { PoolClient } from './client/pool-client.ts';
import { RelayMachine } from './relay/relay-machine.ts';
import type { RelayMode, RelayReport } from './relay/relay-report.ts';

const REQUEST = 65_536;
const ANSWER = 1_048_576;
const pattern = (length: number, key: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * key) & 255;
  return bytes;
};
const isPattern = (chunks: readonly Uint8Array[], length: number, key: number): boolean =>
  Buffer.concat(chunks).equals(pattern(length, key));

type Done = { readonly who: 'service' | 'user'; readonly intact: boolean; readonly why: string };
type Listening = { readonly who: 'listening'; readonly port: number };

/** Answers a request once its end has come: the answer goes out on a half-closed connection. */
class AnswersAfterTheEnd implements NetMachine<Done | Listening> {
  readonly #port: number;
  readonly #heard = new Map<Conn, Uint8Array[]>();
  constructor(port: number) {
    this.#port = port;
  }
  deadline(): undefined {
    return undefined;
  }
  handle(_now: number, input: NetInput | { type: 'command' }): readonly NetOutput<Done | Listening>[] {
    switch (input.type) {
      case 'start':
        return [{ type: 'listen', listener: 1, port: this.#port, host: undefined }];
      case 'listening':
        return [{ type: 'report', event: { who: 'listening', port: input.port } }];
      case 'accepted':
        this.#heard.set(input.conn, []);
        return NOTHING;
      case 'bytes':
        this.#heard.get(input.conn)?.push(input.bytes.slice());
        return NOTHING;
      case 'ended':
        return [
          { type: 'send', conn: input.conn, bytes: pattern(ANSWER, 7) },
          { type: 'end', conn: input.conn },
        ];
      case 'closed': {
        const intact = isPattern(this.#heard.get(input.conn) ?? [], REQUEST, 3);
        return [{ type: 'report', event: { who: 'service', intact, why: input.why } }];
      }
      default:
        return NOTHING;
    }
  }
}

/** Dials, sends everything and its end at once, and reads the answer. */
class AsksAndEnds implements NetMachine<Done | Listening> {
  readonly #to: Address;
  readonly #name: NameConn;
  readonly #heard: Uint8Array[] = [];
  constructor(to: Address, name: NameConn) {
    this.#to = to;
    this.#name = name;
  }
  deadline(): undefined {
    return undefined;
  }
  handle(_now: number, input: NetInput | { type: 'command' }): readonly NetOutput<Done | Listening>[] {
    switch (input.type) {
      case 'start':
        return [{ type: 'connect', conn: this.#name(), to: this.#to, from: undefined }];
      case 'connected':
        return [
          { type: 'send', conn: input.conn, bytes: pattern(REQUEST, 3) },
          { type: 'end', conn: input.conn },
        ];
      case 'bytes':
        this.#heard.push(input.bytes.slice());
        return NOTHING;
      case 'closed': {
        const intact = isPattern(this.#heard, ANSWER, 7);
        return [{ type: 'report', event: { who: 'user', intact, why: input.why } }];
      }
      default:
        return NOTHING;
    }
  }
}

const CLIENTS = { pool: PoolClient, event: EventClient, multiplex: MultiplexClient } as const;
const clientOf = (mode: RelayMode, relay: Address, service: Address, name: NameConn) => {
  const config: ClientConfig = {
    relay,
    service,
    poolSize: 2,
    schedule: PLAIN,
    rng: rngFor(1, 'client'),
    name,
    dialMillis: 10_000,
    keepaliveMillis: 30_000,
    startAfterMillis: 0,
  };
  return new CLIENTS[mode](config);
};
const relayOf = (port: number, name: NameConn): RelayMachine => {
  let ids = 0;
  const newId = (): string => `ID${++ids}`;
  return new RelayMachine({ port, limits: {}, newId, name, publicPorts: undefined });
};
const WANTED = [
  { who: 'service', intact: true, why: 'end' },
  { who: 'user', intact: true, why: 'end' },
];
const sorted = (done: readonly Done[]): readonly Done[] => [...done].sort((a, b) => (a.who < b.who ? -1 : 1));

const inSim = (mode: RelayMode): readonly Done[] => {
  const sim = new Sim({ seed: 1 });
  const done: Done[] = [];
  let port = 0;
  const report = (event: Done | Listening): void => {
    if (event.who !== 'listening') done.push(event);
  };
  sim.add('relay', relayOf(9000, sim.name));
  sim.add('service', new AnswersAfterTheEnd(80), { place: 'site', report });
  const client = clientOf(mode, { host: 'relay', port: 9000 }, { host: 'service', port: 80 }, sim.name);
  sim.add('client', client, {
    place: 'site',
    report: (event: ClientReport) => {
      if (event.type === 'client.registered') port = event.port;
    },
  });
  sim.run(1_000);
  sim.add('user', new AsksAndEnds({ host: 'relay', port }, sim.name), { report });
  sim.run(20_000);
  return done;
};

const overSockets = async (mode: RelayMode): Promise<readonly Done[]> => {
  const name = connNames();
  const drivers: { destroy(): void }[] = [];
  const run = <Report, Command>(
    machine: NetMachine<Report, Command>,
    report: (event: Report) => void,
  ): NodeDriver<Report, Command> => {
    const driver = new NodeDriver(machine, { name, report });
    drivers.push(driver);
    driver.start();
    return driver;
  };
  const done: Done[] = [];
  const servicePort = Promise.withResolvers<number>();
  const relayPort = Promise.withResolvers<number>();
  const publicPort = Promise.withResolvers<number>();
  const both = Promise.withResolvers<void>();
  const report = (event: Done | Listening): void => {
    if (event.who === 'listening') servicePort.resolve(event.port);
    else if (done.push(event) === 2) both.resolve();
  };
  run(relayOf(0, name), (event: RelayReport) => {
    if (event.type === 'relay.listening') relayPort.resolve(event.port);
  });
  run(new AnswersAfterTheEnd(0), report);
  const relay = { host: '127.0.0.1', port: await relayPort.promise };
  const service = { host: '127.0.0.1', port: await servicePort.promise };
  run(clientOf(mode, relay, service, name), (event: ClientReport) => {
    if (event.type === 'client.registered') publicPort.resolve(event.port);
  });
  run(new AsksAndEnds({ host: '127.0.0.1', port: await publicPort.promise }, name), report);
  await both.promise;
  for (const driver of drivers) driver.destroy();
  return done;
};

for (const mode of ['pool', 'event', 'multiplex'] as const) {
  t.test(`${mode}: 64 KiB and an end go up, 1 MiB comes back, in virtual time`, (t) => {
    t.strictSame(sorted(inSim(mode)), WANTED);
    t.end();
  });
  t.test(`${mode}: the same machines do the same over sockets`, { timeout: 20_000 }, async (t) => {
    t.strictSame(sorted(await overSockets(mode)), WANTED);
  });
}
