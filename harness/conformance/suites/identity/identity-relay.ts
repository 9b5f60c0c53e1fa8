import type { ServerProfile } from '../../case.ts';
import { CROWDS } from './crowd.ts';
import { DECODING } from './decoding.ts';
import { HANDSHAKE } from './handshake.ts';
import { REKEY } from './rekey.ts';
import { PATIENT, RENDEZVOUS } from './rendezvous.ts';
import { SEALED } from './sealed.ts';
import { RELAY_FILES } from './society.ts';
import { TUNNELS } from './tunnels.ts';

/** An identity relay, as nodes and strangers meet it. Source: Offset's relay page and the protocol notes. */
export const IDENTITY_RELAY: ServerProfile = {
  name: 'identity-relay',
  role: 'server',
  summary: 'a relay of nodes that are addressed by public keys, as nodes and strangers meet it',
  files: RELAY_FILES,
  keyFile: 'idfile',
  capabilities: {},
  cases: [...PATIENT, ...HANDSHAKE, ...SEALED, ...DECODING, ...RENDEZVOUS, ...TUNNELS, ...REKEY, ...CROWDS],
};
