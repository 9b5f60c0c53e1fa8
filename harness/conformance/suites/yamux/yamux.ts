import type { Case, ClientContext, ClientProfile, ServerContext, ServerProfile } from '../../case.ts';
import type { YamuxCase } from './commanded.ts';
import { FLOWS } from './flow.ts';
import { FRAMES } from './frames.ts';
import { LiteralSession } from './literal-session.ts';
import { SESSIONS } from './session-words.ts';
import { CLOSES, STREAMS } from './streams.ts';

/** The same cases for both roles: only who dials, and whose ids are odd, differs. */
const CASES: readonly YamuxCase[] = [...FRAMES, ...STREAMS, ...CLOSES, ...FLOWS, ...SESSIONS];

const CAPABILITIES = {
  open: 'its application opens streams when told (`open N`)',
  'fixed-window': 'its receive window does not grow beyond 256 KiB by itself',
};

/** A yamux library that accepts the connection (its streams are even), behind the application of application.ts. */
export const YAMUX_SERVER: ServerProfile = {
  name: 'yamux',
  role: 'server',
  summary: 'a yamux library that listens, behind a small application (suites/yamux/application.ts)',
  capabilities: CAPABILITIES,
  cases: CASES.map(
    ({ play, ...item }): Case<ServerContext> => ({
      ...item,
      run: async (it) => play(it, new LiteralSession(it, await it.dial('carrier'), 'client')),
    }),
  ),
};

/** The same library where it dials: its streams are odd. */
export const YAMUX_CLIENT: ClientProfile = {
  name: 'yamux-client',
  role: 'client',
  summary: 'a yamux library that dials, behind the same application',
  capabilities: CAPABILITIES,
  placeholders: { port: 'where it must dial, on 127.0.0.1' },
  cases: CASES.map(
    ({ play, ...item }): Case<ClientContext> => ({
      ...item,
      run: async (it) => {
        const listener = await it.listen('carrier');
        await it.start({ port: String(await it.door(listener)) });
        const carrier = await listener.accept('the library dials');
        await play(it, new LiteralSession(it, carrier, 'server'));
      },
    }),
  ),
};
