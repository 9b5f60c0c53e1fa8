import type { RelayLimits } from '../relay/limits.ts';

/** The limits as the command line has them: `--handshakes-max` for `handshakesMax`. One row each; the help is printed from it. */
export const LIMIT_OPTIONS: Readonly<Record<keyof RelayLimits, string>> = {
  handshakeMillisMax: 'time a handshake may take',
  initMillisMax: 'time a node has to say what it wants',
  halfTunnelMillisMax: 'time a connector waits to be accepted',
  keepaliveMillis: 'silence of ours before a keepAlive',
  silenceMillisMax: 'silence after which a node is dead',
  rekeyMillis: 'time between renewals of keys',
  handshakesMax: 'handshakes at once',
  handshakesPerAddressMax: 'handshakes at once of one source address',
  roomAfterMillis: 'silence after which a handshake may have to make room',
  connectionsMax: 'connections altogether',
  connectionsPerAddressMax: 'connections of one source address',
  halfTunnelsPerListenerMax: 'connectors that wait for one node',
  earlyBytesMax: 'bytes a connector may send before it is accepted',
  earlyBytesTotalMax: 'bytes all connectors together may send before they are accepted',
  unsentBytesMax: 'bytes waiting for one end of a tunnel before the other is paused',
  lingerMillisMax: 'time an end has to read what is left for it',
  drainMillis: 'time running tunnels have after SIGTERM',
};

/** `handshakesMax` -> `--handshakes-max` */
export const flagOf = (key: string): string =>
  `--${key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;
