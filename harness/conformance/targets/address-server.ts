/** A target that somebody else runs: it is there, or it is not. */
import { connect } from 'node:net';
import type { Address } from '../../../reference-impl/machine/machine.ts';
import { NotApplicable } from '../outcome.ts';
import { type RunningServer, type ServerTarget, TargetError } from './target.ts';

const DIAL_MILLIS = 5_000;

const takesConnections = ({ host, port }: Address): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: DIAL_MILLIS });
    const over = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once('connect', () => over(undefined));
    socket.once('timeout', () => over(`no answer within ${DIAL_MILLIS / 1_000} s`));
    socket.once('error', (error) => over(error.message));
  });

export const addressServer = (address: Address): ServerTarget => ({
  text: `${address.host}:${address.port}`,
  restartable: false,
  start: async (): Promise<RunningServer> => {
    const why = await takesConnections(address);
    if (why !== undefined)
      throw new TargetError(
        `${address.host}:${address.port} does not take connections: ${why}.\nStart your program first, or let us start it: --exec './my-program {port}'.`,
      );
    const notOurs = (): never => {
      throw new NotApplicable(
        'the target runs elsewhere: give it by --exec to judge what it holds and how it stops',
      );
    };
    return {
      address,
      died: undefined,
      alive: async () => (await takesConnections(address)) === undefined,
      output: () => '',
      outputFile: undefined,
      holdings: async () => undefined,
      signal: async () => notOurs(),
      stop: async () => undefined,
    };
  },
});
