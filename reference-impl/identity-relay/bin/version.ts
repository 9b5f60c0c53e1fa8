import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version of the package this file is part of. */
export const packageVersion = (): string => {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file)) {
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string };
      if (version !== undefined) return version;
    }
    if (at === dirname(at)) return 'unknown';
  }
};
