import t from 'tap';
import { checkNat, NAT_ERRORS, NatError, nearest } from './check-nat.ts';
import { durationNote, natNote, portRange, scaled, transitoryMillis } from './nat.ts';
import { PRESET_NAMES, PRESETS, presetNote } from './presets.ts';

const codeOf = (json: unknown): { code: string; path: string; hint: string } => {
  try {
    checkNat(json);
  } catch (error) {
    if (error instanceof NatError) return { code: error.code, path: error.path, hint: error.hint };
    throw error;
  }
  return { code: 'none', path: '', hint: '' };
};

t.test('a preset is read by its name and survives JSON', async (t) => {
  for (const name of PRESET_NAMES) {
    t.strictSame(checkNat(name), PRESETS[name]);
    t.strictSame(checkNat(JSON.parse(JSON.stringify(PRESETS[name]))), PRESETS[name]);
  }
});

t.test('a preset with changes keeps the rest', async (t) => {
  const changed = checkNat({ preset: 'home', idle: { establishedMillis: 4_000 }, hairpin: false });
  t.strictSame(changed, {
    ...PRESETS.home,
    idle: { establishedMillis: 4_000, notify: 'silent' },
    hairpin: false,
  });
});

t.test('what cannot be meant is refused with the place and the nearest right word', async (t) => {
  const home = PRESETS.home;
  const cases: readonly [string, unknown, string, string, string][] = [
    ['misspelt preset', 'hoem', 'NAT_UNKNOWN_WORD', 'nat', 'home'],
    ['nothing', undefined, 'NAT_SHAPE', 'nat', 'README'],
    ['a list', [], 'NAT_SHAPE', 'nat', 'README'],
    ['missing field', { mapping: { kind: 'random' } }, 'NAT_MISSING', 'nat.idle', 'preset'],
    ['misspelt field', { ...home, filtring: 'x' }, 'NAT_UNKNOWN_FIELD', 'nat.filtring', 'filtering'],
    [
      'misspelt word',
      { ...home, idle: { establishedMillis: 1, notify: 'slient' } },
      'NAT_UNKNOWN_WORD',
      'nat.idle.notify',
      'silent',
    ],
    [
      'other word',
      { ...home, mapping: { kind: 'preserve' } },
      'NAT_UNKNOWN_WORD',
      'nat.mapping.kind',
      'preserving',
    ],
    [
      'ports without range',
      { ...home, mapping: { kind: 'random', ports: 4 } },
      'NAT_UNKNOWN_FIELD',
      'nat.mapping.ports',
      'range',
    ],
    [
      'range without ports',
      { ...home, mapping: { kind: 'range' } },
      'NAT_MISSING',
      'nat.mapping.ports',
      'preset',
    ],
    [
      'no port at all',
      { ...home, mapping: { kind: 'range', ports: 0 } },
      'NAT_OUT_OF_RANGE',
      'nat.mapping.ports',
      'whole',
    ],
    [
      'half a millisecond',
      { preset: 'home', idle: { establishedMillis: 0.5 } },
      'NAT_OUT_OF_RANGE',
      'nat.idle.establishedMillis',
      'whole',
    ],
    ['three deep', { ...home, depth: 3 }, 'NAT_OUT_OF_RANGE', 'nat.depth', 'carrier'],
    ['a quoted truth', { ...home, hairpin: 'yes' }, 'NAT_UNKNOWN_WORD', 'nat.hairpin', 'quotes'],
  ];
  const codes = new Set<string>();
  for (const [name, json, code, path, hint] of cases) {
    const got = codeOf(json);
    codes.add(got.code);
    t.equal(`${got.code} ${got.path}`, `${code} ${path}`, name);
    t.ok(got.hint.includes(hint), `${name}: ${got.hint}`);
  }
  t.strictSame([...codes].sort(), Object.keys(NAT_ERRORS).sort(), 'every code can happen');
  t.equal(nearest('HOSTIL', PRESET_NAMES), 'hostile');
});

t.test('timeScale changes durations and nothing else', async (t) => {
  t.strictSame(scaled(PRESETS.home, 0.01), {
    ...PRESETS.home,
    idle: { establishedMillis: 3_000, notify: 'silent' },
  });
  t.equal(scaled(PRESETS.hostile, 1e-9).idle.establishedMillis, 1, 'never nothing');
  for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => scaled(PRESETS.home, wrong), RangeError);
});

t.test('the rfc5382 preset keeps the limits of its RFC', async (t) => {
  t.equal(PRESETS.rfc5382.idle.establishedMillis, (2 * 60 + 4) * 60_000);
  t.equal(transitoryMillis(PRESETS.rfc5382), 240_000);
  t.equal(
    transitoryMillis(PRESETS.hostile),
    PRESETS.hostile.idle.establishedMillis,
    'never above the established one',
  );
});

t.test('notes say it in words', async (t) => {
  t.match(presetNote('home'), /^ports kept, idle 300 s/);
  t.match(presetNote('rfc5382'), /idle 2 h 4 min/);
  t.match(presetNote('cgnat'), /^512 ports, .* behind a carrier NAT/);
  t.match(natNote({ ...PRESETS.strict, unsolicited: 'reset' }), /refuses from outside/);
  const durations = [20, 1_500, 60_000, 300_000, 660_000, 3_600_000, 7_440_000].map(durationNote);
  t.strictSame(durations, ['20 ms', '1.5 s', '60 s', '300 s', '11 min', '1 h', '2 h 4 min']);
});

t.test('blocks of ports do not overlap and end below 65536', async (t) => {
  t.strictSame(portRange(512), { first: 20_000, last: 20_511 });
  t.strictSame(portRange(512, 1), { first: 20_512, last: 21_023 });
  t.strictSame(portRange(64_512), { first: 1_024, last: 65_535 });
  t.throws(() => portRange(512, 89), RangeError);
});
