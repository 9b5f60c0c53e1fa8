import t from 'tap';
import { selected } from './selection.ts';

const IDS = ['p/reg/a', 'p/reg/ab', 'p/pool/a', 'p/pool/deep/c'];
const pick = (...wanted: readonly string[]): readonly string[] => [...selected('p', IDS, wanted)];

t.test('nothing asked for is everything', async (t) => t.same(pick(), IDS));

for (const [wanted, found] of [
  [['p/reg/a'], ['p/reg/a']],
  [['reg/a'], ['p/reg/a']],
  [['reg'], ['p/reg/a', 'p/reg/ab']],
  [['reg/'], ['p/reg/a', 'p/reg/ab']],
  [['*/a'], ['p/reg/a', 'p/pool/a']],
  [['reg/a*'], ['p/reg/a', 'p/reg/ab']],
  [['**/c'], ['p/pool/deep/c']],
  [
    ['reg/a', 'pool/a', 'reg/a'],
    ['p/reg/a', 'p/pool/a'],
  ],
] as const)
  t.test(`${wanted.join(' and ')} is ${found.join(', ')}`, async (t) => t.same(pick(...wanted), found));

t.test('what matches nothing is an error that names the nearest', async (t) => {
  t.throws(() => pick('reg/a', 'reg/abc'), /unknown case 'reg\/abc'; nearest: 'p\/reg\/ab'/);
  t.throws(() => pick('reg/*/x'), /unknown case/);
  t.throws(() => pick('re.*'), /unknown case/, 'a glob is no regular expression');
});
