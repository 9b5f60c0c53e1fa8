import type { RelayLimits } from '../relay/limits.ts';

/** The limits as the command line has them: `--grace-millis` for `graceMillis`. One row each; the help is printed from it. */
export const LIMIT_OPTIONS: Readonly<Record<keyof RelayLimits, string>> = {
  lineBytesMax: 'longest control line',
  controlMillisMax: 'time a client has to say what it wants',
  graceMillis: 'time a pool may be without a waiting connection',
  waitMillisMax: 'time a user waits for a connection of the client',
  earlyBytesMax: 'bytes a waiting connection may send',
  earlyBytesTotalMax: 'bytes all waiting connections together may send',
  connectionsMax: 'connections altogether',
  connectionsPerRegistrationMax: 'connections of one registration, users included',
  registrationsPerAddressMax: 'registrations of one source address',
  waitingPerRegistrationMax: 'waiting users of one registration',
  keepaliveMillis: 'silence before TCP keepalive and yamux pings; 0: off',
  idleMillis: 'silence after which a tunnel is reset, half closed or not; 0: never',
  lingerMillis: 'time a refused connection has to close before it is reset',
  drainMillis: 'time running tunnels have after SIGTERM',
};

/** `lineBytesMax` -> `--line-bytes-max` */
export const flagOf = (key: string): string =>
  `--${key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;

/** Limits that make no sense at 0. */
export const AT_LEAST_ONE: ReadonlySet<keyof RelayLimits> = new Set([
  'lineBytesMax',
  'controlMillisMax',
  'connectionsMax',
  'connectionsPerRegistrationMax',
  'registrationsPerAddressMax',
]);
