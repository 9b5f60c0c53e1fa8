/** A case against a target that dials: the case listens, starts it, and plays the other side. */
import type { ClientContext, RunningClient } from '../case.ts';
import { ExecClient } from '../targets/exec-client.ts';
import { WireListener } from '../wire/wire-listener.ts';
import { BaseContext, type Surroundings } from './context.ts';
import { openPath, type PathSpec } from './path.ts';

export class LiveClientContext extends BaseContext implements ClientContext {
  readonly #command: string;
  readonly #path: PathSpec;
  readonly #seed: number;

  constructor(id: string, surroundings: Surroundings, command: string, path: PathSpec) {
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
    const opened = await openPath(this.#path, { host: '127.0.0.1', port: listener.port }, this.#seed);
    this.cleanup(() => opened.close());
    return opened.address.port;
  }

  async start(given: Readonly<Record<string, string>>): Promise<RunningClient> {
    const client = new ExecClient(this.#command, given);
    this.log.note(`target started: ${this.#command}`);
    this.cleanup(() => client.end());
    return client;
  }
}
