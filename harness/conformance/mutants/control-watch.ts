import type { Conn } from '../../../reference-impl/machine/machine.ts';
import { CONTROL } from '../../../reference-impl/port-relay/relay/registrar.ts';
import { type Input, textOf } from './defect.ts';

/** What a client said in its control phase: `pool` `new`, `event` `9C1A22F03B`, `multiplex` ``. */
export type Said = { readonly conn: Conn; readonly mode: string; readonly word: string };

/** Reads along on connections to the control port, so that a defect can tell a join from a registration. */
export class ControlWatch {
  readonly #opening = new Map<Conn, string>();
  readonly #said = new Map<Conn, Said>();

  /** To be shown every input. @returns what this input completed, if it did */
  see(input: Input): Said | undefined {
    if (input.type === 'accepted' && input.listener === CONTROL) this.#opening.set(input.conn, '');
    else if (input.type === 'closed') {
      this.#opening.delete(input.conn);
      this.#said.delete(input.conn);
    } else if (input.type === 'bytes') return this.#bytes(input.conn, input.bytes);
    return undefined;
  }

  /** undefined: still in its control phase, or no connection to the control port. */
  of(conn: Conn): Said | undefined {
    return this.#said.get(conn);
  }

  #bytes(conn: Conn, bytes: Uint8Array): Said | undefined {
    const before = this.#opening.get(conn);
    if (before === undefined) return undefined;
    const text = before + textOf(bytes);
    const [mode = '', word, ...rest] = text.split('\n').map((line) => line.trim());
    // The last piece of a split has no newline behind it yet.
    const whole = mode === 'pool' || mode === 'event' ? rest.length > 0 : word !== undefined;
    if (!whole) {
      this.#opening.set(conn, text);
      return undefined;
    }
    this.#opening.delete(conn);
    const said = { conn, mode, word: mode === 'multiplex' ? '' : (word ?? '') };
    this.#said.set(conn, said);
    return said;
  }
}
