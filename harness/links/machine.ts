/** What a result of the self-test holds for: this machine, this Node, this version of the links. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, hostname, platform, release } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The sources of the links, wherever they are installed: a change to them makes old results worthless. */
const sources = (): string => {
  const folder = dirname(fileURLToPath(import.meta.resolve('chaos-proxy')));
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).sort((a, b) =>
    join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
  ))
    if (entry.isFile() && /\.[jt]s$/.test(entry.name) && !entry.name.includes('.test.'))
      hash.update(readFileSync(join(entry.parentPath, entry.name)));
  return hash.digest('hex').slice(0, 12);
};

/** One line; equal for runs whose results may be shared. */
export const thisMachine = (): string =>
  [
    hostname(),
    `${platform()} ${release()} ${arch()}`,
    `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'CPU'}`,
    `Node ${process.version}`,
    `links ${sources()}`,
  ].join(', ');
