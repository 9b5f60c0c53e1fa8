import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const INDEX = new URL('./index.ts', import.meta.url);

/** Every file that a module imports, itself included. */
const reached = (from: URL, seen = new Map<string, string>()): ReadonlyMap<string, string> => {
  if (seen.has(from.href) || !existsSync(from)) return seen;
  const text = readFileSync(from, 'utf8');
  seen.set(from.href, text);
  for (const [, name = ''] of text.matchAll(/from '([^']+)'/g))
    if (name.startsWith('.')) reached(new URL(name, from), seen);
  return seen;
};

t.test('the main entry imports nothing of Node, and names no global of its', async (t) => {
  const files = reached(INDEX);
  t.ok(files.size > 25, `${files.size} files`);
  for (const [file, text] of files) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const [, name = ''] of code.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'/gm))
      t.ok(name.startsWith('.'), `${fileURLToPath(file).split('/').at(-1)} imports ${name}`);
    t.notMatch(code, /\bprocess\.|\brequire\(|\bBuffer\.(from|alloc)/, fileURLToPath(file));
  }
});

t.test('without Buffer the same bytes are written and read', async (t) => {
  const program = `
    const native = globalThis.Buffer;
    const without = process.argv[1] === 'without';
    if (without) { delete globalThis.Buffer; delete String.prototype.isWellFormed; }
    const { compile, p } = await import(${JSON.stringify(INDEX.href)});
    const texts = ['', 'ascii', 'é'.repeat(30), 'a'.repeat(200), '€'.repeat(70), '\\ufeffbom', '\\u{1f600}', '\\ufffd', 'x'.repeat(70000)];
    const codec = compile(p.seq(p.str));
    const bytes = codec.encode(texts);
    const kinds = [];
    for (const bad of [[1, 1, 255], [1, 3, 0xed, 0xa0, 0x80]]) kinds.push(codec.safeDecode(Uint8Array.from(bad)).error.kind);
    for (const bad of ['\\ud800', 'a'.repeat(50) + '\\udc00x'])
      try { codec.encode([bad]); } catch (error) { kinds.push(error.kind, error.path); }
    let sum = 0;
    for (const byte of bytes) sum = (sum * 31 + byte) >>> 0;
    console.log(JSON.stringify([without === (globalThis.Buffer === undefined), bytes.length, sum, codec.decode(bytes).join() === texts.join(), kinds]));`;
  const outcome = async (how: string): Promise<unknown> => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program, how]);
    return JSON.parse(stdout);
  };
  const [without, withBuffer] = [await outcome('without'), await outcome('with')];
  t.same(without, withBuffer);
  t.match(without, [
    true,
    Number,
    Number,
    true,
    ['DeserializeBadUtf8', 'DeserializeBadUtf8', 'SerializeBadValue', '[0]', 'SerializeBadValue', '[0]'],
  ]);
});
