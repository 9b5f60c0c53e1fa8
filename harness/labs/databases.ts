/** Databases that measurement servers of a run store in and that are not of the lab: asked for before, and carried to where they are needed. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { StoreFiles } from '../agents/measurement-spec.ts';
import { DatabaseSocket } from './database-socket.ts';
import { databasePlace, placeText, throughFolder } from './database-url.ts';
import type { Ground } from './ground.ts';
import { LabError } from './lab.ts';
import type { Server, Topology } from './topology.ts';

/** One that says nothing for so long is not there. */
const ANSWER_MILLIS = 5_000;

type Placed = { readonly server: Server; readonly url: string };

/** Of a server that stores in a file or a database. */
const storeOf = ({ actor }: Server): StoreFiles | undefined =>
  actor.kind === 'measurement-server' && actor.store !== 'memory' ? actor.store : undefined;

export class Databases {
  /** What is to be started: servers are told of their database as it is for them. */
  readonly topology: Topology;
  readonly #given: readonly Placed[];
  readonly #shares: Ground['shares'];
  readonly #sockets = new Map<Server, DatabaseSocket>();

  /** @throws LabError for a database or a file that hosts of this lab cannot have */
  constructor(topology: Topology, shares: Ground['shares']) {
    const { servers = [] } = topology;
    this.#shares = shares;
    this.#given = servers.flatMap((server) => {
      const store = storeOf(server);
      if (store !== undefined && 'sqlite' in store) this.#refuseFile(store.sqlite);
      return store !== undefined && 'postgres' in store ? [{ server, url: store.postgres }] : [];
    });
    const carried = shares.network
      ? new Map<Server, Server>()
      : new Map(this.#given.map((placed) => [placed.server, this.#carried(placed)]));
    this.topology =
      carried.size === 0
        ? topology
        : { ...topology, servers: servers.map((server) => carried.get(server) ?? server) };
  }

  #refuseFile(path: string): void {
    if (this.#shares.files || path.startsWith('{work}/')) return;
    throw new LabError(
      `hosts of this lab cannot write ${path}: they see no folder of this machine but to read`,
      'give --db postgres://..., leave it out, or use --lab local',
    );
  }

  #carried({ server, url }: Placed): Server {
    const { actor } = server;
    if (actor.kind !== 'measurement-server') return server;
    const socket = new DatabaseSocket(databasePlace(url));
    this.#sockets.set(server, socket);
    try {
      const store = { postgres: throughFolder(url, socket.folder) };
      return { ...server, actor: { ...actor, store }, sees: [socket.folder] };
    } catch (error) {
      void this.close();
      throw new LabError((error as Error).message, 'leave it out, or use --lab local');
    }
  }

  /** @throws LabError when a database does not answer, the signal's reason when it is aborted */
  async open(signal: AbortSignal): Promise<void> {
    for (const { url } of this.#given) await answers(url, signal);
    for (const socket of this.#sockets.values())
      await socket.listen().catch((error: Error) => {
        throw new LabError(
          `no socket for the database: ${error.message}`,
          'is the folder of temporary files (TMPDIR) writable, and its path short?',
        );
      });
  }

  /** Whether somebody is cut off from a database when this is closed. */
  get carries(): boolean {
    return this.#sockets.size > 0;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sockets.values()].map((socket) => socket.close()));
    this.#sockets.clear();
  }
}

/** Better said at once than by a hundred agents that lose everything. */
const answers = async (url: string, signal: AbortSignal): Promise<void> => {
  const place = databasePlace(url);
  const socket = connect(place);
  try {
    await once(socket, 'connect', {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MILLIS)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    const { name, code, message } = error as NodeJS.ErrnoException;
    const why = name === 'AbortError' ? `no answer in ${ANSWER_MILLIS / 1000} s` : (code ?? message);
    throw new LabError(`no database at ${placeText(place)}: ${why}`, 'start it, or put --db right');
  } finally {
    socket.destroy();
  }
};
