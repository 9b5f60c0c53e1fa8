/** A client of a port relay: it registers, serves its users from the service behind it, and comes back. */
import { FLAG, TYPE } from '../../../../reference-impl/yamux/frame.ts';
import { type ClientContext, type ClientProfile, clientCases } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';
import { LiteralSession } from '../yamux/literal-session.ts';
import { ANSWER, claimed, ID, LINES, type Mode, registered, registering, stage } from './relay-side.ts';

const MODES = ['pool', 'event', 'multiplex'] as const;
const KIB = 1_024;

const each = (
  name: string,
  title: string,
  clause: string,
  run: (it: ClientContext, mode: Mode) => Promise<void>,
  modes: readonly Mode[] = MODES,
) =>
  modes.map((mode) => ({
    ...{ name: `${name}-${mode}`, title: `${title} (${mode})`, clause, needs: [mode], limitMillis: 40_000 },
    run: (it: ClientContext) => run(it, mode),
  }));

/** A user of a pool or an event listener: the connection he would be joined with, and the service's end of it. */
const tunnel = async (
  it: ClientContext,
  mode: 'pool' | 'event',
): Promise<{ readonly user: WireEnd; readonly service: WireEnd }> => {
  const { relay, service, control } = await registered(it, mode);
  let user = control;
  if (mode === 'event') {
    await control.send(`${ID}\n`);
    user = await claimed(relay, ID);
  }
  await user.send('first words');
  const end = await service.accept('the service is dialled for a user');
  await end.expect('first words', "the user's first bytes");
  return { user, service: end };
};

const PLAIN = ['pool', 'event'] as const;

/** The session of a multiplexed client, we its yamux client, and a stream for a user. */
const streamOf = async (it: ClientContext) => {
  const { relay, service, control } = await registered(it, 'multiplex');
  const session = new LiteralSession(it, control, 'client');
  const id = await session.open();
  return { relay, service, control, session, id };
};

/** Attempts to register within so many milliseconds, each ended at once. */
const attempts = async (it: ClientContext, mode: Mode, end: (control: WireEnd) => void): Promise<number> => {
  const { relay } = await stage(it, mode);
  const first = await relay.accept('the client registers', 15_000);
  end(first);
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < 5_000) {
    const left = 5_000 - (performance.now() - began);
    try {
      const again = await relay.accept('the client comes back', Math.max(1, left));
      count++;
      end(again);
    } catch {
      break;
    }
  }
  return count;
};

const CASES = clientCases(
  ...each('reg/lines', 'it registers with its lines and then waits', 'PORT-CLIENT-1', async (it, mode) => {
    const { relay } = await stage(it, mode);
    const control = await registering(relay, mode);
    await control.expectSilence(500, `after ${JSON.stringify(LINES[mode])}`);
  }),
  ...each(
    'reg/answer-byte-by-byte',
    'an answer in single bytes is an answer',
    'PORT-CLIENT-2',
    async (it, mode) => {
      const { relay, service } = await stage(it, mode);
      const control = await registering(relay, mode);
      await control.sendSliced(ANSWER[mode], 1);
      if (mode === 'multiplex') {
        const session = new LiteralSession(it, control, 'client');
        const id = await session.open();
        await session.send(TYPE.data, 0, id, Buffer.from('hello'));
      } else if (mode === 'event') {
        await control.sendSliced(`${ID}\n`, 1);
        await (await claimed(relay, ID)).send('hello');
      } else await control.send('hello');
      const end = await service.accept('the service is dialled for a user');
      await end.expect('hello', "the user's bytes");
    },
  ),
  ...each(
    'reg/answer-with-payload',
    'what follows the answer in its segment belongs to the next phase',
    'PORT-CLIENT-2',
    async (it, mode) => {
      const { relay, service } = await stage(it, mode);
      const control = await registering(relay, mode);
      if (mode === 'multiplex')
        await control.send(
          Buffer.concat([
            Buffer.from(ANSWER[mode]),
            LiteralSession.frame(TYPE.windowUpdate, FLAG.syn, 1),
            LiteralSession.frame(TYPE.data, 0, 1, Buffer.from('at once')),
          ]),
        );
      else if (mode === 'event') {
        await control.send(`${ANSWER.event}${ID}\n`);
        await (await claimed(relay, ID)).send('at once');
      } else await control.send(`${ANSWER.pool}at once`);
      const end = await service.accept('the service is dialled for a user');
      await end.expect('at once', "the user's bytes");
    },
  ),
  ...each(
    'data/both-ways',
    'a megabyte passes each way as it was sent',
    'PORT-CLIENT-3',
    async (it, mode) => {
      const { user, service } = await tunnel(it, mode as 'pool' | 'event');
      const [up, down] = [Buffer.alloc(KIB * KIB, 'up'), Buffer.alloc(KIB * KIB, 'down')];
      const [atService, atUser] = await Promise.all([
        service.take(up.length, "the user's bytes"),
        user.take(down.length, "the service's bytes"),
        user.send(up),
        service.send(down),
      ]);
      if (!atService.equals(up) || !atUser.equals(down)) it.broken('both as they were sent', 'other bytes');
    },
    PLAIN,
  ),
  ...each(
    'close/half-close-user',
    "the user's FIN reaches the service, and the answer still comes",
    'PORT-CLIENT-4',
    async (it, mode) => {
      const { user, service } = await tunnel(it, mode as 'pool' | 'event');
      user.end();
      await service.rest("the end of the user's half", 0);
      await it.wait(300);
      await service.send(Buffer.alloc(64 * KIB, 'a'));
      service.end();
      const answer = await user.rest('the answer', 64 * KIB);
      if (answer.length !== 64 * KIB) it.broken('64 KiB and FIN', `${answer.length} bytes and FIN`);
    },
    PLAIN,
  ),
  ...each(
    'close/service-ends',
    "the service's FIN reaches the user behind its bytes",
    'PORT-CLIENT-4',
    async (it, mode) => {
      const { user, service } = await tunnel(it, mode as 'pool' | 'event');
      await service.send('bye');
      service.end();
      const last = await user.rest("the service's last words", 16);
      if (last.toString() !== 'bye') it.broken('"bye" and FIN', JSON.stringify(last.toString()));
    },
    PLAIN,
  ),
  ...each(
    'close/abort',
    'a user that resets frees the service',
    'PORT-CLIENT-4',
    async (it, mode) => {
      const { user, service } = await tunnel(it, mode as 'pool' | 'event');
      user.reset();
      await service.expectEnd('the service whose user has reset');
    },
    PLAIN,
  ),
  {
    name: 'event/many-at-once',
    title: 'ten ids in one segment are ten claims',
    clause: 'PORT-CLIENT-5',
    needs: ['event'],
    run: async (it) => {
      const { relay, control } = await registered(it, 'event');
      const ids = Array.from({ length: 10 }, (_, i) => `AB${i}D56C83F`);
      await control.send(ids.map((id) => `${id}\n`).join(''));
      const claims = new Set<string>();
      for (const _ of ids) {
        const end = await relay.accept('a claim');
        const mode = await end.line('the mode of a claim');
        const id = await end.line('the id of a claim');
        if (mode !== 'event' || !ids.includes(id))
          it.broken('"event" and one of the ids', `"${mode}", "${id}"`);
        if (claims.has(id)) it.broken('each id once', `${id} twice`);
        claims.add(id);
      }
    },
  },
  {
    name: 'event/claims-while-busy',
    title: 'a user is claimed while another one is still served',
    clause: 'PORT-CLIENT-5',
    needs: ['event'],
    run: async (it) => {
      const { relay, service, control } = await registered(it, 'event');
      await control.send('AAAAAAAAAA\n');
      const first = await claimed(relay, 'AAAAAAAAAA');
      await first.send('1');
      await (await service.accept('the service for the first')).expect('1', 'the first user');
      await control.send('BBBBBBBBBB\n');
      const second = await claimed(relay, 'BBBBBBBBBB');
      await second.send('2');
      await (await service.accept('the service for the second')).expect('2', 'the second user');
    },
  },
  {
    name: 'pool/filled-again',
    title: 'a connection that was taken is replaced',
    clause: 'PORT-CLIENT-6',
    needs: ['pool'],
    run: async (it) => {
      const { relay, service, control } = await registered(it, 'pool');
      const members: WireEnd[] = [];
      // a client may keep more than one waiting: those come first
      for (;;) {
        try {
          members.push(await relay.accept('more members', 1_000));
        } catch {
          break;
        }
      }
      for (const member of members) await member.expect(`pool\n${ID}\n`, 'a member joins by the id');
      await control.send('taken');
      await (await service.accept('the service')).expect('taken', "the user's bytes");
      const next = await relay.accept('a member in the place of the one that was taken');
      await next.expect(`pool\n${ID}\n`, 'it joins by the id');
      it.observe(`${members.length + 1} connections wait at a time`);
    },
  },
  {
    name: 'mux/serves-streams',
    title: 'streams that we open are dialled through, five at once',
    clause: 'PORT-CLIENT-7',
    needs: ['multiplex'],
    run: async (it) => {
      const { service, session, id } = await streamOf(it);
      const ids = [id, ...(await Promise.all([1, 2, 3, 4].map(() => session.open())))];
      for (const stream of ids) await session.send(TYPE.data, 0, stream, Buffer.from(`on ${stream}`));
      const heard: string[] = [];
      for (const stream of ids)
        heard.push((await (await service.accept('the service')).take(4, `bytes of ${stream}`)).toString());
      const wanted = ids.map((stream) => `on ${stream}`.slice(0, 4)).sort();
      if (heard.sort().join() !== wanted.join()) it.broken(wanted.join(', '), heard.join(', '));
    },
  },
  {
    name: 'mux/half-close',
    title: 'FIN of a stream reaches the service, and the answer comes back with FIN',
    clause: 'PORT-CLIENT-4',
    needs: ['multiplex'],
    run: async (it) => {
      const { service, session, id } = await streamOf(it);
      await session.send(TYPE.data, 0, id, Buffer.from('request'));
      await session.send(TYPE.windowUpdate, FLAG.fin, id, 0);
      const end = await service.accept('the service');
      const request = await end.rest('the request', 64);
      if (request.toString() !== 'request')
        it.broken('"request" and FIN', JSON.stringify(request.toString()));
      await end.send('answer');
      end.end();
      const { bytes, how } = await session.rest(id, 'the answer');
      if (bytes.toString() !== 'answer' || how === 'rst')
        it.broken('"answer" and FIN', `${JSON.stringify(bytes.toString())} and ${how}`);
    },
  },
  ...each(
    'service/away',
    'with the service away the user is let go and the client goes on',
    'PORT-CLIENT-8',
    async (it, mode) => {
      const { relay, service, client, control } = await registered(it, mode);
      await service.close();
      if (mode === 'multiplex') {
        const session = new LiteralSession(it, control, 'client');
        const id = await session.open();
        await session.send(TYPE.data, 0, id, Buffer.from('anybody there?'));
        await session.until(
          'the end of the stream',
          ({ stream, flags }) => stream === id && (flags & (FLAG.fin | FLAG.rst)) !== 0,
        );
        await session.ping();
      } else {
        let user = control;
        if (mode === 'event') {
          await control.send(`${ID}\n`);
          user = await claimed(relay, ID);
        }
        await user.send('anybody there?');
        await user.expectEnd('a user whose service is away');
      }
      await it.wait(200);
      if (!client.running) it.broken('a client that goes on', `it ended: ${client.output().slice(-300)}`);
    },
  ),
  ...each(
    'back/after-close',
    'it registers again after the relay has closed',
    'PORT-CLIENT-9',
    async (it, mode) => {
      const { relay, control } = await registered(it, mode);
      await it.wait(200);
      control.end();
      const again = await relay.accept('the client comes back', 20_000);
      await again.take(4, 'its registration');
      control.close();
    },
  ),
  ...each(
    'back/after-refusal',
    'it registers when the relay comes up after it',
    'PORT-CLIENT-9',
    async (it, mode) => {
      const relay = await it.listen('relay');
      const { port } = relay;
      const service = await it.listen('service');
      await relay.close();
      await it.start({ mode, port: String(port), service: String(service.port) });
      await it.wait(700);
      const late = await it.listen('relay', port);
      const control = await late.accept('the client registers', 20_000);
      await control.expect(LINES[mode], 'its registration');
    },
  ),
  ...each(
    'back/no-hammering',
    'while the relay closes at once, attempts grow rarer',
    'PORT-CLIENT-10',
    async (it, mode) => {
      const count = await attempts(it, mode, (control) => control.end());
      it.observe(`${count} attempts in five seconds`);
      if (count > 12) it.broken('at most 12 attempts in five seconds', `${count}`);
    },
  ),
  ...each(
    'answer/no-port',
    'an answer that is no port does not end the client in a crash',
    'PORT-CLIENT-11',
    async (it, mode) => {
      const { relay, client } = await stage(it, mode);
      const control = await registering(relay, mode);
      await control.send('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      await control.expectEnd('the client gives up that connection', 20_000);
      await it.wait(300);
      if (!client.running) {
        const how = await client.exit();
        if (typeof how === 'string')
          it.broken('an end in order, or another attempt', `it was ended by ${how}`);
        it.observe(`it ended with exit code ${how}`);
      }
    },
  ),
  ...each(
    'answer/endless-line',
    'a megabyte without a newline is given up',
    'PORT-CLIENT-11',
    async (it, mode) => {
      const { relay, client } = await stage(it, mode);
      const control = await registering(relay, mode);
      const before = await client.holdings();
      void control.send(Buffer.alloc(KIB * KIB, '4'));
      await control.expectEnd('the client gives up a line without end', 20_000);
      const after = await client.holdings();
      if (before === undefined || after === undefined) return;
      const grown = (after.rssBytes - before.rssBytes) / KIB / KIB;
      it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
      if (grown > 32) it.broken('at most 32 MiB more memory', `${grown.toFixed(1)} MiB`);
    },
  ),
);

export const PORT_CLIENT: ClientProfile = {
  name: 'port-client',
  role: 'client',
  summary:
    'a client of a port relay (pool, event, multiplex or forwarder), as its relay and its service meet it',
  capabilities: {
    pool: 'can register a pool',
    event: 'can register an event listener',
    multiplex: 'can register as multiplexed client (the forwarder does)',
  },
  placeholders: {
    mode: 'pool, event or multiplex',
    port: "the relay's control port, on 127.0.0.1",
    service: 'the port of the service to put on the relay, on 127.0.0.1',
  },
  cases: CASES,
};
