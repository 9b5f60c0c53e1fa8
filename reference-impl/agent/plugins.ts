import type { AnyPlugin } from './plugin.ts';

/** Every plugin there is: sources, transforms, outputs. `config regen` prints their tables in this order. */
export const PLUGINS: readonly AnyPlugin[] = [];
