import { LineReader, line } from '../../machine/lines.ts';
import type { CommandInput, Conn, Millis, NetInput } from '../../machine/machine.ts';
import { Timeouts } from '../../machine/timeouts.ts';
import { CLIENT_BOUNDS, type ClientConfig } from './client-config.ts';
import type { ClientCommand, ClientOutput } from './client-report.ts';
import { portOf, RelayClient } from './relay-client.ts';

const REQUEST = line('event\nnew');

/**
 * Mode event: one connection hears an id for every user, and each is answered by a connection of its own. The service is
 * dialled as soon as the claim is sent, so a service that speaks first is heard. Source: port-relay page, "event".
 */
export class EventClient extends RelayClient {
  #reader = new LineReader();
  /** Connections on their way to the relay, with the id they will claim. */
  #claims: Map<Conn, string> | undefined;
  readonly #claimDials: Timeouts<Conn>;

  constructor(config: ClientConfig) {
    super(config);
    this.#claimDials = new Timeouts(config.dialMillis);
  }

  protected request(): Uint8Array {
    this.#reader = new LineReader();
    return REQUEST;
  }

  protected answer(now: Millis, conn: Conn, bytes: Uint8Array, out: ClientOutput[]): void {
    this.#reader.push(bytes);
    while (this.control === conn) {
      const text = this.#reader.line(CLIENT_BOUNDS.lineBytesMax);
      if (text === undefined) return;
      if (text === null || text === '') this.lose(now, 'malformed answer', out);
      else if (this.registered) this.#claim(now, text, out);
      else {
        const port = portOf(text);
        if (port === undefined) this.lose(now, 'malformed answer', out);
        else this.announce(now, port, 'event', out);
      }
    }
  }

  protected other(now: Millis, input: NetInput | CommandInput<ClientCommand>, out: ClientOutput[]): void {
    if (input.type === 'closed') {
      this.#claims?.delete(input.conn);
      this.#claimDials.cancel(input.conn);
      return;
    }
    if (input.type !== 'connected') return;
    const { conn } = input;
    const id = this.#claims?.get(conn);
    if (id === undefined) return;
    this.#claims?.delete(conn);
    this.#claimDials.cancel(conn);
    this.keepalive(conn, out);
    out.push({ type: 'send', conn, bytes: line(`event\n${id}`) });
    this.tunnels.begin(now, conn, undefined, true, out);
  }

  protected forget(out: ClientOutput[]): void {
    if (this.#claims === undefined) return;
    for (const conn of this.#claims.keys()) {
      out.push({ type: 'reset', conn });
      this.#claimDials.cancel(conn);
    }
    this.#claims.clear();
  }

  protected leave(_now: Millis, control: Conn | undefined, out: ClientOutput[]): void {
    this.forget(out);
    if (control !== undefined) out.push({ type: 'close', conn: control });
  }

  protected controlEnded(now: Millis, _conn: Conn, out: ClientOutput[]): void {
    this.lose(now, 'end', out);
  }

  protected idle(): boolean {
    return this.#claims === undefined || this.#claims.size === 0;
  }

  protected modeNext(): Millis | undefined {
    return this.#claimDials.next();
  }

  protected modeExpire(now: Millis, out: ClientOutput[]): void {
    for (const conn of this.#claimDials.expired(now)) {
      this.#claims?.delete(conn);
      out.push({ type: 'reset', conn });
    }
  }

  #claim(now: Millis, id: string, out: ClientOutput[]): void {
    // an id that is not claimed costs its user the relay's waiting time; dialling without bound would cost us everything
    this.#claims ??= new Map();
    if (this.#claims.size * 2 + this.tunnels.size >= CLIENT_BOUNDS.tunnelsMax * 2) return;
    const conn = this.dialRelay(out);
    this.#claims.set(conn, id);
    this.#claimDials.set(now, conn);
  }
}
