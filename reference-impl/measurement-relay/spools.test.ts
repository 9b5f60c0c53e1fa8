import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { SqliteSpool } from './disk/spool-sqlite.ts';
import { MemorySpool } from './memory-spool.ts';
import type { MetricDefinition } from './metrics.ts';
import type { Spool, SpoolLimits } from './spool.ts';
import { ClientRig } from './testing/client-rig.ts';
import { ACK_ANSWER } from './testing/wire.ts';

const folder = mkdtempSync(join(tmpdir(), 'spools-'));
t.teardown(() => rmSync(folder, { recursive: true }));
let files = 0;
let ids = 0;
const newId = (): string => `id-${++ids}`;
const file = (): string => join(folder, `${++files}.sqlite`);

const SPOOLS: readonly { readonly name: string; readonly make: (limits?: Partial<SpoolLimits>) => Spool }[] =
  [
    { name: 'MemorySpool', make: (limits) => new MemorySpool(newId, limits) },
    { name: 'SqliteSpool', make: (limits) => new SqliteSpool(file(), newId, limits) },
  ];
const part = (fill: number, length = 10): Uint8Array => new Uint8Array(length).fill(fill);
const energy = (over: Partial<MetricDefinition> = {}): MetricDefinition => ({
  name: 'energy',
  valueType: 'F64',
  unit: { base: 'J', prefix: 'm' },
  description: '',
  ...over,
});

for (const { name, make } of SPOOLS) {
  t.test(`${name}: batches come out in order, with their parts, and only once sealed`, async (t) => {
    const spool = make();
    t.equal(spool.seal(), undefined, 'an empty batch is none');
    spool.append(part(1), 2, 0);
    spool.append(part(2), 3, 0);
    t.equal(spool.peek(0), undefined);
    t.equal(spool.next, 1);
    t.equal(spool.seal(), 1);
    spool.append(part(3), 4, 0);
    t.equal(spool.seal(), 2);
    spool.append(part(4), 1, 0);
    t.same(spool.peek(0), { number: 1, points: 5, bytes: 20, parts: [part(1), part(2)] });
    t.same(spool.peek(2), { number: 2, points: 4, bytes: 10, parts: [part(3)] });
    t.equal(spool.peek(3), undefined);
    t.same(spool.books, { openPoints: 1, openBytes: 10, sealedBatches: 2, sealedPoints: 9, sealedBytes: 30 });
    t.equal(spool.trim(1), 5);
    t.equal(spool.trim(1), 0);
    t.equal(spool.peek(0)?.number, 2);
    t.equal(spool.trim(9), 4);
    t.same(spool.books, { openPoints: 1, openBytes: 10, sealedBatches: 0, sealedPoints: 0, sealedBytes: 0 });
    t.equal(spool.seal(), 3, 'numbers are never used twice');
    spool.close();
  });

  t.test(`${name}: full, it drops the oldest that is not on its way, as many as it must`, async (t) => {
    const spool = make({ bytesMax: 40 });
    for (const fill of [1, 2, 3, 4]) {
      spool.append(part(fill), fill, 0);
      spool.seal();
    }
    t.match(spool.append(part(5), 5, 1), { taken: true, droppedPoints: 2 });
    t.match(spool.append(part(6, 15), 6, 1), { taken: true, droppedPoints: 7 });
    t.match(spool.append(part(7, 16), 7, 1), { taken: false, droppedPoints: 0 }, 'nothing else may go');
    t.same([spool.peek(0)?.number, spool.peek(2)], [1, undefined]);
    t.same(spool.books, {
      openPoints: 11,
      openBytes: 25,
      sealedBatches: 1,
      sealedPoints: 1,
      sealedBytes: 10,
    });
    spool.close();
  });

  t.test(`${name}: told to refuse, it keeps what it has`, async (t) => {
    const spool = make({ bytesMax: 15, whenFull: 'refuse' });
    spool.append(part(1), 1, 0);
    spool.seal();
    t.match(spool.append(part(2), 1, 0), { taken: false, detail: /15 bytes/ });
    t.equal(spool.books.sealedPoints, 1);
    t.equal(spool.seal(), undefined);
    spool.close();
  });

  t.test(`${name}: metrics have ids of its own, equal ones the same`, async (t) => {
    const spool = make();
    t.equal(spool.metricId(energy()), 0);
    t.equal(spool.metricId(energy({ unit: { base: 'W', prefix: '' } })), 1);
    t.equal(spool.metricId(energy({ description: 'x', unit: { base: 'J', prefix: 'milli' } })), 0);
    t.same(spool.metrics[0], {
      id: 0,
      name: 'energy',
      value_type: 'F64',
      unit: { base: 'J', prefix: 'milli' },
    });
    const before = spool.id;
    spool.renew();
    t.not(spool.id, before);
    spool.close();
  });
}

t.test('a file opened again has its name, its numbers, its metrics and every point', async (t) => {
  const path = file();
  const first = new SqliteSpool(path, newId);
  first.metricId(energy());
  for (const fill of [1, 2, 3]) {
    first.append(part(fill), fill, 0);
    first.seal();
  }
  first.append(part(4), 4, 0);
  first.trim(1);
  first.close();
  const second = new SqliteSpool(path, newId);
  t.equal(second.id, first.id);
  t.equal(second.next, 4);
  t.same(second.books, { openPoints: 4, openBytes: 10, sealedBatches: 2, sealedPoints: 5, sealedBytes: 20 });
  t.same(second.peek(0)?.parts, [part(2)]);
  t.equal(second.metricId(energy({ name: 'other' })), 1);
  t.equal(second.seal(), 4);
  second.trim(4);
  second.close();
  const third = new SqliteSpool(path, newId);
  t.equal(third.next, 5);
  t.same(third.metrics, [], 'no point refers to them');
  third.close();
});

t.test('only its owner may read the files', async (t) => {
  const path = file();
  const spool = new SqliteSpool(path, newId);
  spool.append(part(1), 1, 0);
  for (const end of ['', '-wal']) t.equal(statSync(`${path}${end}`).mode & 0o777, 0o600, `file${end}`);
  spool.close();
});

t.test('a file that another client has open is refused', async (t) => {
  const path = file();
  const spool = new SqliteSpool(path, newId);
  t.throws(() => new SqliteSpool(path, newId), { code: 'SPOOL_IN_USE' });
  spool.close();
  new SqliteSpool(path, newId).close();
});

t.test('a file that is no spool, or one of another layout, is refused and left alone', async (t) => {
  const noise = file();
  writeFileSync(noise, 'no database at all, but long enough to be looked at. '.repeat(40));
  t.throws(() => new SqliteSpool(noise, newId), { code: 'SPOOL_UNREADABLE' });
  const newer = file();
  const db = new DatabaseSync(newer);
  db.exec('PRAGMA user_version = 2');
  db.close();
  t.throws(() => new SqliteSpool(newer, newId), { code: 'SPOOL_UNREADABLE', message: /layout 2/ });
  t.throws(() => new SqliteSpool(join(folder, 'no', 'such', 'folder'), newId), { code: 'SPOOL_UNREADABLE' });
});

t.test('a disk that fails refuses points and says why; what was there stays', async (t) => {
  const path = file();
  const spool = new SqliteSpool(path, newId);
  spool.append(part(1), 1, 0);
  // to the statements a closed database is as good as a broken one
  spool.close();
  const { taken, detail } = spool.append(part(2), 1, 0);
  t.notOk(taken);
  t.match(detail, /database/);
  t.equal(spool.seal(), undefined);
  t.equal(spool.metricId(energy()), undefined);
  const again = new SqliteSpool(path, newId);
  t.equal(again.books.openPoints, 1);
  again.close();
});

t.test(
  'a client that gave up and ended leaves its points to the next run, with metrics in another order',
  async (t) => {
    const path = file();
    const before = new ClientRig({ spool: new SqliteSpool(path, newId), bufferMaxLength: 2 });
    before.append(1, 2);
    before.append(3);
    before.closed('refused');
    before.feed({ type: 'stop' });
    before.feed({ type: 'stop' });
    t.match(before.told('client.stopped'), [{ left: 3 }]);
    t.same(before.told('client.dropped'), []);
    before.spool.close();
    const spool = new SqliteSpool(path, newId);
    const after = new ClientRig({ spool });
    t.match(after.client.counters, { recovered: 3, received: 0, spooled: 3 });
    after.connected();
    after.hear(ACK_ANSWER, { tag: 'SpoolOpened', value: { stored: null } });
    t.same(after.batches(), [[1, 2], [3]]);
    after.hear({ tag: 'Acknowledge', value: { through: 2 } });
    t.match(after.client.counters, { acknowledged: 3, spooled: 0 });
    t.equal(after.imbalance(), undefined);
    spool.close();
  },
);
