/** Defects of the data phase: ends that are lost or exaggerated, and bytes that are. */
import { carried } from './carried.ts';
import type { Defect } from './defect.ts';

/** Chunks shorter than this are left alone: requests, so that the tunnel itself comes about. */
const CHUNK_MIN = 512;
const BLOCK_BYTES = 4_096;

export const TUNNEL_DEFECTS: Readonly<Record<string, Defect>> = {
  'half-close-kills': {
    clause: 'PORT-END-1',
    says: "the user's half-close ends both directions",
    labs: 'all',
    wrap: (relay) => carried(relay, () => ({ end: (side) => (side === 'user' ? 'both' : 'pass') })),
  },
  'half-close-kept': {
    clause: 'PORT-END-1',
    says: "the user's half-close is not passed on",
    labs: 'all',
    wrap: (relay) => carried(relay, () => ({ end: (side) => (side === 'user' ? 'keep' : 'pass') })),
  },
  'service-end-kept': {
    clause: 'PORT-END-2',
    says: "the service's end is not passed on",
    labs: 'all',
    wrap: (relay) => carried(relay, () => ({ end: (side) => (side === 'client' ? 'keep' : 'pass') })),
  },
  'abort-kept': {
    clause: 'PORT-END-3',
    says: "a user's abort is not passed on",
    labs: 'all',
    wrap: (relay) => carried(relay, () => ({ abort: (side) => (side === 'user' ? 'keep' : 'pass') })),
  },
  'byte-flipped': {
    clause: 'LEDGER-2',
    says: 'one bit of every tenth chunk is flipped',
    labs: 'all',
    wrap: (relay) => {
      let chunks = 0;
      return carried(relay, () => ({
        bytes: (_side, bytes) => {
          if (bytes.length < CHUNK_MIN || ++chunks % 10 !== 0) return [bytes];
          const spoiled = bytes.slice();
          spoiled[100] = (spoiled[100] ?? 0) ^ 4;
          return [spoiled];
        },
      }));
    },
  },
  'block-repeated': {
    clause: 'LEDGER-2',
    says: 'up to 4 KiB are sent twice, once in every twenty chunks',
    labs: 'all',
    wrap: (relay) => {
      let chunks = 0;
      return carried(relay, () => ({
        bytes: (_side, bytes) =>
          bytes.length < CHUNK_MIN || ++chunks % 20 !== 0
            ? [bytes]
            : [bytes, bytes.subarray(Math.max(0, bytes.length - BLOCK_BYTES))],
      }));
    },
  },
  'block-lost': {
    clause: 'LEDGER-1',
    says: 'up to 4 KiB are lost in the middle, once in every twenty chunks',
    labs: 'all',
    wrap: (relay) => {
      let chunks = 0;
      return carried(relay, () => ({
        bytes: (_side, bytes) =>
          bytes.length < CHUNK_MIN || ++chunks % 20 !== 0
            ? [bytes]
            : [bytes.subarray(0, 128), bytes.subarray(Math.min(bytes.length, 128 + BLOCK_BYTES))],
      }));
    },
  },
  'tunnels-crossed': {
    clause: 'LEDGER-2',
    says: 'now and then a chunk is followed by one of another tunnel',
    labs: 'all',
    wrap: (relay) => {
      let chunks = 0;
      let other: Uint8Array | undefined;
      return carried(relay, () => ({
        bytes: (_side, bytes) => {
          if (bytes.length < CHUNK_MIN || ++chunks % 25 !== 0) return [bytes];
          const strange = other;
          other = bytes.slice(0, CHUNK_MIN);
          return strange === undefined ? [bytes] : [bytes, strange];
        },
      }));
    },
  },
};
