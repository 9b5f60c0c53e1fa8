/** Connection pools: who waits, who is given whom, and what becomes of the dead. */
import { serverCases } from '../../case.ts';
import { joinPool, newPool } from './registered.ts';

/** A relay that looks once a second is late, one that answers in a round trip is not: half a second tells them apart. */
const AT_ONCE_MILLIS = 500;

export const POOL = serverCases(
  {
    name: 'pool/port-and-id',
    title: 'a new pool is answered with the port line and then the id line',
    clause: 'PORT-POOL-1',
    needs: ['pool'],
    run: async (it) => {
      const { first } = await newPool(it);
      await first.expectSilence(300, 'after port and id');
    },
  },
  {
    name: 'pool/join-unanswered',
    title: 'a connection that joins hears nothing until a user speaks',
    clause: 'PORT-POOL-2',
    needs: ['pool'],
    run: async (it) => {
      const { id } = await newPool(it);
      const joined = await joinPool(it, id, 'joined');
      await joined.expectSilence(500, 'after the join');
    },
  },
  {
    name: 'pool/first-serves',
    title: 'the registering connection itself is given to a user',
    clause: 'PORT-POOL-3',
    needs: ['pool'],
    run: async (it) => {
      const { port, first } = await newPool(it);
      const user = await it.dialPort(port, 'user');
      await user.send('ping');
      await first.expect('ping', "the user's bytes");
      await first.send('pong');
      await user.expect('pong', "the service's bytes");
    },
  },
  {
    name: 'pool/joined-serves',
    title: 'joined connections serve the users that follow',
    clause: 'PORT-POOL-4',
    needs: ['pool'],
    run: async (it) => {
      const { port, id, first } = await newPool(it);
      const ends = [first, ...(await Promise.all([1, 2, 3].map((n) => joinPool(it, id, `joined-${n}`))))];
      await it.wait(300);
      const users = await Promise.all(ends.map((_, i) => it.dialPort(port, `user-${i + 1}`)));
      await Promise.all(users.map((user, i) => user.send(`user ${i + 1}.`)));
      const heard = await Promise.all(ends.map((end) => end.take(7, "a user's bytes")));
      const said = heard.map(String).sort();
      const expected = users.map((_, i) => `user ${i + 1}.`);
      if (said.join() !== expected.join()) it.broken(`each user once: ${expected.join(' ')}`, said.join(' '));
    },
  },
  {
    name: 'pool/user-at-once',
    title: 'a user is served within a round trip while a connection waits',
    clause: 'PORT-POOL-4',
    needs: ['pool'],
    // a relay that polls once a second is in time now and then
    statistical: { runs: 5, atLeast: 4 },
    run: async (it) => {
      const { port, first } = await newPool(it);
      await it.wait(150);
      const began = performance.now();
      const user = await it.dialPort(port, 'user');
      await user.send('x');
      await first.expect('x', "the user's byte");
      const took = performance.now() - began;
      it.observe(`first byte after ${took.toFixed(1)} ms`);
      const allowed = AT_ONCE_MILLIS + (it.patienceMillis - 5_000);
      if (took > allowed) {
        it.blameLoad(took, "the user's byte");
        it.broken(`the first byte within ${allowed} ms of the connection`, `after ${took.toFixed(0)} ms`);
      }
    },
  },
  {
    name: 'pool/late-join-serves-at-once',
    title: 'a user that waits is served as soon as a connection joins',
    clause: 'PORT-POOL-4',
    needs: ['pool'],
    statistical: { runs: 5, atLeast: 4 },
    run: async (it) => {
      const { port, id, first } = await newPool(it);
      const one = await it.dialPort(port, 'user-1');
      await one.send('a');
      await first.expect('a', "the first user's byte");
      const two = await it.dialPort(port, 'user-2');
      await two.send('b');
      await it.wait(200);
      const began = performance.now();
      const joined = await joinPool(it, id, 'joined');
      await joined.expect('b', "the waiting user's byte");
      const took = performance.now() - began;
      const allowed = AT_ONCE_MILLIS + (it.patienceMillis - 5_000);
      if (took > allowed) {
        it.blameLoad(took, "the waiting user's byte");
        it.broken(`the waiting user within ${allowed} ms of the join`, `after ${took.toFixed(0)} ms`);
      }
    },
  },
  ...(['fin', 'reset'] as const).map((how) => ({
    name: `pool/dead-member-${how}`,
    title: `a pooled connection that ended by ${how === 'fin' ? 'FIN' : 'RST'} is not handed out`,
    clause: 'PORT-POOL-5',
    needs: ['pool'],
    run: async (it: Parameters<typeof newPool>[0]) => {
      // the oldest and the newest die, the one between lives: whichever end the relay takes from, it would meet a dead one
      const { port, id, first } = await newPool(it);
      const alive = await joinPool(it, id, 'alive');
      await it.wait(200);
      const last = await joinPool(it, id, 'last');
      await it.wait(300);
      for (const dead of [first, last]) {
        if (how === 'fin') dead.end();
        else dead.reset();
      }
      await it.wait(500);
      const user = await it.dialPort(port, 'user');
      await user.send('for a living one');
      await alive.expect('for a living one', "the user's bytes on the connection that lives");
    },
  })),
  {
    name: 'pool/dead-members-many',
    title: 'with half of twenty members dead, ten users are all served the first time',
    clause: 'PORT-POOL-5',
    needs: ['pool'],
    run: async (it) => {
      const { port, id, first } = await newPool(it);
      const ends = [first];
      for (let n = 1; n < 20; n++) ends.push(await joinPool(it, id, `member-${n}`));
      await it.wait(500);
      const living = ends.filter((end, i) => {
        if (i % 2 === 1) return true;
        if (i % 4 === 0) end.end();
        else end.reset();
        return false;
      });
      await it.wait(500);
      const users = await Promise.all(living.map((_, i) => it.dialPort(port, `user-${i + 1}`)));
      await Promise.all(users.map((user) => user.send('u')));
      await Promise.all(living.map((end) => end.expect('u', "a user's byte")));
    },
  },
  {
    name: 'pool/unknown-id',
    title: 'a connection that names no pool is closed',
    clause: 'PORT-POOL-6',
    needs: ['pool'],
    run: async (it) => {
      const end = await joinPool(it, '0000000000', 'stranger');
      it.closed((await end.expectEnd('a pool id that does not exist')) === 'fin' ? 'in order' : 'reset');
    },
  },
  {
    name: 'pool/user-gone-before-join',
    title: 'a user that left while waiting does not cost the next connection',
    clause: 'PORT-POOL-4',
    needs: ['pool'],
    run: async (it) => {
      const { port, id, first } = await newPool(it);
      const one = await it.dialPort(port, 'user-1');
      await one.send('a');
      await first.expect('a', "the first user's byte");
      const gone = await it.dialPort(port, 'gone');
      await it.wait(100);
      gone.reset();
      await it.wait(300);
      const joined = await joinPool(it, id, 'joined');
      await it.wait(300);
      const two = await it.dialPort(port, 'user-2');
      await two.send('b');
      await joined.expect('b', 'the bytes of the user that is there');
    },
  },
  {
    name: 'pool/waiting-users-in-order',
    title: 'users that wait are served first come, first served',
    clause: 'PORT-POOL-8',
    needs: ['pool'],
    run: async (it) => {
      const { port, id, first } = await newPool(it);
      const zero = await it.dialPort(port, 'user-0');
      await zero.send('0');
      await first.expect('0', 'the byte of the user that is served');
      for (let n = 1; n <= 4; n++) {
        const user = await it.dialPort(port, `user-${n}`);
        await user.send(String(n));
        await it.wait(60);
      }
      const order: string[] = [];
      for (let n = 1; n <= 4; n++) {
        const joined = await joinPool(it, id, `joined-${n}`);
        order.push((await joined.take(1, 'the byte of a waiting user')).toString());
      }
      if (order.join('') !== '1234') it.broken('users 1 2 3 4', `users ${order.join(' ')}`);
    },
  },
  {
    name: 'pool/port-given-back',
    title: 'the port of a pool without connections closes within half a minute',
    clause: 'PORT-POOL-7',
    alone: 'target',
    needs: ['pool'],
    limitMillis: 45_000,
    run: async (it) => {
      const { port, first } = await newPool(it);
      first.end();
      const began = performance.now();
      while (!(await it.refused(port))) {
        if (performance.now() - began > 30_000 * it.capabilities.timeScale)
          it.broken('the port refuses users within 30 s', 'it still takes them');
        await it.wait(500);
      }
      it.observe(`refused after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    },
  },
);
