/** Who takes part: how each is started in front of the same service, and which port users dial then. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listensOn } from '../measure/process-audit.ts';
import { freePort, type Helper, Program } from './children.ts';
import type { ServiceRequest } from './programs/service.ts';

/** A contender that runs. */
export type Running = {
  /** What users dial. */
  readonly port: number;
  /** Whose CPU time and memory count. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
};

export type Contender = {
  readonly name: string;
  /** Ours are filled in plots. */
  readonly own: boolean;
  start(service: Helper<ServiceRequest>): Promise<Running>;
};

/** Foreign programs by path; what is undefined takes no part. */
export type Peers = {
  readonly goRelay: string | undefined;
  readonly haproxy: string | undefined;
  readonly socat: string | undefined;
  readonly toxiproxy: string | undefined;
};

const READY_MILLIS = 15_000;
const ROOT = new URL('../../', import.meta.url);
const RELAY = fileURLToPath(new URL('reference-impl/port-relay/bin/relay.ts', ROOT));
const CHAOS_PROXY = fileURLToPath(new URL('harness/chaos-proxy/src/cli.ts', ROOT));
const PIPE = fileURLToPath(new URL('programs/pipe.ts', import.meta.url));

/** Thousands of tunnels are one registration here, and from one address. */
const RELAY_LIMITS = [
  ...['--connections-max', '60000', '--connections-per-registration-max', '40000'],
  ...['--waiting-per-registration-max', '20000', '--log-level', 'silent'],
];

const NODE = process.execPath;

/** Waits until it listens there. @throws Error with its last words when it ends first, or takes too long */
export const started = async (command: readonly string[], port: number): Promise<Program> => {
  const program = new Program(command);
  const deadline = performance.now() + READY_MILLIS;
  while (!(await listensOn(port))) {
    if (program.running && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      continue;
    }
    await program.stop();
    throw new Error(program.epitaph);
  }
  return program;
};

/** @param after called when all have ended */
export const runningAs = (
  port: number,
  programs: readonly Program[],
  after: () => void = () => {},
): Running => ({
  port,
  pids: programs.map(({ pid }) => pid),
  stop: async () => {
    for (const program of programs) await program.stop();
    after();
  },
});

type Mode = 'pool' | 'event' | 'multiplex';

const registered =
  (command: (port: number) => readonly string[], mode: Mode): Contender['start'] =>
  async (service) => {
    const port = await freePort();
    const relay = await started(command(port), port);
    const publicPort = await service.ask<number>({ do: 'register', mode, port });
    return runningAs(publicPort, [relay]);
  };

/** Our relay, in one of its modes. */
export const ourRelay = (mode: Mode): Contender => ({
  name: `relaylab, ${mode}`,
  own: true,
  start: registered((port) => [NODE, RELAY, String(port), '--bind', '127.0.0.1', ...RELAY_LIMITS], mode),
});

/** The Go relay, in one of its modes. */
export const goRelay = (path: string, mode: Mode): Contender => ({
  name: `Go relay, ${mode}`,
  own: false,
  start: registered((port) => [path, String(port)], mode),
});

/** A contender that passes connections on to the service's own port. */
const inFront =
  (
    command: (port: number, upstream: number) => readonly string[],
    after: () => void = () => {},
  ): Contender['start'] =>
  async (service) => {
    const upstream = await service.ask<number>({ do: 'listen' });
    const port = await freePort();
    return runningAs(port, [await started(command(port, upstream), port)], after);
  };

/** Our relay and our forwarder in front of the plain service: two hops. */
export const ourForwarder: Contender = {
  name: 'relaylab, forwarder',
  own: true,
  start: async (service) => {
    const upstream = await service.ask<number>({ do: 'listen' });
    const port = await freePort();
    const relay = await started([NODE, RELAY, String(port), '--bind', '127.0.0.1', ...RELAY_LIMITS], port);
    const flags = ['--log-level', 'silent', `--localForwardPort=${upstream}`];
    const forwarder = new Program([NODE, RELAY, ...flags, '127.0.0.1', String(port)]);
    const [, address] = await forwarder.said(/established relay address: \S+:(\d+)/, READY_MILLIS);
    return runningAs(Number(address), [forwarder, relay]);
  },
};

/** No relay at all. */
export const direct: Contender = {
  name: 'direct',
  own: false,
  start: async (service) => ({
    port: await service.ask<number>({ do: 'listen' }),
    pids: [],
    stop: async () => {},
  }),
};

/** `stream.pipe` both ways. */
export const nodePipe: Contender = {
  name: 'node:net pipe',
  own: false,
  start: inFront((port, upstream) => [NODE, PIPE, String(port), String(upstream)]),
};

const haproxyConfig = (port: number, upstream: number): string => `global
  nbthread 2
defaults
  mode tcp
  timeout connect 10s
  timeout client 10m
  timeout server 10m
listen bench
  bind 127.0.0.1:${port} backlog 4096
  server service 127.0.0.1:${upstream}
`;

/** HAProxy in TCP mode with two threads; it takes as many connections as its descriptors allow. */
export const haproxy = (path: string): Contender => ({
  name: 'HAProxy',
  own: false,
  start: async (service) => {
    const folder = mkdtempSync(join(tmpdir(), 'relaylab-bench-'));
    const command = (port: number, upstream: number): readonly string[] => {
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(file, haproxyConfig(port, upstream));
      return [path, '-db', '-q', '-f', file];
    };
    return inFront(command, () => rmSync(folder, { recursive: true, force: true }))(service);
  },
});

/** A process for each connection. */
export const socat = (path: string): Contender => ({
  name: 'socat',
  own: false,
  start: inFront((port, upstream) => [
    path,
    `TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,backlog=4096`,
    `TCP:127.0.0.1:${upstream},nodelay`,
  ]),
});

/** The command `chaos-proxy`. @param faults as its `--fault` takes them */
export const chaosProxy = (name: string, faults: readonly string[] = []): Contender => ({
  name,
  own: true,
  start: inFront((port, upstream) => [
    ...[NODE, CHAOS_PROXY, '--listen', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${upstream}`],
    ...['--seed', '1', ...faults.flatMap((fault) => ['--fault', fault])],
  ]),
});

/** One toxic as Toxiproxy's API takes it, acting on what users send. */
export type Toxic = { readonly type: string; readonly attributes: Readonly<Record<string, number>> };

/** toxiproxy-server with one proxy. */
export const toxiproxy = (path: string, name = 'toxiproxy', toxic?: Toxic): Contender => ({
  name,
  own: false,
  start: async (service) => {
    const upstream = await service.ask<number>({ do: 'listen' });
    const api = await freePort();
    const port = await freePort();
    const server = await started([path, '-host', '127.0.0.1', '-port', String(api)], api);
    const post = async (at: string, body: object): Promise<void> => {
      const answer = await fetch(`http://127.0.0.1:${api}${at}`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`toxiproxy ${at}: ${answer.status} ${await answer.text()}`);
    };
    await post('/proxies', { name: 'bench', listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${upstream}` });
    if (toxic !== undefined) await post('/proxies/bench/toxics', { ...toxic, stream: 'upstream' });
    return runningAs(port, [server]);
  },
});
