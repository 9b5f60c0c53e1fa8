/** A database of this machine's surroundings as a Unix socket: for hosts whose networks lead nowhere but into the lab. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatabasePlace, socketName } from './database-url.ts';
import { isDead, thisOwner } from './owner.ts';

const PREFIX = 'relaylab-db-';
const NAME = /^relaylab-db-(\d+)-([^-]*)-\w+$/;
/** libpq looks for the socket under this number. */
const PORT = 5432;

/** Removes the folders of runners that were killed. */
const sweep = (): void => {
  const { host } = thisOwner();
  for (const name of readdirSync(tmpdir())) {
    const [, pid, startedAt = ''] = NAME.exec(name) ?? [];
    if (pid === undefined || !isDead({ host, pid: Number(pid), startedAt })) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // It is somebody else's, who will remove it.
    }
  }
};

/** Whoever connects to the socket in `folder` is at the database. Bytes pass as they are, either end may close first. */
export class DatabaseSocket {
  /** Only its owner may enter it; gone with this, however the process ends that is not killed. */
  readonly folder: string;
  readonly #place: DatabasePlace;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #onExit = (): void => this.#remove();

  /** Makes the folder; nobody listens yet. */
  constructor(place: DatabasePlace) {
    sweep();
    const { pid, startedAt } = thisOwner();
    this.folder = mkdtempSync(join(tmpdir(), `${PREFIX}${pid}-${startedAt}-`));
    chmodSync(this.folder, 0o700);
    process.once('exit', this.#onExit);
    this.#place = place;
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#join(near));
  }

  /** @throws Error when the socket cannot be made */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(join(this.folder, socketName(PORT)), () => resolve());
    });
  }

  #join(near: Socket): void {
    const far = connect({ ...this.#place, allowHalfOpen: true });
    far.setNoDelay();
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      // whatever breaks one breaks the other: its peer then sees a connection that ended too early
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        if (!socket.readableEnded || socket.errored) other.destroy();
      });
      socket.pipe(other);
    }
  }

  /** Ends what still goes through it, and removes the folder. */
  async close(): Promise<void> {
    process.off('exit', this.#onExit);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#remove();
  }

  #remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
