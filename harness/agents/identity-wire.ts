/** Looks at the bytes of a node's connections as somebody on the wire does, with code of its own: lengths, nonces, gaps, known text. */
import type { Conn, Millis } from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import { KNOWN_TEXT } from './identity-payload.ts';

const LENGTH_BYTES = 8;
const NONCE_BYTES = 12;
/** Version, nonce and keys are not sealed. */
const CLEAR_FRAMES = 3;

const holds = (bytes: Uint8Array, text: Uint8Array): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text);

class OneWay {
  #held: Uint8Array = new Uint8Array(0);
  #clear = 0;
  #last = -1n;
  #lastAt: Millis = 0;
  frames = 0;
  renewed = 0;
  stray = 0;
  longestGapMillis = 0;
  plain = 0;
  readonly sizes = new Set<number>();

  take(now: Millis, bytes: Uint8Array): void {
    const all = new Uint8Array(this.#held.length + bytes.length);
    all.set(this.#held);
    all.set(bytes, this.#held.length);
    let at = 0;
    while (at + LENGTH_BYTES <= all.length) {
      const length = Number(new DataView(all.buffer, at).getBigUint64(0));
      if (at + LENGTH_BYTES + length > all.length) break;
      this.#frame(now, all.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
      at += LENGTH_BYTES + length;
    }
    this.#held = all.slice(at);
  }

  #frame(now: Millis, frame: Uint8Array): void {
    if (this.#clear < CLEAR_FRAMES) {
      this.#clear++;
      this.#lastAt = now;
      return;
    }
    let nonce = 0n;
    for (let i = NONCE_BYTES - 1; i >= 0; i--) nonce = nonce * 256n + BigInt(frame[i] ?? 0);
    if (nonce === 0n && this.frames > 0) this.renewed++;
    else if (nonce !== this.#last + 1n) this.stray++;
    this.#last = nonce;
    this.frames++;
    this.sizes.add(frame.length);
    if (holds(frame, KNOWN_TEXT)) this.plain++;
    this.longestGapMillis = Math.max(this.longestGapMillis, now - this.#lastAt);
    this.#lastAt = now;
  }
}

/** One connection of a node. */
export class IdentityWire {
  readonly #conn: Conn;
  readonly #listens: boolean;
  readonly #openedAt: Millis;
  readonly #ways = { out: new OneWay(), in: new OneWay() };
  heardAt: Millis;

  constructor(now: Millis, conn: Conn, listens: boolean) {
    this.#conn = conn;
    this.#listens = listens;
    this.#openedAt = now;
    this.heardAt = now;
  }

  take(now: Millis, dir: 'in' | 'out', bytes: Uint8Array): void {
    if (dir === 'in') this.heardAt = now;
    this.#ways[dir].take(now, bytes);
  }

  /** What there is to tell when it is over; nothing of a connection on which nothing was sealed. */
  told(now: Millis): readonly Happening[] {
    return (['out', 'in'] as const).flatMap((dir) => {
      const { frames, renewed, stray, longestGapMillis, plain, sizes } = this.#ways[dir];
      if (frames === 0) return [];
      return [
        {
          type: 'identity.wire' as const,
          ...{ conn: this.#conn, dir, listens: this.#listens, millis: Math.round(now - this.#openedAt) },
          ...{ frames, renewed, stray, longestGapMillis: Math.round(longestGapMillis) },
          ...{ smallest: Math.min(...sizes), largest: Math.max(...sizes), sizes: sizes.size, plain },
        },
      ];
    });
  }
}
