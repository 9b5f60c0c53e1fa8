/** Event listeners: announced, claimed once, in any order. */
import { serverCases } from '../../case.ts';
import { claim, newEvent, nextId } from './registered.ts';

export const EVENT = serverCases(
  {
    name: 'event/port-alone',
    title: 'a new listener hears its port and nothing else until a user comes',
    clause: 'PORT-EVENT-1',
    needs: ['event'],
    run: async (it) => {
      const { control } = await newEvent(it);
      await control.expectSilence(500, 'after the port');
    },
  },
  {
    name: 'event/one-id-a-user',
    title: 'twenty users are announced by twenty ids',
    clause: 'PORT-EVENT-2',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      await Promise.all(Array.from({ length: 20 }, (_, i) => it.dialPort(port, `user-${i + 1}`)));
      const ids = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const id = await nextId(control);
        if (ids.has(id)) it.broken('an id of its own for every user', `${id} twice`);
        ids.add(id);
      }
      await control.expectSilence(300, 'after twenty ids for twenty users');
    },
  },
  {
    name: 'event/ids-never-again',
    title: 'two hundred users that come and go are announced by two hundred ids',
    clause: 'PORT-EVENT-2',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const ids = new Set<string>();
      while (ids.size < 200) {
        const users = await Promise.all(Array.from({ length: 20 }, (_, n) => it.dialPort(port, `user-${n}`)));
        for (const user of users) {
          const id = await nextId(control);
          if (ids.has(id))
            it.broken('an id of its own for every user', `${id} again after ${ids.size} users`);
          ids.add(id);
          user.reset();
        }
      }
    },
  },
  {
    name: 'event/announced-without-bytes',
    title: 'a user that says nothing is announced all the same',
    clause: 'PORT-EVENT-2',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      const service = await claim(it, await nextId(control));
      await service.send('the service speaks first');
      await user.expect('the service speaks first', "the service's bytes");
    },
  },
  {
    name: 'event/claim-joins',
    title: 'a claim is joined with its user, both ways',
    clause: 'PORT-EVENT-3',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      await user.send('ping');
      const service = await claim(it, await nextId(control));
      await service.expect('ping', "the user's bytes");
      await service.send('pong');
      await user.expect('pong', "the service's bytes");
    },
  },
  {
    name: 'event/claims-in-a-row',
    title: 'each of twelve users, one after the other, is joined with his claim',
    clause: 'PORT-EVENT-3',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      for (let n = 1; n <= 12; n++) {
        const user = await it.dialPort(port, `user-${n}`);
        await user.send(`ping ${n}`);
        const service = await claim(it, await nextId(control), `claim-${n}`);
        await service.expect(`ping ${n}`, `the bytes of user ${n}`);
        user.end();
        service.end();
      }
    },
  },
  {
    name: 'event/claims-in-any-order',
    title: 'claims in the reverse order reach the users their ids name',
    clause: 'PORT-EVENT-6',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const users = [];
      const ids = [];
      for (let n = 0; n < 6; n++) {
        const user = await it.dialPort(port, `user-${n}`);
        await user.send(`I am ${n}.`);
        users.push(user);
        ids.push(await nextId(control));
      }
      for (let n = 5; n >= 0; n--) {
        const service = await claim(it, ids[n] as string, `claim-${n}`);
        await service.expect(`I am ${n}.`, `the bytes of the user of id ${ids[n]}`);
      }
    },
  },
  {
    name: 'event/control-stays-open',
    title: 'the control connection stays open while a tunnel comes and goes',
    clause: 'PORT-EVENT-1',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      const service = await claim(it, await nextId(control));
      user.reset();
      await service.expectEnd('the service learns that the user is gone');
      await control.expectSilence(500, 'the control connection after the tunnel');
      await it.dialPort(port, 'user-2');
      await nextId(control);
    },
  },
  {
    name: 'event/port-ends-with-control',
    title: 'the port refuses users once the control connection is closed',
    clause: 'PORT-EVENT-4',
    alone: 'target',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      control.end();
      const began = performance.now();
      while (!(await it.refused(port))) {
        if (performance.now() - began > it.patienceMillis) {
          it.blameMachine(performance.now() - began, 'the port to refuse users');
          it.broken(`port ${port} refuses users after the end of its listener`, 'it takes them');
        }
        await it.wait(100);
      }
    },
  },
  {
    name: 'event/port-ends-with-reset',
    title: 'the port refuses users once the control connection is reset',
    clause: 'PORT-EVENT-4',
    alone: 'target',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      control.reset();
      const began = performance.now();
      while (!(await it.refused(port))) {
        if (performance.now() - began > it.patienceMillis) {
          it.blameMachine(performance.now() - began, 'the port to refuse users');
          it.broken(`port ${port} refuses users after the reset of its listener`, 'it takes them');
        }
        await it.wait(100);
      }
    },
  },
  {
    name: 'event/unknown-id',
    title: 'a claim of an id that never was is closed',
    clause: 'PORT-EVENT-5',
    needs: ['event'],
    run: async (it) => {
      const end = await claim(it, '0000000000', 'stranger');
      it.closed((await end.expectEnd('an event id that does not exist')) === 'fin' ? 'in order' : 'reset');
    },
  },
  {
    name: 'event/second-claim',
    title: 'a second claim of the same id is closed, and the first goes on',
    clause: 'PORT-EVENT-5',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      const id = await nextId(control);
      const service = await claim(it, id);
      await user.send('ping');
      await service.expect('ping', "the user's bytes");
      const second = await claim(it, id, 'second');
      await second.expectEnd('a second claim');
      await service.send('pong');
      await user.expect('pong', 'the bytes of the first claim');
    },
  },
  {
    name: 'event/waiting-users-let-go',
    title: 'users that wait learn that their listener is gone',
    clause: 'PORT-EVENT-7',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      await nextId(control);
      control.end();
      await user.expectEnd('a waiting user whose listener has ended', 10_000);
    },
  },
  {
    name: 'event/unclaimed-expires',
    title: 'a user whose id nobody claims is let go within a minute',
    clause: 'PORT-EVENT-7',
    needs: ['event'],
    limitMillis: 70_000,
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      const id = await nextId(control);
      const began = performance.now();
      await user.expectEnd('a user that nobody claims', 60_000 * it.capabilities.timeScale);
      it.observe(`let go after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
      const late = await claim(it, id, 'late');
      await late.expectEnd('a claim that comes too late');
    },
  },
);
