#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { addressText, parseAddress } from './address.ts';
import { ChaosError } from './chaos-error.ts';
import { readAttribute } from './faults/attribute.ts';
import { nearest, parseFault } from './faults/check.ts';
import { FLAGS, helpText, serveHelpText } from './help.ts';
import { profileOf } from './profiles.ts';
import { type ChaosProxy, createChaosProxy } from './proxy.ts';
import { serve } from './rest/serve-command.ts';
import { freshSeed, parseSeed, seedText } from './seed.ts';

const EXIT = { done: 0, usage: 2, failed: 3 } as const;

const flagError = (code: 'FLAG_UNKNOWN' | 'FLAG_MISSING', expected: string, got: string, hint: string) =>
  new ChaosError(code, { expected, got, hint });

const readFlags = (args: readonly string[]) => {
  const names = Object.keys(FLAGS);
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && !names.includes(name))
      throw flagError('FLAG_UNKNOWN', 'a known flag', arg, `did you mean '--${nearest(name, names)}'?`);
  }
  try {
    const text = { type: 'string' } as const;
    return parseArgs({
      args: [...args],
      options: {
        listen: text,
        upstream: text,
        fault: { type: 'string', multiple: true },
        profile: { type: 'string', multiple: true },
        seed: text,
        keepalive: text,
        duration: text,
        receipts: text,
        help: { type: 'boolean' },
        version: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw flagError('FLAG_UNKNOWN', 'flags and their values', (error as Error).message, 'see --help');
  }
};

const readMillis = (name: string, text: string | undefined): number | undefined =>
  text === undefined
    ? undefined
    : (readAttribute('--', { name, type: 'millis', standard: '', note: 'for example 10s' }, text) as number);

const readSetup = (flags: ReturnType<typeof readFlags>) => {
  if (flags.upstream === undefined)
    throw flagError('FLAG_MISSING', '--upstream HOST:PORT', 'nothing', 'say where connections are to go');
  const receipts: string = flags.receipts ?? 'text';
  if (receipts !== 'text' && receipts !== 'json')
    throw flagError('FLAG_UNKNOWN', '--receipts text | json', `'${receipts}'`, 'see --help');
  const profiles = (flags.profile ?? []).flatMap((name) => profileOf(name).faults);
  return {
    upstream: parseAddress(flags.upstream),
    listen: parseAddress(flags.listen ?? '127.0.0.1:0'),
    faults: [...profiles, ...(flags.fault ?? []).map(parseFault)],
    seed: flags.seed === undefined ? freshSeed() : parseSeed(flags.seed),
    keepaliveMillis: readMillis('keepalive', flags.keepalive),
    durationMillis: readMillis('duration', flags.duration),
    receipts: receipts as 'text' | 'json',
  };
};

/** Resolves on SIGINT or SIGTERM, or when the time is over. */
const over = (durationMillis: number | undefined): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    if (durationMillis !== undefined) setTimeout(resolve, durationMillis).unref();
  });

const printReceipts = (proxy: ChaosProxy, form: 'text' | 'json'): void => {
  for (const receipt of proxy.receipts())
    process.stdout.write(
      form === 'json' ? `${JSON.stringify(receipt)}\n` : `receipt ${receipt.id}: ${receipt.text}\n`,
    );
};

const version = (): string =>
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

const main = async (args: readonly string[]): Promise<number> => {
  if (args[0] === 'serve') {
    await serve(args.slice(1), { version: version(), help: serveHelpText() });
    return EXIT.done;
  }
  const flags = readFlags(args);
  if (flags.help) {
    process.stdout.write(helpText());
    return EXIT.done;
  }
  if (flags.version) {
    process.stdout.write(`chaos-proxy ${version()}\n`);
    return EXIT.done;
  }
  const setup = readSetup(flags);
  const { listen, upstream, faults, seed, keepaliveMillis } = setup;
  const kept = keepaliveMillis === undefined ? {} : { keepaliveMillis };
  const end = over(setup.durationMillis);
  const proxy = await createChaosProxy({ listen, upstream, faults, seed, static: true, ...kept });
  const here = addressText({ host: listen.host, port: proxy.port });
  const kinds = faults.map(({ kind }) => kind).join(', ') || 'none';
  process.stdout.write(
    `chaos-proxy ready on ${here}, upstream ${addressText(upstream)}, seed ${seedText(seed)}, faults: ${kinds}\n`,
  );
  await end;
  printReceipts(proxy, setup.receipts);
  await proxy.close();
  return EXIT.done;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`chaos-proxy: ${error instanceof Error ? error.message : String(error)}\n`);
  const usage = error instanceof ChaosError && error.code !== 'LISTEN_FAILED';
  process.exitCode = usage ? EXIT.usage : EXIT.failed;
}
