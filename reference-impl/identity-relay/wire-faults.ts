import { WireError } from '../machine/wire-error.ts';

/** Every way in which a peer can break this protocol. The codes are stable; one connection ends by each, and no more. */
export const FAULTS = {
  FRAME_TOO_LONG: 'a frame of this length is refused before it is held; send less in one message',
  VERSION_MALFORMED: 'the first frame each way is the version: four bytes, big-endian',
  VERSION_UNKNOWN: 'speak version 0',
  PACKED_TRUNCATED: 'the packed stream ends inside a word or before its last segment; send the whole message',
  PACKED_TOO_LONG: 'a packed stream may not unpack to more than this; send smaller messages',
  SEGMENTS: 'a message has 1 to 511 segments, and its table must fit into it',
  POINTER:
    'a pointer must be a null, near, far or double-far pointer of the kind the schema names, within its segment',
  UNION_TAG: 'this member of the union is not known; both ends must have the same schema',
  NONCE_MISMATCH:
    'the other side must sign the randNonce it was sent; this may be a replayed or reflected handshake',
  PEER_UNEXPECTED:
    'somebody else answers there; compare the public key in the ticket with the one of that relay or node',
  PEER_WEAK: 'a key of small order proves nothing; make an identity with stmgr gen-ident',
  SIGNATURE: 'the signature does not fit srcPublicKey, dhPublicKey, randNonce and keySalt',
  DH_WEAK: 'an X25519 key of low order gives a secret that everybody knows',
  SEALED_TOO_SHORT: 'a sealed frame holds at least a nonce of 12 bytes and a tag of 16',
  COUNTER: 'nonces count up by one from 0 with each key; a frame was repeated, skipped or reordered',
  SEAL: 'the frame was not sealed with the key of this channel and direction',
  COUNTER_SPENT: 'a key must be renewed (rekey) long before its counter ends',
  REKEY_REPEATED: 'a rekey is answered once, and a retired key may not start another',
  REKEY_TOO_OFTEN: 'keys are renewed once an hour; this peer does it all the time',
  SILENT: 'a peer that lives says something every 16 s; look at the path between',
  MESSAGE_TOO_LONG: 'split it into smaller messages',
} as const;

export type FaultCode = keyof typeof FAULTS;

/** What a peer did wrong. @param at byte offset within the frame or message, where it is about a byte */
export const fault = (code: FaultCode, expected: string, got: string, at?: number): WireError =>
  new WireError({ code, fault: 'remote', at, expected, got, hint: FAULTS[code] });
