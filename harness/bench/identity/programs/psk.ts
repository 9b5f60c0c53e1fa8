/** TLS without certificates: one secret that both sides know, and the cipher of the identity relay. */
export const TLS_OPTIONS = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  ecdhCurve: 'X25519',
  maxVersion: 'TLSv1.2',
} as const;
export const SECRET = Buffer.alloc(32, 7);
/** Each end says first which pair it belongs to. */
export const PAIR_BYTES = 4;
