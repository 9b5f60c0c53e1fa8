/** Multiplexed clients: the other end of a yamux session, played with literal frames. */
import {
  encodeFrame,
  FLAG,
  HEADER_BYTES,
  INITIAL_WINDOW_BYTES,
  TYPE,
} from '../../../../reference-impl/yamux/frame.ts';
import { type ServerContext, serverCases } from '../../case.ts';
import { type Frame, isEnd, LiteralSession } from '../yamux/literal-session.ts';
import { portLine } from './registered.ts';

/** A session with the relay: it opens the streams. */
const opened = async (
  it: ServerContext,
): Promise<{ readonly session: LiteralSession; readonly port: number }> => {
  const carrier = await it.dial('carrier');
  await carrier.send('multiplex\n');
  const port = await portLine(it, carrier);
  return { session: new LiteralSession(it, carrier, 'server'), port };
};

const needs = ['multiplex'];

/** More than the kernel's buffers of one connection hold. */
const FILL_MAX = 64 * 1_048_576;

/** Sends a stream all that it is granted, until nothing more is. @returns how many bytes */
const filled = async (it: ServerContext, session: LiteralSession, id: number): Promise<number> => {
  let window = INITIAL_WINDOW_BYTES;
  let sent = 0;
  while (sent < FILL_MAX) {
    while (window > 0) {
      const piece = Buffer.alloc(Math.min(65_536, window));
      await session.send(TYPE.data, 0, id, piece);
      window -= piece.length;
      sent += piece.length;
    }
    const began = performance.now();
    while (session.carrier.held < HEADER_BYTES) {
      if (session.carrier.ended !== 'open' || performance.now() - began > it.patienceMillis / 10) return sent;
      await it.wait(10);
    }
    const { type, stream, length } = await session.next('window of the stalled stream');
    if (type === TYPE.windowUpdate && stream === id) window += length;
  }
  return sent;
};

export const MULTIPLEX = serverCases(
  {
    name: 'mux/stream-per-user',
    title: 'each of five users is a stream of its own',
    clause: 'PORT-MUX-1',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const ids = new Set<number>();
      for (let n = 1; n <= 5; n++) {
        await it.dialPort(port, `user-${n}`);
        const { id } = await session.accept();
        if (ids.has(id)) it.broken('a new stream for each user', `stream ${id} twice`);
        ids.add(id);
      }
    },
  },
  {
    name: 'mux/odd-ids',
    title: 'the relay opens odd streams, as the client of the session',
    clause: 'PORT-MUX-3',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      let last = 0;
      for (let n = 1; n <= 3; n++) {
        await it.dialPort(port, `user-${n}`);
        const { id } = await session.accept();
        if (id % 2 !== 1) it.broken('an odd stream id', String(id));
        if (id <= last) it.broken(`an id above ${last}`, String(id));
        last = id;
      }
    },
  },
  {
    name: 'mux/carries-both-ways',
    title: 'bytes of user and service pass, also those sent with the SYN answered late',
    clause: 'PORT-MUX-1',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      await user.send('ping');
      const { id, early } = await session.accept();
      const got = await session.data(id, 4, early);
      if (got.toString() !== 'ping') it.broken('"ping" on the stream', JSON.stringify(got.toString()));
      await session.send(TYPE.data, 0, id, Buffer.from('pong'));
      await user.expect('pong', "the service's bytes");
    },
  },
  {
    name: 'mux/one-byte-segments',
    title: 'frames cut into single bytes are read as frames',
    clause: 'PORT-CTRL-4',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      const { id } = await session.accept();
      await session.carrier.sendSliced(
        encodeFrame({ type: TYPE.data, flags: 0, stream: id, length: 5 }, Buffer.from('slice')),
        1,
      );
      await user.expect('slice', "the service's bytes");
    },
  },
  {
    name: 'mux/half-close-user',
    title: "a user's FIN is a FIN of his stream, and the answer still comes",
    clause: 'PORT-END-1',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      await user.send('request');
      user.end();
      const { id, early } = await session.accept();
      await session.data(id, 7, early);
      const end = await session.until('FIN of the stream', isEnd(id));
      if ((end.flags & FLAG.rst) !== 0) it.broken('FIN', 'RST');
      await it.wait(300);
      await session.send(TYPE.data, 0, id, Buffer.from('the answer'));
      await session.send(TYPE.data, FLAG.fin, id, Buffer.from(', complete'));
      const answer = await user.rest('the answer', 64);
      if (answer.toString() !== 'the answer, complete')
        it.broken('"the answer, complete"', JSON.stringify(answer.toString()));
    },
  },
  {
    name: 'mux/service-ends',
    title: 'a FIN of the stream reaches the user behind its bytes',
    clause: 'PORT-END-2',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      const { id } = await session.accept();
      const answer = Buffer.alloc(200_000, 'a');
      for (let at = 0; at < answer.length; at += 50_000)
        await session.send(TYPE.data, 0, id, answer.subarray(at, at + 50_000));
      await session.send(TYPE.windowUpdate, FLAG.fin, id, 0);
      const got = await user.rest('the answer', answer.length);
      if (!got.equals(answer)) it.broken(`${answer.length} bytes as they were sent`, `${got.length} bytes`);
    },
  },
  {
    name: 'mux/abort-user',
    title: 'a user that resets ends his stream',
    clause: 'PORT-END-3',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      const { id } = await session.accept();
      await user.send('x');
      await session.data(id, 1);
      user.reset();
      const end = await session.until('the end of the stream', isEnd(id));
      it.observe(
        `the reset of a user arrives as ${(end.flags & FLAG.rst) === 0 ? 'FIN' : 'RST'} of his stream`,
      );
    },
  },
  {
    name: 'mux/window-kept',
    title: 'the relay stops at the window and goes on by what is granted',
    clause: 'PORT-MUX-4',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      void user.send(Buffer.alloc(INITIAL_WINDOW_BYTES + 100_000, 'w'));
      const { id, early } = await session.accept();
      let got = early.length;
      const isData = (frame: Frame): boolean => frame.stream === id && frame.type === TYPE.data;
      while (got < INITIAL_WINDOW_BYTES)
        got += (await session.until('the window full of data', isData)).payload.length;
      if (got > INITIAL_WINDOW_BYTES) it.broken(`${INITIAL_WINDOW_BYTES} bytes, the window`, `${got} bytes`);
      await session.carrier.expectSilence(500, 'with the window used up');
      const grant = 5_000;
      await session.send(TYPE.windowUpdate, 0, id, grant);
      let more = 0;
      while (more < grant) more += (await session.until('what was granted', isData)).payload.length;
      if (more > grant) it.broken(`${grant} more bytes`, `${more}`);
      await session.carrier.expectSilence(500, 'with the grant used up');
    },
  },
  {
    name: 'mux/grants-as-consumed',
    title: 'a relay whose user reads grants window again',
    clause: 'PORT-MUX-4',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      const { id } = await session.accept();
      let window = INITIAL_WINDOW_BYTES;
      let sent = 0;
      const total = 4 * INITIAL_WINDOW_BYTES;
      const reading = user.stream(total, "the service's bytes", () => undefined);
      while (sent < total) {
        if (window === 0) {
          const grant = await session.until(
            'a window update',
            ({ type, stream }) => type === TYPE.windowUpdate && stream === id,
          );
          window += grant.length;
          continue;
        }
        const part = Math.min(window, total - sent, 65_536);
        await session.send(TYPE.data, 0, id, Buffer.alloc(part, 'g'));
        sent += part;
        window -= part;
      }
      await reading;
    },
  },
  {
    name: 'mux/stalled-stream-alone',
    title: 'a user that reads nothing does not stop the other streams or pings',
    clause: 'PORT-MUX-2',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const stalled = await it.dialPort(port, 'stalled');
      stalled.pause();
      const { id } = await session.accept();
      const sent = await filled(it, session, id);
      it.observe(`${sent} bytes went before the window stayed shut`);
      const other = await it.dialPort(port, 'other');
      const { id: second } = await session.accept('a stream for the second user');
      await session.send(TYPE.data, 0, second, Buffer.from('not held up'));
      await other.expect('not held up', 'bytes of the other stream');
      await session.send(TYPE.ping, FLAG.syn, 0, 0xcafe);
      await session.until(
        'the answer to a ping',
        ({ type, flags, length }) => type === TYPE.ping && flags === FLAG.ack && length === 0xcafe,
      );
    },
  },
  {
    name: 'mux/ping-answered',
    title: 'a ping is answered with its own value',
    clause: 'PORT-MUX-6',
    needs,
    run: async (it) => {
      const { session } = await opened(it);
      await session.send(TYPE.ping, FLAG.syn, 0, 0xdeadbeef);
      const answer = await session.until(
        'the answer to a ping',
        ({ type, flags }) => type === TYPE.ping && flags === FLAG.ack,
      );
      if (answer.length !== 0xdeadbeef) it.broken('the value deadbeef', answer.length.toString(16));
    },
  },
  {
    name: 'mux/data-on-syn',
    title: 'window granted with the ACK counts',
    clause: 'PORT-MUX-4',
    needs,
    run: async (it) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      const frame = await session.until(
        'a stream',
        ({ flags, type }) => (flags & FLAG.syn) !== 0 && type !== TYPE.ping,
      );
      const extra = 50_000;
      await session.send(TYPE.windowUpdate, FLAG.ack, frame.stream, extra);
      void user.send(Buffer.alloc(INITIAL_WINDOW_BYTES + extra + 10_000));
      let got = frame.payload.length;
      const isData = ({ stream, type }: Frame): boolean => stream === frame.stream && type === TYPE.data;
      while (got < INITIAL_WINDOW_BYTES + extra)
        got += (await session.until('window and delta full of data', isData)).payload.length;
      if (got > INITIAL_WINDOW_BYTES + extra) it.broken(`${INITIAL_WINDOW_BYTES + extra} bytes`, `${got}`);
    },
  },
  ...(['fin', 'reset'] as const).map((how) => ({
    name: `mux/port-ends-with-${how}`,
    title: `the port refuses users once the session ended by ${how === 'fin' ? 'FIN' : 'RST'}, and the one it had learns it`,
    clause: 'PORT-MUX-5',
    alone: 'target' as const,
    needs,
    run: async (it: ServerContext) => {
      const { session, port } = await opened(it);
      const user = await it.dialPort(port, 'user');
      await session.accept();
      if (how === 'fin') session.carrier.end();
      else session.carrier.reset();
      await user.expectEnd('a user whose session has ended');
      const began = performance.now();
      while (!(await it.refused(port))) {
        if (performance.now() - began > it.patienceMillis) {
          it.blameMachine(performance.now() - began, 'the port to refuse users');
          it.broken('a port that refuses users', 'it takes them');
        }
        await it.wait(100);
      }
    },
  })),
  {
    name: 'mux/forwarder-in-client-mode',
    title: 'a client that wrongly opens its session as yamux client is served all the same',
    clause: 'PORT-MUX-1',
    needs,
    run: async (it) => {
      // the Go forwarder says so with a ping of its own and never opens streams
      const { session, port } = await opened(it);
      await session.send(TYPE.ping, FLAG.syn, 0, 1);
      await session.until(
        'the answer to its ping',
        ({ type, flags }) => type === TYPE.ping && flags === FLAG.ack,
      );
      const user = await it.dialPort(port, 'user');
      const { id } = await session.accept();
      await session.send(TYPE.data, FLAG.fin, id, Buffer.from('served'));
      await user.rest('the answer', 6);
    },
  },
);
