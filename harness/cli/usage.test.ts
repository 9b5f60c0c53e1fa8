import t from 'tap';
import { oneOf, seed, UsageError, unknown, whole } from './usage.ts';

t.test('an unknown name is told with the nearest one, if one is near', (t) => {
  const known = ['nat-pool', 'event-storm'];
  t.equal(
    unknown('scenario', 'nat-pol', known).message,
    "unknown scenario 'nat-pol'. Nearest: 'nat-pool'. There are: nat-pool, event-storm.",
  );
  t.notMatch(unknown('scenario', 'x', known).message, /Nearest/);
  t.notMatch(unknown('scenario', 'x', []).message, /Nearest/);
  t.end();
});

t.test('numbers, seeds and names are taken within their bounds', (t) => {
  const sites = whole('--sites', 1, 100);
  for (const [text, value] of [
    ['1', 1],
    ['100', 100],
    ['007', 7],
  ] as const)
    t.equal(sites(text), value);
  for (const text of ['0', '101', '-1', '1.5', '1e2', '', ' 3', 'x'])
    t.throws(() => sites(text), UsageError, text);
  for (const [text, value] of [
    ['0', 0],
    ['7F3a91', 0x7f3a91],
    ['ffffffff', 0xffffffff],
  ] as const)
    t.equal(seed(text), value);
  for (const text of ['', '0x1', '123456789', 'g', '-1']) t.throws(() => seed(text), UsageError, text);
  const lab = oneOf('lab', ['sim', 'local']);
  t.equal(lab('sim'), 'sim');
  t.throws(() => lab('smi'), /Nearest: 'sim'/);
  t.end();
});
