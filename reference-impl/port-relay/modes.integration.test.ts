import t from 'tap';
import { openEvent, openMultiplex, openPool, type RelayRegistration } from './library.ts';
import { eventually, openRelay, openService, Peer, patterned, within } from './live.ts';

const OPEN = { pool: openPool, event: openEvent, multiplex: openMultiplex } as const;
const REQUEST = patterned(65_536, 3);
const ANSWER = patterned(1_048_576, 7);

for (const mode of ['pool', 'event', 'multiplex'] as const) {
  t.test(mode, { timeout: 60_000 }, async (t) => {
    const services: Peer[] = [];
    let arrived = Promise.withResolvers<Peer>();
    const service = await openService((peer) => {
      services.push(peer);
      arrived.resolve(peer);
    });
    const relay = await openRelay({ graceMillis: 300 });
    const registration: RelayRegistration = OPEN[mode]({
      relay: { host: '127.0.0.1', port: relay.port },
      service: { host: '127.0.0.1', port: service.port },
    });
    const port = await within(5_000, 'a port', registration.port);
    /** A user who says something at once, and the service's end of its tunnel. */
    const tunnel = async (first: Buffer): Promise<readonly [user: Peer, service: Peer]> => {
      arrived = Promise.withResolvers<Peer>();
      const user = await Peer.dial(port);
      user.socket.write(first);
      return [user, await within(5_000, 'the service is dialled', arrived.promise)];
    };

    await t.test('the user ends first: request, its end, the answer, its end', async (t) => {
      const [user, served] = await tunnel(REQUEST);
      user.socket.end();
      t.equal(await served.over(), 'fin');
      t.ok(served.heard.equals(REQUEST), 'the whole request came before its end');
      served.socket.end(ANSWER);
      t.equal(await user.over(), 'fin');
      t.ok(user.heard.equals(ANSWER), 'the whole answer came through the half-closed tunnel');
    });

    await t.test('the service ends first, and the user goes on', async (t) => {
      const [user, served] = await tunnel(Buffer.from('q'));
      served.socket.end(REQUEST);
      t.equal(await user.over(), 'fin');
      t.ok(user.heard.equals(REQUEST));
      user.socket.end(ANSWER);
      t.equal(await served.over(), 'fin');
      t.ok(served.heard.equals(Buffer.concat([Buffer.from('q'), ANSWER])));
    });

    await t.test('an abort on one side is an abort on the other', async (t) => {
      const [user, served] = await tunnel(Buffer.from('q'));
      await served.bytes(1);
      user.reset();
      t.equal(await served.over(), 'rst', 'user to service');
      const [other, again] = await tunnel(Buffer.from('q'));
      await again.bytes(1);
      again.reset();
      t.equal(await other.over(), 'rst', 'service to user');
    });

    await t.test('twenty users at once get their own bytes', async (t) => {
      const before = services.length;
      const users = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const user = await Peer.dial(port);
          user.socket.end(patterned(20_000, i));
          return user;
        }),
      );
      const { promise, resolve } = Promise.withResolvers<void>();
      const answer = async (peer: Peer): Promise<void> => {
        await peer.over();
        peer.socket.end(peer.heard);
      };
      const look = setInterval(() => services.length >= before + 20 && resolve(), 5);
      await within(10_000, 'all are served', promise);
      clearInterval(look);
      for (const peer of services.slice(before)) void answer(peer);
      for (const [i, user] of users.entries()) {
        await user.over();
        t.ok(user.heard.equals(patterned(20_000, i)), `user ${i}`);
      }
    });

    await t.test('a service that is not there costs its tunnel only', async (t) => {
      service.server.close();
      const user = await Peer.say(port, 'anybody?');
      await user.over();
      t.equal(user.heard.length, 0);
      user.reset();
      t.equal(relay.machine.stats().registrations[mode], 1, 'the registration lives');
    });

    await t.test('closing the client closes its port, and nothing stays open', async (t) => {
      await within(15_000, 'the client is closed', registration.close());
      await eventually('it is over', () => relay.machine.stats().registrations[mode] === 0);
      await t.rejects(Peer.dial(port));
      relay.driver.stop();
      await within(15_000, 'nothing is open', relay.driver.whenIdle());
      t.equal(relay.machine.stats().connections, 0);
      t.equal(relay.reports.at(-1)?.type, 'relay.drained');
    });
    relay.driver.destroy();
  });
}
