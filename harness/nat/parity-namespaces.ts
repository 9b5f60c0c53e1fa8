/** For the parity test: client - gateway - server as three network namespaces of this machine. Needs root, iproute2 and nft. */
import { execFileSync, spawnSync } from 'node:child_process';

export const PREFIX = 'relaylab-nat';

export type Namespaces = { readonly client: string; readonly gateway: string; readonly server: string };

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** Removes the namespaces of runs whose process is gone. */
export const sweepNamespaces = (): void => {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const line of (stdout ?? '').split('\n')) {
    const found = /^relaylab-nat-(\d+)-\S+/.exec(line);
    if (found !== null && !alive(Number(found[1]))) spawnSync('ip', ['netns', 'del', found[0]]);
  }
};

const made = new Set<string>();
/** A test runner that is ended may still start what it had queued. */
let leaving = false;

export const removeNamespaces = (namespaces: Namespaces): void => {
  for (const name of Object.values(namespaces)) {
    spawnSync('ip', ['netns', 'del', name]);
    made.delete(name);
  }
};

/** Whatever ends this process in an orderly way or by a signal takes its namespaces along. */
export const removeNamespacesAtExit = (): void => {
  process.once('exit', () => {
    leaving = true;
    for (const name of made) spawnSync('ip', ['netns', 'del', name]);
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
};

/** Addresses are the same in every set: namespaces do not see each other. */
export const NETWORK = {
  client: '10.97.1.2',
  gatewayLan: '10.97.1.1',
  gatewayWan: '10.97.0.1',
  gatewayWanNew: '10.97.0.9',
  server: '10.97.0.2',
} as const;

/** @param ordinal tells sets of one process apart */
export const makeNamespaces = (ordinal: number): Namespaces => {
  if (leaving) throw new Error('this process is about to end');
  const name = (role: string): string => `${PREFIX}-${process.pid}-${ordinal}${role}`;
  const namespaces = { client: name('c'), gateway: name('g'), server: name('s') };
  const { client, gateway, server } = namespaces;
  const ip = (line: string): void => {
    execFileSync('ip', line.split(' '), { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  for (const one of [client, gateway, server]) {
    made.add(one);
    ip(`netns add ${one}`);
    ip(`-n ${one} link set lo up`);
  }
  ip(`link add eth0 netns ${client} type veth peer name lan0 netns ${gateway}`);
  ip(`link add wan0 netns ${gateway} type veth peer name eth0 netns ${server}`);
  for (const [where, address, device] of [
    [client, NETWORK.client, 'eth0'],
    [gateway, NETWORK.gatewayLan, 'lan0'],
    [gateway, NETWORK.gatewayWan, 'wan0'],
    [server, NETWORK.server, 'eth0'],
  ] as const) {
    ip(`-n ${where} addr add ${address}/24 dev ${device}`);
    ip(`-n ${where} link set ${device} up`);
  }
  ip(`-n ${client} route add default via ${NETWORK.gatewayLan}`);
  return namespaces;
};
