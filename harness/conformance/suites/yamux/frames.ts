/** Frames: however they are cut, whatever they carry together, and what is none. */
import { FLAG, TYPE } from '../../../../reference-impl/yamux/frame.ts';
import { commanded, echoes, line, refused, WINDOW, type YamuxCase } from './commanded.ts';
import { LiteralSession } from './literal-session.ts';

const BROKEN_HEADERS = {
  'version-1': Buffer.from([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
  'type-4': Buffer.from([0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
  'type-255': Buffer.from([0, 255, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]),
};

export const FRAMES: readonly YamuxCase[] = [
  {
    name: 'frame/one-byte-segments',
    title: 'frames that come byte by byte are frames',
    clause: 'YAMUX-FRAME-1',
    needs: [],
    play: async (it, session) => {
      const id = session.nextId();
      await session.carrier.sendSliced(LiteralSession.frame(TYPE.windowUpdate, FLAG.syn, id), 1);
      await session.carrier.sendSliced(LiteralSession.frame(TYPE.data, 0, id, line('echo')), 1);
      await echoes(it, session, id, 'sliced');
    },
  },
  ...[2, 5, 11, 13].map(
    (size): YamuxCase => ({
      name: `frame/segments-of-${size}`,
      title: `frames cut every ${size} bytes are frames`,
      clause: 'YAMUX-FRAME-1',
      needs: [],
      play: async (it, session) => {
        const id = session.nextId();
        const payload = Buffer.alloc(300, 's');
        await session.carrier.sendSliced(
          Buffer.concat([
            LiteralSession.frame(TYPE.windowUpdate, FLAG.syn, id),
            LiteralSession.frame(TYPE.data, 0, id, line('echo')),
            LiteralSession.frame(TYPE.data, 0, id, payload),
          ]),
          size,
        );
        const got = await session.data(id, payload.length);
        if (!got.equals(payload)) it.broken('300 bytes back as they were sent', `${got.length} others`);
      },
    }),
  ),
  {
    name: 'frame/many-in-one-segment',
    title: 'a hundred frames in one segment are a hundred frames',
    clause: 'YAMUX-FRAME-1',
    needs: [],
    play: async (it, session) => {
      const id = session.nextId();
      const frames = [
        LiteralSession.frame(TYPE.windowUpdate, FLAG.syn, id),
        LiteralSession.frame(TYPE.data, 0, id, line('echo')),
      ];
      for (let n = 0; n < 98; n++) frames.push(LiteralSession.frame(TYPE.data, 0, id, Buffer.from([n])));
      await session.carrier.send(Buffer.concat(frames));
      const got = await session.data(id, 98);
      const wrong = got.findIndex((byte, i) => byte !== i);
      if (wrong >= 0) it.broken(`byte ${wrong} is ${wrong}`, `it is ${got[wrong]}`);
    },
  },
  {
    name: 'frame/large-frame-in-many-reads',
    title: 'one frame as large as the window, in segments of 1,000 bytes, is one frame',
    clause: 'YAMUX-FRAME-1',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, 'sink');
      const body = Buffer.alloc(WINDOW - 5, 'L');
      await session.carrier.sendSliced(LiteralSession.frame(TYPE.data, 0, id, body), 1_000);
      await session.send(TYPE.windowUpdate, FLAG.fin, id, 0);
      const { bytes } = await session.rest(id, 'the count of what came');
      if (bytes.toString() !== `${body.length}\n`)
        it.broken(`"${body.length}"`, JSON.stringify(bytes.toString()));
    },
  },
  {
    name: 'frame/payload-on-syn',
    title: 'payload of the frame that opens a stream is delivered',
    clause: 'YAMUX-FRAME-2',
    needs: [],
    play: async (it, session) => {
      const id = session.nextId();
      await session.send(TYPE.data, FLAG.syn, id, line('echo'));
      await echoes(it, session, id, 'after the command that came with SYN');
    },
  },
  {
    name: 'frame/payload-on-fin',
    title: 'payload of the frame that ends a stream is delivered before its end',
    clause: 'YAMUX-FRAME-2',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, 'sink');
      await session.send(TYPE.data, FLAG.fin, id, Buffer.from('0123456789'));
      const { bytes } = await session.rest(id, 'the count of what came');
      if (bytes.toString() !== '10\n') it.broken('a count of 10', JSON.stringify(bytes.toString()));
    },
  },
  {
    name: 'frame/payload-on-syn-and-fin',
    title: 'a whole stream in one frame is served',
    clause: 'YAMUX-FRAME-2',
    needs: [],
    play: async (it, session) => {
      const id = session.nextId();
      await session.send(TYPE.data, FLAG.syn | FLAG.fin, id, Buffer.from('echo\nall in one'));
      const { bytes } = await session.rest(id, 'the echo');
      if (bytes.toString() !== 'all in one') it.broken('"all in one"', JSON.stringify(bytes.toString()));
    },
  },
  {
    name: 'frame/empty-data',
    title: 'Data frames without payload are nothing',
    clause: 'YAMUX-FRAME-1',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, 'echo');
      for (let n = 0; n < 50; n++) await session.send(TYPE.data, 0, id, Buffer.alloc(0));
      await echoes(it, session, id, 'still here');
    },
  },
  ...Object.entries(BROKEN_HEADERS).map(
    ([name, header]): YamuxCase => ({
      name: `frame/${name}`,
      title: `a header of ${name.replace('-', ' ')} is refused`,
      clause: 'YAMUX-FRAME-3',
      needs: [],
      play: async (it, session) => {
        const id = await commanded(session, 'echo');
        await echoes(it, session, id, 'before');
        await session.carrier.send(header);
        await refused(it, session, id, 'a refusal of what is not yamux');
      },
    }),
  ),
];
