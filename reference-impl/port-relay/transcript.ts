import type { CommandInput, Conn, NetInput, NetMachine, NetOutput, Why } from '../machine/machine.ts';

/** A step of a conversation with a machine: what is handed to it, and what it must answer, in order. */
export type Step = readonly [input: string, ...outputs: readonly string[]];

const latin = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};
const shown = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return JSON.stringify(text);
};

/**
 * An input in words: `start`, `stop`, `wake`, `listening 1 9001`, `unlistened 1 in use`, `accept 5 1 10.0.0.1`, `stream 7 of 5`,
 * `connected 5`, `bytes 5 "pool\nnew\n"`, `ended 5`, `flushed 5`, `closed 5 reset`, `command {...}`.
 */
export const inputOf = (text: string): NetInput | CommandInput<unknown> => {
  const [word = '', ...rest] = text.split(' ');
  const number = (at: number): number => Number(rest[at]);
  const tail = (at: number): string => rest.slice(at).join(' ');
  switch (word) {
    case 'start':
    case 'stop':
      return { type: word };
    case 'wake':
      return { type: 'deadline' };
    case 'listening':
      return { type: word, listener: number(0), port: number(1) };
    case 'unlistened':
      return { type: word, listener: number(0), why: tail(1) as 'in use' | 'denied' | 'exhausted' };
    case 'accept':
      return {
        type: 'accepted',
        conn: number(0),
        listener: number(1),
        from: { host: rest[2] ?? '10.0.0.1', port: 4000 + number(0) },
      };
    case 'stream':
      return { type: word, conn: number(0), session: number(2) };
    case 'bytes':
      return { type: word, conn: number(0), bytes: latin(JSON.parse(tail(1)) as string) };
    case 'connected':
    case 'ended':
    case 'flushed':
      return { type: word, conn: number(0) };
    case 'closed':
      return { type: word, conn: number(0), why: (rest[1] ?? 'end') as Why, received: 3, sent: 5 };
    case 'command':
      return { type: word, command: JSON.parse(tail(0)) as unknown };
    default:
      throw new Error(`no such input: ${text}`);
  }
};

/** An output in words, of the same kind: `send 5 "9001\n"`, `splice 5 6`, `report relay.user conn=6 port=9001`. */
export const outputText = (output: NetOutput<{ readonly type: string }>): string => {
  switch (output.type) {
    case 'listen':
      return `listen ${output.listener} ${output.port}`;
    case 'unlisten':
      return `unlisten ${output.listener}`;
    case 'connect':
      return `connect ${output.conn} ${output.to.host}:${output.to.port}`;
    case 'open':
      return `open ${output.conn} of ${output.session}`;
    case 'send':
      return `send ${output.conn} ${shown(output.bytes)}`;
    case 'keepalive':
      return `keepalive ${output.conn} ${output.idleMillis}`;
    case 'splice':
      return ['splice', output.a, output.b, ...(output.idleMillis ? [`idle ${output.idleMillis}`] : [])].join(
        ' ',
      );
    case 'mux':
      return `mux ${output.conn} ${output.role} ${shown(output.early ?? new Uint8Array())}`;
    case 'report': {
      const { type, ...fields } = output.event;
      const words = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
      return ['report', type, ...words].join(' ');
    }
    default:
      return `${output.type} ${output.conn}`;
  }
};

/** Hands a machine a conversation. `@1500 wake` moves the clock to 1,500 ms first. */
export class Transcript<Report extends { readonly type: string }, Command> {
  readonly #machine: NetMachine<Report, Command>;
  #now = 0;

  constructor(machine: NetMachine<Report, Command>) {
    this.#machine = machine;
  }

  /** @returns the outputs in words */
  say(text: string): readonly string[] {
    const at = /^@(\d+) /.exec(text);
    if (at !== null) this.#now = Number(at[1]);
    const input = inputOf(at === null ? text : text.slice(at[0].length));
    return this.#machine.handle(this.#now, input as NetInput | CommandInput<Command>).map(outputText);
  }

  /** Says all, answers nothing back. */
  sayAll(...texts: readonly string[]): void {
    for (const text of texts) this.say(text);
  }
}

/** Numbers for what a machine dials or opens: 101, 102, ... */
export const namesFrom = (first: Conn): (() => Conn) => {
  let next = first;
  return () => next++;
};
