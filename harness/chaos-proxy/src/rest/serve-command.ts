import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { addressText, parseAddress } from '../address.ts';
import { ChaosError } from '../chaos-error.ts';
import { nearest } from '../faults/check.ts';
import { freshSeed, parseSeed, seedText } from '../seed.ts';
import { ApiError } from './api-error.ts';
import { parseBody } from './json.ts';
import { ProxyStore } from './proxy-store.ts';
import { ApiServer } from './server.ts';

/** The flags of `chaos-proxy serve`. */
export const SERVE_FLAGS = {
  listen: { value: 'HOST:PORT', note: 'where the HTTP API listens (default 127.0.0.1:8474)' },
  config: { value: 'FILE', note: "proxies to begin with: a dump, or Toxiproxy's own file" },
  seed: { value: 'HEX', note: 'repeats the choices of an earlier run (default: a fresh one, printed)' },
  help: { value: '', note: 'print this' },
} as const;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

const readFlags = (args: readonly string[]) => {
  const names = Object.keys(SERVE_FLAGS);
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && !names.includes(name))
      throw new ChaosError('FLAG_UNKNOWN', {
        expected: 'a flag of serve',
        got: arg,
        hint: `did you mean '--${nearest(name, names)}'?`,
      });
  }
  const text = { type: 'string' } as const;
  try {
    const options = { listen: text, config: text, seed: text, help: { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const got = (error as Error).message;
    throw new ChaosError('FLAG_UNKNOWN', {
      expected: 'flags and their values',
      got,
      hint: 'see serve --help',
    });
  }
};

/** Sets up the proxies of a file. @throws ChaosError CONFIG_FILE, LISTEN_FAILED */
export const loadConfig = async (store: ProxyStore, file: string): Promise<void> => {
  const wrong = (error: unknown): ChaosError => {
    const got = error instanceof Error ? error.message : String(error);
    const hint =
      (error instanceof ApiError && error.hint) || 'GET /dump of a running server writes such a file';
    const unlisted = error instanceof ApiError && error.status === 500;
    return new ChaosError(unlisted ? 'LISTEN_FAILED' : 'CONFIG_FILE', {
      expected: unlisted ? `the addresses in ${file} to be free` : `${file} to hold a list of proxies`,
      got,
      hint,
    });
  };
  let failed: unknown;
  try {
    failed = (await store.populate(parseBody(readFileSync(file, 'utf8')))).error;
  } catch (error) {
    failed = error;
  }
  if (failed !== undefined) throw wrong(failed);
};

/** The first SIGINT or SIGTERM; `forget`: leave signals alone again. */
const signalled = (): { readonly promise: Promise<void>; readonly forget: () => void } => {
  let run = (): void => {};
  const promise = new Promise<void>((resolve) => {
    run = resolve;
  });
  for (const signal of SIGNALS) process.once(signal, run);
  return {
    promise,
    forget: () => {
      for (const signal of SIGNALS) process.off(signal, run);
    },
  };
};

/**
 * `chaos-proxy serve`: runs until SIGINT or SIGTERM, then closes every proxy.
 * @throws ChaosError FLAG_UNKNOWN, ADDRESS_SYNTAX, SEED_SYNTAX, CONFIG_FILE, LISTEN_FAILED
 */
export const serve = async (
  args: readonly string[],
  { version, help }: { readonly version: string; readonly help: string },
): Promise<void> => {
  const flags = readFlags(args);
  if (flags.help) {
    process.stdout.write(help);
    return;
  }
  const listen = parseAddress(flags.listen ?? '127.0.0.1:8474');
  const seed = flags.seed === undefined ? freshSeed() : parseSeed(flags.seed);
  const over = signalled();
  const store = new ProxyStore(seed);
  try {
    if (flags.config !== undefined) await loadConfig(store, flags.config);
    const server = await ApiServer.start({ listen, store, version });
    const here = addressText({ host: listen.host, port: server.port });
    const count = store.proxies.length;
    process.stdout.write(
      `chaos-proxy serving on http://${here}, seed ${seedText(seed)}, proxies: ${count}\n`,
    );
    await over.promise;
    await server.close();
  } finally {
    over.forget();
    await store.close();
  }
};
