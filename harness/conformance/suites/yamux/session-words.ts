/** What is said about the session itself: pings and GoAway. */
import { FLAG, TYPE } from '../../../../reference-impl/yamux/frame.ts';
import { commanded, echoes, WINDOW, type YamuxCase } from './commanded.ts';
import { isData, isEnd } from './literal-session.ts';

export const SESSIONS: readonly YamuxCase[] = [
  ...[0, 1, 0xffff_ffff].map(
    (value): YamuxCase => ({
      name: `ping/value-${value.toString(16)}`,
      title: `a ping of ${value.toString(16)} is answered with that value`,
      clause: 'YAMUX-PING-1',
      needs: [],
      play: async (_, session) => session.ping(value),
    }),
  ),
  {
    name: 'ping/while-busy',
    title: 'pings are answered while a stream sends',
    clause: 'YAMUX-PING-1',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, `send ${4 * WINDOW}`);
      await session.send(TYPE.ping, FLAG.syn, 0, 99);
      let got = 0;
      let answered = false;
      while (!answered) {
        const frame = await session.next('the answer to a ping');
        if (isData(id)(frame)) {
          got += frame.payload.length;
          await session.send(TYPE.windowUpdate, 0, id, frame.payload.length);
        }
        answered = frame.type === TYPE.ping && frame.flags === FLAG.ack && frame.length === 99;
        if (got >= 4 * WINDOW && isEnd(id)(frame) && !answered) {
          await session.until(
            'the answer to a ping',
            ({ type, flags }) => type === TYPE.ping && flags === FLAG.ack,
          );
          return;
        }
      }
      it.observe(`answered after ${got} bytes of data`);
    },
  },
  {
    name: 'away/opens-nothing',
    title: 'after our GoAway it opens no stream',
    clause: 'YAMUX-AWAY-1',
    needs: ['open'],
    play: async (it, session) => {
      const id = await commanded(session, 'echo');
      await echoes(it, session, id, 'before');
      await session.send(TYPE.goAway, 0, 0, 0);
      await session.send(TYPE.data, 0, id, Buffer.from('x'));
      const began = performance.now();
      while (performance.now() - began < 800) {
        if (session.carrier.held < 12) {
          if (session.carrier.ended !== 'open') return it.observe('the session ended at once');
          await it.wait(50);
          continue;
        }
        const frame = await session.next('no stream');
        if ((frame.flags & FLAG.syn) !== 0 && frame.type <= TYPE.windowUpdate)
          it.broken('no stream after GoAway', `SYN of stream ${frame.stream}`);
      }
    },
  },
  {
    name: 'away/open-streams-go-on',
    title: 'after our GoAway with code 0 an open stream goes on to its end',
    clause: 'YAMUX-AWAY-2',
    needs: [],
    play: async (it, session) => {
      const id = await commanded(session, 'echo');
      await echoes(it, session, id, 'before');
      await session.send(TYPE.goAway, 0, 0, 0);
      await session.send(TYPE.data, FLAG.fin, id, Buffer.from('after'));
      const { bytes } = await session.rest(id, 'the rest of the echo');
      if (bytes.toString() !== 'after') it.broken('"after"', JSON.stringify(bytes.toString()));
    },
  },
];
