// @libp2p/yamux over a socket, bound to it as libp2p's own TCP transport does.
import { defaultLogger } from '@libp2p/logger';
import { AbstractMultiaddrConnection } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';

class SocketConnection extends AbstractMultiaddrConnection {
  #socket;

  constructor(socket, direction) {
    const log = defaultLogger().forComponent('bench');
    super({ remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/1'), direction, log });
    this.#socket = socket;
    socket.on('data', (bytes) => this.onData(bytes));
    socket.on('drain', () => this.safeDispatchEvent('drain'));
    socket.on('close', () => this.onTransportClosed());
  }

  sendData(data) {
    let sentBytes = 0;
    let canSendMore = true;
    for (const bytes of data) {
      sentBytes += bytes.byteLength;
      canSendMore = this.#socket.write(bytes);
      if (!canSendMore) break;
    }
    return { sentBytes, canSendMore };
  }

  async sendClose() {
    this.#socket.end();
  }
  sendReset() {
    this.#socket.resetAndDestroy();
  }
  sendPause() {
    this.#socket.pause();
  }
  sendResume() {
    this.#socket.resume();
  }
}

export const muxer = (socket, direction) => {
  return yamux()().createStreamMuxer(new SocketConnection(socket, direction));
};
