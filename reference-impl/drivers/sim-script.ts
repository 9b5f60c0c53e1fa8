import {
  type CommandInput,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../machine/machine.ts';

/** What a scripted machine heard, and when. */
export type Heard = { readonly at: Millis; readonly input: NetInput | CommandInput<Does> };
/** What a script does on an input; nothing by default. */
export type Answer = (input: NetInput, now: Millis) => readonly NetOutput<string>[] | undefined;
/** A command to a script: perform these. */
export type Does = readonly NetOutput<string>[];

/** A machine for tests of drivers: it writes down what it hears, answers by a function and does what it is told. */
export class Script implements NetMachine<string, Does> {
  readonly heard: Heard[] = [];
  /** The deadline it asks for; taken back when the deadline is heard. */
  due: Millis | undefined;
  readonly #answer: Answer;

  constructor(answer: Answer = () => undefined) {
    this.#answer = answer;
  }

  handle(now: Millis, input: NetInput | CommandInput<Does>): readonly NetOutput<string>[] {
    this.heard.push({ at: now, input });
    if (input.type === 'command') return input.command;
    if (input.type === 'deadline') this.due = undefined;
    return this.#answer(input, now) ?? NOTHING;
  }

  deadline(): Millis | undefined {
    return this.due;
  }

  /** One line an input, payload as text, without `start`: `5 bytes 3 "abc"`. */
  get lines(): readonly string[] {
    return this.heard
      .filter(({ input }) => input.type !== 'start')
      .map(({ at, input }) => `${at} ${said(input)}`);
  }

  /** All payload heard on one connection, as text. */
  text(conn: number): string {
    let text = '';
    for (const { input } of this.heard)
      if (input.type === 'bytes' && input.conn === conn) text += new TextDecoder().decode(input.bytes);
    return text;
  }

  /** Payload bytes heard on one connection. */
  bytes(conn: number): number {
    let bytes = 0;
    for (const { input } of this.heard)
      if (input.type === 'bytes' && input.conn === conn) bytes += input.bytes.length;
    return bytes;
  }
}

const said = (input: NetInput | CommandInput<Does>): string => {
  switch (input.type) {
    case 'start':
    case 'stop':
    case 'deadline':
    case 'command':
      return input.type;
    case 'listening':
      return `listening ${input.listener} on ${input.port}`;
    case 'unlistened':
      return `unlistened ${input.listener} ${input.why}`;
    case 'accepted':
      return `accepted ${input.conn} on ${input.listener} from ${input.from.host}:${input.from.port}`;
    case 'stream':
      return `stream ${input.conn} of ${input.session}`;
    case 'connected':
    case 'ended':
    case 'flushed':
      return `${input.type} ${input.conn}`;
    case 'bytes':
      return input.bytes.length > 20
        ? `bytes ${input.conn} (${input.bytes.length})`
        : `bytes ${input.conn} ${JSON.stringify(new TextDecoder().decode(input.bytes))}`;
    case 'closed':
      return `closed ${input.conn} ${input.why} ${input.received}/${input.sent}`;
  }
};
