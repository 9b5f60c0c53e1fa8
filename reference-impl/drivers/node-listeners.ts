import { createServer, type Server, type Socket } from 'node:net';
import type { Listener, NetInput } from '../machine/machine.ts';
import { whyUnlistened } from './node-why.ts';

/** What listeners tell their driver. */
export type ListenersHost = {
  input(input: NetInput): void;
  accepted(listener: Listener, socket: Socket): void;
  note(text: string): void;
  /** One was closed. */
  closed(): void;
};

/**
 * The listening sockets of a driver. Without a descriptor left a caller loses its connection, never the driver its listener: libuv
 * keeps one in reserve with which it accepts and closes whoever waits, without a word; only when that is taken as well does
 * Node say `error`, and then the callers stay in the backlog until the next one comes.
 */
export class NodeListeners {
  readonly #bind: string;
  readonly #host: ListenersHost;
  readonly #servers = new Map<Listener, Server>();

  constructor(bind: string, host: ListenersHost) {
    this.#bind = bind;
    this.#host = host;
  }

  /** Listeners that are open or about to be. */
  get open(): number {
    return this.#servers.size;
  }

  listen(listener: Listener, host: string | undefined, port: number): void {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (this.#servers.get(listener) === server) this.#host.accepted(listener, socket);
      else socket.resetAndDestroy();
    });
    this.#servers.set(listener, server);
    server.on('error', (error) => this.#failed(listener, server, error));
    try {
      server.listen({ port, host: host ?? this.#bind, backlog: BACKLOG }, () => {
        if (this.#servers.get(listener) !== server) return;
        const { port: bound } = server.address() as { port: number };
        this.#host.input({ type: 'listening', listener, port: bound });
      });
    } catch (error) {
      this.#failed(listener, server, error);
    }
  }

  unlisten(listener: Listener): void {
    this.#servers.get(listener)?.close();
    if (this.#servers.delete(listener)) this.#host.closed();
  }

  closeAll(): void {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
  }

  #failed(listener: Listener, server: Server, error: unknown): void {
    if (this.#servers.get(listener) !== server) return;
    if (server.listening) {
      this.#host.note(`accept failed on listener ${listener}: ${String(error)}`);
      return;
    }
    this.#servers.delete(listener);
    this.#host.input({ type: 'unlistened', listener, why: whyUnlistened(error) });
    this.#host.closed();
  }
}

/** Herds come back all at once; the kernel's own limit (somaxconn) still applies. */
const BACKLOG = 4_096;
