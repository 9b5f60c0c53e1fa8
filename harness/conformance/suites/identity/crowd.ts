/** Those who mean no good, or say nothing: what they do costs them, and nobody else. */
import { serverCases } from '../../case.ts';
import { framed, VERSION } from './frames.ts';
import { dialled, joined, met, refusedAs, ticks, tunnel, works } from './society.ts';

const SILENT = 32;
const MUTE = 600;

const STRANGERS: Readonly<Record<string, string>> = {
  http: 'GET / HTTP/1.1\r\nHost: relay\r\n\r\n',
  tls: '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03\x00\x00\x00\x00\x00',
  zeros: '\0'.repeat(64),
  'port-relay': 'multiplex\nmultiplex\n',
};

export const CROWDS = serverCases(
  {
    name: 'crowd/silent-channels',
    title: 'a node is served at once while 32 that shook hands say nothing',
    clause: 'ID-CROWD-1',
    needs: [],
    alone: 'target',
    run: async (it) => {
      await Promise.all(Array.from({ length: SILENT }, (_, i) => joined(it, `silent-${i + 1}`)));
      await works(it, '');
    },
  },
  {
    name: 'crowd/mute',
    title: 'six hundred mute connections keep nobody out for longer than 8 ticks',
    clause: 'ID-CROWD-2',
    needs: [],
    directOnly: true,
    alone: 'target',
    limitMillis: 60_000,
    run: async (it) => {
      await Promise.all(Array.from({ length: MUTE }, (_, i) => dialled(it, `mute-${i + 1}`)));
      const began = performance.now();
      const line = await dialled(it, 'first');
      await line.frames.send(VERSION);
      await line.frames.receive('the version', ticks(it, 8) + it.patienceMillis);
      it.observe(`heard after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
      await works(it, '');
    },
  },
  {
    name: 'crowd/strangers',
    title: 'a running tunnel loses nothing while strangers shout, and they are closed',
    clause: 'ID-CROWD-3',
    needs: [],
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      for (const [name, text] of Object.entries(STRANGERS)) {
        const stranger = await dialled(it, name);
        await stranger.wire.send(text);
        await connector.channel.say(name);
        await acceptor.channel.expect(name, 'the message of a running tunnel');
        stranger.wire.end();
        await refusedAs(it, stranger, `a connection that speaks ${name}`, ticks(it, 8) + it.patienceMillis);
      }
    },
  },
  {
    name: 'crowd/aborts',
    title: 'eighty connections that are reset at every step of their handshake harm nobody',
    clause: 'ID-CROWD-3',
    needs: [],
    run: async (it) => {
      for (let round = 0; round < 4; round++)
        await Promise.all(
          Array.from({ length: 20 }, async (_, i) => {
            const name = `hasty-${round}-${i}`;
            if (round === 0) (await dialled(it, name)).wire.reset();
            if (round === 1) {
              const { wire } = await dialled(it, name);
              void wire.send(framed(VERSION).subarray(0, 5 + (i % 7)));
              wire.reset();
            }
            if (round === 2) (await met(it, name)).wire.reset();
            if (round === 3) (await joined(it, name)).wire.reset();
          }),
        );
      await works(it);
    },
  },
  {
    name: 'leak/churn',
    title: 'a hundred tunnels, some aborted, some never accepted, leave no descriptor behind',
    clause: 'AUDIT-FD-1',
    needs: [],
    directOnly: true,
    alone: 'target',
    limitMillis: 90_000,
    run: async (it) => {
      await works(it, 'before-');
      const before = await it.holdings();
      if (before === undefined)
        return it.unclear('what the target holds cannot be read from outside: give it by --exec, on Linux');
      const one = async (n: number): Promise<void> => {
        const { listener, connector, acceptor } = await tunnel(it, `${n}-`);
        const nodes = [listener, connector, acceptor];
        if (n % 5 === 0) for (const { wire } of nodes) wire.reset();
        else for (const { wire } of nodes) wire.end();
        await Promise.all(
          nodes.map(({ wire }) =>
            wire.socket.destroyed ? undefined : wire.expectEnd('a connection we have ended'),
          ),
        );
        for (const { wire } of nodes) wire.close();
      };
      for (let round = 0; round < 10; round++)
        await Promise.all(Array.from({ length: 10 }, (_, i) => one(round * 10 + i)));
      const began = performance.now();
      for (;;) {
        const now = await it.holdings();
        if (now !== undefined && now.fds <= before.fds + 8) return;
        if (performance.now() - began > 20_000)
          it.broken(
            `descriptors back to ${before.fds} (at most 8 more) after 20 s`,
            `${now?.fds ?? '?'} descriptors`,
          );
        await it.wait(300);
      }
    },
  },
);
