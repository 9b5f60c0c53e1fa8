/** Points: what of them is stored, and what one that is unfit costs. */
import { type ServerContext, serverCases } from '../../case.ts';
import { Bystander, Client, newName, serves, storedBy } from './client.ts';
import { metric, type Point, point, points, register, SECS, send, type Value } from './messages.ts';
import type { StoredPoint } from './points-file.ts';

const U64_MAX = 2n ** 64n - 1n;

/** Sends points of metric 1 and awaits all of them. They come in the order of their nanoseconds. */
const storing = async (
  it: ServerContext,
  sent: readonly Point[],
  type: 'U64' | 'F64' = 'U64',
): Promise<readonly StoredPoint[]> => {
  const name = newName(it);
  const client = await Client.greeted(it);
  await client.say(register(metric(1, name, { type })), send(...sent));
  const found = await storedBy(it).exactly(sent.length, name);
  return [...found].sort((a, b) => a.secs - b.secs || a.nanos - b.nanos);
};

const isNumber = (text: string, wanted: number): boolean => {
  if (Number.isNaN(wanted)) return /^[-+]?nan$/i.test(text);
  if (!Number.isFinite(wanted))
    return new RegExp(`^${wanted < 0 ? '-' : '\\+?'}inf(inity)?$`, 'i').test(text);
  return text !== '' && Object.is(Number(text), wanted);
};

const valuesOf = async (it: ServerContext, values: readonly number[]): Promise<void> => {
  const sent = values.map((value, n) => point(1, n, { value: { tag: 'F64', value } }));
  for (const [n, { value }] of (await storing(it, sent, 'F64')).entries())
    if (!isNumber(value, values[n] as number)) it.broken(`F64 ${values[n]}`, JSON.stringify(value));
};

/** A time that ends the output for all would be blamed on every case beside it. */
const ALONE = { alone: 'target' } as const;

/** An unfit point between two good ones: what becomes of those. */
const between = (name: string, title: string, unfit: Partial<Point>, clause = 'MREL-SEND-4') => ({
  name: `unfit/${name}`,
  title: `${title} does not cost the points beside it`,
  clause,
  needs: ['csv'],
  ...(unfit.timestamp === undefined ? {} : ALONE),
  run: async (it: ServerContext) => {
    const metricName = newName(it);
    const bystander = await Bystander.beside(it);
    const client = await Client.greeted(it);
    await client.say(register(metric(1, metricName)), send(point(1, 0), point(1, 1, unfit), point(1, 2)));
    const stored = storedBy(it);
    const good = () =>
      stored.of(metricName).filter(({ nanos, value }) => value === '0' || (value === '2' && nanos === 2));
    await it.wait(200);
    await bystander.goesOn();
    await serves(it);
    await stored.until(
      'the points before and behind it',
      () => good().length === 2,
      () => `${good().length} of 2; the connection: ${client.end.ended}`,
    );
    it.observe(
      stored.of(metricName).length > 2 ? 'the unfit one is stored too' : 'the unfit one is left out',
    );
  },
});

/** The same mischief, judged by what others lose. */
const harmless = (name: string, title: string, unfit: Partial<Point>) => ({
  name: `unfit/${name}-harmless`,
  title: `${title} costs no other client anything`,
  clause: 'MREL-LIVE-1',
  needs: ['csv'],
  ...(unfit.timestamp === undefined ? {} : ALONE),
  run: async (it: ServerContext) => {
    const bystander = await Bystander.beside(it);
    const client = await Client.greeted(it);
    await client.say(register(metric(1, newName(it))), send(point(1, 0), point(1, 1, unfit), point(1, 2)));
    await it.wait(300);
    await bystander.goesOn();
    await serves(it);
  },
});

const YEAR_10000 = { timestamp: { secs: 253_402_300_800, nanos: 0 } };
const LAST_SECOND = { timestamp: { secs: U64_MAX, nanos: 4_294_967_295 } };

const KINDS: readonly { readonly key: string; readonly value: Value; readonly text: string | undefined }[] = [
  { key: 'a_str', value: { tag: 'Str', value: 'idle' }, text: 'idle' },
  { key: 'b_u64', value: { tag: 'U64', value: 18_000_000_000 }, text: '18000000000' },
  { key: 'c_f64', value: { tag: 'F64', value: 0.1 }, text: '0.1' },
  { key: 'd_bool', value: { tag: 'Bool', value: true }, text: 'true' },
  // how a list is written is nobody's sentence
  { key: 'e_list', value: { tag: 'ListU64', value: [1, 2, 3] }, text: undefined },
  { key: 'f_empty', value: { tag: 'ListU64', value: [] }, text: undefined },
];

export const POINTS = serverCases(
  {
    name: 'point/columns',
    title: 'time, value, resource and consumer are stored as sent, known kinds and others',
    clause: 'MREL-SEND-1',
    needs: ['csv'],
    run: async (it) => {
      const places = [
        ['local_machine', '', 'local_machine', ''],
        ['cpu_core', '7', 'process', '4294967295'],
        ['cpu_package', '0', 'cgroup', '/sys/fs/cgroup/a b'],
        ['dram', '1', 'process', '1'],
        ['gpu', '0000:01:00.0', 'local_machine', ''],
        ['sensor', 'hall-3', 'tenant', 'ü'],
      ] as const;
      const found = await storing(
        it,
        places.map(([resource_kind, resource_id, consumer_kind, consumer_id], n) =>
          point(1, n + 123_456_780, { resource_kind, resource_id, consumer_kind, consumer_id }),
        ),
      );
      for (const [n, place] of places.entries()) {
        const wanted = [
          SECS,
          n + 123_456_780,
          String(n + 123_456_780),
          `${place[0]}/${place[1]}`,
          `${place[2]}/${place[3]}`,
        ];
        const { secs, nanos, value, resource, consumer } = found[n] as StoredPoint;
        const got = [secs, nanos, value, resource, consumer];
        if (got.join('|') !== wanted.join('|')) it.broken(wanted.join(' '), got.join(' '));
      }
    },
  },
  {
    name: 'point/order',
    title: 'the points of one connection are stored in their order',
    clause: 'MREL-SEND-1',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const client = await Client.greeted(it);
      await client.say(register(metric(1, name)));
      for (let batch = 0; batch < 30; batch++)
        await client.say(send(...points(1, batch * 10, batch * 10 + 10)));
      const values = (await storedBy(it).exactly(300, name)).map(({ value }) => Number(value));
      const at = values.findIndex((value, n) => value !== n);
      if (at >= 0) it.observe(`another order: at ${at} stands ${values[at]}`);
      const missing = Array.from({ length: 300 }, (_, n) => n).filter((n) => !values.includes(n));
      if (missing.length > 0)
        it.broken('each of 0 to 299 once', `without ${missing.slice(0, 10).join(', ')}`);
    },
  },
  {
    name: 'point/u64-whole',
    title: 'U64 values up to 2^64-1 are stored to the last digit',
    clause: 'MREL-VALUE-1',
    needs: ['csv'],
    run: async (it) => {
      const values = [0n, 127n, 128n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n, U64_MAX];
      const sent = values.map((value, n) => point(1, n, { value: { tag: 'U64', value } }));
      for (const [n, { value }] of (await storing(it, sent)).entries())
        if (value !== String(values[n])) it.broken(String(values[n]), value);
    },
  },
  {
    name: 'point/f64-whole',
    title: 'F64 values are stored to the last bit',
    clause: 'MREL-VALUE-1',
    needs: ['csv'],
    run: (it) => valuesOf(it, [0, 0.1, -1.5, 1 / 3, 5e-324, Number.MAX_VALUE, 2 ** 53 + 2, -1e-7]),
  },
  {
    name: 'point/f64-not-finite',
    title: 'infinities and NaN are stored as what they are',
    clause: 'MREL-VALUE-1',
    needs: ['csv'],
    run: (it) => valuesOf(it, [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1]),
  },
  {
    name: 'point/f64-minus-zero',
    title: '-0 keeps its sign',
    clause: 'MREL-VALUE-1',
    needs: ['csv'],
    run: (it) => valuesOf(it, [-0]),
  },
  {
    name: 'point/attributes',
    title: 'attributes of every kind are stored with their point',
    clause: 'MREL-SEND-3',
    needs: ['csv'],
    run: async (it) => {
      const all = point(1, 0, { attributes: KINDS.map(({ key, value }): [string, Value] => [key, value]) });
      const [found] = await storing(it, [all, point(1, 1)]);
      for (const { key, text } of KINDS) {
        const got = found?.attributes.get(key);
        if (text === undefined) it.observe(`${key} is written ${JSON.stringify(got)}`);
        else if (got !== text) it.broken(`${key}=${text}`, `${key}=${got}`);
      }
    },
  },
  {
    name: 'point/attributes-differ',
    title: 'points with other attributes than those before keep theirs',
    clause: 'MREL-SEND-3',
    needs: ['csv'],
    run: async (it) => {
      const sent = Array.from({ length: 12 }, (_, n) =>
        point(1, n, { attributes: n % 3 === 0 ? [] : [[`k${n % 5}`, { tag: 'U64', value: n }]] }),
      );
      for (const [n, { attributes }] of (await storing(it, sent)).entries()) {
        const own = [...attributes].filter(([key]) => /^k\d$/.test(key)).join();
        const wanted = n % 3 === 0 ? '' : `k${n % 5},${n}`;
        if (own !== wanted) it.broken(`of point ${n}: ${wanted || 'none'}`, own || 'none');
      }
    },
  },
  {
    name: 'point/relay-client',
    title: 'each point says which client it came from',
    clause: 'MREL-SEND-2',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const clients = [await Client.greeted(it), await Client.greeted(it)];
      for (const [n, client] of clients.entries())
        await client.say(register(metric(1, name)), send(point(1, n)));
      for (const { value, attributes } of await storedBy(it).exactly(2, name)) {
        const wanted = clients[Number(value)]?.name;
        if (attributes.get('relay_client') !== wanted)
          it.broken(`relay_client=${wanted}`, `relay_client=${attributes.get('relay_client')}`);
      }
    },
  },
  {
    name: 'point/relayed-before',
    title: 'a point that was relayed before is stored; whose name it bears is observed',
    clause: 'MREL-SEND-2',
    needs: ['csv'],
    run: async (it) => {
      const [found] = await storing(it, [
        point(1, 1, { attributes: [['relay_client', { tag: 'Str', value: 'origin' }]] }),
      ]);
      const name = found?.attributes.get('relay_client');
      if (name === undefined) it.broken('relay_client', 'no such attribute');
      it.observe(name === 'origin' ? 'the client it came from first' : `the last relay, ${name}`);
    },
  },
  {
    name: 'point/strings',
    title: 'delimiters, quotes and line breaks in strings stay data',
    clause: 'MREL-SEND-5',
    needs: ['csv'],
    run: async (it) => {
      const strings = ['a;b', 'say "x"', 'two\nlines', '', 'k=v', 'a,b', ' blank '];
      const sent = strings.map((text, n) => point(1, n, { resource_kind: 'thing', resource_id: text }));
      for (const [n, { resource }] of (await storing(it, sent)).entries())
        if (resource !== `thing/${strings[n]}`)
          it.broken(JSON.stringify(`thing/${strings[n]}`), JSON.stringify(resource));
    },
  },
  {
    name: 'point/nanos-carry',
    title: 'nanoseconds of 10^9 and more carry into the seconds',
    clause: 'MREL-SEND-4',
    needs: ['csv'],
    run: async (it) => {
      const [found] = await storing(it, [point(1, 1, { timestamp: { secs: SECS, nanos: 2_000_000_005 } })]);
      if (found?.secs !== SECS + 2 || found.nanos !== 5)
        it.broken(`${SECS + 2} s and 5 ns`, `${found?.secs} s and ${found?.nanos} ns`);
    },
  },
  {
    name: 'point/before-1971',
    title: 'the first second of Unix time is a time',
    clause: 'MREL-SEND-1',
    needs: ['csv'],
    run: async (it) => {
      const [found] = await storing(it, [point(1, 1, { timestamp: { secs: 0, nanos: 1 } })]);
      if (found?.secs !== 0 || found.nanos !== 1)
        it.broken('0 s and 1 ns', `${found?.secs} s and ${found?.nanos} ns`);
    },
  },
  between('core-no-number', 'a cpu_core that is no number', {
    resource_kind: 'cpu_core',
    resource_id: 'abc',
  }),
  between('core-too-large', 'cpu_core 4294967296', { resource_kind: 'cpu_core', resource_id: '4294967296' }),
  between('process-no-number', 'a process that is no number', { consumer_kind: 'process', consumer_id: 'x' }),
  between('other-type', 'an F64 of a U64 metric', { value: { tag: 'F64', value: 1.5 } }),
  between('year-10000', 'a time in the year 10000', YEAR_10000),
  between('end-of-time', 'a time of 2^64-1 seconds', LAST_SECOND),
  between('bool-value', 'a value that is a Bool', { value: { tag: 'Bool', value: true } }),
  harmless('year-10000', 'a time in the year 10000', YEAR_10000),
  harmless('end-of-time', 'a time of 2^64-1 seconds', LAST_SECOND),
  harmless('bool-value', 'a value that is a Bool', { value: { tag: 'Bool', value: true } }),
);
