import { LineReader, line } from '../../machine/lines.ts';
import type { CommandInput, Conn, Millis, NetInput } from '../../machine/machine.ts';
import { CLIENT_BOUNDS } from './client-config.ts';
import type { ClientCommand, ClientOutput } from './client-report.ts';
import { portOf, RelayClient } from './relay-client.ts';

const REQUEST = line('multiplex');

/**
 * Mode multiplex: the registering connection becomes a yamux session in which we are the server and every stream the relay
 * opens is a user. Frames behind the port line belong to the session. Source: port-relay page, "multiplex".
 */
export class MultiplexClient extends RelayClient {
  #reader = new LineReader();
  /** Sessions that take no new streams but still carry some. */
  #leaving: Set<Conn> | undefined;

  protected request(): Uint8Array {
    this.#reader = new LineReader();
    return REQUEST;
  }

  protected answer(now: Millis, conn: Conn, bytes: Uint8Array, out: ClientOutput[]): void {
    if (this.registered) return;
    this.#reader.push(bytes);
    const text = this.#reader.line(CLIENT_BOUNDS.lineBytesMax);
    if (text === undefined) return;
    const port = text === null ? undefined : portOf(text);
    if (port === undefined) {
      this.lose(now, 'malformed answer', out);
      return;
    }
    this.announce(now, port, 'multiplex', out);
    out.push({ type: 'mux', conn, role: 'server', early: this.#reader.rest() });
    this.keepalive(conn, out);
  }

  protected other(now: Millis, input: NetInput | CommandInput<ClientCommand>, out: ClientOutput[]): void {
    if (input.type === 'closed') this.#leaving?.delete(input.conn);
    if (input.type === 'stream') this.tunnels.begin(now, input.conn, undefined, false, out);
  }

  protected forget(_out: ClientOutput[]): void {
    // the streams of a session end with it
  }

  protected leave(_now: Millis, control: Conn | undefined, out: ClientOutput[]): void {
    if (control !== undefined) out.push({ type: 'end', conn: control });
  }

  protected controlEnded(now: Millis, conn: Conn, out: ClientOutput[]): void {
    this.#leaving ??= new Set();
    this.#leaving.add(conn);
    out.push({ type: 'end', conn });
    this.release();
    this.lose(now, 'end', out);
  }

  protected idle(): boolean {
    return this.#leaving === undefined || this.#leaving.size === 0;
  }

  protected modeNext(): Millis | undefined {
    return undefined;
  }

  protected modeExpire(): void {
    // no timers of its own
  }
}
