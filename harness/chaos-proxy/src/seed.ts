import { randomInt } from 'node:crypto';
import { ChaosError } from './chaos-error.ts';

/** A fresh seed: 32 bits. */
export const freshSeed = (): number => randomInt(2 ** 32);

/** As printed and as `--seed` takes it: 8 hexadecimal digits. */
export const seedText = (seed: number): string => (seed >>> 0).toString(16).padStart(8, '0');

/** @throws ChaosError SEED_SYNTAX */
export const parseSeed = (text: string): number => {
  if (!/^(0x)?[0-9a-f]{1,8}$/i.test(text))
    throw new ChaosError('SEED_SYNTAX', {
      expected: '1 to 8 hexadecimal digits',
      got: `'${text}'`,
      hint: 'copy the seed from the line the proxy printed when it was ready',
    });
  return Number.parseInt(text.replace(/^0x/i, ''), 16);
};
