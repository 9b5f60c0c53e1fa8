/** The two directions of a channel between rekeys: a key and a counter each. A counter that could wrap ends the channel first. */
import { NONCE_BYTES, seal, TAG_BYTES, unseal } from './crypto.ts';
import { room } from './slab.ts';
import { fault } from './wire-faults.ts';

/** Far below 2^53, where numbers stop counting, and 2^96, where nonces would repeat. */
const COUNTER_MAX = 2 ** 48;
const WORD = 2 ** 32;

const counterOf = (nonce: Uint8Array): number => {
  let counter = 0;
  for (let i = NONCE_BYTES - 1; i >= 0; i--) counter = counter * 256 + (nonce[i] as number);
  return counter;
};

/** What we send under one key. */
export class SealingKey {
  readonly #key: Uint8Array;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #view = new DataView(this.#nonce.buffer);
  #counter: number;

  /** @param key zeroed by `forget` @param counter other than 0 only in tests */
  constructor(key: Uint8Array, counter = 0) {
    this.#key = key;
    this.#counter = counter;
  }

  /** @returns `headroomBytes` that are free, then the sealed frame @throws WireError COUNTER_SPENT */
  seal(plaintext: Uint8Array, headroomBytes: number): Uint8Array {
    if (this.#counter >= COUNTER_MAX)
      throw fault('COUNTER_SPENT', `fewer than ${COUNTER_MAX} frames with one key`, String(this.#counter));
    this.#view.setUint32(0, this.#counter % WORD, true);
    this.#view.setUint32(4, Math.floor(this.#counter / WORD), true);
    this.#counter++;
    const sealed = room(headroomBytes + NONCE_BYTES + plaintext.length + TAG_BYTES);
    seal(this.#key, this.#nonce, plaintext, sealed);
    return sealed;
  }

  forget(): void {
    this.#key.fill(0);
  }
}

/** What the other side sends under one key. */
export class OpeningKey {
  readonly #key: Uint8Array;
  #counter: number;

  /** @param key zeroed by `forget` @param counter other than 0 only in tests */
  constructor(key: Uint8Array, counter = 0) {
    this.#key = key;
    this.#counter = counter;
  }

  /** The counter of the frame that must come next. */
  get expected(): number {
    return this.#counter;
  }

  /** @returns undefined if the frame was not sealed with this key; its counter must have been looked at before */
  open(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = unseal(this.#key, sealed);
    if (plaintext !== undefined) this.#counter++;
    return plaintext;
  }

  forget(): void {
    this.#key.fill(0);
  }
}

/** The receiving direction: the key of now, and after a rekey the one before it until the first frame under the new one. */
export class OpeningKeys {
  #now: OpeningKey;
  #retired: OpeningKey | undefined;

  constructor(key: OpeningKey) {
    this.#now = key;
  }

  /** Whether the last frame opened was under the key that a rekey has retired, or none came under the new one yet. */
  get changing(): boolean {
    return this.#retired !== undefined;
  }

  renew(key: OpeningKey): void {
    this.#retired?.forget();
    this.#retired = this.#now;
    this.#now = key;
  }

  /** @throws WireError SEALED_TOO_SHORT | COUNTER | SEAL */
  open(sealed: Uint8Array): Uint8Array {
    if (sealed.length < NONCE_BYTES + TAG_BYTES)
      throw fault('SEALED_TOO_SHORT', `${NONCE_BYTES + TAG_BYTES} bytes or more`, String(sealed.length));
    const counter = counterOf(sealed);
    const retired = this.#retired;
    if (counter === this.#now.expected) {
      const plaintext = this.#now.open(sealed);
      if (plaintext !== undefined) {
        retired?.forget();
        this.#retired = undefined;
        return plaintext;
      }
      if (retired === undefined || counter !== retired.expected)
        throw fault('SEAL', `a frame sealed as number ${counter}`, 'another key or changed bytes');
    }
    if (retired === undefined || counter !== retired.expected) {
      const expected = retired === undefined ? '' : ` or ${retired.expected}`;
      throw fault('COUNTER', `${this.#now.expected}${expected}`, String(counter), 0);
    }
    const plaintext = retired.open(sealed);
    if (plaintext === undefined)
      throw fault('SEAL', `a frame sealed as number ${counter}`, 'another key or changed bytes');
    return plaintext;
  }

  forget(): void {
    this.#now.forget();
    this.#retired?.forget();
    this.#retired = undefined;
  }
}
