/** Where a target that dials meets us: a port of our own whose connections become ends of the case. */
import { createServer, type Server } from 'node:net';
import { Broken, Unclear } from '../outcome.ts';
import { type Patience, WireEnd } from './wire-end.ts';
import type { WireLog } from './wire-log.ts';

export class WireListener {
  readonly #server: Server;
  readonly #log: WireLog;
  readonly #patience: Patience;
  readonly #waiting: WireEnd[] = [];
  readonly #ends: WireEnd[] = [];
  #accepted = 0;
  #wake: (() => void) | undefined;

  private constructor(server: Server, log: WireLog, patience: Patience, name: string) {
    this.#server = server;
    this.#log = log;
    this.#patience = patience;
    server.on('connection', (socket) => {
      const end = new WireEnd(`${name}-${++this.#accepted}`, socket, log, patience);
      log.event(end.name, 'target', 'opened');
      this.#ends.push(end);
      this.#waiting.push(end);
      this.#wake?.();
    });
  }

  /**
   * @param port 0: any free one
   * @throws Unclear where a port that a case opens again went to somebody else meanwhile: a new look takes another
   */
  static async open(log: WireLog, patience: Patience, name = 'c', port = 0): Promise<WireListener> {
    const server = createServer({ allowHalfOpen: true });
    const listener = new WireListener(server, log, patience, name);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    }).catch((error: NodeJS.ErrnoException) => {
      if (port === 0 || error.code !== 'EADDRINUSE') throw error;
      throw new Unclear(
        `port ${port}, which this case had closed, was taken by somebody else before it was opened again`,
      );
    });
    return listener;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** How many connections ever came. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The next connection that comes, or has come and was not taken. @throws Broken */
  async accept(what: string, millis = this.#patience.millis): Promise<WireEnd> {
    const began = performance.now();
    for (;;) {
      const end = this.#waiting.shift();
      if (end !== undefined) return end;
      const left = began + millis - performance.now();
      if (left <= 0) {
        this.#patience.blameMachine(performance.now() - began, what);
        throw new Broken(`${what}: a connection to our port`, `none within ${millis} ms`);
      }
      await this.#moved(left);
    }
  }

  /** Nobody dials for so long. @throws Broken */
  async expectNobody(millis: number, what: string): Promise<void> {
    if (this.#waiting.length === 0) await this.#moved(millis);
    if (this.#waiting.length > 0)
      throw new Broken(`${what}: no connection for ${millis} ms`, 'a connection came');
  }

  /** Takes no more connections; dials from now on are refused. The same port can be opened again. */
  async close(): Promise<void> {
    this.#log.event('listener', 'us', 'closed');
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const end of this.#ends) end.close();
    });
  }

  #moved(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, millis);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
