/** A case against a target that dials: the case listens, starts it, and plays the other side. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientContext, RunningClient } from '../case.ts';
import { Broken } from '../outcome.ts';
import {
  type ClientCommand,
  commandText,
  type StartedClient,
  startClient,
} from '../targets/client-target.ts';
import { WireEnd } from '../wire/wire-end.ts';
import { WireListener } from '../wire/wire-listener.ts';
import { BaseContext, type Surroundings } from './context.ts';
import { openPath, type PathSpec } from './path.ts';

const LOOK_MILLIS = 20;
const LAST_WORDS_MILLIS = 500;
const LAST_WORDS_CHARS = 600;

/** @returns why not; undefined once it is open */
const opened = (socket: Socket): Promise<string | undefined> =>
  new Promise((resolve) => {
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(error.message));
  });

export class LiveClientContext extends BaseContext implements ClientContext {
  readonly #command: ClientCommand;
  readonly #path: PathSpec;
  readonly #seed: number;
  readonly #clients: StartedClient[] = [];
  readonly #folders: string[] = [];

  constructor(id: string, surroundings: Surroundings, command: ClientCommand, path: PathSpec) {
    super(id, surroundings);
    this.#command = command;
    this.#path = path;
    this.#seed = surroundings.seed;
  }

  async listen(name = 'c', port = 0): Promise<WireListener> {
    const listener = await WireListener.open(this.log, this.patience, name, port);
    this.cleanup(() => listener.close());
    return listener;
  }

  /** Where the target must dial to reach this listener: itself, or the near end of the run's link. */
  async door(listener: WireListener): Promise<number> {
    const upstream = { host: '127.0.0.1', port: listener.port };
    return this.over(await openPath(this.#path, upstream, this.#seed)).address.port;
  }

  folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'relaylab-case-'));
    this.#folders.push(path);
    this.cleanup(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  async dialPath(path: string, name: string, millis = this.patienceMillis): Promise<WireEnd> {
    const began = performance.now();
    for (;;) {
      const socket = connect({ path, allowHalfOpen: true });
      const failure = await opened(socket);
      if (failure === undefined) {
        this.log.event(name, 'us', 'opened');
        const end = new WireEnd(name, socket, this.log, this.patience);
        this.cleanup(() => end.close());
        return end;
      }
      socket.destroy();
      const passed = performance.now() - began;
      if (passed > millis) {
        this.blameMachine(passed, `a connection to ${path}`);
        this.broken(
          `a socket that takes the connection ${name}`,
          `${failure} after ${Math.round(passed)} ms`,
        );
      }
      await this.wait(LOOK_MILLIS);
    }
  }

  async start(given: Readonly<Record<string, string>>): Promise<RunningClient> {
    const client = await startClient(this.#command, given, this.#folders);
    this.log.note(`target started: ${commandText(this.#command)}`);
    this.#clients.push(client);
    this.cleanup(() => client.end());
    return client;
  }

  /** What failed, and the last words of a target that has ended meanwhile: these say why more often than the wire does. */
  async withLastWords({ expected, got }: Broken): Promise<Broken> {
    const began = performance.now();
    // a connection that is gone is seen before the exit that took it away
    while (this.#clients.every(({ running }) => running) && performance.now() - began < LAST_WORDS_MILLIS)
      await this.wait(LOOK_MILLIS);
    const words = await Promise.all(
      this.#clients
        .filter(({ running }) => !running)
        .map(async (client) => {
          const said = client.output().trim().slice(-LAST_WORDS_CHARS);
          return `\nthe target has ended (${await client.exit()}); it said: ${said === '' ? 'nothing' : said}`;
        }),
    );
    return new Broken(expected, `${got}${words.join('')}`);
  }
}
