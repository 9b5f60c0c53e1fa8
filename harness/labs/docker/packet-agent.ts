/** The agent of the packet-level links' test: a `sink` answers each push once it is whole, a `source` times the answer. */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { AgentCommand } from '../../agents/protocol.ts';
import type { Happening } from '../../trace/trace.ts';

const HEADER_BYTES = 4;
let n = 0;
let source: Socket | undefined;
let answered: (() => void) | undefined;

const say = (who: string, event: Happening): void => {
  process.stdout.write(
    `${JSON.stringify({ t: Math.round(performance.now() * 1000), who, n: n++, ...event })}\n`,
  );
};

/** A request is its length and that many bytes more; the answer is one byte. */
const answer = (socket: Socket): void => {
  let kept = Buffer.alloc(0);
  let missing = 0;
  socket.setNoDelay(true).on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    let rest = Buffer.concat([kept, bytes]);
    while (rest.length > 0) {
      if (missing === 0) {
        if (rest.length < HEADER_BYTES) break;
        missing = rest.readUInt32BE(0);
        rest = rest.subarray(HEADER_BYTES);
      }
      const taken = Math.min(missing, rest.length);
      missing -= taken;
      rest = rest.subarray(taken);
      if (missing === 0) socket.write('.');
    }
    kept = Buffer.from(rest);
  });
};

const listen = (who: string, host: string): void => {
  const server = createServer(answer);
  server.listen(0, host, () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') say(who, { type: 'host.ready', port: address.port });
  });
};

const perform = (command: AgentCommand): void => {
  if (command.do === 'exit') process.exit(0);
  if (command.do === 'start' && command.actor.kind === 'sink') listen(command.who, command.bind);
  if (command.do === 'start' && command.actor.kind === 'source') {
    const { who, actor } = command;
    source = connect({ ...actor.to, noDelay: true }, () =>
      say(who, { type: 'host.output', text: 'connected' }),
    );
    source.on('data', () => answered?.());
    source.on('error', ({ message }) => say(who, { type: 'host.output', text: `lost: ${message}` }));
  }
  if (command.do === 'tell' && command.command.do === 'push') {
    const { who } = command;
    const began = performance.now();
    answered = () =>
      say(who, { type: 'host.output', text: `answered after ${(performance.now() - began).toFixed(1)}` });
    const request = Buffer.alloc(HEADER_BYTES + command.command.bytes);
    request.writeUInt32BE(command.command.bytes);
    source?.write(request);
  }
};

createInterface({ input: process.stdin })
  .on('line', (line) => perform(JSON.parse(line)))
  .on('close', () => process.exit(0));
