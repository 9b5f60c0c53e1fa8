/** Who listens, who connects, who accepts: how nodes find each other. */
import { type ServerContext, serverCases } from '../../case.ts';
import { INIT, peerMessage, readPeer } from './messages.ts';
import {
  accepting,
  awaitedKeepAlive,
  connecting,
  half,
  joined,
  keptAwake,
  listening,
  type Node,
  newcomer,
  refusedAs,
  ticks,
  tunnel,
  works,
} from './society.ts';

const CROWD = 50;

/** Listens with a key that was in use a moment ago: a relay may still be about to notice that it is not. */
const again = async (it: ServerContext, { identity }: Node): Promise<Node> => {
  const began = performance.now();
  for (;;) {
    const node = await listening(it, identity, 'listener-again');
    await it.wait(200);
    if (node.wire.ended === 'open' || performance.now() - began > it.patienceMillis) return node;
  }
};

const comesBack = (name: string, title: string, leave: (node: Node) => void) => ({
  ...{ name: `meet/listens-again-${name}`, title, clause: 'ID-MEET-6', needs: [] },
  run: async (it: ServerContext) => {
    const listener = await listening(it);
    await half(it, listener);
    leave(listener);
    await tunnel(it, 'again-', await again(it, listener));
  },
});

export const RENDEZVOUS = serverCases(
  {
    name: 'meet/announced',
    title: 'a listener hears the keys of three connectors, in order',
    clause: 'ID-MEET-1',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      for (const name of ['connector-1', 'connector-2', 'connector-3'])
        await half(it, listener, newcomer(it), name);
    },
  },
  {
    name: 'meet/accepted',
    title: 'of three connectors each accept takes the one it names',
    clause: 'ID-MEET-2',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      const waiting = [];
      for (const n of [1, 2, 3]) waiting.push(await half(it, listener, newcomer(it), `connector-${n}`));
      for (const [i, connector] of [...waiting.entries()].reverse()) {
        const acceptor = await accepting(it, listener.identity, connector.identity, `acceptor-${i + 1}`);
        await acceptor.channel.say(`you are ${i + 1}`);
        await connector.channel.expect(`you are ${i + 1}`, 'the words of its acceptor');
        await connector.channel.say(`I am ${i + 1}`);
        await acceptor.channel.expect(`I am ${i + 1}`, 'the words of its connector');
      }
    },
  },
  {
    name: 'meet/nobody-listens',
    title: 'a connect to a key that nobody listens with is closed',
    clause: 'ID-MEET-3',
    needs: [],
    run: async (it) => {
      await refusedAs(it, await connecting(it, newcomer(it)), 'a connect to nobody');
    },
  },
  {
    name: 'meet/nobody-waits',
    title: 'an accept of somebody who does not wait is closed, and the listener goes on',
    clause: 'ID-MEET-3',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      await half(it, listener);
      await refusedAs(it, await accepting(it, listener.identity, newcomer(it)), 'an accept of nobody');
      await tunnel(it, 'after-', listener);
    },
  },
  {
    name: 'meet/stranger-accepts',
    title: 'a connector that waits for somebody else cannot be accepted',
    clause: 'ID-MEET-3',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      const connector = await half(it, listener);
      const thief = await accepting(it, newcomer(it), connector.identity, 'thief');
      await refusedAs(it, thief, 'an accept by a key that was not asked for');
      const acceptor = await accepting(it, listener.identity, connector.identity);
      await acceptor.channel.say('it is me');
      await connector.channel.expect('it is me', 'the words of the one it asked for');
    },
  },
  {
    name: 'meet/accepted-once',
    title: 'a connector is accepted once, and its tunnel goes on',
    clause: 'ID-MEET-3',
    needs: [],
    run: async (it) => {
      const { listener, connector, acceptor } = await tunnel(it);
      await acceptor.channel.say('first');
      await connector.channel.expect('first', 'the words of its acceptor');
      await refusedAs(
        it,
        await accepting(it, listener.identity, connector.identity, 'acceptor-2'),
        'a second accept',
      );
      await acceptor.channel.say('still here');
      await connector.channel.expect('still here', 'the words of its acceptor');
    },
  },
  {
    name: 'meet/rejected',
    title: 'a rejected connector is closed, another one is not',
    clause: 'ID-MEET-4',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      const unwelcome = await half(it, listener, newcomer(it), 'unwelcome');
      const welcome = await half(it, listener, newcomer(it), 'welcome');
      await listener.channel.say(peerMessage(unwelcome.identity.publicKey));
      await refusedAs(it, unwelcome, 'a connector that was rejected');
      const acceptor = await accepting(it, listener.identity, welcome.identity);
      await acceptor.channel.say('come in');
      await welcome.channel.expect('come in', 'the words of its acceptor');
    },
  },
  {
    name: 'meet/rejects-nobody',
    title: 'a reject of somebody who does not wait changes nothing',
    clause: 'ID-MEET-4',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      await half(it, listener);
      await listener.channel.say(peerMessage(newcomer(it).publicKey));
      await tunnel(it, 'after-', listener);
    },
  },
  {
    name: 'meet/second-listen',
    title: 'a second listener of a key is closed, and the first hears who connects',
    clause: 'ID-MEET-5',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      await half(it, listener);
      const second = await listening(it, listener.identity, 'second');
      await refusedAs(it, second, 'a second listener');
      await half(it, listener, newcomer(it), 'later');
    },
  },
  comesBack('fin', 'a key whose listener has closed may listen again', ({ wire }) => wire.end()),
  comesBack('reset', 'a key whose listener was reset may listen again', ({ wire }) => wire.reset()),
  {
    name: 'meet/listener-leaves',
    title: 'connectors that wait learn that their listener is gone',
    clause: 'ID-MEET-7',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      const connector = await half(it, listener);
      listener.wire.end();
      await refusedAs(it, connector, 'a connector whose listener is gone');
    },
  },
  {
    name: 'meet/crowd',
    title: 'fifty nodes that connect at once are all announced',
    clause: 'ID-MEET-8',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      await half(it, listener);
      const nodes = await Promise.all(Array.from({ length: CROWD }, (_, i) => joined(it, `crowd-${i + 1}`)));
      await Promise.all(nodes.map(({ channel }) => channel.say(INIT.connect(listener.identity.publicKey))));
      const awaited = new Set(nodes.map(({ identity }) => identity.publicKey.toString('hex')));
      while (awaited.size > 0) {
        const key = readPeer(await listener.channel.hear(`IncomingConnection, ${awaited.size} to come`));
        if (!awaited.delete(key.toString('hex')))
          it.broken('each of the fifty once', key.toString('base64url'));
      }
    },
  },
  {
    name: 'meet/oneself',
    title: 'a node may connect to itself',
    clause: 'ID-MEET-9',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      await half(it, listener);
      const connector = await half(it, listener, listener.identity, 'myself');
      const acceptor = await accepting(it, listener.identity, listener.identity);
      await connector.channel.say('hello, me');
      await acceptor.channel.expect('hello, me', 'its own words');
    },
  },
  {
    name: 'meet/second-connect',
    title: 'a key that connects twice to the same listener disturbs neither it nor the first connection',
    clause: 'ID-MEET-2',
    needs: [],
    run: async (it) => {
      const listener = await listening(it);
      const connector = await half(it, listener);
      const second = await connecting(it, listener.identity, connector.identity, 'second');
      await it.wait(300);
      it.observe(`the second connect: ${second.wire.ended === 'open' ? 'left open' : 'closed'}`);
      const acceptor = await accepting(it, listener.identity, connector.identity);
      if (second.wire.ended === 'open') return;
      await acceptor.channel.say('the first');
      await connector.channel.expect('the first', 'the words of its acceptor');
    },
  },
  {
    name: 'init/listens-twice',
    title: 'a listener that says listen again harms nobody else',
    clause: 'ID-INIT-1',
    needs: [],
    run: async (it) => {
      const node = await listening(it);
      await half(it, node);
      await node.channel.say(INIT.listen());
      await works(it);
      it.observe(`after a second listen: ${node.wire.ended === 'open' ? 'left open' : 'closed'}`);
    },
  },
  {
    name: 'init/in-a-tunnel',
    title: 'an InitConnection inside a tunnel is a message',
    clause: 'ID-INIT-1',
    needs: [],
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      for (const message of [INIT.listen(), INIT.connect(connector.identity.publicKey)]) {
        await connector.channel.say(message);
        await acceptor.channel.expect(message, 'the message as it was sent');
      }
    },
  },
);

/** Those that wait for the target's clock; they come first, so that they all wait at the same time. */
export const PATIENT = serverCases(
  {
    name: 'live/silent-node',
    title: 'a silent listener is closed after 32 ticks, and its key may listen again',
    clause: 'ID-LIVE-2',
    needs: [],
    limitMillis: 70_000,
    run: async (it) => {
      const listener = await listening(it);
      const began = performance.now();
      await listener.wire.expectEnd('a node that says nothing', ticks(it, 45));
      const passed = (performance.now() - began) / ticks(it, 1);
      it.observe(`closed after ${passed.toFixed(1)} ticks`);
      if (passed < 30) it.broken('open for 32 ticks without a word', `closed after ${passed.toFixed(1)}`);
      await tunnel(it, 'again-', await again(it, listener));
    },
  },
  {
    name: 'live/keepalive-keeps',
    title: 'a listener that says keepAlive every 15 ticks is still there after 34',
    clause: 'ID-LIVE-3',
    needs: [],
    limitMillis: 60_000,
    run: async (it) => {
      const listener = await listening(it);
      await half(it, listener);
      for (const wait of [15, 15, 4]) {
        await it.wait(ticks(it, wait));
        await listener.channel.keepAlive();
      }
      await tunnel(it, 'later-', listener);
    },
  },
  {
    name: 'live/keepalive-comes',
    title: 'a relay that has nothing to say says keepAlive within 31 ticks',
    clause: 'ID-LIVE-1',
    needs: [],
    limitMillis: 50_000,
    run: async (it) => {
      const listener = await listening(it);
      it.observe(`after ${(await awaitedKeepAlive(it, listener)).toFixed(1)} ticks`);
    },
  },
  {
    name: 'meet/unclaimed',
    title: 'a connector is accepted after 20 ticks, and let go when nobody did for 32',
    clause: 'ID-MEET-7',
    needs: [],
    limitMillis: 80_000,
    run: async (it) => {
      const listener = await listening(it);
      const connector = await half(it, listener);
      const unclaimed = await half(it, listener, newcomer(it), 'unclaimed');
      const began = performance.now();
      keptAwake(it, [listener, connector, unclaimed]);
      await it.wait(ticks(it, 20));
      const acceptor = await accepting(it, listener.identity, connector.identity);
      await acceptor.channel.say('at last');
      await connector.channel.expect('at last', 'the words of its acceptor');
      await unclaimed.wire.expectEnd('a connector that nobody accepts', ticks(it, 28));
      it.observe(`let go after ${((performance.now() - began) / ticks(it, 1)).toFixed(1)} ticks`);
      await half(it, listener, unclaimed.identity, 'unclaimed-again');
    },
  },
);
