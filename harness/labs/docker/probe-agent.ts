/**
 * The smallest agent there is, for the self-test of the lab and for its tests: a `sink` tells whoever speaks to it under which
 * address it is seen, a `source` asks it (once when it starts, and again whenever it is told to push) and reports the answer.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { AgentCommand } from '../../agents/protocol.ts';
import type { Happening } from '../../trace/trace.ts';

const numbers = new Map<string, number>();
const sources = new Map<string, Socket>();

const say = (who: string, event: Happening): void => {
  const n = numbers.get(who) ?? 0;
  numbers.set(who, n + 1);
  process.stdout.write(`${JSON.stringify({ t: Math.round(performance.now() * 1000), who, n, ...event })}\n`);
};

const listen = (who: string, host: string): void => {
  const server = createServer((socket) => {
    socket.on('data', () => socket.write(`${socket.remoteAddress} ${socket.remotePort}\n`));
    socket.on('error', ({ message }) => say(who, { type: 'host.output', text: message }));
  });
  server.listen(0, host, () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') say(who, { type: 'host.ready', port: address.port });
  });
};

const dial = (who: string, host: string, port: number): void => {
  const socket = connect({ host, port }, () => socket.write('who am I?\n'));
  socket.on('data', (answer) => say(who, { type: 'host.output', text: `seen as ${String(answer).trim()}` }));
  socket.on('error', (error: NodeJS.ErrnoException) =>
    say(who, { type: 'host.output', text: `lost ${error.code}` }),
  );
  sources.set(who, socket);
};

const perform = (command: AgentCommand): void => {
  switch (command.do) {
    case 'start':
      say(command.who, { type: 'host.started', form: command.actor.kind });
      if (command.actor.kind === 'sink') listen(command.who, command.bind);
      else if (command.actor.kind === 'source')
        dial(command.who, command.actor.to.host, command.actor.to.port);
      return;
    case 'tell':
      sources.get(command.who)?.write('who am I?\n');
      return;
    case 'exit':
      process.exit(0);
  }
};

createInterface({ input: process.stdin })
  .on('line', (line) => perform(JSON.parse(line)))
  .on('close', () => process.exit(0));
