import { readFileSync } from 'node:fs';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

export type Encoding = {
  readonly name: string;
  readonly type: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly packed: string;
};
export type Units = {
  readonly frame: { readonly payload: string; readonly bytes: string };
  readonly keys: Readonly<
    Record<
      'secretA' | 'publicA' | 'saltA' | 'secretB' | 'publicB' | 'saltB' | 'sendKeyA' | 'sendKeyB' | 'shared',
      string
    >
  >;
  readonly signature: Readonly<Record<'privateKey' | 'publicKey' | 'message' | 'signature', string>>;
  readonly sealed: { readonly key: string; readonly plaintext: string; readonly frames: readonly string[] };
  readonly encodings: readonly Encoding[];
};

type KeyPair = { readonly privateKey: string; readonly publicKey: string };
export type Epoch = {
  readonly after: 'handshake' | 'rekey';
  readonly clientDhSecret: string;
  readonly relayDhSecret: string;
  readonly clientSendKey: string;
  readonly relaySendKey: string;
};
export type RecordedConnection = {
  readonly conn: string;
  readonly client: KeyPair;
  readonly epochs: readonly Epoch[];
};
export type RecordedEvent = {
  readonly conn?: string;
  readonly from?: 'client' | 'relay';
  readonly frame?: string;
  readonly version?: number;
  readonly ExchangeRandNonce?: { readonly randNonce: string; readonly optDestPublicKey: string | null };
  readonly ExchangeDh?: { readonly keySalt: string };
  readonly counter?: number;
  readonly plaintext?: string;
  readonly content?: {
    readonly user?: string;
    readonly rekey?: { readonly dhPublicKey: string; readonly keySalt: string };
  };
  readonly keepalive?: { readonly keepAlive?: true; readonly message?: string };
  readonly relay?: Readonly<Record<string, unknown>>;
  readonly closed?: string;
  readonly clock?: string;
  readonly note?: string;
};
export type Recording = {
  readonly relay: KeyPair;
  readonly connections: readonly RecordedConnection[];
  readonly events: readonly RecordedEvent[];
};

/** What Offset wrote; the legend is `vectors/README.md`. */
export const UNITS = read('units') as Units;
export const SESSION = read('session') as Recording;
export const REKEY = read('rekey') as Recording;
