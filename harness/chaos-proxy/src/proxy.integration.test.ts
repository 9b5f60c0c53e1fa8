import { once } from 'node:events';
import t from 'tap';
import { dial, type End, Service, within } from '../testing/tcp-pair.ts';
import { type ChaosProxyOptions, createChaosProxy } from './proxy.ts';
import { resetSocket } from './splice.ts';

const BULK = 2 * 1024 * 1024;

/** What both ends saw of a conversation, and how it ended for each. */
type Seen = {
  readonly user: readonly string[];
  readonly service: readonly string[];
  readonly bytes: readonly number[];
};
type Conversation = (user: End, service: End) => Promise<void>;

const closed = (user: End, service: End): Promise<unknown> =>
  within(Promise.all([user.closed, service.closed]), 'end of both sockets');
const bulk = async (from: End, to: End): Promise<void> => {
  const had = to.received;
  from.socket.write(Buffer.alloc(BULK, 7));
  await within(to.has(had + BULK), 'two megabytes');
};

const CONVERSATIONS: Readonly<Record<string, Conversation>> = {
  'user ends first, the answer still comes': async (user, service) => {
    user.socket.end('question');
    await within(service.ended, 'FIN at the service');
    service.socket.end('answer');
    await closed(user, service);
  },
  'service ends first, the user still talks': async (user, service) => {
    service.socket.end('greeting');
    await within(user.ended, 'FIN at the user');
    user.socket.end('late words');
    await closed(user, service);
  },
  'half-close behind two megabytes': async (user, service) => {
    user.socket.end(Buffer.alloc(BULK, 1));
    await within(service.ended, 'FIN at the service');
    service.socket.end(Buffer.alloc(BULK, 2));
    await closed(user, service);
  },
  'FIN without a byte in either direction': async (user, service) => {
    service.socket.end();
    await within(user.ended, 'FIN at the user');
    user.socket.end();
    await closed(user, service);
  },
  'user resets after a word': async (user, service) => {
    user.socket.write('x');
    await within(service.has(1), 'byte');
    user.socket.resetAndDestroy();
    await closed(user, service);
  },
  'service resets after a word': async (user, service) => {
    service.socket.write('x');
    await within(user.has(1), 'byte');
    service.socket.resetAndDestroy();
    await closed(user, service);
  },
  'user resets after two megabytes': async (user, service) => {
    await bulk(user, service);
    user.socket.resetAndDestroy();
    await closed(user, service);
  },
  'service resets after two megabytes': async (user, service) => {
    await bulk(service, user);
    service.socket.resetAndDestroy();
    await closed(user, service);
  },
  'user ends, service resets': async (user, service) => {
    user.socket.end('q');
    await within(service.ended, 'FIN at the service');
    service.socket.resetAndDestroy();
    await closed(user, service);
  },
};

const converse = async (
  conversation: Conversation,
  options: Omit<ChaosProxyOptions, 'upstream'> | undefined,
): Promise<Seen> => {
  const upstream = await Service.start();
  const proxy =
    options === undefined
      ? undefined
      : await createChaosProxy({ ...options, upstream: { host: '127.0.0.1', port: upstream.port } });
  try {
    const { user, service } = await upstream.pair(proxy?.port ?? upstream.port);
    await conversation(user, service);
    return { user: user.log, service: service.log, bytes: [user.received, service.received] };
  } finally {
    await proxy?.close();
    upstream.close();
  }
};

/** Links without a fault, and links whose faults do nothing: forwarded by the machine, and spliced by the driver. */
const LINKS: Readonly<Record<string, Omit<ChaosProxyOptions, 'upstream'>>> = {
  'no fault': {},
  'no fault, static': { static: true },
  'faults of nothing': {
    faults: [
      'latency:ms=0',
      'stall:onMs=0,offMs=1000',
      'lossLike:ratio=0',
      'corrupt:ratio=0',
      'slowClose:ms=0',
    ],
  },
  'faults for others': {
    faults: ['reset:selector.connections=99', 'down:when.afterMillis=3600s'],
    static: true,
  },
};

for (const [claim, conversation] of Object.entries(CONVERSATIONS))
  t.test(`as if there were no proxy: ${claim}`, async (t) => {
    const direct = await converse(conversation, undefined);
    for (const [link, options] of Object.entries(LINKS))
      t.same(await converse(conversation, options), direct, `${link}: ${direct.user.join(' ')}`);
  });

t.test('200 blocks both ways at once arrive whole although the readers are slow', async (t) => {
  const block = (i: number): Buffer => Buffer.alloc(1 + ((i * 7919) % 60_000), i & 255);
  const blocks = Array.from({ length: 200 }, (_, i) => block(i));
  const send = async (end: End, what: readonly Buffer[]): Promise<void> => {
    for (const piece of what) if (!end.socket.write(piece)) await once(end.socket, 'drain');
    end.socket.end();
  };
  const slow = (end: End): void => {
    let chunks = 0;
    end.socket.on('data', () => {
      if (++chunks % 20 !== 0) return;
      end.socket.pause();
      setTimeout(() => end.socket.resume(), 3);
    });
  };
  for (const [link, options] of Object.entries({ ...LINKS, jitter: { faults: ['latency:ms=3,jitter=3'] } })) {
    const upstream = await Service.start();
    const proxy = await createChaosProxy({ ...options, upstream: `127.0.0.1:${upstream.port}` });
    const { user, service } = await upstream.pair(proxy.port);
    slow(user);
    slow(service);
    const answers = blocks.toReversed();
    await within(Promise.all([send(user, blocks), send(service, answers)]), 'room for the blocks');
    await closed(user, service);
    t.ok(service.bytes.equals(Buffer.concat(blocks)), `${link}: up`);
    t.ok(user.bytes.equals(Buffer.concat(answers)), `${link}: down`);
    t.same(
      [user.log, service.log],
      [
        ['data', 'fin', 'close'],
        ['data', 'fin', 'close'],
      ],
      link,
    );
    await proxy.close();
    upstream.close();
  }
});

t.test('a refused upstream becomes RST, not FIN', async (t) => {
  const nobody = await Service.start();
  const { port } = nobody;
  nobody.close();
  await once(nobody.server, 'close');
  const proxy = await createChaosProxy({ upstream: `127.0.0.1:${port}` });
  const user = dial(proxy.port);
  await within(user.closed, 'end');
  t.same(user.log, ['rst', 'close']);
  await proxy.close();
});

t.test('faults come and go on a living connection, and leave receipts', async (t) => {
  const upstream = await Service.start();
  const proxy = await createChaosProxy({ upstream: `127.0.0.1:${upstream.port}` });
  const effects: string[] = [];
  proxy.on('effect', ({ effect }) => effects.push(effect));
  const { user, service } = await upstream.pair(proxy.port);
  const id = proxy.add('latency:ms=20,direction=up');
  user.socket.write('slow');
  await within(service.has(4), 'delayed bytes');
  const receipt = proxy.remove(id);
  t.equal(receipt.effects, 4);
  t.equal(receipt.numbers.delayMillisMax, 20);
  t.ok((receipt.numbers.lateMillisMax ?? -1) >= 0);
  t.equal(proxy.add({ kind: 'latency', ms: 1 }), 'latency-2', 'ids are not used twice');
  proxy.down();
  await closed(user, service);
  t.same([user.log.at(-2), service.log.at(-2)], ['rst', 'rst']);
  const refused = dial(proxy.port);
  await within(refused.closed, 'refusal');
  proxy.up();
  const again = await upstream.pair(proxy.port);
  again.user.socket.write('x');
  await within(again.service.has(1), 'byte after up');
  t.same(proxy.receipts().find(({ kind }) => kind === 'down')?.numbers, {
    refused: 1,
    reset: 1,
    connections: 2,
  });
  t.ok(effects.includes('delayed') && effects.includes('refused'));
  t.throws(() => proxy.add('latncy:ms=1'), { code: 'FAULT_UNKNOWN' });
  t.throws(() => proxy.remove('nothing'), { code: 'FAULT_ID_UNKNOWN' });
  await proxy.close();
  await closed(again.user, again.service);
  upstream.close();
});

t.test('cutAfter lets exactly its bytes arrive over real sockets, by FIN and by RST', async (t) => {
  for (const how of ['fin', 'rst'] as const) {
    const upstream = await Service.start();
    const proxy = await createChaosProxy({
      upstream: `127.0.0.1:${upstream.port}`,
      faults: [{ kind: 'cutAfter', bytes: 100_000, how, direction: 'down' }],
    });
    const { user, service } = await upstream.pair(proxy.port);
    service.socket.write(Buffer.alloc(200_000, 3));
    if (how === 'fin') {
      await within(user.ended, 'FIN');
      user.socket.end();
      service.socket.end();
    }
    await closed(user, service);
    t.equal(user.received, 100_000, how);
    t.same(user.log, ['data', how, 'close']);
    await proxy.close();
    upstream.close();
  }
});

t.test('one seed, the same choices over real sockets; the seed can be read back', async (t) => {
  const upstream = await Service.start();
  const fates = async (seed: number): Promise<string> => {
    const proxy = await createChaosProxy({
      upstream: `127.0.0.1:${upstream.port}`,
      seed,
      faults: ['refuse:ratio=50%'],
    });
    t.equal(proxy.seed, seed);
    let refused = '';
    for (let i = 0; i < 12; i++) {
      const user = dial(proxy.port);
      user.socket.end();
      await within(
        Promise.race([user.closed, upstream.accepted().then((end) => end.socket.end())]),
        'a fate',
      );
      refused += user.log.includes('rst') ? 'x' : '-';
      user.socket.destroy();
    }
    await proxy.close();
    return refused;
  };
  const first = await fates(7);
  t.match(first, /x/);
  t.match(first, /-/);
  t.equal(await fates(7), first);
  upstream.close();
});

t.test('a listening address in use is an error with a code', async (t) => {
  const upstream = await Service.start();
  const listen = `127.0.0.1:${upstream.port}`;
  await t.rejects(createChaosProxy({ upstream: listen, listen }), { code: 'LISTEN_FAILED' });
  upstream.close();
});

t.test('a reset right behind a FIN closes the socket', async (t) => {
  const service = await Service.start();
  t.teardown(() => service.close());
  const { user, service: end } = await service.pair(service.port);
  user.socket.end();
  resetSocket(user.socket);
  await within(user.closed, 'close');
  await within(end.ended, 'FIN');
  end.socket.write('to nobody');
  await within(end.closed, 'close');
  t.equal(end.log.at(-2), 'rst');
  t.equal(user.log.join(' '), 'close', 'no error on our side');
});
