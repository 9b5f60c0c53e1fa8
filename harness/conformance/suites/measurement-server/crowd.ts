/** Clients at once: kept apart, and not held up by each other; what they leave behind; and the end. */
import { type ServerContext, serverCases } from '../../case.ts';
import { Bystander, Client, newName, serves, storedBy } from './client.ts';
import { metric, point, points, register, send } from './messages.ts';

const GARBAGE: Readonly<Record<string, string>> = {
  'http-request': 'GET / HTTP/1.1\r\nHost: relay\r\n\r\n',
  'tls-hello': '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03',
  zeroes: '\0'.repeat(64),
  text: 'hello\n',
};

const stopping = (signal: 'SIGTERM' | 'SIGINT') => ({
  name: `stop/${signal.toLowerCase()}`,
  title: `what was read before ${signal} is stored, and the end is in order`,
  clause: 'MREL-STOP-1',
  needs: ['csv', 'signals'],
  alone: 'target' as const,
  // what is on its way when the signal comes is nobody's to store
  directOnly: true as const,
  run: async (it: ServerContext) => {
    const name = newName(it);
    const client = await Client.greeted(it);
    const stored = storedBy(it);
    await client.say(
      register(metric(1, name)),
      ...Array.from({ length: 50 }, (_, i) => send(...points(1, i * 100, i * 100 + 100))),
    );
    // acknowledged by nobody: what the target has read can only be told from what it stores first
    await stored.until(
      'the first points in the store',
      () => stored.of(name).length > 0,
      () => 'none',
    );
    await it.wait(100);
    try {
      await it.signal(signal);
      const how = await it.gone();
      await stored.exactly(5_000, name);
      it.closed(
        client.end.ended === 'fin' ? 'in order' : client.end.ended === 'reset' ? 'reset' : 'left open',
      );
      const code = /^exit code (\d+)/.exec(how)?.[1];
      if (code !== '0') it.broken(`exit code 0 after ${signal}`, how.slice(0, 200));
    } finally {
      await it.restart();
    }
  },
});

export const CROWD = serverCases(
  {
    name: 'crowd/no-mixing',
    title: 'forty clients at once, with the same ids for other metrics, mix nothing',
    clause: 'MREL-LIVE-2',
    needs: ['csv'],
    limitMillis: 40_000,
    run: async (it) => {
      const base = newName(it);
      const clients = await Promise.all(
        Array.from({ length: 40 }, (_, n) => Client.greeted(it, `${base}-${n}`)),
      );
      const stored = storedBy(it);
      await Promise.all(
        clients.map(async (client, n) => {
          // what belongs to client n is n thousand and more
          await client.say(register(metric(1, `${base}_${n}`)));
          for (let i = 0; i < 200; i += 20)
            await client.end.sendSliced(
              client.frames(send(...points(1, n * 1_000 + i, n * 1_000 + i + 20))),
              it.rng.between(50, 900),
            );
        }),
      );
      for (const n of clients.keys()) {
        const values = (await stored.exactly(200, `${base}_${n}`)).map(({ value }) => Number(value));
        const foreign = values.find((value) => Math.floor(value / 1_000) !== n);
        if (foreign !== undefined) it.broken(`values of client ${n} in its metric`, `${foreign}`);
        if (new Set(values).size !== 200) it.broken('each point once', `${new Set(values).size} of 200`);
      }
    },
  },
  {
    name: 'crowd/one-name-twice',
    title: 'two connections of one name are two clients',
    clause: 'MREL-LIVE-2',
    needs: ['csv'],
    run: async (it) => {
      const [name, sender] = [newName(it), newName(it, 'twin')];
      const [a, b] = [await Client.greeted(it, sender), await Client.greeted(it, sender)];
      const stored = storedBy(it);
      await a.say(register(metric(1, `${name}_a`)));
      await b.say(register(metric(1, `${name}_b`)), send(point(1, 2)));
      // what is stored was registered: from here on a's points must not be taken for b's
      const [ofB] = await stored.exactly(1, `${name}_b`);
      await a.say(send(point(1, 1)));
      const [ofA] = await stored.exactly(1, `${name}_a`);
      if (ofA?.value !== '1' || ofB?.value !== '2')
        it.broken('1 of a, 2 of b', `${ofA?.value}, ${ofB?.value}`);
      a.end.reset();
      await b.say(send(point(1, 3)));
      await stored.exactly(2, `${name}_b`);
    },
  },
  {
    name: 'crowd/idle',
    title: 'with two hundred idle clients connected another is served, and they are kept',
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    run: async (it) => {
      const idle = await Promise.all(Array.from({ length: 200 }, (_, n) => Client.greeted(it, `idle-${n}`)));
      await serves(it);
      const closed = idle.filter(({ end }) => end.ended !== 'open').length;
      if (closed > 0) it.broken('200 open connections', `${closed} of them closed`);
      const name = newName(it);
      await idle[199]?.say(register(metric(1, name)), send(point(1, 1)));
      await storedBy(it).exactly(1, name);
    },
  },
  {
    name: 'crowd/slow-loris',
    title: 'with 64 clients stuck within a frame others are served',
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    run: async (it) => {
      const bystander = await Bystander.beside(it);
      const stuck = await Promise.all(Array.from({ length: 64 }, (_, n) => Client.greeted(it, `stuck-${n}`)));
      await Promise.all(
        stuck.map((client, n) =>
          client.end.send(client.frames(send(...points(1, 0, 3))).subarray(0, 2 + (n % 40))),
        ),
      );
      await bystander.goesOn();
      await serves(it);
    },
  },
  {
    name: 'crowd/reset-within-frame',
    title: 'fifty clients that reset within a frame cost the others nothing',
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    run: async (it) => {
      const bystander = await Bystander.beside(it);
      for (let n = 0; n < 50; n++) {
        const client = await Client.greeted(it);
        void client.end.send(client.frames(register(metric(1, newName(it)))).subarray(0, 3 + n));
        client.end.reset();
      }
      await bystander.goesOn();
      await serves(it);
    },
  },
  {
    name: 'crowd/silent-probes',
    title: 'a hundred connections that end before they say a word harm nobody',
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    run: async (it) => {
      const bystander = await Bystander.beside(it);
      const ends = await Promise.all(Array.from({ length: 100 }, (_, n) => it.dial(`probe-${n + 1}`)));
      for (const [n, end] of ends.entries()) {
        if (n % 2 === 0) end.end();
        else end.reset();
      }
      await bystander.goesOn();
      await serves(it);
    },
  },
  ...Object.entries(GARBAGE).map(([name, text]) => ({
    name: `hostile/${name}`,
    title: `a stranger (${name.replaceAll('-', ' ')}) costs no client anything`,
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    run: async (it: ServerContext) => {
      const bystander = await Bystander.beside(it);
      const end = await it.dial('stranger');
      await end.send(text);
      await it.wait(200);
      it.closed(end.ended === 'open' ? 'left open' : end.ended === 'fin' ? 'in order' : 'reset');
      await bystander.goesOn();
      await serves(it);
    },
  })),
  {
    name: 'hostile/flood',
    title: 'a client that floods its connection delays another by seconds at most',
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    alone: 'target',
    directOnly: true,
    limitMillis: 60_000,
    run: async (it) => {
      const bystander = await Bystander.beside(it);
      const flooding = await Client.greeted(it);
      const name = newName(it);
      await flooding.say(register(metric(1, name)));
      const batch = flooding.frames(send(...points(1, 0, 1_000)));
      for (let n = 0; n < 100; n++) void flooding.end.send(batch);
      await it.wait(50);
      const began = performance.now();
      await bystander.goesOn();
      it.observe(`the other's points were stored after ${Math.round(performance.now() - began)} ms`);
    },
  },
  {
    name: 'leak/churn',
    title: 'four hundred clients, a tenth reset, leave no descriptor behind',
    clause: 'AUDIT-FD-1',
    needs: [],
    alone: 'target',
    limitMillis: 60_000,
    run: async (it) => {
      const before = await it.holdings();
      if (before === undefined) return it.unclear('what the target holds cannot be read from outside');
      const name = newName(it);
      for (let round = 0; round < 8; round++)
        await Promise.all(
          Array.from({ length: 50 }, async (_, n) => {
            const client = await Client.greeted(it);
            await client.say(register(metric(1, name)), send(point(1, n)));
            if (n % 10 === 0) client.end.reset();
            else client.end.end();
            if (n % 10 !== 0) await client.end.expectEnd('a client that has ended its side');
            client.end.close();
          }),
        );
      const began = performance.now();
      for (;;) {
        const now = await it.holdings();
        if (now !== undefined && now.fds <= before.fds + 4) return;
        if (performance.now() - began > 20_000)
          it.broken(`${before.fds} descriptors again (at most 4 more)`, `${now?.fds ?? '?'} after 20 s`);
        await it.wait(200);
      }
    },
  },
  stopping('SIGTERM'),
  stopping('SIGINT'),
);
