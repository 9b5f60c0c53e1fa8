/**
 * An ordinary TCP service that knows nothing of relays: reads a request, checks the position-coded bytes that follow and
 * answers with its own. `half`: answers only after the user's end; else at once, both ways at the same time, and ends first.
 */
import {
  type CommandInput,
  type Conn,
  type Listener,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../../reference-impl/machine/machine.ts';
import { Ledger, type Span } from '../measure/ledger.ts';
import { decodeRequest, joined, payload, REQUEST_BYTES, type Request } from '../measure/payload.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';

type Out = NetOutput<Happening>;
const BLOCK_BYTES = 65_536;
const LISTENER: Listener = 0;

type Asking = { readonly state: 'asking'; head: Uint8Array };
type Serving = {
  readonly state: 'serving';
  readonly request: Request;
  readonly ledger: Ledger;
  sent: number;
  sentEnd: 'fin' | 'none';
  gotEnd: 'fin' | 'none';
};

/** Reports `tunnel.opened` and `tunnel.done` of side `service`, and a `ledger.span` for every stretch of wrong bytes. */
export class ServiceMachine implements NetMachine<Happening, ActorCommand> {
  readonly #port: number;
  readonly #conns = new Map<Conn, Asking | Serving>();

  /** @param port 0: any; -1: listens on nothing, connections are handed over by `adopt` */
  constructor(port: number) {
    this.#port = port;
  }

  deadline(): undefined {
    return undefined;
  }

  /** Serves a connection that somebody else opened (a raw client that was told to `serve`). */
  adopt(conn: Conn): void {
    this.#conns.set(conn, { state: 'asking', head: new Uint8Array(0) });
  }

  /** Whether this connection is being served: accepted or adopted, and not over. */
  serves(conn: Conn): boolean {
    return this.#conns.has(conn);
  }

  handle(_now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly Out[] {
    switch (input.type) {
      case 'start':
        return this.#port < 0
          ? NOTHING
          : [{ type: 'listen', listener: LISTENER, port: this.#port, host: undefined }];
      case 'listening':
        return [{ type: 'report', event: { type: 'host.ready', port: input.port } }];
      case 'unlistened':
        return [{ type: 'report', event: { type: 'host.crashed', reason: `cannot listen: ${input.why}` } }];
      case 'accepted':
        this.adopt(input.conn);
        return NOTHING;
      case 'bytes':
        return this.#bytes(input.conn, input.bytes);
      case 'flushed':
        return this.#more(input.conn);
      case 'ended':
        return this.#ended(input.conn);
      case 'closed':
        return this.#closed(input.conn, input.why);
      case 'stop':
        return [{ type: 'unlisten', listener: LISTENER }];
      case 'command':
      case 'deadline':
      case 'connected':
      case 'stream':
        return NOTHING;
    }
  }

  #bytes(conn: Conn, bytes: Uint8Array): readonly Out[] {
    const state = this.#conns.get(conn);
    if (state === undefined) return NOTHING;
    if (state.state === 'serving')
      return state.ledger.push(bytes).map((span) => this.#span(state.request.tunnel, span));
    const head = joined(state.head, bytes);
    state.head = head;
    if (head.length < REQUEST_BYTES) return NOTHING;
    const request = decodeRequest(head.subarray(0, REQUEST_BYTES));
    if (request === undefined) return this.#stranger(conn, head);
    return this.#serve(conn, request, head.subarray(REQUEST_BYTES));
  }

  /** What came first is no request: it belongs to somebody else, and the ledger says so. */
  #stranger(conn: Conn, head: Uint8Array): readonly Out[] {
    this.#conns.delete(conn);
    const hex = Buffer.from(head.subarray(0, 64)).toString('hex');
    const span: Span = { offset: 0, length: head.length, state: 'foreign', from: '', hex };
    return [this.#span(-1, span), { type: 'reset', conn }];
  }

  #serve(conn: Conn, request: Request, rest: Uint8Array): readonly Out[] {
    const { tunnel, mode, up, down, close } = request;
    const ledger = new Ledger(tunnel, 'up', REQUEST_BYTES);
    const serving: Serving = { state: 'serving', request, ledger, sent: 0, sentEnd: 'none', gotEnd: 'none' };
    this.#conns.set(conn, serving);
    const opened = {
      type: 'tunnel.opened',
      tunnel,
      side: 'service',
      mode,
      client: '',
      up,
      down,
      close,
    } as const;
    const out: Out[] = [{ type: 'report', event: opened }];
    if (rest.length > 0) for (const span of ledger.push(rest)) out.push(this.#span(tunnel, span));
    if (close !== 'half') out.push(...this.#more(conn));
    return out;
  }

  #more(conn: Conn): readonly Out[] {
    const state = this.#conns.get(conn);
    if (state?.state !== 'serving' || state.sentEnd !== 'none') return NOTHING;
    const { request } = state;
    const left = request.down - state.sent;
    if (left === 0) {
      state.sentEnd = 'fin';
      return [{ type: 'end', conn }];
    }
    const length = Math.min(BLOCK_BYTES, left);
    const bytes = payload(request.tunnel, 'down', state.sent, length);
    state.sent += length;
    return [
      { type: 'send', conn, bytes },
      { type: 'flush', conn },
    ];
  }

  #ended(conn: Conn): readonly Out[] {
    const state = this.#conns.get(conn);
    if (state === undefined) return NOTHING;
    if (state.state === 'asking') {
      this.#conns.delete(conn);
      return [{ type: 'end', conn }];
    }
    state.gotEnd = 'fin';
    return state.request.close === 'half' ? this.#more(conn) : NOTHING;
  }

  #closed(conn: Conn, why: string): readonly Out[] {
    const state = this.#conns.get(conn);
    this.#conns.delete(conn);
    if (state?.state !== 'serving') return NOTHING;
    const { request, ledger, sent, sentEnd } = state;
    const spans = ledger.finish().map((span) => this.#span(request.tunnel, span));
    const received = REQUEST_BYTES + ledger.received;
    const gotEnd = state.gotEnd === 'fin' && why === 'end' ? 'fin' : why === 'timeout' ? 'timeout' : 'rst';
    const done = {
      type: 'tunnel.done',
      tunnel: request.tunnel,
      side: 'service',
      sent,
      received,
      sentEnd,
      gotEnd,
    } as const;
    return [...spans, { type: 'report', event: done }];
  }

  #span(tunnel: number, span: Span): Out {
    return { type: 'report', event: { type: 'ledger.span', tunnel, direction: 'up', ...span } };
  }
}
