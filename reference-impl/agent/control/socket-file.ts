import { randomBytes } from 'node:crypto';
import { link, lstat, rm } from 'node:fs/promises';
import { createConnection, type Server } from 'node:net';
import { dirname } from 'node:path';
import { AgentError, reasonOf } from '../agent-error.ts';

/** Longest path of a Unix socket on Linux, in bytes (sun_path without its zero). */
const PATH_BYTES_MAX = 107;

const refused = (path: string, code: string, got: string, hint: string, cause?: unknown): AgentError =>
  new AgentError({ code, where: path, expected: 'a place for the control socket', got, hint, cause });

/** Whether a process serves the socket at this path. */
const isServed = (path: string): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection({ path });
  socket.once('connect', () => resolve(true));
  socket.once('error', (error: NodeJS.ErrnoException) => {
    // refused or gone: nobody listens. Anything else (EACCES, EAGAIN: its queue is full) may well be alive
    resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
  });
  return promise.finally(() => socket.destroy());
};

/** Makes way: only a socket that nobody serves is removed. */
const removeStale = async (path: string): Promise<void> => {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw refused(path, 'SOCKET_PLACE', reasonOf(error), 'name another socket_path', error);
  });
  if (found === undefined) return;
  if (!found.isSocket())
    throw refused(
      path,
      'SOCKET_PLACE',
      'a file that is no socket',
      'move it away, or name another socket_path',
    );
  if (await isServed(path))
    throw refused(
      path,
      'SOCKET_IN_USE',
      'the socket of a process that runs',
      'stop that agent, or name another socket_path',
    );
  await rm(path, { force: true });
};

/**
 * Lets a server listen at a path, mode 0600 from its first moment. The socket is made under a name of its own and then linked to
 * the path, so that nothing that stands there is ever overwritten, and closing removes no successor's file.
 * @returns removes the file, if it is still ours
 * @throws AgentError SOCKET_PLACE | SOCKET_IN_USE
 */
export const listenAt = async (server: Server, path: string): Promise<() => Promise<void>> => {
  // Node takes a name that looks like a number for a port, unless a folder stands before it
  const beside = `${dirname(path)}/.${randomBytes(3).toString('hex').slice(0, 5)}`;
  const longest = Math.max(Buffer.byteLength(path), Buffer.byteLength(beside));
  if (longest > PATH_BYTES_MAX)
    throw refused(
      path,
      'SOCKET_PLACE',
      `a path of ${longest} bytes`,
      `use one of at most ${PATH_BYTES_MAX}, or a relative one`,
    );
  await removeStale(path);
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  // the socket is bound within listen(), so nobody else's files are made under this mask
  const mask = process.umask(0o177);
  try {
    server.listen({ path: beside }, () => listening.resolve());
  } finally {
    process.umask(mask);
  }
  let inode: number;
  try {
    await listening.promise;
    inode = (await lstat(beside)).ino;
    await link(beside, path);
  } catch (error) {
    server.close();
    const taken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (taken)
      throw refused(
        path,
        'SOCKET_IN_USE',
        'a file that came there just now',
        'start one agent at a time',
        error,
      );
    throw refused(
      path,
      'SOCKET_PLACE',
      reasonOf(error),
      `is ${dirname(path)} a folder this user may write in?`,
      error,
    );
  } finally {
    await rm(beside, { force: true });
  }
  return async () => {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSocket() && found.ino === inode) await rm(path, { force: true });
  };
};
