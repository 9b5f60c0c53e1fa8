/** Puts a TCP service under a node's key: whoever has a tunnel to it may open many connections through that one tunnel. */
import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import type { Address } from '../../machine/machine.ts';
import { type YamuxMux, type YamuxStream, yamuxOver } from '../../yamux/duplex.ts';
import { closeOf, joinEnds } from './join-ends.ts';
import type { RelayNode, Tunnel } from './library.ts';
import { TunnelCarrier } from './tunnel-carrier.ts';

export type ExposeOptions = {
  readonly service: Address;
  /** Connections to the service at once, of all tunnels together; more are reset. */
  readonly connectionsMax: number;
};

export type ExposureEvents = {
  /** A tunnel came; by whose key. */
  opened: [string];
  /** It is gone. */
  closed: [string];
  /** A connection was reset: the service does not answer, or too many are open. */
  refused: [from: string, why: string];
};

/** A service under a key, while its node is reachable. Whom to let in is the node's `accept`. */
export class Exposure extends EventEmitter<ExposureEvents> {
  readonly #options: ExposeOptions;
  readonly #muxes = new Set<YamuxMux>();
  #connections = 0;
  #draining = false;

  /** @param node nobody else may take its tunnels */
  constructor(node: RelayNode, options: ExposeOptions) {
    super();
    this.#options = options;
    node.on('tunnel', (tunnel) => this.#tunnel(tunnel));
  }

  /** Connections to the service now. */
  get connections(): number {
    return this.#connections;
  }

  /** Takes no more connections. Resolves when the running ones have ended by themselves. */
  async drain(): Promise<void> {
    this.#draining = true;
    const all = [...this.#muxes].map(closeOf);
    for (const mux of this.#muxes) mux.close();
    await Promise.all(all);
  }

  /** Ends everything at once; connections are reset. */
  destroy(): void {
    this.#draining = true;
    for (const mux of this.#muxes) mux.destroy();
  }

  #tunnel(tunnel: Tunnel): void {
    if (this.#draining) {
      tunnel.end();
      return;
    }
    // the tunnel has a keepalive of its own
    const mux = yamuxOver(new TunnelCarrier(tunnel), {
      role: 'server',
      keepaliveMillis: 0,
      streamsMax: this.#options.connectionsMax,
    });
    this.#muxes.add(mux);
    mux.on('stream', (stream) => this.#stream(tunnel.peer, stream));
    mux.on('close', () => {
      this.#muxes.delete(mux);
      this.emit('closed', tunnel.peer);
    });
    this.emit('opened', tunnel.peer);
  }

  #stream(from: string, stream: YamuxStream): void {
    if (this.#connections >= this.#options.connectionsMax) {
      stream.destroy();
      this.emit('refused', from, 'too many connections');
      return;
    }
    this.#connections++;
    const { host, port } = this.#options.service;
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'connect' || error.code === 'ENOTFOUND')
        this.emit('refused', from, `the service at ${host}:${port} does not answer (${error.code})`);
    });
    joinEnds(socket, stream, () => {
      this.#connections--;
    });
  }
}
