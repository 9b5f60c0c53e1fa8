/** Registrations: ids, late ones, clashes, units. */
import { type ServerContext, serverCases } from '../../case.ts';
import { Bystander, Client, newName, serves, storedBy } from './client.ts';
import { metric, point, points, register, send } from './messages.ts';
import type { Stored } from './stored.ts';

const CLASH = 'MEAS-NAME-1';

/** Points of one client that were stored, under whatever name: those that another name has. */
const renamed = async (
  it: ServerContext,
  stored: Stored,
  name: string,
  wanted: number,
): Promise<readonly string[]> => {
  const others = (): readonly string[] => stored.names(name).filter((other) => other !== name);
  await stored.until(
    `${wanted} other names that begin with ${name}`,
    () => others().length >= wanted,
    () => others().join(', ') || 'none',
  );
  await it.wait(150);
  return others();
};

export const METRICS = serverCases(
  {
    name: 'metric/late',
    title: 'a metric registered between batches is stored under its name',
    clause: 'MEAS-LATE-1',
    needs: ['csv'],
    run: async (it) => {
      const [first, late] = [newName(it, 'first'), newName(it, 'late')];
      const client = await Client.greeted(it);
      await client.say(register(metric(1, first)), send(...points(1, 0, 5)));
      await client.say(register(metric(2, late)), send(...points(2, 0, 3), ...points(1, 5, 7)));
      const stored = storedBy(it);
      await stored.exactly(7, first);
      await stored.exactly(3, late);
    },
  },
  {
    name: 'metric/again-the-same',
    title: 'the same registration again changes nothing',
    clause: 'MREL-METRIC-1',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const client = await Client.greeted(it);
      const both = register(metric(1, name), metric(2, `${name}_b`));
      await client.say(both, send(point(1, 1)), both, send(point(1, 2), point(2, 3)));
      const stored = storedBy(it);
      await stored.exactly(2, name);
      await stored.exactly(1, `${name}_b`);
      const names = stored.names(name);
      if (names.length !== 2) it.broken(`${name} and ${name}_b alone`, names.join(', '));
    },
  },
  {
    name: 'metric/again-another',
    title: 'an id that is registered again means its new metric from then on',
    clause: 'MREL-METRIC-2',
    needs: ['csv'],
    run: async (it) => {
      const [one, other] = [newName(it, 'one'), newName(it, 'other')];
      const client = await Client.greeted(it);
      await client.say(
        register(metric(1, one)),
        send(point(1, 1)),
        register(metric(1, other)),
        send(point(1, 2)),
      );
      const stored = storedBy(it);
      await stored.exactly(1, other);
      await stored.exactly(1, one);
    },
  },
  {
    name: 'metric/ids-with-gaps',
    title: 'ids 0, 128, 16384 and 65535, in no order, are metrics',
    clause: 'MREL-METRIC-4',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const ids = [16_384, 0, 65_535, 128];
      const client = await Client.greeted(it);
      await client.say(
        register(...ids.map((id) => metric(id, `${name}_${id}`))),
        send(...ids.map((id) => point(id, id))),
      );
      const stored = storedBy(it);
      for (const id of ids) {
        const [found] = await stored.exactly(1, `${name}_${id}`);
        if (found?.value !== String(id)) it.broken(`value ${id}`, found?.value ?? 'none');
      }
    },
  },
  {
    name: 'metric/id-over-16-bits',
    title: 'id 65536 is not taken for id 0',
    clause: 'MREL-METRIC-3',
    needs: ['csv'],
    run: async (it) => {
      const [zero, large] = [newName(it, 'zero'), newName(it, 'large')];
      const client = await Client.greeted(it);
      await client.say(register(metric(0, zero)), send(point(0, 1)));
      const stored = storedBy(it);
      await stored.exactly(1, zero);
      await client.say(register(metric(65_536, large)), send(point(65_536, 2)));
      await client.say(send(point(0, 3)));
      await it.wait(400);
      const [ofZero, ofLarge] = [stored.of(zero), stored.of(large)];
      if (ofZero.some(({ value }) => value === '2') || ofLarge.some(({ value }) => value === '3'))
        it.broken('1 and 3 of id 0, 2 of id 65536', 'points of one under the name of the other');
      it.observe(
        ofLarge.length > 0
          ? 'id 65536 is taken'
          : `id 65536 is not taken; the connection: ${client.end.ended}`,
      );
      await serves(it);
    },
  },
  {
    name: 'metric/unregistered',
    title: 'a point of an id that was not registered is stored nowhere',
    clause: 'MREL-METRIC-3',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const bystander = await Bystander.beside(it);
      const client = await Client.greeted(it);
      // the bystander's id is 1: a table for all connections would find it
      await client.say(register(metric(2, name)));
      await client.say(send(point(2, 1), point(1, 777), point(2, 2)));
      await it.wait(400);
      await bystander.goesOn();
      const kept = storedBy(it).of(name);
      if (kept.some(({ value }) => value === '777')) it.broken('no point of value 777', `one of ${name}`);
      it.observe(`${kept.length} of its 2 other points are kept; the connection: ${client.end.ended}`);
    },
  },
  {
    name: 'metric/equal-shared',
    title: 'equal definitions of two clients are one metric',
    clause: CLASH,
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const [a, b] = [await Client.greeted(it), await Client.greeted(it)];
      await a.say(register(metric(1, name)), send(point(1, 1)));
      await b.say(register(metric(9, name)), send(point(9, 2)));
      const stored = storedBy(it);
      await stored.exactly(2, name);
      const names = stored.names(name);
      if (names.length > 1) it.broken(`${name} alone`, names.join(', '));
    },
  },
  ...[
    { name: 'type', title: 'value type', more: { type: 'F64' } as const },
    { name: 'base', title: 'unit', more: { base: 'J' } as const },
    { name: 'prefix', title: 'prefix', more: { base: 'J', prefix: 'milli' } as const },
  ].map(({ name: what, title, more }) => ({
    name: `metric/clash-${what}`,
    title: `a name with another ${title} gets a name of its own, with its client in it`,
    clause: CLASH,
    needs: ['csv'],
    run: async (it: ServerContext) => {
      const name = newName(it);
      const first = what === 'prefix' ? { base: 'J' } : {};
      const stored = storedBy(it);
      const a = await Client.greeted(it);
      await a.say(register(metric(1, name, first)), send(point(1, 1)));
      await stored.exactly(1, name, first.base);
      const b = await Client.greeted(it);
      await b.say(
        register(metric(1, name, more)),
        send(point(1, 2, 'type' in more ? { value: { tag: 'F64', value: 2 } } : {})),
      );
      const wanted = `${name}_relay-client-${b.name}`;
      await stored.until(
        `a point of ${wanted}`,
        () => stored.names(wanted).length > 0,
        () => stored.names(name).join(', ') || 'none of this name',
      );
      await a.say(send(point(1, 3)));
      await stored.exactly(2, name, first.base);
    },
  })),
  {
    name: 'metric/clash-thrice',
    title: 'three definitions of one name are three metrics, the third numbered',
    clause: CLASH,
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const sender = newName(it, 'c');
      const stored = storedBy(it);
      const first = await Client.greeted(it, sender);
      await first.say(register(metric(1, name)), send(point(1, 1)));
      await stored.exactly(1, name);
      for (const [n, base] of ['W', 'J'].entries()) {
        const client = await Client.greeted(it, sender);
        await client.say(register(metric(1, name, { base })), send(point(1, 10 + n)));
        await renamed(it, stored, name, n + 1);
      }
      const names = stored.names(name);
      if (!names.some((other) => other.startsWith(`${name}_relay-client-${sender}_2`)))
        it.broken(`a metric ${name}_relay-client-${sender}_2`, names.join(', '));
    },
  },
  {
    name: 'metric/known-units',
    title: 'every unit and prefix of the list is stored',
    clause: 'MREL-SEND-1',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const bases = ['1', 's', 'W', 'J', 'V', 'A', 'Hz', 'Cel', '[degF]', 'W.h', 'By', '%'];
      const prefixes = ['nano', 'micro', 'milli', '', 'kilo', 'mega', 'giga'];
      const all = [...bases.map((base) => ({ base })), ...prefixes.map((prefix) => ({ base: 'J', prefix }))];
      const client = await Client.greeted(it);
      const stored = storedBy(it);
      await client.say(
        register(...all.map((unit, id) => metric(id, `${name}_${id}-`, unit))),
        send(...all.map((_, id) => point(id, id))),
      );
      for (const [id, unit] of all.entries())
        await stored.until(
          `a metric of unit ${JSON.stringify(unit)}`,
          () => stored.names(`${name}_${id}-`).length > 0,
          () => `none; the connection: ${client.end.ended}`,
        );
      it.observe(`named ${stored.names(`${name}_17-`).join()}`);
    },
  },
  {
    name: 'metric/custom-unit',
    title: 'a unit that nobody knows is stored',
    clause: 'MREL-METRIC-5',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const client = await Client.greeted(it);
      await client.say(register(metric(1, name, { base: 'g_CO2', prefix: 'kilo' })), send(point(1, 1)));
      const stored = storedBy(it);
      const found = () => stored.names(name).length > 0;
      await stored.until(`a point of ${name}`, found, () => `none; the connection: ${client.end.ended}`);
    },
  },
  {
    name: 'metric/empty-lists',
    title: 'a registration of nothing and a batch of nothing change nothing',
    clause: 'MREL-METRIC-6',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const client = await Client.greeted(it);
      await client.say(register(), send(), register(metric(1, name)), send(), send(point(1, 1)), register());
      await client.say(send(point(1, 2)));
      await storedBy(it).exactly(2, name);
    },
  },
  {
    name: 'metric/many',
    title: 'a thousand metrics in one registration are a thousand metrics',
    clause: 'MREL-SEND-1',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const client = await Client.greeted(it);
      const ids = Array.from({ length: 1_000 }, (_, id) => id);
      await client.say(
        register(...ids.map((id) => metric(id, `${name}_${id}`))),
        send(...ids.map((id) => point(id, id))),
      );
      const stored = storedBy(it);
      const count = () => stored.names(name).length;
      await stored.until(
        '1000 metrics',
        () => count() >= 1_000,
        () => `${count()}`,
      );
      for (const id of ids)
        if (stored.of(`${name}_${id}`)[0]?.value !== String(id))
          it.broken(`value ${id} of metric ${id}`, stored.of(`${name}_${id}`)[0]?.value ?? 'none');
    },
  },
);
