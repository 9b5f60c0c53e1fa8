import type { ServerProfile } from '../../case.ts';
import { EVENT } from './event.ts';
import { HOSTILE } from './hostile.ts';
import { MULTIPLEX } from './multiplex.ts';
import { POOL } from './pool.ts';
import { REGISTRATION } from './registration.ts';
import { TUNNEL } from './tunnel.ts';

/** A port relay, as its clients and users meet it. Source: the port relay's README and protocol notes. */
export const PORT_RELAY: ServerProfile = {
  name: 'port-relay',
  role: 'server',
  summary: 'a port relay (pool, event, multiplex) as its clients and users meet it',
  capabilities: {
    pool: 'registers pools',
    event: 'registers event listeners',
    multiplex: 'registers multiplexed clients',
  },
  cases: [...REGISTRATION, ...POOL, ...EVENT, ...MULTIPLEX, ...TUNNEL, ...HOSTILE],
};
