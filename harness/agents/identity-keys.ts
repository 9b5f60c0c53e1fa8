import { type Chance, chanceFrom } from '../../reference-impl/identity-relay/chance.ts';
import { type Identity, identityOf } from '../../reference-impl/identity-relay/crypto.ts';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { ActorWorld } from './actors.ts';

const bytesFrom = (seed: number, name: string): ((length: number) => Uint8Array) => {
  const rng = rngFor(seed, name);
  return (length) => Uint8Array.from({ length }, () => rng.below(256));
};

/** The relay's name among the keys of a run. */
export const RELAY_KEY = 'relay';

/** The key of a name: the same on every host of a run. Throw-away keys, for a lab only. */
export const identityNamed = (seed: number, name: string): Identity =>
  identityOf(bytesFrom(seed, `identity/${name}`)(32));

/** Chance of one actor, from the run's seed. */
export const chanceOf = ({ seed, who, run = '' }: Pick<ActorWorld, 'seed' | 'who' | 'run'>): Chance =>
  chanceFrom(bytesFrom(seed, `chance/${who}/${run}`));
