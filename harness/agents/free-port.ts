/** A TCP port for a program that has to be told one before it starts. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below what systems give to outgoing connections (from 32,768 on Linux, from 49,152 elsewhere): such a port could be anybody's
 * again before the program, which takes a third of a second to start, listens on it.
 */
const [LOWEST, BEHIND] = [10_240, 32_768];
const TRIES = 100;

const refusal = (host: string, port: number): Promise<Error | undefined> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });

/** Whether somebody could listen there now. */
export const isFree = async (host: string, port: number): Promise<boolean> =>
  (await refusal(host, port)) === undefined;

/** A port nobody listens on now. @throws Error when a hundred of them were taken, or the host is none of this machine */
export const freePort = async (host: string): Promise<number> => {
  let why: Error | undefined;
  for (let i = 0; i < TRIES; i++) {
    const port = randomInt(LOWEST, BEHIND);
    why = await refusal(host, port);
    if (why === undefined) return port;
  }
  throw new Error(`expected a free port of ${host}, got none in ${TRIES} tries: ${why?.message}`);
};
