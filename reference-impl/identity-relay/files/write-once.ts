import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { FileFault } from './file-fault.ts';

/**
 * Writes a file that was not there, whole or not at all: nobody ever reads half of it, and an existing one stays as it is.
 * @param mode of the new file; 0o600 for a secret
 * @throws FileFault FILE_EXISTS | FILE_UNWRITABLE
 */
export const writeOnce = (path: string, text: string, mode: number): void => {
  const whole = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = openSync(whole, 'wx', mode);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // unlike a rename, a link never replaces what is there
    linkSync(whole, path);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new FileFault('FILE_EXISTS', path, 'exists already');
    throw new FileFault('FILE_UNWRITABLE', path, `cannot be written (${code})`);
  } finally {
    rmSync(whole, { force: true });
  }
};
