import type { Address } from '../../machine/machine.ts';
import { textOf } from '../public-key.ts';
import { FileFault } from './file-fault.ts';
import { keyField, readFields, textField } from './json-file.ts';
import { writeOnce } from './write-once.ts';

/** What one needs to use a relay. */
export type RelayTicket = {
  readonly publicKey: Uint8Array;
  /** `host:port`, at most 256 bytes. */
  readonly address: string;
};

const ADDRESS_BYTES_MAX = 256;

const checkedAddress = (path: string, address: string): string => {
  const bytes = new TextEncoder().encode(address).length;
  if (bytes > ADDRESS_BYTES_MAX)
    throw new FileFault('ADDRESS_TOO_LONG', path, `address has ${bytes} bytes, at most ${ADDRESS_BYTES_MAX}`);
  return address;
};

/** @throws FileFault ADDRESS_TOO_LONG | FILE_EXISTS | FILE_UNWRITABLE */
export const writeTicketFile = (path: string, { publicKey, address }: RelayTicket): void => {
  const fields = { publicKey: textOf(publicKey), address: checkedAddress(path, address) };
  writeOnce(path, JSON.stringify(fields, undefined, 2), 0o644);
};

/** @throws FileFault when it is missing, unreadable or no ticket */
export const readTicketFile = (path: string): RelayTicket => {
  const fields = readFields(path);
  return {
    publicKey: keyField(path, fields, 'publicKey'),
    address: checkedAddress(path, textField(path, fields, 'address')),
  };
};

/** `host:port` in parts; an IPv6 address stands in brackets. @returns undefined if it is none */
export const addressOf = (text: string): Address | undefined => {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port > 65_535 ? undefined : { host, port };
};

/** Where the relay of a ticket is. @throws FileFault ADDRESS_MALFORMED */
export const relayAddress = ({ address }: RelayTicket, path: string): Address => {
  const parts = addressOf(address);
  if (parts === undefined) throw new FileFault('ADDRESS_MALFORMED', path, `address is '${address}'`);
  return parts;
};
