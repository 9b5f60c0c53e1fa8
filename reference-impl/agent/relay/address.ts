import type { Address } from '../../machine/machine.ts';
import type { ConfigTable } from '../config/config-table.ts';

const FORM = /^(?:\[([^[\]]+)\]|([^:[\]]*)):(\d{1,5})$/;

/** `host:port`, `[::1]:50051`, `:50051`. @returns undefined when it is none of them; an empty host where none is named */
export const parseAddress = (text: string, portMin: number): Address | undefined => {
  const [, six, host = '', digits] = FORM.exec(text) ?? [];
  const port = Number(digits);
  return digits === undefined || port < portMin || port > 65_535 ? undefined : { host: six ?? host, port };
};

/** For messages and logs. */
export const addressText = ({ host, port }: Address): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** @param portMin 0 where any free port may be asked for @throws AgentError CONFIG_ADDRESS */
export const readAddress = (table: ConfigTable, key: string, fallback: string, portMin: 0 | 1): Address => {
  const address = parseAddress(table.string(key, fallback), portMin);
  if (address !== undefined && (portMin === 0 || address.host !== '')) return address;
  throw table.error(
    key,
    'CONFIG_ADDRESS',
    'HOST:PORT, such as "192.168.1.10:50051"',
    'an IPv6 address stands in brackets: "[::1]:50051"',
  );
};
