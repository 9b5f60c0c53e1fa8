import { WireError } from '../machine/wire-error.ts';

/** The peer (or the caller) broke yamux; see `code`. */
export class YamuxError extends WireError {
  override readonly name = 'YamuxError';
}
