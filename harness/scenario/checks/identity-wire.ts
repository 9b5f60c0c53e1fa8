/** What the wire of identity nodes shows: nonces, padding, new keys, keepalives, and nothing else. */
import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

/** What a busy machine may be late by. */
const LATE_MILLIS = 1_500;
/** A keepAlive or an announcement with 255 bytes of padding, packed as badly as can be, and a rekey beside it. */
const SHORT_BYTES_MAX = 640;
/** From so many frames on equal lengths are no chance. */
const FRAMES_FOR_PADDING = 4;

type Declared = EventOf<'identity.declared'>;

class Wire implements Judging {
  readonly #nodes = new Map<string, Declared>();
  readonly #nonces = new Tally('IDLAB-NONCE-1', 'each nonce the one before it and 1, from 0 under each key');
  readonly #padding = new Tally('IDLAB-PAD-1', `lengths that differ, at most ${SHORT_BYTES_MAX} bytes`);
  readonly #sealed = new Tally('IDLAB-SEAL-1', 'no known text in any frame');
  readonly #rekeys = new Tally('IDLAB-REKEY-1', 'a new key in each rekey interval');
  readonly #keepalives = new Tally('IDLAB-KEEP-1', 'a frame in each keepalive interval');

  event(event: TraceEvent): void {
    if (event.type === 'identity.declared') this.#nodes.set(event.who, event);
    if (event.type === 'identity.wire') this.#wire(event);
  }

  #wire(event: EventOf<'identity.wire'>): void {
    const node = this.#nodes.get(event.who);
    if (node === undefined || node.role === 'impostor') return;
    const { frames, stray, renewed, plain, longestGapMillis, dir } = event;
    const say = (text: string) => [proof(event, `connection ${event.conn}, ${dir}: ${text}`)];
    if (stray > 0) this.#nonces.bad(`${stray} stray nonces`, say(`${stray} of ${frames} nonces are stray`));
    else this.#nonces.good();
    if (plain > 0) this.#sealed.bad(`${plain} frames with known text`, say(`known text in ${plain} frames`));
    else this.#sealed.good();
    this.#lengths(event, say);
    // a loss may come between the question and the answer
    const due = Math.floor(
      (event.millis - node.silenceMillis - LATE_MILLIS) / (node.rekeyMillis + LATE_MILLIS),
    );
    if (due > 0 && renewed === 0) this.#rekeys.bad('no new key', say(`no new key in ${event.millis} ms`));
    else if (due > 0) this.#rekeys.good();
    if (dir === 'in') return;
    if (longestGapMillis > node.keepaliveMillis + LATE_MILLIS)
      this.#keepalives.bad(`${longestGapMillis} ms`, say(`nothing sent for ${longestGapMillis} ms`));
    else if (event.millis > node.keepaliveMillis) this.#keepalives.good();
  }

  #lengths(
    { listens, frames, sizes, largest }: EventOf<'identity.wire'>,
    say: (text: string) => ReturnType<typeof proof>[],
  ): void {
    if (!listens || frames < FRAMES_FOR_PADDING) return;
    if (sizes === 1) this.#padding.bad('one length', say(`${frames} frames of ${largest} bytes`));
    else if (largest > SHORT_BYTES_MAX)
      this.#padding.bad(`${largest} bytes`, say(`a frame of ${largest} bytes`));
    else this.#padding.good();
  }

  findings(): readonly Finding[] {
    const none = 'no sealed frame was seen';
    const finding = (tally: Tally, good: string, bad: string): Finding =>
      tally.finding(
        (n) => `${count(n, 'direction')} ${good}`,
        (broken, of) => `${broken} of ${of} directions ${bad}`,
        none,
      );
    return [
      finding(this.#nonces, 'count strictly', 'do not count strictly'),
      finding(this.#padding, 'with lengths that differ within bounds', 'with constant or unbounded padding'),
      finding(this.#sealed, 'show nothing of the payload', 'show payload'),
      finding(this.#rekeys, 'renewed their keys in time', 'kept an old key'),
      finding(this.#keepalives, 'were kept alive', 'were silent for too long'),
    ];
  }
}

export const identityWire: Check = {
  name: 'identity-wire',
  clauses: ['IDLAB-NONCE-1', 'IDLAB-PAD-1', 'IDLAB-SEAL-1', 'IDLAB-REKEY-1', 'IDLAB-KEEP-1'],
  start: (_analysis: Analysis) => new Wire(),
};
