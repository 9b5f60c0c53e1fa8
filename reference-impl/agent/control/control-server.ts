import { createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../plugin.ts';
import { type Command, readCommand } from './command.ts';
import { type Line, LineSplitter } from './line-splitter.ts';
import { listenAt } from './socket-file.ts';

/** Longest command line, its end not counted. */
export const LINE_BYTES_MAX = 4_096;
const CLIENTS_MAX = 1_024;
/** Replies a client may leave unread before its next lines wait. */
const REPLY_BYTES_MAX = 65_536;

/**
 * Socket control: every line is answered with one line, `ok` once it is in force or `error: ` and what is wrong and what would be
 * right. Whoever only writes and closes is served as well.
 */
export class ControlServer {
  readonly #server: Server;
  readonly #log: Log;
  readonly #obey: (command: Command) => void;
  readonly #clients = new Set<Socket>();
  #remove: (() => Promise<void>) | undefined;

  /** @param obey carries a command out; a shutdown may close this server, whose last replies still go out */
  constructor({ log, obey }: { readonly log: Log; readonly obey: (command: Command) => void }) {
    this.#log = log;
    this.#obey = obey;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
    this.#server.maxConnections = CLIENTS_MAX;
    this.#server.on('drop', () =>
      log.warn({ clients: CLIENTS_MAX }, 'control: too many clients, one was sent away'),
    );
  }

  /** @throws AgentError SOCKET_PLACE | SOCKET_IN_USE */
  async open(path: string): Promise<void> {
    this.#remove = await listenAt(this.#server, path);
    this.#server.on('error', (error) => this.#log.warn({ error: error.message }, 'control: socket'));
  }

  /** Takes no more commands, removes the file, closes every connection. */
  async close(): Promise<void> {
    await this.#remove?.();
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    for (const socket of this.#clients) socket.end(() => socket.destroy());
    // one that reads nothing does not hold up the end
    setTimeout(() => {
      for (const socket of this.#clients) socket.destroy();
    }, 200).unref();
    await closed.promise;
  }

  #serve(socket: Socket): void {
    const lines = new LineSplitter(LINE_BYTES_MAX);
    this.#clients.add(socket);
    socket.on('close', () => this.#clients.delete(socket));
    // one that went away mid-line is nothing to report
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      this.#answer(socket, lines.push(bytes));
      if (socket.writableLength > REPLY_BYTES_MAX) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    });
    socket.on('end', () => {
      this.#answer(socket, lines.end());
      socket.end();
    });
  }

  #answer(socket: Socket, lines: readonly Line[]): void {
    let replies = '';
    for (const line of lines) {
      const read =
        line.type === 'line' ? readCommand(line.text) : ({ type: 'invalid', why: line.why } as const);
      if (read.type === 'invalid') {
        replies += `error: ${printable(read.why)}\n`;
        this.#log.warn({ why: read.why }, 'control: refused');
        continue;
      }
      replies += 'ok\n';
      this.#log.info({ line: printable(line.type === 'line' ? line.text.trim() : '') }, 'control');
      this.#obey(read);
      // what follows a shutdown is not read
      if (read.type === 'shutdown') break;
    }
    if (replies !== '' && socket.writable) socket.write(replies);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: just these would break a line or a terminal
const CONTROL_CHARS = /[\u0000-\u001f\u007f-\u009f]/g;

/** A reply is one line, whatever the command had in it. */
const printable = (text: string): string =>
  text.replace(CONTROL_CHARS, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
