import { PostcardError } from 'postcard-ts';
import { WireError } from '../machine/wire-error.ts';
import { FrameReader } from './frame-reader.ts';
import { type Content, MESSAGE } from './messages.ts';

/** What a server says on one connection. */
export class Answers {
  readonly #reader = new FrameReader();

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** @returns the next answer; undefined: its end has not come; an error: the stream has no meaning from here on */
  next(): Content | PostcardError | WireError | undefined {
    try {
      const body = this.#reader.next();
      return body === undefined ? undefined : MESSAGE.decodePrefix(body).value.content;
    } catch (error) {
      if (error instanceof PostcardError || error instanceof WireError) return error;
      throw error;
    }
  }
}
