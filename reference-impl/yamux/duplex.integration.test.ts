import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import t from 'tap';
import { type YamuxMux, type YamuxStream, yamuxOver } from './duplex.ts';
import { encodeFrame, INITIAL_WINDOW_BYTES } from './frame.ts';
import type { YamuxOptions } from './options.ts';
import { bytesOf, syn } from './spoken.ts';

const DEADLINE_MILLIS = 20_000;

const socketPair = async (): Promise<[net.Socket, net.Socket]> => {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dialled = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  server.close();
  return [dialled, accepted];
};

/** Two ends over a loopback connection, taken down with the test. */
const muxPair = async (
  t: { teardown(done: () => void): void },
  options: Partial<YamuxOptions> = {},
): Promise<{ client: YamuxMux; server: YamuxMux }> => {
  const [dialled, accepted] = await socketPair();
  t.teardown(() => {
    dialled.destroy();
    accepted.destroy();
  });
  return {
    client: yamuxOver(dialled, { role: 'client', ...options }),
    server: yamuxOver(accepted, { role: 'server', ...options }),
  };
};
const within = <T>(what: string, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what}: not within ${DEADLINE_MILLIS} ms`)), DEADLINE_MILLIS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

const pattern = (size: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31) ^ (i >> 8)));
/** All that comes until the end. Not `for await`: that destroys a Duplex whose other half is still open. */
const everything = async (stream: Duplex): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
};
/** The event's first argument. Unlike `once` it does not reject on 'error'. */
const told = (emitter: { once(name: string, heard: (value: unknown) => void): unknown }, name: string) =>
  new Promise<unknown>((resolve) => emitter.once(name, resolve));
const accepted = async (mux: YamuxMux): Promise<YamuxStream> => {
  const [stream] = (await once(mux, 'stream')) as [YamuxStream];
  return stream;
};
const echoing = (mux: YamuxMux): void => {
  mux.on('stream', (stream) => {
    pipeline(stream, stream).catch(() => stream.destroy());
  });
};

t.test('5 MB go there and back on each of four streams at once', async (t) => {
  const { client, server } = await muxPair(t);
  echoing(server);
  const sent = pattern(5_000_000);
  const echoes = await within(
    'echo',
    Promise.all(
      [1, 2, 3, 4].map((n) => {
        const stream = client.openStream();
        for (let at = 0; at < sent.length; at += n * 50_000) stream.write(sent.subarray(at, at + n * 50_000));
        stream.end();
        return everything(stream);
      }),
    ),
  );
  for (const echo of echoes) t.ok(echo.equals(sent));
  t.equal(client.streams, 0);
});

t.test('after our end the answer still comes, and the other way round', async (t) => {
  const { client, server } = await muxPair(t);
  const incoming = accepted(server);
  const stream = client.openStream();
  stream.end('question');
  const answering = await within('stream', incoming);
  t.equal(String(await within('question', everything(answering))), 'question');
  t.equal(stream.destroyed, false, 'half closed is not closed');
  answering.end(pattern(1_000_000));
  t.ok((await within('answer', everything(stream))).equals(pattern(1_000_000)));
  await within('both closed', Promise.all([finished(stream), finished(answering)]));
});

t.test('a reader that reads in pieces by hand is never stalled', async (t) => {
  const { client, server } = await muxPair(t);
  const incoming = accepted(server);
  const sender = client.openStream().end(pattern(3_000_000)).resume();
  const stream = await within('stream', incoming);
  let read = 0;
  const done = new Promise<void>((resolve) => {
    stream.on('readable', () => {
      for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) read += chunk.length;
    });
    stream.on('end', resolve);
  });
  await within('end', done);
  stream.end();
  await within('sender', finished(sender));
  t.equal(read, 3_000_000);
});

t.test('an unread stream stops its sender at the window, and others and pings go on', async (t) => {
  const { client, server } = await muxPair(t);
  const streams: YamuxStream[] = [];
  server.on('stream', (stream) => {
    streams.push(stream);
    if (streams.length > 1) pipeline(stream, stream).catch(() => stream.destroy());
  });
  const stuck = client.openStream();
  let written = false;
  stuck.write(pattern(2_000_000), () => {
    written = true;
  });
  const lively = client.openStream();
  lively.end(pattern(2_000_000));
  t.ok((await within('the other stream', everything(lively))).equals(pattern(2_000_000)));
  t.type(await within('ping', client.ping()), 'number');
  t.equal(written, false, 'the write waits');
  t.equal(streams[0]?.readableLength, INITIAL_WINDOW_BYTES, 'the receiver holds a window, no more');
  stuck.resume().end();
  const late = await within('late reader', everything(streams[0] as YamuxStream));
  t.ok(late.equals(pattern(2_000_000)), 'once read, all of it comes');
  t.equal(written, true);
  streams[0]?.end();
  await within('finish', finished(stuck));
});

t.test('destroy resets the stream for the peer, and only that stream', async (t) => {
  const { client, server } = await muxPair(t);
  const incoming = accepted(server);
  const stream = client.openStream();
  stream.write('x');
  const other = await within('stream', incoming);
  const failure = once(other, 'error');
  stream.destroy();
  const [error] = await within('reset', failure);
  t.match(error, { name: 'YamuxError', code: 'YAMUX_STREAM_RESET', fault: 'remote' });
  echoing(server);
  const next = client.openStream();
  next.end('still here');
  t.equal(String(await within('echo', everything(next))), 'still here');
});

t.test('a stream nobody listens for is reset', async (t) => {
  const { client } = await muxPair(t);
  const stream = client.openStream();
  const [error] = await within('reset', once(stream, 'error'));
  t.match(error, { code: 'YAMUX_STREAM_RESET' });
});

t.test('a write that waits when its stream goes is told so', async (t) => {
  const { client, server } = await muxPair(t);
  const incoming = accepted(server);
  const stream = client.openStream();
  const write = new Promise<Error | null | undefined>((resolve) => stream.write(pattern(500_000), resolve));
  const other = await within('stream', incoming);
  const failed = once(stream, 'error');
  other.destroy();
  t.match((await within('error', failed))[0], { code: 'YAMUX_STREAM_RESET' });
  t.match(await within('write', write), { code: 'YAMUX_STREAM_RESET' });
});

t.test('close refuses new streams, lets open ones finish, then ends both sides', async (t) => {
  const { client, server } = await muxPair(t);
  echoing(server);
  const stream = client.openStream();
  const closed = Promise.all([once(client, 'close'), once(server, 'close'), once(server, 'goAway')]);
  client.close();
  t.throws(() => client.openStream(), { code: 'YAMUX_OPEN_AFTER_GO_AWAY', fault: 'local' });
  stream.end(pattern(1_000_000));
  t.ok((await within('echo', everything(stream))).equals(pattern(1_000_000)));
  await within('closed', closed);
  await t.rejects(client.ping(), { code: 'YAMUX_CARRIER_ENDED' });
});

t.test('a broken peer fails every stream with the reason and reads our GoAway', async (t) => {
  const [dialled, socket] = await socketPair();
  t.teardown(() => dialled.destroy());
  const server = yamuxOver(socket, { role: 'server' });
  const incoming = accepted(server);
  dialled.write(syn(1));
  const stream = await within('stream', incoming);
  const failures = Promise.all([told(stream, 'error'), told(server, 'error'), told(server, 'close')]);
  const heard: Buffer[] = [];
  dialled.on('data', (chunk: Buffer) => heard.push(chunk));
  const ended = once(dialled, 'close');
  dialled.write(bytesOf('GET / HTTP/1.1\r\n\r\n'));
  const [onStream, onMux] = await within('failures', failures);
  t.match(onMux, { name: 'YamuxError', code: 'YAMUX_VERSION', fault: 'remote', at: 12 });
  t.equal(onStream, onMux);
  await within('end', ended);
  const goAway = encodeFrame({ type: 3, flags: 0, stream: 0, length: 1 });
  t.ok(Buffer.concat(heard).subarray(-12).equals(goAway));
});

t.test('a cut connection fails streams and pings, and says so', async (t) => {
  const { client, server } = await muxPair(t);
  const incoming = accepted(server);
  const stream = client.openStream();
  await within('stream', incoming);
  const failures = Promise.all([told(stream, 'error'), told(client, 'close')]);
  const other = told(await incoming, 'error');
  server.destroy();
  const [error] = await within('failures', failures);
  t.ok(error instanceof Error);
  await within('own stream', other);
  await t.rejects(client.ping());
});

t.test('a peer that answers no ping is given up', async (t) => {
  const [dialled, mute] = await socketPair();
  t.teardown(() => mute.destroy());
  const client = yamuxOver(dialled, { role: 'client', keepaliveMillis: 20, pongMillis: 20 });
  // The session's timer alone holds no process.
  const hold = setTimeout(() => t.fail('never given up'), DEADLINE_MILLIS);
  const closed = told(client, 'close');
  const error = await told(client, 'error');
  clearTimeout(hold);
  t.match(error, { code: 'YAMUX_KEEPALIVE_TIMEOUT', fault: 'remote' });
  await within('close', closed);
});
