/** Windows: kept, used, granted as bytes are consumed, and each stream for itself. */
import { FLAG, TYPE } from '../../../../reference-impl/yamux/frame.ts';
import { sent } from './application.ts';
import { commanded, echoes, line, refused, WINDOW, type YamuxCase } from './commanded.ts';
import { type Frame, isData, isEnd } from './literal-session.ts';

export const FLOWS: readonly YamuxCase[] = [
  {
    name: 'flow/sender-keeps-window',
    title: 'it sends the window and not a byte more',
    clause: 'YAMUX-FLOW-1',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, `send ${4 * WINDOW}`);
      let got = 0;
      while (got < WINDOW) got += (await session.until('the window full of data', isData(id))).payload.length;
      if (got > WINDOW) it.broken(`${WINDOW} bytes`, `${got}`);
      // whatever was on its way comes before the answer to a ping, and what comes late behind it
      await session.send(TYPE.ping, FLAG.syn, 0, 7);
      for (let answered = false; !answered || session.carrier.held > 0; ) {
        const frame = await session.next('the answer to a ping, and nothing more');
        if (isData(id)(frame) && frame.payload.length > 0)
          it.broken('nothing beyond the window', `${frame.payload.length} more bytes`);
        if (frame.type !== TYPE.ping) continue;
        answered = true;
        await it.wait(300);
      }
    },
  },
  ...[1_000, 1, 65_536].map(
    (grant): YamuxCase => ({
      name: `flow/grant-of-${grant}`,
      title: `a grant of ${grant} ${grant === 1 ? 'byte is' : 'bytes is'} used to its last byte`,
      clause: 'YAMUX-FLOW-2',
      needs: [],
      play: async (it, session) => {
        const id = await commanded(session, `send ${4 * WINDOW}`);
        let got = 0;
        while (got < WINDOW)
          got += (await session.until('the window full of data', isData(id))).payload.length;
        // one byte alone may be too little for a sender that waits for more: latitude, if it is used together with others
        const grants = grant === 1 ? [1, 999] : [grant];
        for (const delta of grants) await session.send(TYPE.windowUpdate, 0, id, delta);
        const granted = grants.reduce((sum, delta) => sum + delta, 0);
        let more = got - WINDOW;
        while (more < granted)
          more += (await session.until(`${granted} more bytes`, isData(id))).payload.length;
        if (more > granted) it.broken(`${granted} more bytes`, `${more}`);
      },
    }),
  ),
  {
    name: 'flow/delta-on-syn',
    title: 'window granted with the SYN counts',
    clause: 'YAMUX-FLOW-2',
    needs: [],
    play: async (it, session) => {
      const delta = 100_000;
      const id = session.nextId();
      await session.send(TYPE.windowUpdate, FLAG.syn, id, delta);
      await session.send(TYPE.data, 0, id, line(`send ${4 * WINDOW}`));
      let got = 0;
      while (got < WINDOW + delta)
        got += (await session.until('window and delta full of data', isData(id))).payload.length;
      if (got > WINDOW + delta) it.broken(`${WINDOW + delta} bytes`, `${got}`);
    },
  },
  {
    name: 'flow/no-grant-unread',
    title: 'while its application does not read, it grants nothing beyond what it announced',
    clause: 'YAMUX-FLOW-3',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, 'hold');
      let announced = WINDOW;
      const grants = async (): Promise<void> => {
        await session.ping();
      };
      // what was announced with the ACK belongs to the first window
      const seen: Frame[] = [];
      await session.send(TYPE.ping, FLAG.syn, 0, 7);
      await session.until('the answer to a ping', (frame) => {
        seen.push(frame);
        return frame.type === TYPE.ping && frame.flags === FLAG.ack;
      });
      for (const frame of seen)
        if (frame.type === TYPE.windowUpdate && frame.stream === id) announced += frame.length;
      let left = announced - 5;
      if (left > 64 * WINDOW) it.unclear(`a first window of ${announced} bytes is too large to fill here`);
      while (left > 0) {
        const part = Math.min(left, 65_536);
        await session.send(TYPE.data, 0, id, Buffer.alloc(part));
        left -= part;
      }
      let granted = 0;
      const began = performance.now();
      await session.send(TYPE.ping, FLAG.syn, 0, 8);
      await session.until('the answer to a ping behind a full window', (frame) => {
        if (frame.type === TYPE.windowUpdate && frame.stream === id) granted += frame.length;
        return frame.type === TYPE.ping && frame.flags === FLAG.ack && frame.length === 8;
      });
      await it.wait(Math.max(0, 500 - (performance.now() - began)));
      while (session.carrier.held >= 12) {
        const frame = await session.next('nothing more');
        if (frame.type === TYPE.windowUpdate && frame.stream === id) granted += frame.length;
      }
      // a library may take what its application has in its hands for consumed: a buffer of 64 KiB
      if (granted > WINDOW / 2) it.broken('no window while nobody reads', `${granted} bytes more`);
      if (granted > 0) it.observe(`${granted} bytes were granted for what lies in a buffer`);
      await grants();
    },
  },
  {
    name: 'flow/never-stalls',
    title: 'sixteen windows go through a stream that is read',
    clause: 'YAMUX-FLOW-4',
    needs: [],
    play: async (it, session) => {
      const total = 16 * WINDOW;
      const id = await commanded(session, 'sink');
      let window = WINDOW - 5;
      let done = 0;
      while (done < total) {
        while (window === 0)
          window += (
            await session.until(
              'window for the rest',
              ({ type, stream }) => type === TYPE.windowUpdate && stream === id,
            )
          ).length;
        const part = Math.min(window, total - done, 65_536);
        await session.send(TYPE.data, 0, id, Buffer.alloc(part));
        done += part;
        window -= part;
      }
      await session.send(TYPE.windowUpdate, FLAG.fin, id, 0);
      const { bytes } = await session.rest(id, 'the count of what came');
      if (bytes.toString() !== `${total}\n`)
        it.broken(`a count of ${total}`, JSON.stringify(bytes.toString()));
    },
  },
  {
    name: 'flow/echo-a-megabyte',
    title: 'a megabyte each way through an application that reads and then writes',
    clause: 'YAMUX-FLOW-4',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, 'echo');
      const total = 4 * WINDOW;
      let [window, out, back] = [WINDOW - 5, 0, 0];
      while (back < total) {
        if (window > 0 && out < total) {
          const part = Math.min(window, total - out, 32_768);
          await session.send(TYPE.data, 0, id, sent(out, part));
          out += part;
          window -= part;
          continue;
        }
        const frame = await session.until(
          'the echo, or window',
          ({ stream, type }) => stream === id && type <= TYPE.windowUpdate,
        );
        if (frame.type === TYPE.windowUpdate) window += frame.length;
        else if (frame.payload.length > 0) {
          if (!frame.payload.equals(sent(back, frame.payload.length)))
            it.broken(`the bytes from offset ${back} as they were sent`, 'others');
          back += frame.payload.length;
          await session.send(TYPE.windowUpdate, 0, id, frame.payload.length);
        }
        if (isEnd(id)(frame)) it.broken(`${total} bytes back`, `the end after ${back}`);
      }
    },
  },
  {
    name: 'flow/overrun-refused',
    title: 'data beyond the window is refused',
    clause: 'YAMUX-FLOW-5',
    needs: ['fixed-window'],
    play: async (it, session) => {
      const id = await commanded(session, 'hold');
      for (let n = 0; n < 8; n++) await session.send(TYPE.data, 0, id, Buffer.alloc(WINDOW / 2));
      await refused(it, session, id, 'a refusal of data beyond the window');
    },
  },
  {
    name: 'flow/stalled-alone',
    title: 'beside a stream that nobody reads, another echoes and pings are answered',
    clause: 'YAMUX-FLOW-6',
    needs: [],
    play: async (it, session) => {
      const stalled = await commanded(session, 'hold');
      for (let n = 0; n < 4; n++) await session.send(TYPE.data, 0, stalled, Buffer.alloc(WINDOW / 4 - 2));
      await session.ping();
      await echoes(it, session, await commanded(session, 'echo'), 'not held up');
    },
  },
  {
    name: 'flow/windowless-alone',
    title: 'beside a stream that waits for window, another echoes',
    clause: 'YAMUX-FLOW-6',
    needs: [],
    play: async (it, session) => {
      const waiting = await commanded(session, `send ${4 * WINDOW}`);
      let got = 0;
      while (got < WINDOW)
        got += (await session.until('the window full of data', isData(waiting))).payload.length;
      await echoes(it, session, await commanded(session, 'echo'), 'not held up');
      await session.ping();
    },
  },
];
