/** The other side of an exposed service: keeps one tunnel to its key open and carries connections through it. */
import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Backoff, DEFAULT_SCHEDULE, type Schedule } from '../../backoff/schedule.ts';
import type { Millis } from '../../machine/machine.ts';
import { rngFor } from '../../machine/rng.ts';
import { type YamuxMux, yamuxOver } from '../../yamux/duplex.ts';
import { closeOf, joinEnds } from './join-ends.ts';
import { ConnectError, type RelayNode } from './library.ts';
import { TunnelCarrier } from './tunnel-carrier.ts';

export type ReachOptions = {
  /** Whose service: a public key as text. */
  readonly peer: string;
  /** Connections at once; more are reset. */
  readonly connectionsMax: number;
  /** How long a connection waits for a tunnel before it is reset. */
  readonly waitMillisMax: Millis;
  /** Waits between attempts at the tunnel. */
  readonly schedule?: Partial<Schedule>;
};

export type ReachEvents = {
  /** There is a tunnel. */
  up: [];
  /** There is none; the next attempt comes after the wait. */
  down: [why: string, waitMillis: Millis];
  /** A connection was reset because no tunnel came in time, or too many are open. */
  refused: [why: string];
};

export class Reach extends EventEmitter<ReachEvents> {
  readonly #node: RelayNode;
  readonly #options: ReachOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  /** Connections that wait for a tunnel. */
  readonly #waiting = new Map<Socket, NodeJS.Timeout>();
  #mux: YamuxMux | undefined;
  #connections = 0;

  /** Starts at once. @param node used by nobody else for this key */
  constructor(node: RelayNode, options: ReachOptions) {
    super();
    this.#node = node;
    this.#options = options;
    this.#backoff = new Backoff(
      { ...DEFAULT_SCHEDULE, ...options.schedule },
      rngFor(randomInt(2 ** 31), 'jitter'),
    );
    void this.#keepUp();
  }

  /** Connections that are carried or wait. */
  get connections(): number {
    return this.#connections;
  }

  /** Carries a connection. @param socket accepted with `allowHalfOpen` and `pauseOnConnect` */
  carry(socket: Socket): void {
    if (this.#stop.signal.aborted || this.#connections >= this.#options.connectionsMax) {
      this.#refuse(socket, 'too many connections');
      return;
    }
    this.#connections++;
    if (this.#mux !== undefined) {
      this.#join(this.#mux, socket);
      return;
    }
    const late = setTimeout(
      () => this.#refuse(socket, `no tunnel within ${this.#options.waitMillisMax} ms`),
      this.#options.waitMillisMax,
    );
    this.#waiting.set(socket, late);
    socket.on('error', () => {});
    socket.once('close', () => {
      if (!this.#waiting.delete(socket)) return;
      clearTimeout(late);
      this.#connections--;
    });
  }

  /** Takes no more connections. Resolves when the running ones have ended by themselves. */
  async drain(): Promise<void> {
    this.#stop.abort();
    for (const socket of this.#waiting.keys()) socket.resetAndDestroy();
    const mux = this.#mux;
    if (mux === undefined) return;
    const closed = closeOf(mux);
    mux.close();
    await closed;
  }

  /** Ends everything at once; connections are reset. */
  destroy(): void {
    this.#stop.abort();
    for (const socket of this.#waiting.keys()) socket.resetAndDestroy();
    this.#mux?.destroy();
  }

  async #keepUp(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const why = await this.#oneTunnel();
      if (signal.aborted) return;
      const waitMillis = this.#backoff.failed(performance.now());
      if (waitMillis === undefined) return;
      this.emit('down', why, waitMillis);
      await delay(waitMillis, undefined, { signal }).catch(() => {});
    }
  }

  /** A tunnel from its first word to its last. @returns why it is gone */
  async #oneTunnel(): Promise<string> {
    try {
      const tunnel = await this.#node.connect(this.#options.peer);
      if (this.#stop.signal.aborted) {
        tunnel.end();
        return 'ended';
      }
      const mux = yamuxOver(new TunnelCarrier(tunnel), { role: 'client', keepaliveMillis: 0 });
      // the other side drains: what is open goes on, what comes waits for the next tunnel
      mux.on('goAway', () => {
        this.#mux = undefined;
        mux.close();
      });
      const gone = closeOf(mux);
      this.#mux = mux;
      this.#backoff.succeeded(performance.now());
      for (const [socket, late] of [...this.#waiting]) {
        this.#waiting.delete(socket);
        clearTimeout(late);
        this.#join(mux, socket);
      }
      this.emit('up');
      await gone;
      return await tunnel.closed;
    } catch (error) {
      if (error instanceof ConnectError) return error.why;
      throw error;
    } finally {
      this.#mux = undefined;
    }
  }

  #join(mux: YamuxMux, socket: Socket): void {
    joinEnds(socket, mux.openStream(), () => {
      this.#connections--;
    });
  }

  #refuse(socket: Socket, why: string): void {
    socket.on('error', () => {});
    socket.resetAndDestroy();
    this.emit('refused', why);
  }
}
