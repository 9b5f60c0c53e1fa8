import type { AgentContext, Plugin } from '../plugin.ts';
import { ControlServer } from './control-server.ts';

export const DEFAULT_SOCKET_PATH = 'alumet-control.sock';

export type SocketControlConfig = { readonly socketPath: string };

/** Lets other processes of the same user control the pipeline through a Unix socket. */
export const socketControlPlugin: Plugin<SocketControlConfig, AgentContext> = {
  name: 'socket-control',
  defaults: `# Where commands are taken, one a line: echo "control source pause" | socat UNIX-CONNECT:./alumet-control.sock -
socket_path = "${DEFAULT_SOCKET_PATH}"
`,
  read: (table) => ({ socketPath: table.string('socket_path') }),
  create: ({ socketPath }, { log, obey }) => {
    const server = new ControlServer({ log, obey });
    return [
      {
        type: 'service',
        service: {
          name: 'socket-control/socket',
          open: () => server.open(socketPath),
          close: () => server.close(),
        },
      },
    ];
  },
};
