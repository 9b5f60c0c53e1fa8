import { identityOf } from '../crypto.ts';
import { textOf } from '../public-key.ts';
import { FileFault } from './file-fault.ts';
import { keyField, readFields } from './json-file.ts';
import { readTicketFile } from './ticket-file.ts';

/** What a file is, in lines for people; of a private key only the public one that belongs to it. @throws FileFault */
export const describeFile = (path: string): readonly string[] => {
  const fields = readFields(path);
  if ('privateKey' in fields) {
    const seed = keyField(path, fields, 'privateKey');
    const { publicKey } = identityOf(seed);
    seed.fill(0);
    return [
      'identity (secret: whoever has this file is this node or relay)',
      `public key  ${textOf(publicKey)}`,
    ];
  }
  if (!('publicKey' in fields))
    throw new FileFault('FIELD_MISSING', path, 'has neither a privateKey nor a publicKey');
  const { publicKey, address } = readTicketFile(path);
  return ['relay ticket', `public key  ${textOf(publicKey)}`, `address     ${address}`];
};
