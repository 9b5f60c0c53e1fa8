import type { WireWatch } from '../../reference-impl/drivers/watch.ts';
import type { Conn } from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';

/** The first bytes of each direction are what clauses about conversations need; payload has its ledger. */
const WATCHED_BYTES = 256;
const SHOWN_BYTES = 64;

/** Writes the wire of a watched host into the trace: opens, first bytes, ends. */
export class TraceWire implements WireWatch {
  readonly #say: (event: Happening) => void;
  readonly #offsets = new Map<Conn, { in: number; out: number }>();

  constructor(say: (event: Happening) => void) {
    this.#say = say;
  }

  opened(conn: Conn, to: string, role: 'dialled' | 'accepted' | 'stream'): void {
    this.#offsets.set(conn, { in: 0, out: 0 });
    this.#say({ type: 'conn.opened', conn, to, role });
  }

  connected(conn: Conn): void {
    this.#say({ type: 'conn.connected', conn });
  }

  bytes(conn: Conn, dir: 'in' | 'out', bytes: Uint8Array): void {
    const offsets = this.#offsets.get(conn);
    if (offsets === undefined) return;
    const offset = offsets[dir];
    offsets[dir] += bytes.length;
    if (offset >= WATCHED_BYTES) return;
    const hex = Buffer.from(bytes.subarray(0, SHOWN_BYTES)).toString('hex');
    this.#say({ type: 'conn.bytes', conn, dir, offset, length: bytes.length, hex });
  }

  ended(conn: Conn, dir: 'in' | 'out'): void {
    this.#say({ type: 'conn.ended', conn, dir });
  }

  reset(conn: Conn): void {
    this.#offsets.delete(conn);
    this.#say({ type: 'conn.reset', conn });
  }

  closed(conn: Conn, why: string, received: number, sent: number): void {
    this.#offsets.delete(conn);
    this.#say({ type: 'conn.closed', conn, why, received, sent });
  }
}
