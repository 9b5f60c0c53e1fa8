/** A case against a target that listens. */
import { connect, type Socket } from 'node:net';
import type { Address } from '../../../reference-impl/machine/machine.ts';
import type { Holdings, ServerContext } from '../case.ts';
import { NotApplicable } from '../outcome.ts';
import type { RunningServer } from '../targets/target.ts';
import { WireEnd } from '../wire/wire-end.ts';
import { BaseContext, type Surroundings } from './context.ts';

/** Between two looks at whether the target is gone. */
const LOOK_MILLIS = 20;

export class LiveServerContext extends BaseContext implements ServerContext {
  readonly #server: () => RunningServer;
  readonly #restart: () => Promise<void>;
  readonly #door: Address;
  readonly targetKey: Uint8Array | undefined;

  /**
   * @param door where the case dials: the target itself, or the near end of the path to it
   * @param restart starts the target again and makes it the one that `server` tells
   */
  constructor(
    id: string,
    surroundings: Surroundings,
    door: Address,
    server: () => RunningServer,
    restart: () => Promise<void>,
  ) {
    super(id, surroundings);
    this.targetKey = surroundings.targetKey;
    this.#door = door;
    this.#server = server;
    this.#restart = restart;
  }

  get port(): number {
    return this.#server().address.port;
  }

  dial(name: string): Promise<WireEnd> {
    return this.#open(this.#door, name);
  }

  dialPort(port: number, name: string): Promise<WireEnd> {
    return this.#open({ host: this.#server().address.host, port }, name);
  }

  async refused(port: number): Promise<boolean> {
    const socket = connect({ host: this.#server().address.host, port });
    const refused = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
    });
    socket.destroy();
    return refused;
  }

  holdings(): Promise<Holdings | undefined> {
    return this.#server().holdings();
  }

  get files(): ReadonlySet<string> {
    return this.#server().files;
  }

  output(): string {
    const { outputFile } = this.#server();
    if (outputFile === undefined)
      throw new NotApplicable(
        'what the target stores cannot be read: {output} in its command is the file to write',
      );
    return outputFile;
  }

  signal(signal: NodeJS.Signals): Promise<void> {
    return this.#server().signal(signal);
  }

  async gone(millis = 2 * this.patienceMillis): Promise<string> {
    const server = this.#server();
    const began = performance.now();
    while (server.died === undefined) {
      const passed = performance.now() - began;
      if (passed > millis) {
        this.blameMachine(passed, 'the end of the target');
        this.broken(`the target ends within ${millis} ms`, 'it goes on');
      }
      await this.wait(LOOK_MILLIS);
    }
    return server.died;
  }

  restart(): Promise<void> {
    return this.#restart();
  }

  async #open(to: Address, name: string): Promise<WireEnd> {
    const socket: Socket = connect({ ...to, allowHalfOpen: true });
    const began = performance.now();
    const failure = await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(
        () => resolve(`no answer within ${this.patienceMillis} ms`),
        this.patienceMillis,
      );
      const over = (why: string | undefined): void => {
        clearTimeout(timer);
        resolve(why);
      };
      socket.once('connect', () => over(undefined)).once('error', (error) => over(error.message));
    });
    if (failure !== undefined) {
      socket.destroy();
      this.log.event(name, 'target', failure);
      this.blameMachine(performance.now() - began, `a connection to port ${to.port}`);
      this.broken(`port ${to.port} takes the connection ${name}`, failure);
    }
    this.log.event(name, 'us', 'opened');
    socket.removeAllListeners('error');
    const end = new WireEnd(name, socket, this.log, this.patience);
    this.cleanup(() => end.close());
    return end;
  }
}
