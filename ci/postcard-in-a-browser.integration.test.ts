/** postcard-ts runs in browsers, whatever their page's policy allows: its sources, with the types taken off, in a real one. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { browserFor, noBrowser } from '../harness/report/testing/browser-pages.ts';
import { ROOT } from './tree.ts';

const SOURCES = join(ROOT, 'reference-impl/postcard-ts/src');

/** What a page does; it puts what it found, or what went wrong, where the test looks. */
const PROGRAM = `
import { columns, compile, decodeStream, encodeStream, LengthPrefixed, p, PostcardError } from '/index.ts';
const Row = p.struct({ id: p.u64, name: p.str, value: p.enum({ F64: p.f64, List: p.seq(p.u8) }), tags: p.seq(p.str) });
const rows = Array.from({ length: 3000 }, (_, i) => ({
  id: i * 1000, name: i % 2 ? 'büro' : 'cpu_core',
  value: i % 3 ? { tag: 'F64', value: i / 7 } : { tag: 'List', value: [1, 2] }, tags: ['a', String(i)],
}));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const run = async () => {
  const codec = compile(p.seq(Row));
  const bytes = codec.encode(rows);
  const found = { mode: codec.mode, objects: same(codec.decode(bytes), rows), tables: {}, refused: '', streamed: 0 };
  for (const text of ['dict', 'ref']) {
    const reader = columns(Row, { text });
    found.tables[text] = reader.mode + ' ' + same(reader.decode(bytes).rows(), rows);
  }
  try { columns(Row).decode(bytes.subarray(0, bytes.length - 1)); } catch (error) {
    found.refused = error instanceof PostcardError ? error.path : String(error);
  }
  const one = compile(Row);
  const stream = new ReadableStream({ start(c) { for (const row of rows) c.enqueue(row); c.close(); } });
  const back = stream.pipeThrough(encodeStream(one)).pipeThrough(decodeStream(one, new LengthPrefixed()));
  for (const reader = back.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    if (same(value, rows[found.streamed])) found.streamed++;
  }
  return found;
};
globalThis.outcome = run().catch((error) => ({ error: String(error) }));
`;

/** Serves the sources, and a page with a policy in its query. @returns its address */
const serve = async (t: Test): Promise<string> => {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      const policy = searchParams.get('policy') ?? '';
      const headers = { 'content-type': 'text/html', ...(policy && { 'content-security-policy': policy }) };
      response.writeHead(200, headers).end('<script type="module" src="/program.ts"></script>');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/javascript' });
    const text = pathname === '/program.ts' ? PROGRAM : readFileSync(join(SOURCES, pathname), 'utf8');
    response.end(stripTypeScriptTypes(text));
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
};

const FOUND = { objects: true, refused: '[2999].tags[1]', streamed: 3000 };
const POLICIES = [
  ['no policy', '', 'compiled'],
  ["script-src 'self'", "script-src 'self'", 'no-eval'],
  ["no WebAssembly, but 'unsafe-eval'", "script-src 'self' 'unsafe-eval'", 'compiled'],
  ["no eval, but 'wasm-unsafe-eval'", "script-src 'self' 'wasm-unsafe-eval'", 'no-eval'],
] as const;

t.test('codecs, columns and streams in a browser', { skip: noBrowser }, async (t) => {
  const address = await serve(t);
  const browser = await browserFor(t);
  for (const [name, policy, mode] of POLICIES) {
    const page = await browser.newPage();
    const broken: string[] = [];
    page.on('pageerror', (error) => broken.push(String(error)));
    await page.goto(`${address}?policy=${encodeURIComponent(policy)}`);
    await page.waitForFunction("'outcome' in globalThis");
    const tables = { dict: `${mode} true`, ref: `${mode} true` };
    t.same(await page.evaluate('outcome'), { ...FOUND, mode, tables }, name);
    t.same(broken, [], name);
    await page.close();
  }
});
