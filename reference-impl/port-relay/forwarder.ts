import type { Address } from '../machine/machine.ts';
import { type OpenOptions, openMultiplex, type RelayRegistration } from './library.ts';

export type ForwarderOptions = Omit<OpenOptions, 'service'> & {
  /** Port of the service on this machine. */
  readonly localPort: number;
};

/** Where a forwarder finds its service. Source: relay README, "Use relay as a forwarder". */
export const localService = (port: number): Address => ({ host: 'localhost', port });

/** Puts a service of this machine that knows nothing of relays on a relay: multiplex, reconnecting, for any TCP server. */
export const openForwarder = ({ localPort, ...options }: ForwarderOptions): RelayRegistration =>
  openMultiplex({ ...options, service: localService(localPort) });
