/**
 * What an application behind a yamux library must do so that the library can be judged: the first line of every stream that
 * reaches it is a command. A library's own program for this is 40 to 130 lines (ci/peers has them).
 *
 * | first line | then |
 * |---|---|
 * | `echo` | sends back what follows, until our FIN, then its own |
 * | `sink` | reads to our FIN, answers the count of bytes as a decimal line, then FIN |
 * | `send N` | sends N bytes, byte i being i mod 251, then FIN |
 * | `hold` | reads nothing any more, and keeps the stream |
 * | `open N` | opens N streams to us, writes `opened` and a newline on each, ends them; answers `ok` here, then FIN |
 */
export const COMMANDS = ['echo', 'sink', 'send N', 'hold', 'open N'] as const;

/** The bytes of `send N`. */
export const sent = (offset: number, length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (offset + i) % 251;
  return bytes;
};
