/** What a process group holds, read from /proc: descriptors, sockets, listening ports, resident memory. Linux only; elsewhere undefined. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';

export type Books = {
  readonly fds: number;
  readonly sockets: number;
  readonly listening: number;
  readonly rssBytes: number;
};

const LISTEN = '0A';
const PAGE_BYTES = 4096;

type TcpRow = { readonly port: number; readonly state: string; readonly inode: string };

/** Rows of /proc/net/tcp and tcp6. */
const tcpRows = async (): Promise<readonly TcpRow[]> => {
  const rows: TcpRow[] = [];
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (local === undefined || state === undefined || inode === undefined) continue;
      rows.push({ port: Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16), state, inode });
    }
  }
  return rows;
};

/**
 * Whether somebody listens on this port. Reads the kernel's table where there is one: a connection as probe would already be
 * a test (one connection without a line ends some relays).
 */
export const listensOn = async (port: number): Promise<boolean> => {
  if (process.platform === 'linux')
    return (await tcpRows()).some((row) => row.port === port && row.state === LISTEN);
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
};

/** Process ids of a group. */
const members = async (group: number): Promise<readonly number[]> => {
  const found: number[] = [];
  for (const entry of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    // The command name may hold spaces and brackets: fields are counted after the last bracket (state, ppid, pgrp).
    const pgrp = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
    if (pgrp === String(group)) found.push(Number(entry));
  }
  return found;
};

/** @returns undefined where /proc does not tell (other systems, a process that is gone) */
export const auditGroup = async (group: number): Promise<Books | undefined> => {
  if (process.platform !== 'linux') return undefined;
  const listeningInodes = new Set(
    (await tcpRows()).filter((row) => row.state === LISTEN).map((row) => row.inode),
  );
  let [fds, sockets, listening, rssBytes] = [0, 0, 0, 0];
  const pids = await members(group);
  for (const pid of pids) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      fds++;
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      if (!target.startsWith('socket:')) continue;
      sockets++;
      if (listeningInodes.has(target.slice('socket:['.length, -1))) listening++;
    }
    const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
    rssBytes += Number(statm.split(' ')[1]) * PAGE_BYTES;
  }
  return pids.length === 0 ? undefined : { fds, sockets, listening, rssBytes };
};
