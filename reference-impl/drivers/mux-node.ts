/** A socket that carries a yamux session: the shared binding's words done to it, and its room told to the binding. */
import type { Socket } from 'node:net';
import type { Conn, Millis, Why } from '../machine/machine.ts';
import { countBulk } from './bulk-read.ts';
import type { MuxBinding } from './mux.ts';
import type { CarrierOutput, MuxInput } from './mux-vocabulary.ts';
import { NodeAlarm } from './node-alarm.ts';
import { endOf, type Taker, type TcpEnd } from './node-end.ts';

/** Payload given to the carrier in one turn, gathered into one write: streams share fairly, and a write is worth its call. */
export const ROOM_BYTES = 512 * 1024;

/** A whole read of a bulk transfer goes at once, headers included: what is left over would keep its memory. */
const PRESS_ROOM_BYTES = 3 * ROOM_BYTES;

/** What a carrier needs of its driver. */
export type CarrierHost = {
  clock(): Millis;
  /** Bulk is read into reused memory (see `probeOnread`). */
  fast(): boolean;
  /** The binding has inputs to take. */
  ready(carrier: Carrier): void;
  /** Our FIN, then whatever comes is dropped within bounds; the machine hears nothing more. */
  dismiss(end: TcpEnd): void;
};

export class Carrier implements Taker {
  readonly binding: MuxBinding;
  readonly end: TcpEnd;
  readonly #host: CarrierHost;
  readonly #alarm: NodeAlarm;
  #turnComes = false;

  constructor(end: TcpEnd, binding: MuxBinding, host: CarrierHost) {
    this.end = end;
    this.binding = binding;
    this.#host = host;
    this.#alarm = new NodeAlarm(host.clock, () => this.do({ type: 'deadline' }));
    end.carried = host.fast() ? 0 : Number.NaN;
    carriers.set(end, this);
    end.taker = this;
    end.socket.on('drain', onDrain);
  }

  do(input: MuxInput): void {
    this.#take(input);
    this.#askForTurn();
  }

  /** Does it and gives room at once if the socket has some: what was just read is written before its memory is wanted again. */
  press(input: MuxInput): void {
    this.#take(input);
    const { socket } = this.end;
    if (this.binding.hasWork && socket.writableLength === 0 && !socket.destroyed)
      this.#take({ type: 'room', bytes: PRESS_ROOM_BYTES });
    this.#askForTurn();
  }

  bytes(end: TcpEnd, bytes: Uint8Array): void {
    // what came may be credit, for many streams: no need to gather it
    this.press({ type: 'bytes', bytes });
    // the driver is in the midst of another input: it takes these later
    if (this.binding.pending) end.kept = true;
    countBulk(end, bytes.length);
  }

  /** Views of payload may still be with the session or the socket. */
  holds(conn: Conn): boolean {
    return this.end.socket.writableLength > 0 || this.binding.unsentBytes(conn) > 0;
  }

  ended(_end: TcpEnd): void {
    this.do({ type: 'ended' });
  }

  /** The socket's close says it. */
  failed(): void {}

  closed(why: Why): void {
    this.do({ type: 'closed', why });
  }

  /** Lets go of the timer; the binding is not used any more. */
  stop(): void {
    this.#alarm.set(undefined);
  }

  #take(input: MuxInput): void {
    for (const output of this.binding.handle(this.#host.clock(), input)) this.#perform(output);
    this.#alarm.set(this.binding.deadline());
    if (this.binding.pending) this.#host.ready(this);
  }

  #perform(output: CarrierOutput): void {
    switch (output.type) {
      case 'transmit': {
        const { socket } = this.end;
        if (socket.writableEnded || socket.destroyed) return;
        let bytes = 0;
        socket.cork();
        for (const chunk of output.chunks) {
          bytes += chunk.length;
          socket.write(chunk);
        }
        socket.uncork();
        countBulk(this.end, bytes);
        return;
      }
      case 'end':
        this.end.socket.end();
        return;
      case 'close':
        this.#host.dismiss(this.end);
        return;
      case 'reset':
        this.end.silent = true;
        this.end.reset('reset');
        return;
    }
  }

  /** One turn of the event loop gathers what its events gave the streams to send. */
  #askForTurn(): void {
    if (this.#turnComes || !this.binding.hasWork || this.end.socket.writableNeedDrain) return;
    this.#turnComes = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnComes = false;
    if (!this.end.socket.destroyed) this.do({ type: 'room', bytes: ROOM_BYTES });
  };

  drained(): void {
    this.#askForTurn();
  }
}

const carriers = new WeakMap<TcpEnd, Carrier>();

function onDrain(this: Socket): void {
  carriers.get(endOf(this))?.drained();
}
