/**
 * One TCP connection of a case: literal bytes out, literal expectations in. Whatever is awaited has a deadline, and an
 * expectation that is not met says what was expected and what came. Never a protocol machine of ours.
 */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { resetSocket } from '../../../reference-impl/drivers/node-handle.ts';
import { Broken } from '../outcome.ts';
import { shown } from './reading.ts';
import type { WireLog } from './wire-log.ts';

/** How the other side ended: FIN in order, RST, or not within the time. */
export type Ended = 'fin' | 'reset' | 'open';

/** What an end needs of the case it belongs to. */
export type Patience = {
  /** The time a target has to do something, already scaled: how slow it may be is a clause's business, not the wire's. */
  readonly millis: number;
  /** Tells a slow machine from a silent target: throws Unclear where it was the machine. */
  readonly blameMachine: (sinceMillis: number, awaited: string) => void;
};

/** Segments that are few enough to be sent with a pause after each. */
const PAUSED_SEGMENTS = 200;
const SEGMENT_PAUSE_MILLIS = 3;

const text = (bytes: Uint8Array | string): Uint8Array =>
  typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;

export class WireEnd {
  readonly name: string;
  readonly socket: Socket;
  readonly #log: WireLog;
  readonly #patience: Patience;
  #chunks: Buffer[] = [];
  #held = 0;
  #received = 0;
  #end: Ended = 'open';
  #wake: (() => void) | undefined;
  /** We have let it go: what becomes of the socket now is not the target's doing. */
  #left = false;
  /** What may wait here before the socket is paused: a target must not fill our memory. */
  readonly #heldMax: number;
  /** A Unix socket knows no RST: it is closed. */
  readonly #resets: boolean;

  constructor(name: string, socket: Socket, log: WireLog, patience: Patience, heldMax = 64 * 1024 * 1024) {
    this.name = name;
    this.socket = socket;
    this.#log = log;
    this.#patience = patience;
    this.#heldMax = heldMax;
    this.#resets = socket.remoteAddress !== undefined;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#took(chunk));
    socket.on('end', () => this.#ended('fin'));
    socket.on('error', () => this.#ended('reset'));
    socket.on('close', (failed: boolean) => this.#ended(failed ? 'reset' : 'fin'));
  }

  /** Bytes that came and were not taken yet. */
  get held(): number {
    return this.#held;
  }

  /** All bytes that ever came. */
  get received(): number {
    return this.#received;
  }

  /** How it ended so far. */
  get ended(): Ended {
    return this.#end;
  }

  /** Hands bytes to the kernel. @returns once they left our buffers, or the connection is gone */
  send(bytes: Uint8Array | string): Promise<void> {
    const out = text(bytes);
    this.#log.bytes(this.name, 'us', out);
    return new Promise((resolve) => {
      if (this.socket.destroyed || !this.socket.writable) return resolve();
      this.socket.write(out, () => resolve());
    });
  }

  /**
   * The same bytes in segments of a given size. A receiver that is late finds several in one read: so few of them get a pause
   * each, and many at least a turn of the loop.
   */
  async sendSliced(bytes: Uint8Array | string, size: number): Promise<void> {
    const out = text(bytes);
    const pause =
      out.length / size <= PAUSED_SEGMENTS ? delay : () => new Promise((resolve) => setImmediate(resolve));
    for (let at = 0; at < out.length; at += size) {
      await this.send(out.subarray(at, at + size));
      await pause(SEGMENT_PAUSE_MILLIS);
    }
  }

  /** Our FIN; their half stays open. */
  end(): void {
    this.#log.event(this.name, 'us', 'fin');
    this.socket.end();
  }

  /** RST; of a Unix socket: closed in both directions. */
  reset(): void {
    this.#log.event(this.name, 'us', this.#resets ? 'reset' : 'closed');
    this.#abort();
  }

  /** Reads nothing from here on: the window closes when the kernel's buffers are full. */
  pause(): void {
    this.#log.event(this.name, 'us', 'stops reading');
    this.socket.pause();
  }

  resume(): void {
    this.#log.event(this.name, 'us', 'reads again');
    this.socket.resume();
  }

  /**
   * The next `count` bytes.
   * @throws Broken when the connection ends before, or the time is over
   */
  async take(count: number, what: string, millis = this.#patience.millis): Promise<Buffer> {
    const came = await this.#until(() => this.#held >= count || this.#end !== 'open', what, millis);
    if (this.#held < count) {
      const got = shown(this.#peek());
      const why = came ? `, then ${this.#end === 'fin' ? 'FIN' : 'RST'}` : ` within ${millis} ms`;
      this.#fail(`${what} (${count} bytes)`, `${got}${why}`);
    }
    return this.#cut(count);
  }

  /**
   * A line without its end (`\n`, or `\r\n`).
   * @throws Broken when none comes, or it is longer than `max`
   */
  async line(what: string, max = 1_024, millis = this.#patience.millis): Promise<string> {
    const at = (): number => this.#peek().indexOf(0x0a);
    await this.#until(() => at() >= 0 || this.#held > max || this.#end !== 'open', what, millis);
    const length = at();
    if (length < 0 || length > max)
      this.#fail(`${what}, a line of at most ${max} bytes`, `${shown(this.#peek())}, ${this.#state()}`);
    const line = this.#cut(length + 1).subarray(0, length);
    return line.toString('latin1').replace(/\r$/, '');
  }

  /** Exactly these bytes next. @throws Broken naming the first that differs */
  async expect(bytes: Uint8Array | string, what: string, millis = this.#patience.millis): Promise<void> {
    const wanted = Buffer.from(text(bytes));
    const got = await this.take(wanted.length, what, millis);
    if (got.equals(wanted)) return;
    const at = got.findIndex((byte, i) => byte !== wanted[i]);
    this.#fail(
      `${what}: ${shown(wanted.subarray(Math.max(0, at - 8)))} at offset ${Math.max(0, at - 8)}`,
      `${shown(got.subarray(Math.max(0, at - 8)))}; the first that differs is at offset ${at}`,
    );
  }

  /** Silence for so long: no byte, no end. @throws Broken */
  async expectSilence(millis: number, what: string): Promise<void> {
    if (this.#held === 0 && this.#end === 'open') await this.#moved(millis);
    if (this.#held > 0) this.#fail(`${what}: nothing for ${millis} ms`, shown(this.#peek()));
    if (this.#end !== 'open') this.#fail(`${what}: still open after ${millis} ms`, this.#state());
  }

  /**
   * The other side ends; what it still sends before is dropped and counted.
   * @returns whether by FIN or RST. @throws Broken when it does not
   */
  async expectEnd(what: string, millis = this.#patience.millis): Promise<'fin' | 'reset'> {
    const over = (): boolean => {
      this.#drop();
      return this.#end !== 'open';
    };
    await this.#until(over, what, millis);
    if (this.#end === 'open') this.#fail(`${what}: the connection is closed`, `open after ${millis} ms`);
    return this.#end === 'reset' ? 'reset' : 'fin';
  }

  /** Everything up to their FIN. @throws Broken on RST, on silence, or beyond `max` bytes */
  async rest(what: string, max: number, millis = this.#patience.millis): Promise<Buffer> {
    await this.#until(() => this.#end !== 'open' || this.#held > max, what, millis);
    if (this.#held > max) this.#fail(`${what}: at most ${max} bytes`, `${this.#held} bytes`);
    if (this.#end !== 'fin') this.#fail(`${what}, then FIN`, `${this.#held} bytes, ${this.#state()}`);
    return this.#cut(this.#held);
  }

  /**
   * Takes bytes as they come and hands each piece on, until `count` are there.
   * @throws Broken when the connection ends, or nothing moves for `millis`
   */
  async stream(
    count: number,
    what: string,
    piece: (bytes: Buffer, offset: number) => void,
    millis = this.#patience.millis,
  ): Promise<void> {
    let offset = 0;
    while (offset < count) {
      await this.#until(() => this.#held > 0 || this.#end !== 'open', what, millis);
      if (this.#held === 0) this.#fail(`${what}: ${count} bytes`, `${offset} bytes, ${this.#state()}`);
      const bytes = this.#cut(Math.min(this.#held, count - offset));
      piece(bytes, offset);
      offset += bytes.length;
    }
  }

  /** The end of a case: whatever is left open goes. */
  close(): void {
    if (!this.socket.destroyed) this.#abort();
  }

  #abort(): void {
    this.#left = true;
    if (this.#resets) resetSocket(this.socket);
    else this.socket.destroy();
  }

  #state(): string {
    return this.#end === 'open' ? 'still open' : this.#end === 'fin' ? 'then FIN' : 'then RST';
  }

  #fail(expected: string, got: string): never {
    if (!this.#left) {
      const last = this.#log.events.at(-1);
      if (last?.conn !== this.name || last.from !== 'target') this.#log.note(got, this.name);
      this.#log.markLast();
    }
    throw new Broken(`on ${this.name}: ${expected}`, got);
  }

  #took(chunk: Buffer): void {
    this.#log.bytes(this.name, 'target', chunk);
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    this.#received += chunk.length;
    if (this.#held > this.#heldMax) this.socket.pause();
    this.#wake?.();
  }

  #ended(how: 'fin' | 'reset'): void {
    // a reset may follow the FIN of a half-closed connection: it is the stronger word
    if (this.#end === how || this.#end === 'reset') return;
    if (this.#end === 'fin' && this.socket.destroyed && how === 'fin') return;
    this.#end = how;
    if (!this.#left) this.#log.event(this.name, 'target', how);
    this.#wake?.();
  }

  #peek(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #cut(count: number): Buffer {
    const all = this.#peek();
    const part = all.subarray(0, count);
    this.#chunks = count < all.length ? [all.subarray(count)] : [];
    const wasFull = this.#held > this.#heldMax;
    this.#held -= part.length;
    if (wasFull && this.#held <= this.#heldMax) this.socket.resume();
    return part;
  }

  #drop(): void {
    this.#chunks = [];
    this.#held = 0;
  }

  /** @returns false when the time is over */
  async #until(done: () => boolean, what: string, millis: number): Promise<boolean> {
    const began = performance.now();
    for (;;) {
      if (done()) return true;
      const left = began + millis - performance.now();
      if (left <= 0) {
        this.#patience.blameMachine(performance.now() - began, `${this.name}: ${what}`);
        return false;
      }
      await this.#moved(left);
    }
  }

  #moved(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, millis);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
