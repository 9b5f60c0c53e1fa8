// @libp2p/yamux over a socket, bound to it as libp2p's own TCP transport does.
import { defaultLogger } from '@libp2p/logger';
import { AbstractMultiaddrConnection } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { BLOCK, run } from './end.mjs';

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

const muxer = (socket, direction) => {
  const mux = yamux()().createStreamMuxer(new SocketConnection(socket, direction));
  return mux;
};

const serve = (socket) => {
  muxer(socket, 'inbound').addEventListener('stream', ({ detail: stream }) => {
    stream.addEventListener('message', () => {});
    stream.addEventListener('remoteCloseWrite', () => void stream.close());
  });
};

await run(serve, (socket) => {
  const mux = muxer(socket, 'outbound');
  return async (bytes) => {
    const stream = await mux.createStream();
    stream.addEventListener('message', () => {});
    const ended = new Promise((resolve) => stream.addEventListener('remoteCloseWrite', resolve));
    for (let left = bytes; left > 0; left -= BLOCK.length) {
      const more = stream.send(left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK);
      if (!more) await stream.onDrain();
    }
    await stream.close();
    await ended;
  };
});
