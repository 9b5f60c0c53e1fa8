import type { Chance } from '../chance.ts';
import type { Identity } from '../crypto.ts';
import { identityOf } from '../crypto.ts';
import { fromHex } from './hex.ts';
import { oracleUser } from './oracle.ts';
import type { RecordedConnection, Recording } from './vectors.ts';

/** What one side of a recorded connection drew, in the order it used it. */
export const recordedChance = (
  recording: Recording,
  connection: RecordedConnection,
  side: 'client' | 'relay',
): Chance => {
  const said = recording.events.filter(({ conn, from }) => conn === connection.conn && from === side);
  const list = <T>(take: (event: (typeof said)[number]) => T | undefined): T[] =>
    said.flatMap((event) => take(event) ?? []);
  const nonces = list(({ ExchangeRandNonce }) => ExchangeRandNonce?.randNonce);
  const secrets = connection.epochs.map((epoch) => epoch[`${side}DhSecret`]);
  const salts = list(({ ExchangeDh, content }) => ExchangeDh?.keySalt ?? content?.rekey?.keySalt);
  const paddings = list(({ plaintext }) => plaintext).map((plaintext) =>
    oracleUser.padding(fromHex(plaintext)),
  );
  const next = (values: string[]): Uint8Array => fromHex(values.shift() ?? 'no more was recorded');
  return {
    randNonce: () => next(nonces),
    dhSecret: () => next(secrets),
    keySalt: () => next(salts),
    padding: () => paddings.shift() ?? new Uint8Array(0),
  };
};

export const identityIn = (pair: { readonly privateKey: string }): Identity =>
  identityOf(fromHex(pair.privateKey));
