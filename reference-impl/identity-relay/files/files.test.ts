import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { stmgr } from '../bin/stmgr-command-line.ts';
import { textOf } from '../public-key.ts';
import { readIdentityFile, writeIdentityFile } from './identity-file.ts';
import { addressOf, readTicketFile, relayAddress, writeTicketFile } from './ticket-file.ts';

const vector = (name: string): string => new URL(`../vectors/${name}`, import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'identity-files-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);
const run = (...args: readonly string[]): { code: number; stdout: string; stderr: string } => {
  const said = { stdout: '', stderr: '' };
  const code = stmgr(args, {
    stdout: (text) => {
      said.stdout += text;
    },
    stderr: (text) => {
      said.stderr += text;
    },
  });
  return { code, ...said };
};

t.test('identity and ticket are those of Offset, byte for byte', async (t) => {
  for (const name of ['example', 'generated']) {
    const identity = readIdentityFile(vector(`${name}.ident`));
    const ticket = readTicketFile(vector(`${name}.relay`));
    t.equal(textOf(identity.publicKey), textOf(ticket.publicKey));
    const { code } = run(
      'relay-ticket',
      '-a',
      ticket.address,
      '-i',
      vector(`${name}.ident`),
      '-o',
      file(`${name}.relay`),
    );
    t.equal(code, 0);
    t.equal(readFileSync(file(`${name}.relay`), 'utf8'), readFileSync(vector(`${name}.relay`), 'utf8'));
  }
  const [, seed = ''] = /"privateKey": "(.*)"/.exec(readFileSync(vector('example.ident'), 'utf8')) ?? [];
  writeIdentityFile(file('same.ident'), new Uint8Array(Buffer.from(seed, 'base64url')));
  t.equal(readFileSync(file('same.ident'), 'utf8'), readFileSync(vector('example.ident'), 'utf8'));
});

t.test('a new identity is secret, whole, unlike any other and never written over one', async (t) => {
  t.same(run('gen-ident', '--output', file('a.ident')), { code: 0, stdout: '', stderr: '' });
  t.same(run('gen-ident', '-o', file('b.ident')).code, 0);
  t.equal(statSync(file('a.ident')).mode & 0o777, 0o600);
  t.equal(statSync(file('a.ident')).size, 65);
  const before = readFileSync(file('a.ident'), 'utf8');
  t.not(before, readFileSync(file('b.ident'), 'utf8'));
  const again = run('gen-ident', '-o', file('a.ident'));
  t.equal(again.code, 1);
  t.match(again.stderr, /^stmgr: .*a\.ident: exists already; choose another name[^\n]*\n$/);
  t.equal(readFileSync(file('a.ident'), 'utf8'), before);
  t.notOk(
    readdirSync(folder).some((name) => name.endsWith('.new')),
    'nothing half-written is left',
  );
});

t.test('show says what a file is, and never a private key', async (t) => {
  const { stdout, code } = run('show', vector('example.ident'));
  t.equal(code, 0);
  t.match(stdout, 'Fp8Ib1HlJcyoR_6OEMkXdvDTvIaZ5cx0Kcg-jFEhetI');
  t.notMatch(stdout, 'u84DAKr8', 'the private key');
  t.match(
    run('show', vector('example.relay')).stdout,
    /relay ticket\n.*Fp8Ib.*\n.*relay\.example\.com:4567\n/,
  );
});

t.test('whatever layout, unknown keys and padding are read', async (t) => {
  writeFileSync(
    file('odd.ident'),
    '{"comment":[1],\n\n"privateKey":"u84DAKr8-5nHNqNjhANhrr3ZaskMHsHmbMiCBxGZK7I="}\n',
  );
  t.equal(
    textOf(readIdentityFile(file('odd.ident')).publicKey),
    'Fp8Ib1HlJcyoR_6OEMkXdvDTvIaZ5cx0Kcg-jFEhetI',
  );
});

t.test('what is wrong with a file is said in one line, with what to do', async (t) => {
  const key = 'u84DAKr8-5nHNqNjhANhrr3ZaskMHsHmbMiCBxGZK7I';
  for (const { name, text, says } of [
    {
      name: 'a byte short',
      text: `{"privateKey":"${Buffer.alloc(31).toString('base64url')}"}`,
      says: /has 31 bytes, expected 32/,
    },
    { name: 'standard base64', text: `{"privateKey":"${key.replace('-', '+')}"}`, says: /is no base64url/ },
    { name: 'unused bits', text: `{"privateKey":"${key.slice(0, 42)}J"}`, says: /is no base64url/ },
    { name: 'a number', text: '{"privateKey":7}', says: /has no text called privateKey/ },
    {
      name: 'a ticket',
      text: `{"publicKey":"${key}","address":"a:1"}`,
      says: /has no text called privateKey/,
    },
    { name: 'no JSON', text: 'privateKey', says: /is no JSON object/ },
    { name: 'a list', text: '[]', says: /is no JSON object/ },
    { name: 'empty', text: '', says: /is no JSON object/ },
  ]) {
    writeFileSync(file('bad.ident'), text);
    const { code, stderr } = run('relay-ticket', '-a', 'a:1', '-i', file('bad.ident'), '-o', file('never'));
    t.equal(code, 1, name);
    t.match(stderr, says, name);
    t.equal(stderr.split('\n').length, 2, 'one line');
    t.notMatch(stderr, key.slice(0, 20), 'never the key');
  }
  t.match(run('show', file('nowhere')).stderr, /there is no such file/);
  t.match(run('gen-ident', '-o', join(folder, 'no', 'such', 'x')).stderr, /cannot be written \(ENOENT\)/);
  const long = `${'ä'.repeat(127)}:1`;
  t.equal(run('relay-ticket', '-a', long, '-i', vector('example.ident'), '-o', file('just')).code, 0);
  const longer = run('relay-ticket', '-a', `${long}2`, '-i', vector('example.ident'), '-o', file('long'));
  t.match(longer.stderr, /address has 257 bytes, at most 256/);
  if (process.getuid?.() !== 0) {
    chmodSync(file('a.ident'), 0);
    t.match(run('show', file('a.ident')).stderr, /cannot be read/);
  }
});

t.test('a wrong command line ends with 2, help with 0', async (t) => {
  for (const args of [
    [],
    ['gen-ident'],
    ['gen-ident', '-o', 'x', 'y'],
    ['gen-idnt', '-o', 'x'],
    ['show'],
    ['relay-ticket', '-a', 'x'],
  ])
    t.equal(run(...args).code, 2, args.join(' '));
  t.equal(run('--help').code, 0);
  t.match(run('--help').stdout, /gen-ident[\s\S]*relay-ticket[\s\S]*show/);
  t.match(run('--version').stdout, /^\d+\.\d+\.\d+\n$/);
});

t.test('an address is taken apart, or refused', async (t) => {
  for (const { text, want } of [
    { text: 'relay.example.com:4567', want: { host: 'relay.example.com', port: 4567 } },
    { text: '0.0.0.0:0', want: { host: '0.0.0.0', port: 0 } },
    { text: '[::1]:80', want: { host: '::1', port: 80 } },
    { text: '', want: undefined },
    { text: 'noport', want: undefined },
    { text: '::1:80', want: undefined },
    { text: 'a:65536', want: undefined },
  ])
    t.same(addressOf(text), want, text);
  writeTicketFile(file('noport.relay'), { publicKey: new Uint8Array(32), address: 'noport' });
  t.throws(() => relayAddress(readTicketFile(file('noport.relay')), 'x'), { code: 'ADDRESS_MALFORMED' });
});
