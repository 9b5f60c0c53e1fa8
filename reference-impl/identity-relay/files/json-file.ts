import { readFileSync } from 'node:fs';
import { KEY_BYTES } from '../messages.ts';
import { bytesOf } from '../public-key.ts';
import { FileFault } from './file-fault.ts';

/** Far more than any of these files has. */
const FILE_BYTES_MAX = 65_536;

export type Fields = Readonly<Record<string, unknown>>;

/** @throws FileFault FILE_MISSING | FILE_UNREADABLE | NOT_JSON */
export const readFields = (path: string): Fields => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new FileFault('FILE_MISSING', path, 'there is no such file');
    throw new FileFault('FILE_UNREADABLE', path, `cannot be read (${code})`);
  }
  let value: unknown;
  try {
    value = text.length > FILE_BYTES_MAX ? undefined : JSON.parse(text);
  } catch {
    // what JSON.parse says would quote the file, and it may be a secret
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FileFault('NOT_JSON', path, 'is no JSON object');
  return value as Fields;
};

/** @throws FileFault FIELD_MISSING */
export const textField = (path: string, fields: Fields, name: string): string => {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new FileFault('FIELD_MISSING', path, `has no text called ${name}`);
};

/** A key of 32 bytes. @throws FileFault FIELD_MISSING | KEY_MALFORMED | KEY_LENGTH */
export const keyField = (path: string, fields: Fields, name: string): Uint8Array => {
  const text = textField(path, fields, name);
  const bytes = bytesOf(text);
  if (bytes === undefined) throw new FileFault('KEY_MALFORMED', path, `${name} is no base64url`);
  if (bytes.length !== KEY_BYTES)
    throw new FileFault('KEY_LENGTH', path, `${name} has ${bytes.length} bytes, expected ${KEY_BYTES}`);
  return bytes;
};
