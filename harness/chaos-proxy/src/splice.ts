import type { Socket } from 'node:net';
import { resetSocket } from './reset-socket.ts';

/** Carries what comes out of `source` into `sink`: bytes with back-pressure, FIN as FIN, anything else as RST. Both must
 *  allow half-open and be without listeners for `data` and `end`. */
export const carry = (source: Socket, sink: Socket): void => {
  source.on('data', (chunk: Buffer) => {
    if (!sink.write(chunk)) source.pause();
  });
  sink.on('drain', () => source.resume());
  source.on('end', () => sink.end());
  source.on('error', () => resetSocket(sink));
  if (source.readableEnded) sink.end();
};
