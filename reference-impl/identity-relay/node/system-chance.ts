import { randomFillSync } from 'node:crypto';
import { type Chance, chanceFrom } from '../chance.ts';

/** What must not be foreseen, from the system. */
export const systemChance = (): Chance => chanceFrom((length) => randomFillSync(new Uint8Array(length)));
