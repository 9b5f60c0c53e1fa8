import t from 'tap';
import { FAILED, result } from '../../report/gate/testing/sample-gate.ts';
import { type BaselineEntry, compared, readBaseline, updated } from './baseline.ts';

const IDS = ['port-relay/reg/a', 'port-relay/reg/b', 'port-relay/pool/c'];
const ENTRY: BaselineEntry = {
  ...{ case: 'port-relay/reg/a', reason: 'see 31', link: '', owner: 'ana', expires: '2027-01-31' },
};
const text = (...entries: readonly object[]): string => JSON.stringify(entries);
const FRESH = { owner: 'ben', reason: '', link: 'https://example.org/31', expires: '2027-03-01' };
const LATE = { verdict: 'inconclusive', blame: 'environment' } as const;

t.test('a list is read as it was written', async (t) => {
  t.same(readBaseline(text(ENTRY), 'b.json', IDS), [ENTRY]);
  t.same(readBaseline('[]', 'b.json', IDS), []);
  t.equal(readBaseline(text({ ...ENTRY, case: 'port-relay/reg/a@mobile' }), 'b.json', IDS).length, 1);
});

for (const [what, given, says] of [
  ['no JSON', '{', /b\.json is no JSON/],
  ['no list', '{}', /expected a list/],
  ['no object', '[1]', /entry 1: expected an object/],
  [
    'a mistyped id',
    text({ ...ENTRY, case: 'port-relay/reg/aa' }),
    /unknown case 'port-relay\/reg\/aa'; nearest: 'port-relay\/reg\/a'/,
  ],
  [
    'a mistyped path',
    text({ ...ENTRY, case: 'port-relay/reg/a@mobil+hostile' }),
    /unknown path 'mobil\+hostile'; nearest: 'mobile\+hostile'/,
  ],
  ['a mistyped field', text({ ...ENTRY, ownr: 'x' }), /unknown field 'ownr'; nearest: 'owner'/],
  ['a missing field', text({ ...ENTRY, reason: undefined }), /reason: expected a text, got undefined/],
  ['no reason', text({ ...ENTRY, reason: ' ' }), /reason and owner must say something/],
  ['no day', text({ ...ENTRY, expires: 'soon' }), /expires: expected a day/],
  ['a day that is none', text({ ...ENTRY, expires: '2027-13-40' }), /expires: expected a day/],
  ['twice', text(ENTRY, ENTRY), /listed twice/],
] as const)
  t.test(`a list is refused: ${what}`, async (t) => {
    t.throws(() => readBaseline(given, 'b.json', IDS), says);
  });

t.test('what fails as listed is known, and what passes or has expired is stale', async (t) => {
  const failing = [result('reg/a', FAILED)];
  t.same([...compared([ENTRY], failing, '2027-01-31').known.keys()], ['port-relay/reg/a@direct']);
  t.same(compared([ENTRY], failing, '2027-02-01').stale, [{ entry: ENTRY, why: 'it expired on 2027-01-31' }]);
  t.equal(
    compared([ENTRY], failing, '2027-02-01').known.size,
    1,
    'a failure whose entry has expired is no news: the list is what is out of date',
  );
  t.same(compared([ENTRY], [result('reg/a')], '2026-11-21').stale, [
    { entry: ENTRY, why: 'the case passes now' },
  ]);
});

t.test('nothing is said of a case that was not judged, or only undecided', async (t) => {
  for (const results of [
    [],
    [result('reg/b')],
    [result('reg/a', LATE)],
    [result('reg/a', { verdict: 'not-applicable' })],
  ])
    t.equal(compared([ENTRY], results, '2026-11-21').stale.length, 0);
});

t.test('an entry for one path excuses that path alone', async (t) => {
  const entry = { ...ENTRY, case: 'port-relay/reg/a@mobile' };
  const results = [result('reg/a', { ...FAILED, path: 'mobile' }), result('reg/a', FAILED)];
  t.same([...compared([entry], results, '2026-11-21').known.keys()], ['port-relay/reg/a@mobile']);
});

t.test('an update adds what fails anew, keeps what is known, and strikes off what passes', async (t) => {
  const other = { ...ENTRY, case: 'port-relay/reg/b' };
  const unjudged = { ...ENTRY, case: 'port-relay/pool/c' };
  const after = updated(
    [ENTRY, other, unjudged],
    [result('reg/a', FAILED), result('reg/b'), result('reg/d', FAILED)],
    FRESH,
  );
  t.same(
    after.map((entry) => entry.case),
    ['port-relay/pool/c', 'port-relay/reg/a', 'port-relay/reg/d'],
  );
  t.same(after[1], ENTRY, 'as it was');
  t.same(after[2], { case: 'port-relay/reg/d', ...FRESH, reason: 'fails: "04001"' });
});

t.test('an update lists a path where only that one breaks', async (t) => {
  const results = [
    result('reg/a', { ...FAILED, path: 'mobile' }),
    result('reg/a'),
    result('reg/b', { ...FAILED, path: 'mobile' }),
    result('reg/b', FAILED),
  ];
  t.same(
    updated([], results, FRESH).map((entry) => entry.case),
    ['port-relay/reg/a@mobile', 'port-relay/reg/b'],
  );
});

t.test('an update neither lists a SHOULD nor what was undecided, nor strikes that off', async (t) => {
  t.same(updated([], [result('reg/a', { ...FAILED, level: 'SHOULD' }), result('reg/b', LATE)], FRESH), []);
  t.same(updated([ENTRY], [result('reg/a', LATE)], FRESH), [ENTRY]);
});

t.test('an updated list makes the same run pass', async (t) => {
  const results = [result('reg/a', FAILED), result('reg/b')];
  const { known, stale } = compared(updated([], results, FRESH), results, '2026-11-21');
  t.equal(known.size, 1);
  t.equal(stale.length, 0);
});
