import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { StoredPoint } from '../measure/store-watch.ts';
import { CsvRows, metricIn } from './csv-rows.ts';

const METRICS = [
  { name: 'power', unit: { base: 'W', prefix: '' } },
  { name: 'shared', unit: { base: 'W', prefix: 'milli' } },
  { name: 'shared', unit: { base: 'J', prefix: '' } },
  { name: 'packets', unit: { base: '1', prefix: '' } },
];
const COLUMNS = 'metric;timestamp;value;resource_kind;resource_id;consumer_kind;consumer_id';
const HEADER = `${COLUMNS};relay_client;__late_attributes\n`;
const TIME = '2025-06-15T15:06:40.123456000Z';
const row = (value: number | string, client = 'a', metric = 'power_W', time = TIME): string =>
  `${metric};${time};${value};local_machine;;relaylab_agent;${client};${client};\n`;
const point = (value: number | undefined, client = 'a'): StoredPoint => ({
  ...{ client, consumer: client, metric: 'power', value, micros: 123_456 },
});

const stage = (t: Test): { readonly path: string; readonly all: () => Promise<readonly StoredPoint[]> } => {
  const path = join(t.testdir(), 'points.csv');
  const rows = new CsvRows(path, METRICS);
  const all = async (): Promise<readonly StoredPoint[]> => {
    const found: StoredPoint[] = [];
    for (let next = await rows.next(); next.length > 0; next = await rows.next()) found.push(...next);
    return found;
  };
  return { path, all };
};

t.test('every whole row is a point, once, in the order of the file', async (t) => {
  const { path, all } = stage(t);
  t.strictSame(await all(), [], 'there is no file yet');
  writeFileSync(path, '');
  t.strictSame(await all(), []);
  appendFileSync(path, HEADER + row(0) + row(1, 'b').slice(0, -9));
  t.strictSame(await all(), [point(0)], 'what has no end yet is none');
  appendFileSync(path, row(1, 'b').slice(-9) + row(2));
  t.strictSame(await all(), [point(1, 'b'), point(2)]);
  t.strictSame(await all(), []);
});

t.test('a file of many megabytes is read in parts, rows between two of them too', async (t) => {
  const { path, all } = stage(t);
  const numbers = Array.from({ length: 40_000 }, (_, n) => n);
  writeFileSync(path, HEADER + numbers.map((n) => row(n)).join(''));
  const found = await all();
  t.strictSame(
    found.map(({ value }) => value),
    numbers,
  );
});

t.test('the client is found where the file has it', async (t) => {
  const { path, all } = stage(t);
  const late = (attributes: string, time = TIME): string =>
    `power_W;${time};7;local_machine;;relaylab_agent;é;${attributes}\n`;
  const lines = [late('relay_client=é'), late('"k=a\\,b,relay_client=x\\=y"'), late('')];
  writeFileSync(path, `${COLUMNS};__late_attributes\n${lines.join('')}`);
  t.strictSame(
    (await all()).map(({ client, consumer }) => [client, consumer]),
    [
      ['é', 'é'],
      ['x=y', 'é'],
      ['', 'é'],
    ],
  );
});

const ALTERED: readonly (readonly [what: string, line: string, found: Partial<StoredPoint>])[] = [
  ['no value', row(''), { client: 'a', value: undefined }],
  ['a text', row('seven'), { client: 'a', value: undefined }],
  ['half of a value', row('7.5'), { client: 'a', value: 7.5 }],
  ['a value with a point', row('7.0'), { client: 'a', value: 7, micros: 123_456 }],
  ['no time', row(7, 'a', 'power_W', ''), { client: 'a', micros: -1 }],
  ['whole seconds', row(7, 'a', 'power_W', '2025-06-15T15:06:40Z'), { client: 'a', micros: 0 }],
  ['another metric', row(7, 'a', 'Power_W'), { client: 'a', metric: 'Power_W' }],
  ['a field less', row(7).replace('local_machine;', ''), { client: '', value: undefined }],
  ['two rows in one', row(7).slice(0, 20) + row(8), { client: '', value: undefined }],
];

t.test('a row that says something else is told as what it says', async (t) => {
  for (const [what, line, found] of ALTERED) {
    const { path, all } = stage(t);
    writeFileSync(path, HEADER + line + row(1));
    const [first, second] = await all();
    t.match(first, found, what);
    t.strictSame(second, point(1), `what follows ${what} is read`);
  }
});

t.test('a server that was started again', async (t) => {
  t.test('goes on behind a torn row that it cut off', async (t) => {
    const { path, all } = stage(t);
    writeFileSync(path, HEADER + row(0) + row(1).slice(0, 10));
    t.strictSame(await all(), [point(0)]);
    truncateSync(path, HEADER.length + row(0).length);
    appendFileSync(path, row(2));
    t.strictSame(await all(), [point(2)]);
  });

  t.test('writes its header again', async (t) => {
    const { path, all } = stage(t);
    writeFileSync(path, HEADER + row(0));
    t.strictSame(await all(), [point(0)]);
    appendFileSync(path, HEADER + row(1));
    t.strictSame(await all(), [point(1)]);
  });

  t.test('begins its file anew, or another one', async (t) => {
    const { path, all } = stage(t);
    writeFileSync(path, HEADER + row(0) + row(1));
    t.equal((await all()).length, 2);
    writeFileSync(path, HEADER + row(2));
    t.strictSame(await all(), [point(2)]);
    writeFileSync(`${path}.new`, HEADER + row(3) + row(4) + row(5));
    renameSync(`${path}.new`, path);
    t.strictSame(await all(), [point(3), point(4), point(5)]);
  });
});

t.test('a row without an end is not waited for for ever', async (t) => {
  const { path, all } = stage(t);
  writeFileSync(path, `${HEADER}${row(0)}"${'x'.repeat(3 << 20)}`);
  const [first, ...rest] = await all();
  t.strictSame(first, point(0));
  t.ok(rest.length > 0 && rest.every(({ client, value }) => client === '' && value === undefined));
});

t.test('units are taken off the names of metrics that are known', async (t) => {
  const NAMES = [
    ['power_W', 'power'],
    ['power', 'power'],
    ['shared_mW', 'shared'],
    ['shared_milliW', 'shared'],
    ['shared_J', 'shared'],
    ['shared_relay-client-home-agent-02_J', 'shared_relay-client-home-agent-02'],
    ['shared_relay-client-home-agent-02_2_mW', 'shared_relay-client-home-agent-02_2'],
    ['packets', 'packets'],
    ['other_W', 'other_W'],
  ] as const;
  for (const [written, name] of NAMES) t.equal(metricIn(written, METRICS), name);
});
