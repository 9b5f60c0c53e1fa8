/** Where a program beside this code is, as source (`.ts`) or compiled (`.js`). */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param name the program's path without its ending, relative to the module `from` (an `import.meta.url`) */
export const programFile = (name: string, from: string): string =>
  fileURLToPath(new URL(`${name}${extname(new URL(from).pathname)}`, from));
