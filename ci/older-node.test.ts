/** What stands in on Node 20 behaves as what newer ones have: compared with it, where it is here. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const OLDER = fileURLToPath(new URL('./older-node.ts', import.meta.url));
/** Takes the built-ins away, lets the file put its own there, and uses them. */
const TRIED = `
  delete Promise.withResolvers; delete Map.groupBy;
  for (const { prototype } of [Map, WeakMap]) delete prototype.getOrInsertComputed;
  await import(${JSON.stringify(OLDER)});
  const { promise, resolve } = Promise.withResolvers();
  resolve(1);
  const made = [];
  const map = new Map([['there', undefined]]);
  const make = (key) => (made.push(key), key.length);
  const got = ['there', 'new', 'new'].map((key) => map.getOrInsertComputed(key, make) ?? null);
  const object = {};
  const weak = new WeakMap();
  console.log(JSON.stringify({
    resolved: await promise,
    groups: [...Map.groupBy([1, 2, 3], (n) => n % 2)],
    got, made,
    weak: [weak.getOrInsertComputed(object, () => 7), weak.get(object)],
    hidden: Object.keys(Map.prototype),
  }));
`;

t.test('each built-in that is missing is stood in for', async (t) => {
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', TRIED], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  t.same(JSON.parse(said), {
    resolved: 1,
    groups: [
      [1, [1, 3]],
      [0, [2]],
    ],
    got: [null, 3, 3],
    made: ['new'],
    weak: [7, 7],
    hidden: [],
  });
});
