/** Streams: opened, acknowledged, kept apart, ended. */
import { FLAG, TYPE } from '../../../../reference-impl/yamux/frame.ts';
import { sent } from './application.ts';
import { asked, commanded, echoes, WINDOW, type YamuxCase } from './commanded.ts';
import { isData, isEnd, LiteralSession } from './literal-session.ts';

export const STREAMS: readonly YamuxCase[] = [
  {
    name: 'stream/open-by-window-update',
    title: 'a stream opened by a WindowUpdate is served',
    clause: 'YAMUX-STREAM-1',
    needs: [],
    play: async (it, session) => echoes(it, session, await commanded(session, 'echo'), 'served'),
  },
  {
    name: 'stream/data-without-waiting',
    title: 'data sent before any ACK is delivered',
    clause: 'YAMUX-STREAM-1',
    needs: [],
    play: async (it, session) => {
      const id = session.nextId();
      await session.carrier.send(
        Buffer.concat([
          LiteralSession.frame(TYPE.windowUpdate, FLAG.syn, id),
          LiteralSession.frame(TYPE.data, 0, id, Buffer.from('echo\nwithout waiting')),
        ]),
      );
      const got = await session.data(id, 15);
      if (got.toString() !== 'without waiting')
        it.broken('"without waiting"', JSON.stringify(got.toString()));
    },
  },
  {
    name: 'stream/acknowledged',
    title: 'the first frame of a stream that answers carries ACK, or one before it did',
    clause: 'YAMUX-STREAM-2',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, 'send 10');
      const first = await session.until(
        'a frame of the stream',
        ({ stream, type }) => stream === id && type <= TYPE.windowUpdate,
      );
      if ((first.flags & (FLAG.ack | FLAG.rst)) === 0)
        it.broken(
          'ACK on the first frame of the stream',
          `flags ${first.flags.toString(16)} on a frame of type ${first.type}`,
        );
      it.observe(
        first.type === TYPE.windowUpdate
          ? 'ACK comes on a frame of its own'
          : 'ACK comes with the first data',
      );
    },
  },
  {
    name: 'stream/twenty-at-once',
    title: 'twenty streams, written in turns, echo each its own',
    clause: 'YAMUX-STREAM-3',
    needs: [],
    play: async (it, session) => {
      const ids: number[] = [];
      for (let n = 0; n < 20; n++) ids.push(await commanded(session, 'echo'));
      for (let round = 0; round < 10; round++)
        for (const id of ids) await session.send(TYPE.data, 0, id, Buffer.from(`${id}:${round};`));
      for (const id of ids) await session.send(TYPE.windowUpdate, FLAG.fin, id, 0);
      const got = new Map<number, string>(ids.map((id) => [id, '']));
      const ended = new Set<number>();
      while (ended.size < ids.length) {
        const frame = await session.until(
          'the echoes',
          (frame) => frame.type <= TYPE.windowUpdate && got.has(frame.stream),
        );
        got.set(frame.stream, `${got.get(frame.stream)}${frame.payload.toString()}`);
        if (isEnd(frame.stream)(frame)) ended.add(frame.stream);
      }
      for (const [id, text] of got) {
        const wanted = Array.from({ length: 10 }, (_, round) => `${id}:${round};`).join('');
        if (text !== wanted) it.broken(`stream ${id}: ${wanted}`, text);
      }
    },
  },
  {
    name: 'stream/two-hundred-in-a-row',
    title: 'two hundred streams, one after the other, are all served',
    clause: 'YAMUX-STREAM-3',
    needs: [],
    play: async (it, session) => {
      for (let n = 0; n < 200; n++) {
        const id = await asked(session, 'echo', Buffer.from(`number ${n}`));
        const { bytes } = await session.rest(id, `the echo of stream ${id}`);
        if (bytes.toString() !== `number ${n}`) it.broken(`"number ${n}"`, JSON.stringify(bytes.toString()));
      }
    },
  },
  {
    name: 'stream/parity',
    title: 'the streams it opens have ids of its side, none twice',
    clause: 'YAMUX-STREAM-4',
    needs: ['open'],
    play: async (it, session) => {
      const ours = await commanded(session, 'open 5');
      const ids = new Set<number>();
      while (ids.size < 5) {
        const { id } = await session.accept('a stream it opens');
        if (id % 2 === ours % 2) it.broken(`an id of the other parity than our ${ours}`, String(id));
        if (ids.has(id)) it.broken('a new id', `${id} again`);
        ids.add(id);
        await session.send(TYPE.windowUpdate, FLAG.fin, id, 0);
      }
    },
  },
];

export const CLOSES: readonly YamuxCase[] = [
  {
    name: 'close/half-close',
    title: 'after our FIN the answer still comes, beyond the first window',
    clause: 'YAMUX-CLOSE-1',
    needs: [],
    play: async (it, session) => {
      const total = 3 * WINDOW + 17;
      const id = await asked(session, `send ${total}`);
      const { bytes, how } = await session.rest(id, 'the whole answer');
      if (how === 'rst') it.broken('FIN at the end of the answer', 'RST');
      if (!bytes.equals(sent(0, total)))
        it.broken(`${total} bytes as they were sent`, `${bytes.length} bytes`);
    },
  },
  {
    name: 'close/echo-to-the-end',
    title: 'what was sent before our FIN is echoed whole, and then the stream ends',
    clause: 'YAMUX-CLOSE-3',
    needs: [],
    play: async (it, session) => {
      const body = sent(0, 100_000);
      const id = await asked(session, 'echo', body);
      const { bytes, how } = await session.rest(id, 'the echo');
      if (!bytes.equals(body)) it.broken('100,000 bytes as they were sent', `${bytes.length} bytes`);
      if (how === 'rst') it.broken('FIN', 'RST');
    },
  },
  {
    name: 'close/late-grant',
    title: 'an answer that waits for window ends whole when the window comes late',
    clause: 'YAMUX-CLOSE-3',
    needs: [],
    play: async (it, session) => {
      const total = WINDOW + 50_000;
      const id = await asked(session, `send ${total}`);
      let got = 0;
      while (got < WINDOW) got += (await session.until('the window full of data', isData(id))).payload.length;
      await it.wait(500);
      await session.send(TYPE.windowUpdate, 0, id, WINDOW);
      const { bytes, how } = await session.rest(id, 'the rest of the answer');
      if (got + bytes.length !== total) it.broken(`${total} bytes`, `${got + bytes.length}`);
      if (how === 'rst') it.broken('FIN', 'RST');
    },
  },
  {
    name: 'close/rst-alone',
    title: 'RST of one stream leaves the others',
    clause: 'YAMUX-CLOSE-2',
    needs: [],
    play: async (it, session) => {
      const [one, other] = [await commanded(session, 'echo'), await commanded(session, 'echo')];
      await echoes(it, session, one, 'one');
      await session.send(TYPE.windowUpdate, FLAG.rst, one, 0);
      await echoes(it, session, other, 'other');
      await session.ping();
    },
  },
  {
    name: 'close/late-frames-dropped',
    title: 'frames of a stream that we have reset are dropped',
    clause: 'YAMUX-CLOSE-2',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, 'echo');
      await session.send(TYPE.windowUpdate, FLAG.rst, id, 0);
      await session.send(TYPE.data, 0, id, Buffer.from('too late'));
      await session.send(TYPE.windowUpdate, 0, id, 1_000);
      await session.ping();
      await echoes(it, session, await commanded(session, 'echo'), 'a stream after it');
    },
  },
  {
    name: 'close/five-hundred-resets',
    title: 'five hundred streams opened and reset leave a session that serves',
    clause: 'YAMUX-CLOSE-2',
    needs: [],
    play: async (it, session) => {
      for (let n = 0; n < 500; n++) {
        const id = await session.open();
        await session.send(TYPE.windowUpdate, FLAG.rst, id, 0);
        if (n % 50 === 49) await session.ping(n);
      }
      await echoes(it, session, await commanded(session, 'echo'), 'after all that');
    },
  },
];
