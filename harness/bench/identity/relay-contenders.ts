/** Who relays: our strelay, Offset's where its binary is given, and a plain relay over node:tls. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  readIdentityFile,
  writeIdentityFile,
} from '../../../reference-impl/identity-relay/files/identity-file.ts';
import { textOf } from '../../../reference-impl/identity-relay/public-key.ts';
import { freePort } from '../children.ts';
import { type Contender, type Running, runningAs, started } from '../contenders.ts';

/** A relay that runs; `relayKey` undefined: it is the one over TLS, or, without a process, none at all. */
export type IdentityRunning = Running & { readonly relayKey: string | undefined };

export const NAMES = {
  own: 'strelay',
  offset: "Offset's strelay",
  tls: 'node:tls relay',
  alone: 'node:crypto alone: open + seal',
} as const;

const NODE = process.execPath;
const STRELAY = fileURLToPath(
  new URL('../../../reference-impl/identity-relay/bin/strelay.ts', import.meta.url),
);
const TLS_RELAY = fileURLToPath(new URL('programs/tls-relay.ts', import.meta.url));

/** @param command what comes before `--idfile` and `--laddr`, and what comes behind them */
const strelay =
  (command: readonly string[], more: readonly string[]): Contender['start'] =>
  async (): Promise<IdentityRunning> => {
    const folder = mkdtempSync(join(tmpdir(), 'relaylab-bench-'));
    const file = join(folder, 'relay.ident');
    writeIdentityFile(file, new Uint8Array(randomBytes(32)));
    const relayKey = textOf(readIdentityFile(file).publicKey);
    const port = await freePort();
    const args = ['--idfile', file, '--laddr', `127.0.0.1:${port}`];
    const program = await started([...command, ...args, ...more], port);
    return {
      ...runningAs(port, [program], () => rmSync(folder, { recursive: true, force: true })),
      relayKey,
    };
  };

export const own: Contender = {
  name: NAMES.own,
  own: true,
  start: strelay([NODE, STRELAY], ['--log-level', 'silent', '--drain-millis', '100']),
};

/** @param binary of freedomlayer/offset */
export const offset = (binary: string): Contender => ({
  name: NAMES.offset,
  own: false,
  start: strelay([binary], []),
});

export const overTls: Contender = {
  name: NAMES.tls,
  own: false,
  start: async (): Promise<IdentityRunning> => {
    const port = await freePort();
    return {
      ...runningAs(port, [await started([NODE, TLS_RELAY, `${port}`], port)]),
      relayKey: undefined,
    };
  },
};

/** No relay: what node:crypto takes to open and to seal each message, and so the bound of whatever relays by it in one thread. */
export const cryptoAlone: Contender = {
  name: NAMES.alone,
  own: false,
  start: async (): Promise<IdentityRunning> => ({ ...runningAs(0, []), relayKey: undefined }),
};
