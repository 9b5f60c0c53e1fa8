import { ChaosError } from './chaos-error.ts';
import type { Address } from './machine.ts';

/** `HOST:PORT`, `[::1]:PORT`, `:PORT` or `PORT`; without a host: loopback. @throws ChaosError ADDRESS_SYNTAX */
export const parseAddress = (text: string): Address => {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port > 65535)
    throw new ChaosError('ADDRESS_SYNTAX', {
      expected: 'HOST:PORT with a port up to 65535',
      got: `'${text}'`,
      hint: 'for example 127.0.0.1:8000 or [::1]:8000; port 0 takes any free one to listen on',
    });
  return { host: match[1] || match[2] || '127.0.0.1', port };
};

/** As people write it. */
export const addressText = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
