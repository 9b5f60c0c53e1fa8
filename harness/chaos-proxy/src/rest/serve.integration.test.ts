import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { within } from '../../testing/tcp-pair.ts';
import { serve } from './serve-command.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chaos-proxy-serve-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const start = (...args: string[]): ChildProcess => {
  const child = spawn(process.execPath, [CLI, 'serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
};
/** The line it prints when it is ready. */
const ready = async (child: ChildProcess): Promise<{ line: string; url: string }> => {
  const [chunk] = await within(once(child.stdout as NodeJS.ReadableStream, 'data'), 'first line');
  const line = String(chunk);
  return { line, url: /http:\/\/[\d.:]+/.exec(line)?.[0] ?? '' };
};
const ended = async (child: ChildProcess): Promise<{ code: number; stderr: string }> => {
  const stderr = text(child.stderr as NodeJS.ReadableStream);
  const [code] = await within(once(child, 'exit'), 'exit');
  return { code: code as number, stderr: await stderr };
};

t.test('a dump starts the same set-up, and a signal ends it', async (t) => {
  const first = start('--listen', '127.0.0.1:0', '--seed', '1F3A9C02');
  const { line, url } = await ready(first);
  t.match(line, /^chaos-proxy serving on http:\/\/127\.0\.0\.1:\d+, seed 1f3a9c02, proxies: 0\n$/);
  const ask = (path: string, body?: object): Promise<Response> =>
    fetch(`${url}${path}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  await ask('/proxies', { name: 'a', listen: '127.0.0.1:0', upstream: '127.0.0.1:9' });
  await ask('/proxies/a/toxics', { type: 'latency', attributes: { latency: 5, forMillis: 9 } });
  const dump = await (await ask('/dump')).text();
  const { listen } = JSON.parse(dump)[0];
  first.kill('SIGINT');
  t.match(await ended(first), { code: 0, stderr: '' });

  const file = join(folder, 'proxies.json');
  writeFileSync(file, dump);
  const second = start('--listen', '127.0.0.1:0', '--config', file);
  const again = await ready(second);
  t.match(again.line, /proxies: 1\n$/);
  t.equal(await (await fetch(`${again.url}/dump`)).text(), dump, 'ports and seeds included');
  const user = connect(Number(listen.split(':')[1]), '127.0.0.1').on('error', () => {});
  await within(once(user, 'connect'), 'connect');
  second.kill('SIGTERM');
  t.match(await ended(second), { code: 0, stderr: '' }, 'with a connection open');
  user.destroy();
});

t.test('what cannot work ends with a code and a hint', async (t) => {
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const server = start('--listen', '127.0.0.1:0');
  const listen = (await ready(server)).url.slice('http://'.length);
  const entry = { name: 'a', upstream: '127.0.0.1:9' };
  const rows: readonly (readonly [args: string[], code: string, message: RegExp])[] = [
    [['--lisen', 'x'], 'FLAG_UNKNOWN', /did you mean '--listen'\?/],
    [['--config'], 'FLAG_UNKNOWN', /argument missing/],
    [['--seed', 'xyz'], 'SEED_SYNTAX', /hexadecimal/],
    [['--listen', 'nowhere'], 'ADDRESS_SYNTAX', /HOST:PORT/],
    [['--config', join(folder, 'none.json')], 'CONFIG_FILE', /ENOENT/],
    [['--config', file('a.json', '{')], 'CONFIG_FILE', /bad request body/],
    [['--config', file('b.json', '[{}]')], 'CONFIG_FILE', /missing required field: name at proxy 1/],
    [
      ['--config', file('c.json', JSON.stringify([{ ...entry, toxics: [{ type: 'latncy' }] }]))],
      'CONFIG_FILE',
      /invalid toxic type - did you mean 'latency'\?/,
    ],
    [['--config', file('d.json', JSON.stringify([{ ...entry, listen }]))], 'LISTEN_FAILED', /already in use/],
    [['--listen', listen], 'LISTEN_FAILED', /EADDRINUSE/],
  ];
  for (const [args, code, message] of rows)
    await t.rejects(serve(args, { version: '0', help: '' }), { code, message }, args.join(' '));
  const usage = await ended(start('--config', join(folder, 'a.json')));
  t.match([usage.code, usage.stderr], [2, /^chaos-proxy: CONFIG_FILE/]);
  const failed = await ended(start('--listen', listen));
  t.match([failed.code, failed.stderr], [3, /^chaos-proxy: LISTEN_FAILED/]);
  server.kill('SIGTERM');
  await ended(server);
});

t.test('help tells flags and types of toxics', async (t) => {
  const child = start('--help');
  const out = await text(child.stdout as NodeJS.ReadableStream);
  for (const word of ['--config FILE', 'average_size', 'cutAfter', 'GET /dump'])
    t.ok(out.includes(word), word);
});
