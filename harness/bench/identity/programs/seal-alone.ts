/** What a relay of this protocol cannot do without, and nothing else: each message is opened by one key and sealed by another. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { NONCE_BYTES, seal, TAG_BYTES, unseal } from '../../../../reference-impl/identity-relay/crypto.ts';

export type AloneAnswer = { readonly messages: number; readonly millis: number; readonly cpuMillis: number };

/** Between looks at the clock. */
const BURST = 16;

/** One thread, no padding, no protocol around the message, memory for what is sealed used again. */
export const sealAlone = (millis: number, messageBytes: number): AloneAnswer => {
  const [from, to, nonce] = [randomBytes(32), randomBytes(32), new Uint8Array(NONCE_BYTES)];
  const came = new Uint8Array(NONCE_BYTES + messageBytes + TAG_BYTES);
  const left = new Uint8Array(came.length);
  seal(from, nonce, randomBytes(messageBytes), came);
  const before = process.cpuUsage();
  const began = performance.now();
  let messages = 0;
  for (; performance.now() - began < millis; messages += BURST)
    for (let i = 0; i < BURST; i++) {
      const message = unseal(from, came);
      if (message === undefined) throw new Error('what was sealed cannot be opened');
      seal(to, nonce, message, left);
    }
  const took = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { messages, millis: took, cpuMillis: (user + system) / 1_000 };
};
