/** One-line defects of a yamux library, each naming the clause it breaks. `subjects/yamux-app.ts --defect NAME` is one as a program. */
import { FLAG, HEADER_BYTES, INITIAL_WINDOW_BYTES, TYPE } from '../../../reference-impl/yamux/frame.ts';
import { type FrameTap, frameOf, type RawFrame, type SessionHands } from './spoiled-session.ts';

export type YamuxDefect = {
  readonly clause: string;
  readonly says: string;
  /** One a session: what it remembers is that session's. */
  readonly spoil: (hands: SessionHands) => FrameTap;
};

const has = ({ flags }: RawFrame, flag: number): boolean => (flags & flag) !== 0;
const isOf = ({ type }: RawFrame, wanted: number): boolean => type === wanted;
const isStream = ({ type }: RawFrame): boolean => type === TYPE.data || type === TYPE.windowUpdate;
/** A grant and nothing else. */
const isGrant = (frame: RawFrame): boolean => isOf(frame, TYPE.windowUpdate) && frame.flags === 0;

const wholeFramesOnly = (bytes: Buffer): Buffer => {
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const size = HEADER_BYTES + (bytes[at + 1] === TYPE.data ? bytes.readUInt32BE(at + 8) : 0);
    if (bytes.length - at < size) break;
    at += size;
  }
  return bytes.subarray(0, at);
};

const wrongParity = (): FrameTap => {
  const own = new Set<number>();
  return {
    said: (frame) => {
      if (isStream(frame) && has(frame, FLAG.syn)) own.add(frame.stream);
      return [own.has(frame.stream) ? { ...frame, stream: frame.stream + 1 } : frame];
    },
    heard: (frame) => [own.has(frame.stream - 1) ? { ...frame, stream: frame.stream - 1 } : frame],
  };
};

/** @param streamsMax open at a time; whatever is opened beyond is reset */
export const fewStreams =
  (streamsMax: number) =>
  (hands: SessionHands): FrameTap => {
    const open = new Set<number>();
    const seen = (frame: RawFrame): void => {
      if (has(frame, FLAG.rst | FLAG.fin)) open.delete(frame.stream);
    };
    return {
      heard: (frame) => {
        if (isStream(frame) && has(frame, FLAG.syn)) {
          if (open.size >= streamsMax) {
            hands.toPeer(frameOf(TYPE.windowUpdate, FLAG.rst, frame.stream));
            return [];
          }
          open.add(frame.stream);
        }
        seen(frame);
        return [frame];
      },
      said: (frame) => {
        seen(frame);
        return [frame];
      },
    };
  };

/** On the other side's FIN this side ends too, by `flag`, and whatever it still had to say is lost. */
const endsWithPeer =
  (flag: number) =>
  (hands: SessionHands): FrameTap => {
    const over = new Set<number>();
    return {
      heard: (frame) => {
        if (!isStream(frame) || !has(frame, FLAG.fin)) return [frame];
        over.add(frame.stream);
        hands.toPeer(frameOf(TYPE.windowUpdate, flag | FLAG.ack, frame.stream));
        return [frame];
      },
      said: (frame) => (over.has(frame.stream) ? [] : [frame]),
    };
  };

const windowIgnored = (hands: SessionHands): FrameTap => {
  const given = new Set<number>();
  const give = (stream: number): void => {
    if (given.has(stream)) return;
    given.add(stream);
    hands.toLibrary(frameOf(TYPE.windowUpdate, 0, stream, 8 * 1_048_576));
  };
  return {
    heard: (frame) => {
      if (!isStream(frame)) return [frame];
      // behind the frame that opens or acknowledges it
      hands.toLibrary(frame);
      give(frame.stream);
      return [];
    },
  };
};

/** Counts what came of each stream and what was allowed. */
const overrunSwallowed = (): FrameTap => {
  const left = new Map<number, number>();
  const of = (stream: number): number => left.get(stream) ?? INITIAL_WINDOW_BYTES;
  return {
    heard: (frame) => {
      if (!isOf(frame, TYPE.data)) return [frame];
      const allowed = Math.min(frame.payload.length, of(frame.stream));
      left.set(frame.stream, of(frame.stream) - allowed);
      return [{ ...frame, length: allowed, payload: frame.payload.subarray(0, allowed) }];
    },
    said: (frame) => {
      if (isOf(frame, TYPE.windowUpdate)) left.set(frame.stream, of(frame.stream) + frame.length);
      return [frame];
    },
  };
};

const ONE_BUFFER_BYTES = 131_072;

const oneBuffer = (hands: SessionHands): FrameTap => {
  const unread = new Map<number, number>();
  const look = (): void => hands.hold([...unread.values()].some((bytes) => bytes >= ONE_BUFFER_BYTES));
  return {
    heard: (frame) => {
      if (isOf(frame, TYPE.data))
        unread.set(frame.stream, (unread.get(frame.stream) ?? 0) + frame.payload.length);
      look();
      return [frame];
    },
    said: (frame) => {
      if (isOf(frame, TYPE.windowUpdate) && frame.length > 0) unread.delete(frame.stream);
      if (has(frame, FLAG.rst)) unread.delete(frame.stream);
      look();
      return [frame];
    },
  };
};

/** Ids of the side that the other one is not. */
const opensAfterAway = (hands: SessionHands): FrameTap => {
  let theirs = 1;
  return {
    heard: (frame) => {
      if (isStream(frame)) theirs = frame.stream;
      if (isOf(frame, TYPE.goAway)) hands.toPeer(frameOf(TYPE.windowUpdate, FLAG.syn, 1_001 + (theirs % 2)));
      return [frame];
    },
  };
};

/** A frame as long as this is no command: granting those early too would overrun the window of the library behind. */
const BULK_BYTES = 4_096;

const grantsUnread = (hands: SessionHands): FrameTap => {
  /** Granted already, and not yet by the library. */
  const ahead = new Map<number, number>();
  return {
    heard: (frame) => {
      const { stream, payload } = frame;
      if (isOf(frame, TYPE.data) && payload.length >= BULK_BYTES) {
        ahead.set(stream, (ahead.get(stream) ?? 0) + payload.length);
        hands.toPeer(frameOf(TYPE.windowUpdate, 0, stream, payload.length));
      }
      return [frame];
    },
    said: (frame) => {
      if (!isGrant(frame)) return [frame];
      const known = Math.min(ahead.get(frame.stream) ?? 0, frame.length);
      ahead.set(frame.stream, (ahead.get(frame.stream) ?? 0) - known);
      return known === frame.length ? [] : [{ ...frame, length: frame.length - known }];
    },
  };
};

const SMALL_GRANT_BYTES = 100_000;

/** By the name that `--defect` takes. */
export const YAMUX_DEFECTS: Readonly<Record<string, YamuxDefect>> = {
  'partial-frames-lost': {
    clause: 'YAMUX-FRAME-1',
    says: 'one read is taken for whole frames; what is left over is dropped',
    spoil: () => ({ raw: wholeFramesOnly }),
  },
  'payload-on-syn-dropped': {
    clause: 'YAMUX-FRAME-2',
    says: 'payload of a frame that opens a stream is dropped',
    spoil: () => ({
      heard: (frame) => [
        isOf(frame, TYPE.data) && has(frame, FLAG.syn)
          ? { ...frame, length: 0, payload: Buffer.alloc(0) }
          : frame,
      ],
    }),
  },
  'version-ignored': {
    clause: 'YAMUX-FRAME-3',
    says: 'version and type are not looked at',
    spoil: () => ({ heard: (frame) => (frame.type > 3 ? [] : [{ ...frame, version: 0 }]) }),
  },
  'opens-by-data-only': {
    clause: 'YAMUX-STREAM-1',
    says: 'a SYN on a WindowUpdate is not heard',
    spoil: () => ({
      heard: (frame) => (isOf(frame, TYPE.windowUpdate) && has(frame, FLAG.syn) ? [] : [frame]),
    }),
  },
  'never-acknowledged': {
    clause: 'YAMUX-STREAM-2',
    says: 'ACK is never sent',
    spoil: () => ({
      said: (frame) => [isStream(frame) ? { ...frame, flags: frame.flags & ~FLAG.ack } : frame],
    }),
  },
  'ten-streams': {
    clause: 'YAMUX-STREAM-3',
    says: 'the eleventh stream at a time is reset',
    spoil: fewStreams(10),
  },
  'wrong-parity': {
    clause: 'YAMUX-STREAM-4',
    says: 'its streams have ids of the other side',
    spoil: wrongParity,
  },
  'fin-resets': {
    clause: 'YAMUX-CLOSE-1',
    says: 'a FIN is answered by RST, whatever was still to be said',
    spoil: endsWithPeer(FLAG.rst),
  },
  'reset-ends-session': {
    clause: 'YAMUX-CLOSE-2',
    says: 'RST of a stream ends the session',
    spoil: (hands) => ({
      heard: (frame) => {
        if (isStream(frame) && has(frame, FLAG.rst)) hands.kill();
        return [frame];
      },
    }),
  },
  'fin-overtakes': {
    clause: 'YAMUX-CLOSE-3',
    says: 'a FIN is answered by FIN before what was still to be said',
    spoil: endsWithPeer(FLAG.fin),
  },
  'window-ignored': {
    clause: 'YAMUX-FLOW-1',
    says: 'it sends 8 MiB more than the window allows',
    spoil: windowIgnored,
  },
  'small-grants-ignored': {
    clause: 'YAMUX-FLOW-2',
    says: 'grants below 100,000 bytes are not used',
    spoil: () => ({
      heard: (frame) => [
        isOf(frame, TYPE.windowUpdate) && frame.length < SMALL_GRANT_BYTES ? { ...frame, length: 0 } : frame,
      ],
    }),
  },
  'grants-unread': {
    clause: 'YAMUX-FLOW-3',
    says: 'window is granted for bytes that nobody read',
    spoil: grantsUnread,
  },
  'never-grants': {
    clause: 'YAMUX-FLOW-4',
    says: 'window is never granted again',
    spoil: () => ({ said: (frame) => (isGrant(frame) ? [] : [frame]) }),
  },
  'overrun-swallowed': {
    clause: 'YAMUX-FLOW-5',
    says: 'data beyond the window is dropped without a word',
    spoil: overrunSwallowed,
  },
  'one-buffer': {
    clause: 'YAMUX-FLOW-6',
    says: 'a stream that nobody reads stops the session',
    spoil: oneBuffer,
  },
  'ping-unanswered': {
    clause: 'YAMUX-PING-1',
    says: 'pings are not answered',
    spoil: () => ({
      said: (frame) => (isOf(frame, TYPE.ping) && has(frame, FLAG.ack) ? [] : [frame]),
    }),
  },
  'opens-after-away': {
    clause: 'YAMUX-AWAY-1',
    says: 'it opens a stream although told GoAway',
    spoil: opensAfterAway,
  },
  'away-ends': {
    clause: 'YAMUX-AWAY-2',
    says: 'GoAway ends the session at once',
    spoil: (hands) => ({
      heard: (frame) => {
        if (isOf(frame, TYPE.goAway)) hands.kill();
        return [frame];
      },
    }),
  },
};
