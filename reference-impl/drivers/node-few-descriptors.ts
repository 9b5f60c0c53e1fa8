/** A program for a test: an echo that also dials itself when told `d`; started where descriptors are few. */
import type { NetInput, NetOutput } from '../machine/machine.ts';
import { connNames, NodeDriver } from './node.ts';

const name = connNames();
let port = 0;

const handle = (_now: number, input: NetInput): NetOutput<string>[] => {
  switch (input.type) {
    case 'start':
      return [{ type: 'listen', listener: 1, port: 0, host: undefined }];
    case 'listening':
      port = input.port;
      return [{ type: 'report', event: `listening ${port}` }];
    case 'bytes':
      if (input.bytes[0] === 'd'.charCodeAt(0))
        return [{ type: 'connect', conn: name(), to: { host: '127.0.0.1', port }, from: undefined }];
      return [{ type: 'send', conn: input.conn, bytes: input.bytes }];
    case 'ended':
      return [{ type: 'end', conn: input.conn }];
    case 'closed':
      return input.why === 'end' ? [] : [{ type: 'report', event: `closed ${input.why}` }];
    default:
      return [];
  }
};

const driver = new NodeDriver<string>(
  { handle: (now, input) => (input.type === 'command' ? [] : handle(now, input)), deadline: () => undefined },
  {
    name,
    report: (event) => console.log(event),
    note: (text) => console.log(`note ${text}`),
    fastSplice: false,
  },
);
driver.start();
