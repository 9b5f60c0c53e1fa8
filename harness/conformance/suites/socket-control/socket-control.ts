import type { ClientProfile } from '../../case.ts';
import { COMMANDS } from './commands.ts';
import { PLACEHOLDERS } from './controlled.ts';
import { LINES } from './lines.ts';
import { SOCKETS } from './sockets.ts';

/** An agent's control socket (Alumet's socket-control), as those who write lines into it meet it. Each case starts an agent. */
export const SOCKET_CONTROL: ClientProfile = {
  name: 'socket-control',
  role: 'client',
  summary: "an agent's control socket (Alumet): its lines, what they do to what the agent stores, its file",
  capabilities: {
    procfs: 'its sources are called procfs/memory and procfs/kernel',
    replies: 'answers each line by ok or error: and a reason (an extension)',
  },
  placeholders: PLACEHOLDERS,
  local: true,
  cases: [...COMMANDS, ...LINES, ...SOCKETS].map((item) => ({ limitMillis: 60_000, ...item })),
};
