import t from 'tap';
import { readCapabilities } from './capabilities.ts';

const KNOWN = ['pool', 'event'];
const read = (value: unknown, profile?: string) =>
  readCapabilities(JSON.stringify(value), 'c.json', KNOWN, profile);

t.test('what is not named holds, and limits and time scale are the target’s own', async (t) => {
  const declared = read({ capabilities: { event: false }, limits: { lineBytes: 64 }, timeScale: 0.5 });
  t.equal(declared.has('pool'), true);
  t.equal(declared.has('event'), false);
  t.equal(declared.limit('lineBytes'), 64);
  t.equal(declared.limit('others'), undefined);
  t.equal(declared.timeScale, 0.5);
  t.equal(read({}).timeScale, 1);
});

t.test('what is said for another profile declares nothing', async (t) => {
  const declared = read({ profile: 'yamux', capabilities: { open: false } }, 'port-relay');
  t.equal(declared.profile, 'yamux');
  t.equal(declared.has('event'), true);
  t.equal(read({ profile: 'port-relay', capabilities: { event: false } }, 'port-relay').has('event'), false);
});

for (const [what, value, says] of [
  ['no object', [], /expected an object/],
  ['a mistyped key', { capabilites: {} }, /unknown key 'capabilites'; nearest: 'capabilities'/],
  ['a mistyped capability', { capabilities: { evnt: false } }, /unknown capability 'evnt'; nearest: 'event'/],
  [
    'neither true nor false',
    { capabilities: { event: 'no' } },
    /capabilities\.event: expected true or false, got "no"/,
  ],
  ['a limit of nothing', { limits: { a: 0 } }, /limits\.a: expected a number above 0, got 0/],
  [
    'a time scale out of range',
    { timeScale: 11 },
    /timeScale: expected a number above 0 and up to 10, got 11/,
  ],
  ['a profile that is no name', { profile: 1 }, /profile: expected a text, got 1/],
] as const)
  t.test(`a declaration is refused: ${what}`, async (t) => t.throws(() => read(value), says));

t.test('what is no JSON is named', async (t) => {
  t.throws(() => readCapabilities('{', 'c.json', KNOWN), /c\.json is no JSON/);
});
