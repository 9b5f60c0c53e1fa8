import t from 'tap';
import { type MetricDefinition, MetricRegistry } from './metrics.ts';

const energy = (over: Partial<MetricDefinition> = {}): MetricDefinition => ({
  name: 'energy',
  valueType: 'F64',
  unit: { base: 'J', prefix: '' },
  description: '',
  ...over,
});

t.test(
  'an equal definition is the same metric, whatever its description and spelling of the prefix',
  async (t) => {
    const registry = new MetricRegistry();
    const id = registry.define(energy({ unit: { base: 'J', prefix: 'milli' }, description: 'ours' }));
    for (const prefix of ['milli', 'm'])
      t.equal(registry.define(energy({ unit: { base: 'J', prefix } })), id);
    t.equal(registry.tryDefine(energy({ unit: { base: 'J', prefix: 'm' } }), 'leaf'), id);
    t.equal(registry.get(id)?.description, 'ours');
    t.equal(registry.list.length, 1);
  },
);

const PREFIXES = [
  ['n', 'nano'],
  ['μ', 'micro'],
  ['\u00b5', 'micro'],
  ['m', 'milli'],
  ['k', 'kilo'],
  ['M', 'mega'],
  ['G', 'giga'],
  ['', ''],
  ['u', 'u'],
  ['constructor', 'constructor'],
] as const;
t.test('short prefixes are spelled out, others stay as they are', async (t) => {
  for (const [prefix, plain] of PREFIXES) {
    const registry = new MetricRegistry();
    registry.define(energy({ unit: { base: 'x', prefix } }));
    t.same(registry.list[0]?.unit, { base: 'x', prefix: plain }, prefix);
  }
});

t.test("a client's metric of a name that is taken is renamed, and found again the next time", async (t) => {
  const registry = new MetricRegistry();
  registry.define(energy());
  const others: Partial<MetricDefinition>[] = [
    { valueType: 'U64' },
    { unit: { base: 'W', prefix: '' } },
    { unit: { base: 'J', prefix: 'kilo' } },
  ];
  for (let time = 0; time < 2; time++)
    t.same(
      others.map((other) => registry.get(registry.tryDefine(energy(other), 'leaf') as number)?.name),
      ['energy_relay-client-leaf', 'energy_relay-client-leaf_2', 'energy_relay-client-leaf_3'],
    );
  t.equal(registry.list.length, 4);
});

t.test('our own metric is refused a name that means something else', async (t) => {
  const registry = new MetricRegistry();
  registry.define(energy());
  t.throws(() => registry.define(energy({ unit: { base: 'W', prefix: 'kilo' } })), {
    code: 'METRIC_REFUSED',
    message: /expected energy as F64 in J, got energy as F64 in kilo W \(name taken\)/,
  });
});

t.test('metrics, names and renamings are bounded', async (t) => {
  const small = new MetricRegistry({ metricsMax: 2, nameLengthMax: 4 });
  t.equal(small.tryDefine(energy({ name: 'long-' }), 'leaf'), 'name too long');
  t.same(
    ['a', 'b', 'c', 'a'].map((name) => small.tryDefine(energy({ name }), 'leaf')),
    [0, 1, 'too many metrics', 0],
  );
  const many = new MetricRegistry();
  const bases = Array.from({ length: 200 }, (_, i) =>
    many.tryDefine(energy({ unit: { base: `b${i}`, prefix: '' } }), 'leaf'),
  );
  t.equal(bases.filter((id) => typeof id === 'number').length, 100);
  t.equal(bases.at(-1), 'name taken');
});

t.test('whoever listens hears of new metrics only, until it stops', async (t) => {
  const registry = new MetricRegistry();
  const heard: string[] = [];
  registry.define(energy());
  const stop = registry.onDefined(({ name }) => heard.push(name));
  registry.define(energy());
  registry.define(energy({ name: 'b' }));
  stop();
  registry.define(energy({ name: 'c' }));
  t.same(heard, ['b']);
});
