/**
 * One end of the parity test, run as a process of its own (in a network namespace for the kernel form). JSON lines in: `listen`,
 * `dial`, `say`, `finish`; JSON lines out: `{ saw, name, text }`. It lives as long as its standard input.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export type EndCommand =
  | { readonly do: 'listen'; readonly host: string }
  | {
      readonly do: 'dial';
      readonly name: string;
      readonly host: string;
      readonly port: number;
      readonly localPort: number;
    }
  | { readonly do: 'say'; readonly name: string; readonly text: string }
  | { readonly do: 'finish'; readonly name: string };

export type EndSaw = 'listening' | 'accepted' | 'connected' | 'data' | 'finished' | 'error' | 'closed';
export type EndEvent = { readonly saw: EndSaw; readonly name: string; readonly text: string };

const sockets = new Map<string, Socket>();
const tell = (saw: EndSaw, name: string, text: string): void => {
  process.stdout.write(`${JSON.stringify({ saw, name, text } satisfies EndEvent)}\n`);
};

const watch = (name: string, socket: Socket): void => {
  sockets.set(name, socket);
  socket.on('data', (data) => tell('data', name, data.toString()));
  socket.on('end', () => tell('finished', name, ''));
  socket.on('error', (error: NodeJS.ErrnoException) => tell('error', name, error.code ?? 'unknown'));
  socket.on('close', () => tell('closed', name, ''));
};

/** Connections are named by the peer's port, which is what a NAT is about; each is greeted with what the server sees. */
const listen = (host: string): void => {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const seen = `${socket.remoteAddress}:${socket.remotePort}`;
    watch(seen, socket);
    tell('accepted', seen, '');
    socket.write(`hello ${seen}`);
  });
  server.listen(0, host, () => {
    const address = server.address();
    tell('listening', '', String(typeof address === 'object' && address !== null ? address.port : 0));
  });
};

const obey = (command: EndCommand): void => {
  switch (command.do) {
    case 'listen':
      listen(command.host);
      break;
    case 'dial': {
      const { host, port, localPort } = command;
      const socket = connect({ host, port, localPort, allowHalfOpen: true, noDelay: true });
      watch(command.name, socket);
      socket.on('connect', () => tell('connected', command.name, ''));
      break;
    }
    case 'say':
      sockets.get(command.name)?.write(command.text);
      break;
    case 'finish':
      sockets.get(command.name)?.end();
      break;
  }
};

if (import.meta.main) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => obey(JSON.parse(line)));
  lines.on('close', () => process.exit(0));
}
