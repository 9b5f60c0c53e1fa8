/** The direct path of the throughput phase: a source behind the NAT pushes position-coded bytes to a sink outside. */
import {
  type Address,
  type CommandInput,
  type Conn,
  type Listener,
  type Millis,
  type NameConn,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../../reference-impl/machine/machine.ts';
import { Ledger } from '../measure/ledger.ts';
import {
  decodeRequest,
  encodeRequest,
  joined,
  payload,
  REQUEST_BYTES,
  type Request,
} from '../measure/payload.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';

type Out = NetOutput<Happening>;
const BLOCK_BYTES = 65_536;
const LISTENER: Listener = 0;
/** Direct pushes are numbered apart from tunnels, so that the ledger never takes one for the other. */
const DIRECT_TUNNEL = 0xf0_00_00;

/** Dials the sink and sends; ends when all has left. */
export class SourceMachine implements NetMachine<Happening, ActorCommand> {
  readonly #to: Address;
  readonly #name: NameConn;
  readonly #pushes = new Map<Conn, { readonly request: Request; sent: number }>();

  constructor(to: Address, name: NameConn) {
    this.#to = to;
    this.#name = name;
  }

  deadline(): undefined {
    return undefined;
  }

  handle(_now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly Out[] {
    switch (input.type) {
      case 'command': {
        if (input.command.do !== 'push') return NOTHING;
        const { round, bytes } = input.command;
        const conn = this.#name();
        const up = REQUEST_BYTES + bytes;
        const request: Request = {
          tunnel: DIRECT_TUNNEL + round,
          up,
          down: 0,
          mode: 'pool',
          close: 'half',
          round,
        };
        this.#pushes.set(conn, { request, sent: REQUEST_BYTES });
        return [{ type: 'connect', conn, to: this.#to, from: undefined }];
      }
      case 'connected': {
        const push = this.#pushes.get(input.conn);
        if (push === undefined) return NOTHING;
        return [
          { type: 'send', conn: input.conn, bytes: encodeRequest(push.request) },
          ...this.#more(input.conn),
        ];
      }
      case 'flushed':
        return this.#more(input.conn);
      case 'ended':
        return [{ type: 'end', conn: input.conn }];
      case 'closed':
        this.#pushes.delete(input.conn);
        return NOTHING;
      default:
        return NOTHING;
    }
  }

  #more(conn: Conn): readonly Out[] {
    const push = this.#pushes.get(conn);
    if (push === undefined) return NOTHING;
    const left = push.request.up - push.sent;
    if (left === 0) return [{ type: 'end', conn }];
    const length = Math.min(BLOCK_BYTES, left);
    const bytes = payload(push.request.tunnel, 'up', push.sent, length);
    push.sent += length;
    return [
      { type: 'send', conn, bytes },
      { type: 'flush', conn },
    ];
  }
}

type Incoming = {
  head: Uint8Array;
  request: Request | undefined;
  ledger: Ledger | undefined;
  firstAt: Millis;
};

/** Receives, checks and times each push from its first byte to its last. */
export class SinkMachine implements NetMachine<Happening, ActorCommand> {
  readonly #port: number;
  readonly #incoming = new Map<Conn, Incoming>();

  constructor(port: number) {
    this.#port = port;
  }

  deadline(): undefined {
    return undefined;
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly Out[] {
    switch (input.type) {
      case 'start':
        return [{ type: 'listen', listener: LISTENER, port: this.#port, host: undefined }];
      case 'listening':
        return [{ type: 'report', event: { type: 'host.ready', port: input.port } }];
      case 'unlistened':
        return [{ type: 'report', event: { type: 'host.crashed', reason: `cannot listen: ${input.why}` } }];
      case 'stop':
        return [{ type: 'unlisten', listener: LISTENER }];
      case 'accepted': {
        const head = new Uint8Array(0);
        this.#incoming.set(input.conn, { head, request: undefined, ledger: undefined, firstAt: 0 });
        return NOTHING;
      }
      case 'bytes':
        return this.#bytes(now, input.conn, input.bytes);
      case 'ended':
        return [...this.#sample(now, input.conn), { type: 'end', conn: input.conn }];
      case 'closed':
        this.#incoming.delete(input.conn);
        return NOTHING;
      default:
        return NOTHING;
    }
  }

  #bytes(now: Millis, conn: Conn, bytes: Uint8Array): readonly Out[] {
    const incoming = this.#incoming.get(conn);
    if (incoming === undefined) return NOTHING;
    let rest = bytes;
    if (incoming.ledger === undefined) {
      const head = joined(incoming.head, bytes);
      incoming.head = head;
      if (head.length < REQUEST_BYTES) return NOTHING;
      incoming.request = decodeRequest(head.subarray(0, REQUEST_BYTES));
      if (incoming.request === undefined) return [{ type: 'reset', conn }];
      incoming.ledger = new Ledger(incoming.request.tunnel, 'up', REQUEST_BYTES);
      incoming.firstAt = now;
      rest = head.subarray(REQUEST_BYTES);
    }
    const tunnel = incoming.request?.tunnel ?? -1;
    return incoming.ledger
      .push(rest)
      .map(
        (span): Out => ({ type: 'report', event: { type: 'ledger.span', tunnel, direction: 'up', ...span } }),
      );
  }

  #sample(now: Millis, conn: Conn): readonly Out[] {
    const incoming = this.#incoming.get(conn);
    if (incoming?.ledger === undefined || incoming.request === undefined) return NOTHING;
    const bytes = incoming.request.up - REQUEST_BYTES;
    if (incoming.ledger.received !== bytes) return NOTHING;
    const micros = Math.round((now - incoming.firstAt) * 1000);
    return [
      {
        type: 'report',
        event: { type: 'rate.sample', path: 'direct', round: incoming.request.round, bytes, micros },
      },
    ];
  }
}
