/** A target that somebody else runs: it is there, or it is not. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Address } from '../../../reference-impl/machine/machine.ts';
import { NotApplicable } from '../outcome.ts';
import { holdingsOf } from './exec-server.ts';
import { type RunningServer, type ServerTarget, TargetError } from './target.ts';

const DIAL_MILLIS = 5_000;

/** @returns why not; undefined when it does */
export const takesConnections = ({ host, port }: Address): Promise<string | undefined> =>
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

/** Descriptors, sockets and memory are read of a whole process group: another one's must not be in it. @throws TargetError */
const refuseGuest = async (pid: number): Promise<void> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (stat === '')
    throw new TargetError(
      `--pid ${pid}: /proc has no such process here. It must run on this machine, and this must be Linux.`,
    );
  const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  if (group !== pid)
    throw new TargetError(
      `--pid ${pid} belongs to the process group of ${group}, whose books would be read with it.\nStart it as a group of its own (setsid ./my-program), or give --pid ${group}.`,
    );
};

/** @param pid of the program, if it runs on this machine: what it holds is then read from outside */
export const addressServer = (address: Address, pid?: number): ServerTarget => ({
  text: `${address.host}:${address.port}`,
  restartable: false,
  start: async (): Promise<RunningServer> => {
    if (pid !== undefined) await refuseGuest(pid);
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
      files: new Set(),
      holdings: () => holdingsOf(pid),
      signal: async () => notOurs(),
      stop: async () => undefined,
    };
  },
});
