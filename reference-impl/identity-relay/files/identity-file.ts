import { type Identity, identityOf } from '../crypto.ts';
import { textOf } from '../public-key.ts';
import { keyField, readFields } from './json-file.ts';
import { writeOnce } from './write-once.ts';

/**
 * Writes a new identity, readable by its owner only. @param seed 32 random bytes; zeroed
 * @throws FileFault FILE_EXISTS | FILE_UNWRITABLE
 */
export const writeIdentityFile = (path: string, seed: Uint8Array): void => {
  const text = JSON.stringify({ privateKey: textOf(seed) }, undefined, 2);
  seed.fill(0);
  writeOnce(path, text, 0o600);
};

/** @throws FileFault when it is missing, unreadable or no identity file */
export const readIdentityFile = (path: string): Identity => {
  const seed = keyField(path, readFields(path), 'privateKey');
  try {
    return identityOf(seed);
  } finally {
    seed.fill(0);
  }
};
