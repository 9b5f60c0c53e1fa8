/** One yamux session of ours over one socket, as fast as Node lets it: for the bench, which measures the session and not a face. */
import type { Socket } from 'node:net';
import { YamuxSession } from '../../../reference-impl/yamux/session.ts';
import type { SessionInput, SessionOutput, StreamId } from '../../../reference-impl/yamux/vocabulary.ts';

/** Payload given to one gathered write. */
const ROOM_BYTES = 512 * 1024;

/** What is heard of the streams; payload is a view that is gone after the call. */
export type MuxEars = {
  stream?(stream: StreamId): void;
  data(stream: StreamId, bytes: Uint8Array): void;
  ended(stream: StreamId): void;
  drained?(stream: StreamId): void;
  closed?(stream: StreamId): void;
};

export class MuxEnd {
  readonly session: YamuxSession;
  readonly #socket: Socket;
  readonly #ears: MuxEars;
  #turnComes = false;

  constructor(role: 'client' | 'server', windowBytes: number, socket: Socket, ears: MuxEars) {
    this.session = new YamuxSession({ role, windowBytes, keepaliveMillis: 0 });
    this.#socket = socket;
    this.#ears = ears;
    socket.on('drain', () => this.#ask());
  }

  /** What the carrier brought, or a wish for a stream. */
  readonly input = (input: SessionInput): void => {
    const outputs = this.session.handle(0, input);
    for (let i = 0; i < outputs.length; i++) this.#hear(outputs[i] as SessionOutput);
    this.#ask();
  };

  #hear(output: SessionOutput): void {
    switch (output.type) {
      case 'transmit':
        this.#socket.cork();
        for (const chunk of output.chunks) this.#socket.write(chunk);
        this.#socket.uncork();
        return;
      case 'data':
        this.#ears.data(output.stream, output.bytes);
        this.input({ type: 'consumed', stream: output.stream, bytes: output.bytes.length });
        return;
      case 'stream':
        this.#ears.stream?.(output.stream);
        return;
      case 'ended':
        this.#ears.ended(output.stream);
        return;
      case 'drained':
        this.#ears.drained?.(output.stream);
        return;
      case 'closed':
        this.#ears.closed?.(output.stream);
        return;
      case 'failed':
        throw output.error;
      case 'acknowledged':
      case 'goAway':
      case 'pong':
        return;
    }
  }

  #ask(): void {
    if (this.#turnComes || !this.session.hasWork || this.#socket.writableLength > 0) return;
    this.#turnComes = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnComes = false;
    if (this.#socket.writableLength === 0) this.input({ type: 'room', bytes: ROOM_BYTES });
  };
}
