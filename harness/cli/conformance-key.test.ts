import { join } from 'node:path';
import t from 'tap';
import type { Profile } from '../conformance/case.ts';
import { PROFILES } from '../conformance/suites/registry.ts';
import { targetKeyOf } from './conformance-key.ts';
import type { TargetFlags } from './conformance-target.ts';

const KEY = 'Kioqr9BoJYPoXovTu0hbzFISxL3SJEjOyXRGwyNO1_8';
const FLAGS: TargetFlags = {
  ...{ exec: undefined, address: '127.0.0.1:1', image: undefined },
  ...{ pid: undefined, key: undefined, ticket: undefined },
};
const named = (name: string): Profile => PROFILES.find((profile) => profile.name === name) as Profile;
const keyOf = (profile: string, flags: Partial<TargetFlags>) =>
  targetKeyOf(named(profile), { ...FLAGS, ...flags });

const WRONG: readonly (readonly [string, string, Partial<TargetFlags>, RegExp])[] = [
  [
    'a relay that runs already, without a key, with every way to give one',
    'identity-relay',
    {},
    /must be told who[\s\S]*--key PUBLICKEY[\s\S]*43 letters[\s\S]*--ticket FILE[\s\S]*--exec '.*\{idfile\}/,
  ],
  ['a key that is too short', 'identity-relay', { key: KEY.slice(1) }, /expected 32 bytes.*got 42 letters/],
  ['a key in hex', 'identity-relay', { key: 'ab'.repeat(32) }, /is no public key/],
  ['a key in the other base64', 'identity-relay', { key: KEY.replace('_', '/') }, /no public key/],
  ['a key with bits left over', 'identity-relay', { key: `${KEY.slice(0, -1)}9` }, /no public key/],
  ['a key of a profile that has none', 'port-relay', { key: KEY }, /port-relay knows no public keys.*--key/],
  ['a ticket of a client', 'identity-node', { ticket: 'x' }, /knows no public keys: leave --ticket out/],
  ['two keys', 'identity-relay', { key: KEY, ticket: 'x' }, /give one/],
  [
    'a key beside our identity file',
    'identity-relay',
    { key: KEY, exec: './x {idfile}', address: undefined },
    /\{idfile\} in the command says who.*leave --key out/,
  ],
  [
    'a ticket that is not there',
    'identity-relay',
    { ticket: 'no.relay' },
    /no\.relay cannot be read: ENOENT/,
  ],
];
for (const [what, profile, flags, says] of WRONG)
  t.test(`refused: ${what}`, async (t) => t.throws(() => keyOf(profile, flags), says));

t.test('files that are no tickets are told apart', async (t) => {
  const folder = t.testdir({
    text: 'publicKey',
    list: '[]',
    null: 'null',
    'relay.ident': '{"privateKey":"c2VjcmV0"}',
    short: '{"publicKey":"c2hvcnQ"}',
  });
  for (const [file, says] of [
    ['text', /is no ticket: .*JSON[\s\S]*stmgr relay-ticket/],
    ['list', /is no ticket: expected a JSON object/],
    ['null', /is no ticket: expected a JSON object/],
    ['relay.ident', /is an identity, which is secret/],
    ['short', /publicKey in .*short is no public key/],
  ] as const)
    t.throws(() => keyOf('identity-relay', { ticket: join(folder, file) }), says, file);
});

t.test('a key is taken from either, and asked for only where it must be', async (t) => {
  const bytes = new Uint8Array(Buffer.from(KEY, 'base64url'));
  const ticket = join(
    t.testdir({ 'our.relay': JSON.stringify({ publicKey: `${KEY}=`, address: 'relay:1' }) }),
    'our.relay',
  );
  t.same(new Uint8Array(keyOf('identity-relay', { key: KEY }) ?? []), bytes);
  t.same(new Uint8Array(keyOf('identity-relay', { ticket }) ?? []), bytes);
  t.same(new Uint8Array(keyOf('identity-relay', { exec: './x', address: undefined, key: KEY }) ?? []), bytes);
  t.equal(keyOf('identity-relay', { exec: './x {idfile}', address: undefined }), undefined);
  t.equal(keyOf('identity-relay', { image: 'relay:1', address: undefined }), undefined);
  t.equal(keyOf('port-relay', {}), undefined);
});
