/** Whether this machine can do NAT in network namespaces of its own. */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

/** Why there can be no kernel form here; undefined: there can. `prefix`: begins the name of the namespace it tries. */
export const whyNoKernel = (prefix: string): string | undefined => {
  if (process.platform !== 'linux') return `network namespaces are Linux; this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const tool of [
    ['ip', '-V'],
    ['nft', '--version'],
  ] as const) {
    if (spawnSync(tool[0], [tool[1]]).status !== 0)
      return `${tool[0]} is not installed (apt: iproute2, nftables)`;
  }
  const probe = `${prefix}-${process.pid}-probe${randomInt(1_000_000)}`;
  const made = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'del', probe]);
  return made.status === 0 ? undefined : `no network namespace: ${made.stderr.trim()}`;
};
