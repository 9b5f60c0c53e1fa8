/** For the parity test: a NAT in one of its two forms between a client and a server, and what these two see. */
import { setTimeout as pass } from 'node:timers/promises';
import { connNames, NodeDriver } from '../../reference-impl/drivers/node.ts';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { GatewayEventKind, GatewayWiring } from './gateway-events.ts';
import { gatewayEvent, gatewayLines } from './gateway-events.ts';
import type { Nat } from './nat.ts';
import { NatMachine } from './nat-machine.ts';
import type { NatCommand, NatReport } from './nat-report.ts';
import type { EndEvent } from './parity-end.ts';
import { makeNamespaces, NETWORK, removeNamespaces } from './parity-namespaces.ts';
import { EndProcess, Shell } from './parity-process.ts';

/** How long nothing must be heard for `silence`: long beside a round trip, short beside the timeouts that are tested. */
export const QUIET_MILLIS = 700;
/** Something that is expected has this long. */
export const PATIENCE_MILLIS = 8_000;

const DELAYED_ACK_MILLIS = 300;

/** How long to listen when `expected` is to be heard. */
const patience = (expected: string): number =>
  expected === 'silence' || expected === 'not told' ? QUIET_MILLIS : PATIENCE_MILLIS;

/** What stands between the ends. `begin` starts an event, the function it gives ends the outage and reads the receipt. */
export interface NatForm {
  readonly namespaces: { readonly client: string; readonly server: string } | undefined;
  readonly serverHost: string;
  /** Where a client dials for a server on this port. */
  dialAddress(serverPort: number): Promise<{ readonly host: string; readonly port: number }>;
  begin(kind: GatewayEventKind): Promise<() => Promise<number>>;
  stop(): Promise<void>;
}

/** The kernel's NAT in a namespace, driven through a shell as a container lab does it. */
export class KernelForm implements NatForm {
  readonly namespaces;
  readonly serverHost = NETWORK.server;
  readonly #shell: Shell;
  readonly #nat: Nat;
  readonly #wiring: GatewayWiring = {
    wan: 'wan0',
    wanAddress: NETWORK.gatewayWan,
    wanPrefix: 24,
    wanGateway: undefined,
    lan: 'lan0',
    tier: 'home',
    subscribers: [],
    forwards: [],
  };

  constructor(nat: Nat, ordinal: number) {
    this.#nat = nat;
    this.namespaces = makeNamespaces(ordinal);
    this.#shell = new Shell(this.namespaces.gateway);
  }

  async dialAddress(serverPort: number): Promise<{ readonly host: string; readonly port: number }> {
    await this.#shell.run(gatewayLines(this.#nat, this.#wiring));
    return { host: NETWORK.server, port: serverPort };
  }

  async begin(kind: GatewayEventKind): Promise<() => Promise<number>> {
    const event = gatewayEvent(kind, this.#wiring, NETWORK.gatewayWanNew);
    await this.#shell.run(event.begin);
    return async () => {
      await this.#shell.run(event.end);
      return Number(await this.#shell.run(event.receipt));
    };
  }

  async stop(): Promise<void> {
    await this.#shell.stop();
    removeNamespaces(this.namespaces);
  }
}

/** How long the machine's outages last; the kernel's last until the test ends them. */
export const OUTAGE_MILLIS = 1_500;

/** The machine over real sockets on loopback, with public addresses of its own. */
export class MachineForm implements NatForm {
  readonly namespaces = undefined;
  readonly serverHost = '127.0.0.1';
  readonly #nat: Nat;
  readonly #ordinal: number;
  readonly #receipts = Promise.withResolvers<number>();
  readonly #ready = Promise.withResolvers<number>();
  #driver: NodeDriver<NatReport, NatCommand> | undefined;

  constructor(nat: Nat, ordinal: number) {
    this.#nat = nat;
    this.#ordinal = ordinal;
  }

  async dialAddress(serverPort: number): Promise<{ readonly host: string; readonly port: number }> {
    const name = connNames();
    const machine = new NatMachine({
      listen: { host: '127.0.0.1', port: 0 },
      upstream: { host: this.serverHost, port: serverPort },
      publicHost: `127.97.${this.#ordinal}.1`,
      nat: this.#nat,
      rng: rngFor(11, `nat ${this.#ordinal}`),
      name,
      innerKeepaliveMillis: 0,
      outerKeepaliveMillis: 0,
    });
    const report = (event: NatReport): void => {
      if (event.type === 'nat.ready') this.#ready.resolve(event.port);
      if (event.type === 'nat.failed') this.#ready.reject(new Error(event.why));
      if (event.type === 'nat.receipt') this.#receipts.resolve(event.effects);
    };
    this.#driver = new NodeDriver(machine, { name, report });
    this.#driver.start();
    return { host: '127.0.0.1', port: await this.#ready.promise };
  }

  begin(kind: GatewayEventKind): Promise<() => Promise<number>> {
    const commands: Record<GatewayEventKind, NatCommand> = {
      reboot: { do: 'reboot', id: 1, downMillis: OUTAGE_MILLIS },
      expire: { do: 'expire', id: 1, idleMillis: 0 },
      readdress: { do: 'readdress', id: 1, publicHost: `127.97.${this.#ordinal}.9` },
      flap: { do: 'flap', id: 1, millis: OUTAGE_MILLIS },
    };
    this.#driver?.tell(commands[kind]);
    return Promise.resolve(() => this.#receipts.promise);
  }

  stop(): Promise<void> {
    this.#driver?.destroy();
    return Promise.resolve();
  }
}

export type Who = 'client' | 'server';
type Connection = { readonly localPort: number; seen: string };

const LOST_CODES = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE']);

/** The two ends, told what to do by words, answering with what they saw. */
export class Rig {
  readonly #form: NatForm;
  readonly #client: EndProcess;
  readonly #server: EndProcess;
  readonly #connections = new Map<string, Connection>();
  readonly #firstPort: number;
  #address = { host: '', port: 0 };
  #said = 0;

  constructor(form: NatForm, ordinal: number) {
    this.#form = form;
    this.#firstPort = 24_000 + ordinal * 20;
    this.#client = new EndProcess(form.namespaces?.client);
    this.#server = new EndProcess(form.namespaces?.server);
  }

  async open(): Promise<void> {
    this.#server.tell({ do: 'listen', host: this.#form.serverHost });
    const listening = await this.#server.need((event) => event.saw === 'listening', 'server');
    this.#address = await this.#form.dialAddress(Number(listening.text));
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.stop(), this.#server.stop()]);
    await this.#form.stop();
  }

  /** A connection is up when the server's greeting has come through, in both forms. */
  async dial(name: string, expected = 'greeted'): Promise<string> {
    const localPort = this.#firstPort + this.#connections.size;
    this.#connections.set(name, { localPort, seen: '' });
    this.#client.tell({ do: 'dial', name, ...this.#address, localPort });
    return this.greeting(name, expected);
  }

  /** `greeted`, `refused`, `unreachable` or `silence`. */
  async greeting(name: string, expected = 'greeted'): Promise<string> {
    const millis = patience(expected);
    const event = await this.#client.take(
      (one) => one.name === name && (one.saw === 'data' || one.saw === 'error'),
      millis,
    );
    if (event === undefined) return 'silence';
    if (event.saw === 'error') return LOST_CODES.has(event.text) ? 'refused' : 'unreachable';
    this.#connection(name).seen = event.text.replace('hello ', '');
    return 'greeted';
  }

  /** The port as the server sees it, in words. */
  port(name: string): string {
    const { localPort, seen } = this.#connection(name);
    const port = Number(seen.split(':')[1]);
    if (port === localPort) return 'kept';
    return port >= 20_000 && port < 20_002 ? 'of the range' : port >= 1_024 ? 'another' : `odd ${port}`;
  }

  /** Whether two connections come from one public address. */
  address(name: string, before: string): string {
    const host = (one: string): string | undefined => this.#connection(one).seen.split(':')[0];
    return host(name) === host(before) ? 'same address' : 'new address';
  }

  /** `arrives`, `reset` (the sender hears it) or `silence`. */
  async say(who: Who, name: string, expected = 'arrives'): Promise<string> {
    const text = `word ${++this.#said};`;
    const [from, fromName] = this.#end(who, name);
    from.tell({ do: 'say', name: fromName, text });
    return this.#outcome(who, name, text, patience(expected));
  }

  /** Whether the last words said to the far end have arrived by now. */
  heard(who: Who, name: string): Promise<string> {
    return this.#outcome(who, name, `word ${this.#said};`, PATIENCE_MILLIS);
  }

  /** FIN of one end. `finished`: the far end hears it. */
  async finish(who: Who, name: string): Promise<string> {
    const [from, fromName] = this.#end(who, name);
    const [far, farName] = this.#end(who === 'client' ? 'server' : 'client', name);
    from.tell({ do: 'finish', name: fromName });
    const event = await far.take((one) => one.name === farName && one.saw === 'finished', PATIENCE_MILLIS);
    return event === undefined ? 'silence' : 'finished';
  }

  /** Whether this end has been reset without having said anything. */
  async told(who: Who, name: string, expected = 'not told'): Promise<string> {
    const [end, endName] = this.#end(who, name);
    const event = await end.take((one) => one.name === endName && one.saw === 'error', patience(expected));
    return event === undefined ? 'not told' : 'reset';
  }

  /** Starts an event when the wire is quiet: a delayed acknowledgement (200 ms at most) would be a packet too many. */
  async begin(kind: GatewayEventKind): Promise<() => Promise<number>> {
    await pass(DELAYED_ACK_MILLIS);
    return await this.#form.begin(kind);
  }

  /** Lets a timeout of the NAT go by: time is what is tested here. */
  async idle(millis: number): Promise<void> {
    await pass(millis);
  }

  async #outcome(who: Who, name: string, text: string, millis: number): Promise<string> {
    const [from, fromName] = this.#end(who, name);
    const [far, farName] = this.#end(who === 'client' ? 'server' : 'client', name);
    const arrives = (event: EndEvent): boolean =>
      event.name === farName && event.saw === 'data' && event.text.includes(text);
    const reset = (event: EndEvent): boolean => event.name === fromName && event.saw === 'error';
    // Whoever hears first ends the other's wait: a wait left behind would take a later event away.
    const over = new AbortController();
    const first = (event: EndEvent | undefined, outcome: string): string | undefined => {
      if (event !== undefined) over.abort();
      return event === undefined ? undefined : outcome;
    };
    const heard = far.take(arrives, millis, over.signal).then((event) => first(event, 'arrives'));
    const told = from.take(reset, millis, over.signal).then((event) => first(event, 'reset'));
    return (await heard) ?? (await told) ?? 'silence';
  }

  #end(who: Who, name: string): readonly [EndProcess, string] {
    return who === 'client' ? [this.#client, name] : [this.#server, this.#connection(name).seen];
  }

  #connection(name: string): Connection {
    const connection = this.#connections.get(name);
    if (connection === undefined) throw new Error(`no connection ${name}`);
    return connection;
  }
}
