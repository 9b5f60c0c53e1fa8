import t from 'tap';
import { FLAG, U32_MAX } from './frame.ts';
import { YamuxSession } from './session.ts';
import {
  ack,
  bytesOf,
  consumed,
  data,
  end,
  fin,
  goAway,
  hear,
  open,
  ping,
  pong,
  reset,
  room,
  rst,
  send,
  spoken,
  syn,
  update,
} from './spoken.ts';
import type { SessionInput } from './vocabulary.ts';

const WINDOW = 262_144;
/** Inputs and what each must be answered with. `opens`: how many ids are taken first, so that `open` may use them. */
type Row = {
  readonly name: string;
  readonly role?: 'client' | 'server';
  readonly opens?: number;
  readonly windowBytes?: number;
  readonly steps: readonly (readonly [SessionInput, readonly string[]])[];
};

const MUST_HOLD: readonly Row[] = [
  {
    name: 'a stream that arrives is acknowledged at once, its payload delivered',
    steps: [[hear(data(1, 'hi', FLAG.syn)), ['> WindowUpdate[ACK] 1 0', 'stream 1', 'data 1 hi']]],
  },
  {
    name: 'payload on SYN and FIN is delivered before the end, and the answer still goes',
    steps: [
      [
        hear(data(1, 'one frame', FLAG.syn | FLAG.fin)),
        ['> WindowUpdate[ACK] 1 0', 'stream 1', 'data 1 one frame', 'ended 1'],
      ],
      [send(1, 'answer'), []],
      [room(), ['> Data[] 1 6', 'drained 1']],
      [end(1), ['> WindowUpdate[FIN] 1 0', 'closed 1 end']],
    ],
  },
  {
    name: 'payload on RST is framed and not delivered; what follows is read right',
    steps: [
      [hear(syn(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
      [hear(data(1, 'lost', FLAG.rst), ping(7)), ['> Ping[ACK] 0 7', 'closed 1 reset']],
    ],
  },
  {
    name: 'opening says SYN at once, and payload does not wait for ACK',
    role: 'client',
    opens: 1,
    steps: [
      [open(1), ['> WindowUpdate[SYN] 1 0']],
      [send(1, 'early'), []],
      [room(), ['> Data[] 1 5', 'drained 1']],
      [hear(ack(1), ack(1)), ['acknowledged 1']],
    ],
  },
  {
    name: 'ACK on a Data frame counts, and its payload too',
    role: 'client',
    opens: 1,
    steps: [
      [open(1), ['> WindowUpdate[SYN] 1 0']],
      [hear(data(1, 'yes', FLAG.ack)), ['acknowledged 1', 'data 1 yes']],
    ],
  },
  {
    name: 'a window delta on SYN counts, and the window is never passed',
    steps: [
      [hear(syn(1, 100)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
      [send(1, WINDOW + 200), []],
      [room(), ['> Data[] 1 262144', '> Data[] 1 100']],
      [room(), []],
      [hear(update(1, 13)), []],
      [room(), ['> Data[] 1 13']],
      [hear(update(1, 1_000)), []],
      [room(), ['> Data[] 1 87', 'drained 1']],
    ],
  },
  {
    name: 'a window delta on ACK counts',
    role: 'client',
    opens: 1,
    steps: [
      [open(1), ['> WindowUpdate[SYN] 1 0']],
      [hear(ack(1, 50)), ['acknowledged 1']],
      [send(1, WINDOW + 50), []],
      [room(), ['> Data[] 1 262144', '> Data[] 1 50', 'drained 1']],
    ],
  },
  {
    name: 'a larger window is announced with ACK and with SYN',
    opens: 1,
    windowBytes: 1 << 20,
    steps: [
      [hear(syn(1)), ['> WindowUpdate[ACK] 1 786432', 'stream 1']],
      [open(2), ['> WindowUpdate[SYN] 2 786432']],
    ],
  },
  {
    name: 'credit is granted at half the window, for what was consumed and no more',
    steps: [
      [hear(data(1, WINDOW, FLAG.syn)), ['> WindowUpdate[ACK] 1 0', 'stream 1', 'data 1 262144 bytes']],
      [consumed(1, WINDOW / 2 - 1), []],
      [consumed(1, 1), ['> WindowUpdate[] 1 131072']],
      [hear(data(1, WINDOW / 2)), ['data 1 131072 bytes']],
      [consumed(1, WINDOW), ['> WindowUpdate[] 1 262144']],
    ],
  },
  {
    name: 'an overrun by one byte is refused',
    steps: [
      [hear(data(1, WINDOW, FLAG.syn)), ['> WindowUpdate[ACK] 1 0', 'stream 1', 'data 1 262144 bytes']],
      [hear(data(1, 1)), ['> GoAway[] 0 1', 'closed 1 failed', 'failed YAMUX_WINDOW_EXCEEDED']],
    ],
  },
  {
    name: 'after our FIN we still grant; after the peer its updates still count',
    steps: [
      [hear(syn(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
      [end(1), ['> WindowUpdate[FIN] 1 0']],
      [hear(data(1, WINDOW)), ['data 1 262144 bytes']],
      [consumed(1, WINDOW), ['> WindowUpdate[] 1 262144']],
      [hear(syn(3), fin(3)), ['> WindowUpdate[ACK] 3 0', 'stream 3', 'ended 3']],
      [send(3, WINDOW + 5), []],
      [room(), ['> Data[] 3 262144']],
      [hear(update(3, 5)), []],
      [room(), ['> Data[] 3 5', 'drained 3']],
    ],
  },
  {
    name: 'FIN waits for what was sent before it',
    role: 'client',
    opens: 1,
    steps: [
      [open(1), ['> WindowUpdate[SYN] 1 0']],
      [send(1, 'last words'), []],
      [end(1), []],
      [room(), ['> Data[] 1 10', '> WindowUpdate[FIN] 1 0', 'drained 1']],
      [hear(fin(1)), ['ended 1', 'closed 1 end']],
    ],
  },
  {
    name: 'late frames of a reset stream are dropped, whatever they carry',
    steps: [
      [hear(syn(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
      [reset(1), ['> WindowUpdate[RST] 1 0']],
      [hear(data(1, 2 * WINDOW), update(1, U32_MAX), fin(1), rst(1), data(1, 'x', FLAG.fin)), []],
      [hear(ping(1)), ['> Ping[ACK] 0 1']],
      [send(1, 'gone'), []],
      [consumed(1, 5), []],
      [end(1), []],
      [reset(1), []],
    ],
  },
  {
    name: 'a stream reset by us in the middle of a frame hears no more of it',
    steps: [
      [hear(syn(1), data(1, 'abcd').subarray(0, 14)), ['> WindowUpdate[ACK] 1 0', 'stream 1', 'data 1 ab']],
      [reset(1), ['> WindowUpdate[RST] 1 0']],
      [hear(bytesOf('cd'), syn(3)), ['> WindowUpdate[ACK] 3 0', 'stream 3']],
    ],
  },
  {
    name: 'payload after the peer ended is dropped',
    steps: [
      [hear(syn(1), fin(1), data(1, 'late')), ['> WindowUpdate[ACK] 1 0', 'stream 1', 'ended 1']],
      [hear(fin(1), ping(2)), ['> Ping[ACK] 0 2']],
    ],
  },
  {
    name: 'an id that was used may be opened again',
    steps: [
      [hear(syn(1), rst(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1', 'closed 1 reset']],
      [hear(syn(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
    ],
  },
  {
    name: 'a live id opened again is refused',
    steps: [
      [hear(syn(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
      [hear(syn(1)), ['> GoAway[] 0 1', 'closed 1 failed', 'failed YAMUX_STREAM_REOPENED']],
    ],
  },
  {
    name: 'stream 0 carries no payload',
    steps: [[hear(data(0, 'x', FLAG.syn)), ['> GoAway[] 0 1', 'failed YAMUX_STREAM_ZERO']]],
  },
  {
    name: 'window deltas whose sum passes 32 bits are refused',
    steps: [
      [hear(syn(1, U32_MAX - WINDOW)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
      [hear(update(1, 1)), ['> GoAway[] 0 1', 'closed 1 failed', 'failed YAMUX_WINDOW_OVERFLOW']],
    ],
  },
  {
    name: 'a peer in our own role is served while ids do not meet',
    role: 'client',
    opens: 2,
    steps: [
      [open(1), ['> WindowUpdate[SYN] 1 0']],
      [hear(syn(7)), ['> WindowUpdate[ACK] 7 0', 'stream 7']],
      [
        hear(syn(3)),
        ['> GoAway[] 0 1', 'closed 1 failed', 'closed 7 failed', 'failed YAMUX_STREAM_REOPENED'],
      ],
    ],
  },
  {
    name: 'a ping is answered with its value, an answer nobody asked for is dropped, unknown flags are ignored',
    steps: [
      [hear(ping(0xdeadbeef), pong(5)), ['> Ping[ACK] 0 3735928559']],
      [hear(update(1, 0, 0xff00 | FLAG.syn)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
    ],
  },
  {
    name: 'after GoAway(0) from the peer open streams finish',
    role: 'client',
    opens: 2,
    steps: [
      [open(1), ['> WindowUpdate[SYN] 1 0']],
      [hear(goAway(0)), ['goAway normal']],
      [open(3), ['closed 3 reset']],
      [hear(data(1, 'still', FLAG.fin)), ['data 1 still', 'ended 1']],
      [end(1), ['> WindowUpdate[FIN] 1 0', 'closed 1 end']],
      [{ type: 'ended' }, []],
    ],
  },
  ...[1, 2, 77].map(
    (code): Row => ({
      name: `GoAway(${code}) ends the session`,
      steps: [
        [hear(syn(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
        [
          hear(goAway(code), ping(1)),
          [
            `goAway ${['', 'protocol error', 'internal error'][code] ?? 'unknown'}`,
            'closed 1 failed',
            'failed YAMUX_GO_AWAY',
          ],
        ],
        [room(), []],
      ],
    }),
  ),
  {
    name: 'after our GoAway(0) a new stream is reset, open ones go on',
    steps: [
      [hear(syn(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
      [{ type: 'goAway', code: 'normal' }, ['> GoAway[] 0 0']],
      [{ type: 'goAway', code: 'normal' }, []],
      [hear(data(3, 'no', FLAG.syn), data(1, 'yes')), ['> WindowUpdate[RST] 3 0', 'data 1 yes']],
    ],
  },
  {
    name: 'our own GoAway(2) ends the session',
    steps: [
      [hear(syn(1)), ['> WindowUpdate[ACK] 1 0', 'stream 1']],
      [
        { type: 'goAway', code: 'internal error' },
        ['> GoAway[] 0 2', 'closed 1 failed', 'failed YAMUX_WENT_AWAY'],
      ],
    ],
  },
  {
    name: 'the end of the carrier cuts live streams',
    steps: [
      [
        hear(syn(1), syn(3), fin(3)),
        ['> WindowUpdate[ACK] 1 0', '> WindowUpdate[ACK] 3 0', 'stream 1', 'stream 3', 'ended 3'],
      ],
      [end(3), ['> WindowUpdate[FIN] 3 0', 'closed 3 end']],
      [{ type: 'ended' }, ['closed 1 reset', 'failed YAMUX_CARRIER_ENDED']],
    ],
  },
  {
    name: 'the end of the carrier inside a frame is a failure even without streams',
    steps: [
      [hear(ping(1).subarray(0, 11)), []],
      [{ type: 'ended' }, ['failed YAMUX_CARRIER_ENDED']],
    ],
  },
  { name: 'the end of an idle carrier is nothing', steps: [[{ type: 'ended' }, []]] },
];

for (const row of MUST_HOLD)
  t.test(row.name, async (t) => {
    const session = new YamuxSession({
      role: row.role ?? 'server',
      ...(row.windowBytes === undefined ? {} : { windowBytes: row.windowBytes }),
    });
    for (let i = 0; i < (row.opens ?? 0); i++) session.nextStream();
    for (const [input, words] of row.steps)
      t.same(spoken(session.handle(0, input)), words, `${input.type} ${words.join(', ')}`);
  });
