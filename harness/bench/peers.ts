/** Foreign programs that are here: on PATH, built by ci/peers, or named by a flag. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the command line says about foreign programs; what is absent is looked for. */
export type PeerFlags = {
  readonly goRelay?: string;
  readonly haproxy?: string;
  readonly socat?: string;
  readonly toxiproxy?: string;
};

export type FoundPeers = {
  readonly goRelay: string | undefined;
  readonly haproxy: string | undefined;
  readonly socat: string | undefined;
  readonly toxiproxy: string | undefined;
  /** Command lines of foreign yamux ends. */
  readonly sessions: Readonly<Record<SessionPeer, readonly string[] | undefined>>;
};

export const SESSION_PEERS = [
  'hashicorp/yamux (Go)',
  'tokio-yamux (Rust)',
  '@libp2p/yamux',
  'yamux-js',
] as const;
export type SessionPeer = (typeof SESSION_PEERS)[number];

const PEERS = fileURLToPath(new URL('../../ci/peers/', import.meta.url));

const onPath = (path: string, names: readonly string[]): string | undefined => {
  for (const folder of [...path.split(delimiter), '/usr/sbin', '/usr/local/sbin'])
    for (const name of names) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // not there, or not to be run
      }
    }
  return undefined;
};

const built = (name: string): readonly string[] | undefined => {
  const file = join(PEERS, 'built', name);
  return existsSync(file) ? [file] : undefined;
};

const ofNpm = (file: string, library: string): readonly string[] | undefined =>
  existsSync(join(PEERS, 'yamux-npm', 'node_modules', library))
    ? [process.execPath, join(PEERS, 'yamux-npm', file)]
    : undefined;

/** @param path the PATH to look on */
export const findPeers = (flags: PeerFlags, path: string): FoundPeers => ({
  goRelay: flags.goRelay ?? onPath(path, ['go-relay']),
  haproxy: flags.haproxy ?? onPath(path, ['haproxy']),
  socat: flags.socat ?? onPath(path, ['socat']),
  toxiproxy: flags.toxiproxy ?? onPath(path, ['toxiproxy-server']),
  sessions: {
    'hashicorp/yamux (Go)': built('yamux-go'),
    'tokio-yamux (Rust)': built('yamux-rust'),
    '@libp2p/yamux': ofNpm('libp2p.mjs', '@libp2p/yamux'),
    'yamux-js': ofNpm('yamux-js.mjs', 'yamux-js'),
  },
});

/** Why a peer takes no part, in words to act on. */
export const WHY_ABSENT = {
  goRelay: 'not here: give its binary with --go-relay',
  haproxy: 'not on PATH: install it, or give --haproxy',
  socat: 'not on PATH: install it, or give --socat',
  toxiproxy: 'not on PATH: give its binary with --toxiproxy',
  session: 'not built: npm run -s node -- ci/peers/build.ts',
} as const;

const VERSION_FLAGS = { haproxy: '-v', socat: '-V', toxiproxy: '--version' } as const;

/** The versions the programs tell; what tells none is left out. */
export const versionsOf = (peers: FoundPeers): Readonly<Record<string, string>> => {
  const versions: Record<string, string> = {};
  for (const [name, flag] of Object.entries(VERSION_FLAGS) as [keyof typeof VERSION_FLAGS, string][]) {
    const file = peers[name];
    if (file === undefined) continue;
    try {
      const text = execFileSync(file, [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      const found = /\d+\.\d+(\.\d+)*/.exec(text);
      if (found !== null) versions[name] = found[0];
    } catch {
      // it runs or it does not: the rows will tell
    }
  }
  return versions;
};
