import { lookup } from 'node:dns/promises';
import { addressText, parseAddress } from '../address.ts';
import { ChaosError } from '../chaos-error.ts';
import type { Address } from '../machine.ts';
import { API_ERRORS } from './api-error.ts';

/**
 * Where to listen, as numbers: `localhost:80` and `127.0.0.1:80` are the same. Without a host: loopback.
 * @param doing what the error begins with @throws ApiError 500
 */
export const resolveListen = async (text: string, doing = 'listen tcp: '): Promise<Address> => {
  const { host, port } = parse(text, doing);
  try {
    return { host: (await lookup(host, { order: 'ipv4first' })).address, port };
  } catch {
    throw API_ERRORS.listen(
      `${doing}lookup ${host}: no such host`,
      'an IP address or a name of this machine',
    );
  }
};

const parse = (text: string, doing: string): Address => {
  try {
    return text === '' ? { host: '127.0.0.1', port: 0 } : parseAddress(text);
  } catch (error) {
    if (!(error instanceof ChaosError)) throw error;
    const colon = text.lastIndexOf(':');
    const why = colon < 0 ? `${text}: missing port in address` : `${text.slice(colon + 1)}: invalid port`;
    throw API_ERRORS.listen(`${doing}address ${why}`, `${error.expected}: ${error.hint}`);
  }
};

const REASONS: Readonly<Record<string, string>> = {
  'in use': 'bind: address already in use',
  denied: 'bind: permission denied',
  exhausted: 'bind: cannot assign requested address',
};

/** What a proxy that could not listen tells. */
export const listenError = (where: Address, why: string) =>
  API_ERRORS.listen(`listen tcp ${addressText(where)}: ${REASONS[why] ?? why}`, 'port 0 takes any free port');
