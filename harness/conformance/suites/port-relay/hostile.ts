/** Peers that mean no good, or know no better: whatever they do costs them, and nobody else. */
import { type Holdings, type ServerContext, serverCases } from '../../case.ts';
import { eventTunnel, newEvent, newPool, nextId, poolTunnel, portLine } from './registered.ts';

/** A registration that works, by whatever mode the target has. */
const works = async (it: ServerContext, name: string): Promise<void> => {
  const end = await it.dial(name);
  await end.send(
    it.capabilities.has('event')
      ? 'event\nnew\n'
      : it.capabilities.has('pool')
        ? 'pool\nnew\n'
        : 'multiplex\n',
  );
  await portLine(it, end);
};

/** @throws Unclear where it cannot be seen from outside */
const holdings = async (it: ServerContext): Promise<Holdings> => {
  const held = await it.holdings();
  if (held === undefined)
    return it.unclear('what the target holds cannot be read from outside: give it by --exec, on Linux');
  return held;
};

const GARBAGE: Readonly<Record<string, string>> = {
  'http-request': 'GET / HTTP/1.1\r\nHost: relay\r\n\r\n',
  'tls-hello': '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03\n',
  'empty-line': '\n',
  'two-words': 'pool new\n',
  'upper-case': 'POOL\nnew\n',
  'unknown-mode': 'stream\n',
  'zero-bytes': '\0\0\0\0\0\0\0\0\n',
};

export const HOSTILE = serverCases(
  ...Object.entries(GARBAGE).map(([name, text]) => ({
    name: `hostile/${name}`,
    title: `a first line that is no mode (${name.replaceAll('-', ' ')}) ends its own connection only`,
    clause: 'PORT-CTRL-5',
    needs: [],
    limitMillis: 30_000,
    run: async (it: ServerContext) => {
      const end = await it.dial('stranger');
      await end.send(text);
      it.closed(
        (await end.expectEnd('a connection that said no mode', 15_000)) === 'fin' ? 'in order' : 'reset',
      );
      await works(it, 'after');
    },
  })),
  ...(['fin', 'reset'] as const).map((how) => ({
    name: `hostile/silent-probe-${how}`,
    title: `a hundred connections that end by ${how === 'fin' ? 'FIN' : 'RST'} before their first line harm nobody`,
    clause: 'PORT-CTRL-6',
    needs: [],
    run: async (it: ServerContext) => {
      const ends = await Promise.all(Array.from({ length: 100 }, (_, i) => it.dial(`probe-${i + 1}`)));
      for (const end of ends) {
        if (how === 'fin') end.end();
        else end.reset();
      }
      await works(it, 'after');
      if (how === 'fin') await Promise.all(ends.map((end) => end.expectEnd('a connection we have ended')));
    },
  })),
  {
    name: 'hostile/reset-before-port-line',
    title: 'a client that resets between its lines and the answer harms nobody',
    clause: 'PORT-LIVE-1',
    needs: ['event'],
    run: async (it) => {
      for (let n = 0; n < 50; n++) {
        const end = await it.dial(`hasty-${n + 1}`);
        void end.send(n % 2 === 0 ? 'event\nnew\n' : 'multiplex\n');
        end.reset();
      }
      await it.wait(200);
      await works(it, 'after');
    },
  },
  {
    name: 'hostile/half-line-then-fin',
    title: 'a line cut by FIN is closed',
    clause: 'PORT-CTRL-6',
    needs: [],
    limitMillis: 30_000,
    run: async (it) => {
      const end = await it.dial('cut');
      await end.send('poo');
      end.end();
      await end.expectEnd('a connection whose line was cut', 15_000);
    },
  },
  {
    name: 'hostile/stalled-lines-delay-nobody',
    title: 'with 64 connections stuck in their first line a good one registers at once',
    clause: 'PORT-CTRL-7',
    needs: [],
    run: async (it) => {
      const stuck = await Promise.all(Array.from({ length: 64 }, (_, i) => it.dial(`stuck-${i + 1}`)));
      await Promise.all(stuck.map((end) => end.send('p')));
      await works(it, 'good');
    },
  },
  {
    name: 'hostile/stalled-lines-closed',
    title: 'connections stuck in their first line are closed within half a minute',
    clause: 'PORT-CTRL-8',
    needs: [],
    directOnly: true,
    limitMillis: 45_000,
    run: async (it) => {
      const [silent, begun] = await Promise.all([it.dial('silent'), it.dial('begun')]);
      await begun.send('p');
      const began = performance.now();
      await Promise.all(
        [silent, begun].map((end) => end.expectEnd('a control phase that does not go on', 30_000)),
      );
      it.observe(`closed after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    },
  },
  {
    name: 'hostile/endless-line',
    title: 'a line of a megabyte without end is closed and costs no memory',
    clause: 'PORT-CTRL-8',
    needs: [],
    alone: 'machine',
    limitMillis: 30_000,
    run: async (it) => {
      const before = await it.holdings();
      const end = await it.dial('endless');
      void end.send(Buffer.alloc(1_048_576, 'a'));
      await end.expectEnd('a line without end', 15_000);
      const after = await it.holdings();
      if (before === undefined || after === undefined) return;
      const grown = (after.rssBytes - before.rssBytes) / 1_048_576;
      it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
      if (grown > 16) it.broken('at most 16 MiB more memory', `${grown.toFixed(1)} MiB`);
      await works(it, 'after');
    },
  },
  {
    name: 'hostile/tunnel-survives-garbage',
    title: 'a running tunnel loses no byte while strangers shout',
    clause: 'PORT-LIVE-1',
    needs: ['event'],
    run: async (it) => {
      const { user, service } = await eventTunnel(it);
      for (const text of Object.values(GARBAGE)) {
        const stranger = await it.dial('stranger');
        await stranger.send(text);
        stranger.reset();
        await user.send('tick');
        await service.expect('tick', "the user's bytes");
      }
    },
  },
  {
    name: 'hostile/yamux-garbage',
    title: 'a session that sends no yamux ends alone',
    clause: 'PORT-LIVE-1',
    needs: ['multiplex'],
    run: async (it) => {
      const end = await it.dial('carrier');
      await end.send('multiplex\n');
      await portLine(it, end);
      await end.send('\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff');
      await end.expectEnd('a session that broke its protocol', 15_000);
      await works(it, 'after');
    },
  },
  {
    name: 'hostile/guessed-claims',
    title: 'a thousand guessed ids claim nobody, and the true one still does',
    clause: 'PORT-EVENT-5',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      await user.send('mine');
      const id = await nextId(control);
      for (let round = 0; round < 20; round++)
        await Promise.all(
          Array.from({ length: 50 }, async (_, i) => {
            const guess = await it.dial(`guess-${round * 50 + i}`);
            await guess.send(`event\n${(it.rng.below(2 ** 30) + 2 ** 30).toString(16).toUpperCase()}00\n`);
            await guess.expectEnd('a guessed id');
          }),
        );
      const claim = await it.dial('claim');
      await claim.send(`event\n${id}\n`);
      await claim.expect('mine', "the user's bytes");
    },
  },
  {
    name: 'leak/churn',
    title: 'six hundred tunnels, a tenth aborted, a tenth never claimed, leave no descriptor behind',
    clause: 'AUDIT-FD-1',
    needs: ['pool', 'event'],
    alone: 'target',
    limitMillis: 120_000,
    run: async (it) => {
      const before = await holdings(it);
      const one = async (n: number): Promise<void> => {
        if (n % 10 === 9) {
          const { port, control } = await newEvent(it, `control-${n}`);
          const user = await it.dialPort(port, `user-${n}`);
          await nextId(control);
          user.reset();
          control.end();
          await control.expectEnd('a control connection we have ended');
          return;
        }
        const { user, service, control } = await (n % 2 === 0 ? poolTunnel : eventTunnel)(it, `-${n}`);
        await user.send('x');
        await service.expect('x', "the user's byte");
        if (n % 10 === 3) user.reset();
        else user.end();
        await service.expectEnd('the end of the user');
        service.end();
        for (const end of [user, service, control]) end?.close();
      };
      for (let round = 0; round < 12; round++)
        await Promise.all(Array.from({ length: 50 }, (_, i) => one(round * 50 + i)));
      const began = performance.now();
      const settle = 40_000 * Math.min(1, it.capabilities.timeScale);
      for (;;) {
        const now = await it.holdings();
        if (now !== undefined && now.fds <= before.fds + 8) return;
        if (performance.now() - began > settle)
          it.broken(
            `descriptors back to ${before.fds} (at most 8 more) after ${settle / 1_000} s`,
            `${now?.fds ?? '?'} descriptors, ${now?.listening ?? '?'} listening`,
          );
        await it.wait(500);
      }
    },
  },
  {
    name: 'leak/ports',
    title: 'the ports of two hundred listeners that left are given back',
    clause: 'AUDIT-PORT-1',
    needs: ['event'],
    alone: 'target',
    limitMillis: 90_000,
    run: async (it) => {
      const before = await holdings(it);
      for (let round = 0; round < 4; round++) {
        const all = await Promise.all(
          Array.from({ length: 50 }, (_, i) => newEvent(it, `control-${round * 50 + i}`)),
        );
        for (const { control } of all) control.end();
        await Promise.all(all.map(({ control }) => control.expectEnd('a control connection we have ended')));
      }
      const began = performance.now();
      for (;;) {
        const now = await it.holdings();
        if (now !== undefined && now.listening <= before.listening + 2) return;
        if (performance.now() - began > 40_000)
          it.broken(`${before.listening} listening ports again`, `${now?.listening ?? '?'} after 40 s`);
        await it.wait(500);
      }
    },
  },
  {
    name: 'limit/pool-of-many',
    title: 'a pool of three hundred connections serves three hundred users at once',
    clause: 'PORT-POOL-4',
    needs: ['pool'],
    run: async (it) => {
      const { port, id, first } = await newPool(it);
      const ends = [first];
      while (ends.length < 300) {
        const joined = await Promise.all(
          Array.from({ length: Math.min(50, 300 - ends.length) }, async (_, i) => {
            const end = await it.dial(`member-${ends.length + i}`);
            await end.send(`pool\n${id}\n`);
            return end;
          }),
        );
        ends.push(...joined);
      }
      await it.wait(300);
      const users = await Promise.all(ends.map((_, i) => it.dialPort(port, `user-${i + 1}`)));
      await Promise.all(users.map((user) => user.send('u')));
      await Promise.all(ends.map((end) => end.expect('u', "a user's byte")));
    },
  },
);
