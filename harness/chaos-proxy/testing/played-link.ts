import type { Fault } from '../src/faults/registry.ts';
import { LinkMachine } from '../src/link.ts';
import type { LinkCommand, LinkOptions, LinkReport } from '../src/link-words.ts';
import type { Conn, NetInput, NetOutput } from '../src/machine.ts';
import type { ReceiptReport } from '../src/receipt.ts';

type Setup = Partial<LinkOptions> & { readonly faults?: readonly Fault[] };

/** Plays a link in virtual time and writes down what it does, one row an output: `time end verb what`. */
export class PlayedLink {
  readonly machine: LinkMachine;
  readonly rows: string[] = [];
  readonly reports: LinkReport[] = [];
  /** Every byte that left, in order: where to, when. */
  readonly sent: { readonly t: number; readonly end: string; readonly bytes: Uint8Array }[] = [];
  /** Answer `flush` at once. */
  flushes = true;
  #now = 0;
  #names = 1000;
  #clients = 0;
  readonly #unanswered: Conn[] = [];
  readonly #ends = new Map<Conn, string>();
  readonly #dials: Conn[] = [];

  constructor(setup: Setup = {}) {
    this.machine = new LinkMachine({
      listen: { port: 0 },
      upstream: { host: 'upstream', port: 9 },
      faults: [],
      seed: 1,
      name: () => ++this.#names,
      ...setup,
    });
    this.at(0, { type: 'start' });
  }

  /** Lets time pass up to `t`, then hands in an input. */
  at(t: number, input: NetInput | { type: 'command'; command: LinkCommand }): this {
    this.until(t);
    this.#handle(t, input);
    return this;
  }

  command(t: number, command: LinkCommand): this {
    return this.at(t, { type: 'command', command });
  }

  /** Wakes the machine whenever it wants, up to and including `t`. */
  until(t: number): this {
    for (let due = this.machine.deadline(); due !== undefined && due <= t; due = this.machine.deadline())
      this.#handle(Math.max(this.#now, due), { type: 'deadline' });
    return this;
  }

  /** A client (`client1`, ...) is accepted; `dial` false: its upstream is not answered. */
  open(t: number, dial = true): { readonly client: Conn; readonly upstream: Conn } {
    const ordinal = ++this.#clients;
    const client = 2 * ordinal - 1;
    this.#ends.set(client, `client${ordinal}`);
    const dials = this.#dials.length;
    this.at(t, { type: 'accepted', conn: client, listener: 1, from: { host: 'client', port: 1 } });
    const upstream = this.#dials[dials] ?? 0;
    if (dial && upstream !== 0) this.at(t, { type: 'connected', conn: upstream });
    return { client, upstream };
  }

  bytes(t: number, conn: Conn, content: string | Uint8Array): this {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return this.at(t, { type: 'bytes', conn, bytes });
  }

  end(t: number, conn: Conn): this {
    return this.at(t, { type: 'ended', conn });
  }

  closed(t: number, conn: Conn, why: 'end' | 'reset' | 'refused' = 'reset'): this {
    return this.at(t, { type: 'closed', conn, why, received: 0, sent: 0 });
  }

  /** Rows since the last call. */
  take(): readonly string[] {
    return this.rows.splice(0);
  }

  receipt(id: string): ReceiptReport {
    this.command(this.#now, { do: 'receipt', id });
    return this.reports.findLast(
      (report): report is ReceiptReport => report.type === 'link.receipt' && report.id === id,
    ) as ReceiptReport;
  }

  /** What reached an end, as text. */
  text(end: string): string {
    return this.sent.filter((row) => row.end === end).reduce((all, { bytes }) => all + decode(bytes), '');
  }

  #handle(t: number, input: NetInput | { type: 'command'; command: LinkCommand }): void {
    this.#now = t;
    for (const output of this.machine.handle(t, input)) this.#write(t, output);
    for (let conn = this.#unanswered.shift(); conn !== undefined; conn = this.#unanswered.shift())
      for (const output of this.machine.handle(t, { type: 'flushed', conn })) this.#write(t, output);
  }

  #write(t: number, output: NetOutput<LinkReport>): void {
    if (output.type === 'report') {
      this.reports.push(output.event);
      return;
    }
    if (output.type === 'connect') {
      this.#dials.push(output.conn);
      this.#ends.set(output.conn, `upstream${this.#clients}`);
      this.rows.push(`${t} dial ${output.to.host}`);
      return;
    }
    if (output.type === 'listen' || output.type === 'unlisten') {
      this.rows.push(`${t} ${output.type}`);
      return;
    }
    if (output.type === 'splice') {
      this.rows.push(`${t} splice ${this.#ends.get(output.a)} ${this.#ends.get(output.b)}`);
      return;
    }
    const end = this.#ends.get(output.conn) ?? 'nobody';
    if (output.type === 'flush') {
      if (this.flushes) this.#unanswered.push(output.conn);
      else this.rows.push(`${t} ${end} flush`);
      return;
    }
    if (output.type === 'send') this.sent.push({ t, end, bytes: output.bytes });
    const what = output.type === 'send' ? ` ${shown(output.bytes)}` : '';
    this.rows.push(`${t} ${end} ${output.type}${what}`);
  }
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const shown = (bytes: Uint8Array): string =>
  bytes.length <= 16 ? `'${decode(bytes)}'` : String(bytes.length);
