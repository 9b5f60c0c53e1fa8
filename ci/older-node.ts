/** What the programs use and Node 20 does not have yet. In the packed tarball every file that needs it imports this first. */

/** For each name in `NEWER` of ci/pack-build.ts, what stands in for it. */
const MISSING: (readonly [owner: object, name: string, value: unknown])[] = [
  [
    Promise,
    'withResolvers',
    () => {
      let resolve: unknown;
      let reject: unknown;
      const promise = new Promise((yes, no) => {
        resolve = yes;
        reject = no;
      });
      return { promise, resolve, reject };
    },
  ],
  [
    Map,
    'groupBy',
    <Item, Key>(items: Iterable<Item>, keyOf: (item: Item, index: number) => Key): Map<Key, Item[]> => {
      const groups = new Map<Key, Item[]>();
      let index = 0;
      for (const item of items) {
        const key = keyOf(item, index++);
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [item]);
        else group.push(item);
      }
      return groups;
    },
  ],
];

type Keyed<Key, Value> = Pick<Map<Key, Value>, 'has' | 'get' | 'set'>;

for (const { prototype } of [Map, WeakMap])
  MISSING.push([
    prototype,
    'getOrInsertComputed',
    function <Key, Value>(this: Keyed<Key, Value>, key: Key, make: (key: Key) => Value): Value {
      if (this.has(key)) return this.get(key) as Value;
      const value = make(key);
      this.set(key, value);
      return value;
    },
  ]);

for (const [owner, name, value] of MISSING)
  if (!(name in owner)) Object.defineProperty(owner, name, { value, writable: true, configurable: true });
