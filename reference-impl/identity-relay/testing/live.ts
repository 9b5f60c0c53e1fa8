import { randomBytes } from 'node:crypto';
import { connNames, NodeDriver } from '../../drivers/node.ts';
import { type Identity, identityOf } from '../crypto.ts';
import { systemChance } from '../node/system-chance.ts';
import type { RelayLimits } from '../relay/limits.ts';
import { IdentityRelayMachine } from '../relay/relay-machine.ts';
import type { RelayReport } from '../relay/relay-report.ts';

/** Waits for a promise, but not for ever. */
export const within = async <T>(millis: number, what: string, promise: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not within ${millis} ms: ${what}`)), millis);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** Looks until something holds, with a deadline. */
export const eventually = async (what: string, holds: () => boolean, millis = 10_000): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = setInterval(() => holds() && resolve(), 5);
  try {
    await within(millis, what, promise);
  } finally {
    clearInterval(look);
  }
};

export const newIdentity = (): Identity => identityOf(new Uint8Array(randomBytes(32)));

export type LiveRelay = {
  readonly port: number;
  readonly identity: Identity;
  readonly machine: IdentityRelayMachine;
  readonly driver: NodeDriver<RelayReport>;
  readonly reports: readonly RelayReport[];
};

/** A relay over real sockets in this process. */
export const openRelay = async (limits: Partial<RelayLimits> = {}): Promise<LiveRelay> => {
  const identity = newIdentity();
  const chance = systemChance();
  const machine = new IdentityRelayMachine({ port: 0, identity, chance: () => chance, limits });
  const reports: RelayReport[] = [];
  const { promise, resolve } = Promise.withResolvers<number>();
  const driver = new NodeDriver<RelayReport>(machine, {
    name: connNames(),
    report: (event) => {
      reports.push(event);
      if (event.type === 'strelay.listening') resolve(event.port);
    },
  });
  driver.start();
  return { port: await within(5_000, 'relay is listening', promise), identity, machine, driver, reports };
};
