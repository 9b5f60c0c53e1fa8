import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import { Program } from '../port-relay/bin/program.ts';
import { openMultiplex } from '../port-relay/library.ts';
import { BULK_BYTES, countBulk, slabsOut } from './bulk-read.ts';
import { TcpEnd } from './node-end.ts';
import { within } from './node-script.ts';

t.setTimeout(60_000);

const BYTES = 12 * 1024 * 1024;

/** Bytes that tell their place, so that a repeat, a hole or reused memory shows. */
const pattern = (salt: number): Buffer => {
  const data = Buffer.alloc(BYTES);
  for (let at = 0; at < BYTES; at += 4) data.writeUInt32LE(Math.imul(at + salt, 2_654_435_761) >>> 0, at);
  return data;
};

const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** Reads to the FIN. @param restEvery rests a millisecond after so many reads; 0: never */
const heard = async (socket: Socket, restEvery: number): Promise<string> => {
  const hash = createHash('sha256');
  let reads = 0;
  socket.on('data', (bytes: Buffer) => {
    hash.update(bytes);
    if (restEvery === 0 || ++reads % restEvery > 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  await once(socket, 'end');
  return hash.digest('hex');
};

for (const [who, users, restEvery] of [
  ['one eager user', 1, 0],
  ['one slow user', 1, 4],
  ['six users, every other slow', 6, 4],
] as const) {
  t.test(`bulk both ways through multiplexed tunnels is exact: ${who}`, async (t) => {
    const relay = await Program.relay();
    const [up, down] = [pattern(1), pattern(2)];
    const wanted = [digest(up), digest(down)];
    const arrived: Promise<string>[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      arrived.push(heard(socket, arrived.length % 2 === 0 ? restEvery : 0));
      socket.end(down);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const at = { host: '127.0.0.1', port: relay.port };
    const client = openMultiplex({ relay: at, service: { host: '127.0.0.1', port } });
    const publicPort = await client.port;
    const returned = Array.from({ length: users }, (_, n) => {
      const socket = connect({ host: '127.0.0.1', port: publicPort, allowHalfOpen: true });
      socket.end(up);
      return heard(socket, n % 2 === 0 ? restEvery : 0);
    });
    for (const found of await Promise.all(returned)) t.equal(found, wanted[1], 'what came back');
    t.equal(arrived.length, users);
    for (const found of await Promise.all(arrived)) t.equal(found, wanted[0], 'what arrived');
    await client.close();
    server.close();
    relay.kill('SIGTERM');
    t.equal(await relay.exited(), 0);
    t.equal(slabsOut(), 0, 'all memory was given back');
  });
}

/** Less than any loopback connection buffers. */
const KERNEL_TAKES_BYTES = 256 * 1024;

/** A user that says all it has at once; little, FIN included, before the first read. */
const saidAll = async (bytes: number) => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const user = connect({ host: '127.0.0.1', port }).on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  user.end(Buffer.alloc(bytes));
  if (bytes < KERNEL_TAKES_BYTES) await once(user, 'finish');
  server.close();
  const host = { watch: undefined, input: () => {}, gone: () => {} };
  return { end: new TcpEnd(1, host, socket, true), user };
};

for (const [kib, answer] of [
  [65, 0],
  [129, 0],
  [193, 0],
  // the promotion waits for it to be written; the FIN is read meanwhile, and read again by the new socket
  [129, 8],
] as const) {
  t.test(`a FIN right behind ${kib} KiB outlives the promotion, answered with ${answer} MiB`, async (t) => {
    const { end, user } = await saidAll(kib * 1024 + 1);
    const ended = Promise.withResolvers<void>();
    let came = 0;
    end.taker = {
      bytes: (_, read) => {
        came += read.length;
        countBulk(end, read.length);
        if (answer > 0 && Number.isNaN(end.carried)) end.socket.write(Buffer.alloc(answer * 1024 * 1024));
      },
      ended: () => ended.resolve(),
      failed: () => {},
    };
    user.resume();
    end.socket.resume();
    await within('the FIN', ended.promise);
    t.equal(came, kib * 1024 + 1);
    end.socket.destroy();
  });
}

t.test('a taker that holds its source while it is promoted gets nothing more until it lets go', async (t) => {
  const { end } = await saidAll(BYTES);
  const heldAgain = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let came = 0;
  end.taker = {
    bytes: (_, bytes) => {
      came += bytes.length;
      if (end.reuses) end.hold();
      // the second is what the stream had read before the promotion
      if (end.reuses) heldAgain.resolve();
      else countBulk(end, BULK_BYTES + 1);
    },
    ended: () => ended.resolve(),
    failed: () => {},
  };
  end.socket.resume();
  await heldAgain.promise;
  const before = came;
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.equal(came, before, 'fifty turns of the loop later');
  t.equal(end.held, true);
  const { taker } = end;
  end.taker = { ...taker, bytes: (_, bytes) => (came += bytes.length) };
  end.release();
  await ended.promise;
  t.equal(came, BYTES);
  end.socket.destroy();
});
