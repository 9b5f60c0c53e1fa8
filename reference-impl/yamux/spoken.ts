/** For tests: frames written short, and what a session answers as lines of text. */
import { encodeFrame, FLAG, FrameReader, type FrameType, TYPE } from './frame.ts';
import type { SessionInput, SessionOutput, StreamId } from './vocabulary.ts';

const TYPE_NAMES = ['Data', 'WindowUpdate', 'Ping', 'GoAway'] as const;

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export const joined = (chunks: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
};

const frame = (type: FrameType, flags: number, stream: StreamId, length: number, payload?: Uint8Array) =>
  encodeFrame({ type, flags, stream, length }, payload);

/** A Data frame; a number stands for that many zero bytes. */
export const data = (stream: StreamId, payload: string | number, flags = 0): Uint8Array => {
  const body = typeof payload === 'number' ? new Uint8Array(payload) : bytesOf(payload);
  return frame(TYPE.data, flags, stream, body.length, body);
};
export const update = (stream: StreamId, delta: number, flags = 0): Uint8Array =>
  frame(TYPE.windowUpdate, flags, stream, delta);
export const syn = (stream: StreamId, delta = 0): Uint8Array => update(stream, delta, FLAG.syn);
export const ack = (stream: StreamId, delta = 0): Uint8Array => update(stream, delta, FLAG.ack);
export const fin = (stream: StreamId): Uint8Array => update(stream, 0, FLAG.fin);
export const rst = (stream: StreamId): Uint8Array => update(stream, 0, FLAG.rst);
export const ping = (value: number): Uint8Array => frame(TYPE.ping, FLAG.syn, 0, value);
export const pong = (value: number): Uint8Array => frame(TYPE.ping, FLAG.ack, 0, value);
export const goAway = (code: number): Uint8Array => frame(TYPE.goAway, 0, 0, code);

/** Inputs, written short; `room` alone is room for everything, a number sends that many zero bytes. */
export const hear = (...frames: Uint8Array[]): SessionInput => ({ type: 'bytes', bytes: joined(frames) });
export const room = (bytes = 1 << 24): SessionInput => ({ type: 'room', bytes });
export const send = (stream: number, payload: string | number): SessionInput => ({
  type: 'send',
  stream,
  bytes: typeof payload === 'number' ? new Uint8Array(payload) : bytesOf(payload),
});
export const open = (stream: number): SessionInput => ({ type: 'open', stream });
export const end = (stream: number): SessionInput => ({ type: 'end', stream });
export const reset = (stream: number): SessionInput => ({ type: 'reset', stream });
export const consumed = (stream: number, bytes: number): SessionInput => ({
  type: 'consumed',
  stream,
  bytes,
});

export type WholeFrame = {
  readonly type: FrameType;
  readonly flags: number;
  readonly stream: StreamId;
  readonly length: number;
  readonly payload: Uint8Array;
};

/** Whole frames out of bytes that hold nothing else. */
export const framesIn = (bytes: Uint8Array): readonly WholeFrame[] => {
  const reader = new FrameReader();
  const frames: WholeFrame[] = [];
  reader.push(bytes);
  for (let piece = reader.next(); piece !== undefined; piece = reader.next()) {
    if (piece.type === 'header') frames.push({ ...piece.header, payload: new Uint8Array(0) });
    else frames.push({ ...(frames.pop() as WholeFrame), payload: piece.bytes });
  }
  if (reader.midFrame) throw new Error('the bytes end inside a frame');
  return frames;
};

/** What the transmits among these outputs put on the wire. */
export const transmitted = (outputs: readonly SessionOutput[]): Uint8Array =>
  joined(outputs.flatMap((output) => (output.type === 'transmit' ? output.chunks : [])));

/** `Data[SYN+FIN] 1 9`: type, flags, stream, length. */
export const frameLine = (header: Omit<WholeFrame, 'payload'>): string => {
  const flags = Object.entries(FLAG).flatMap(([name, bit]) =>
    header.flags & bit ? [name.toUpperCase()] : [],
  );
  return `${TYPE_NAMES[header.type]}[${flags.join('+')}] ${header.stream} ${header.length}`;
};

const lines = (output: SessionOutput): string[] => {
  switch (output.type) {
    case 'transmit':
      return framesIn(joined(output.chunks)).map((each) => `> ${frameLine(each)}`);
    case 'data': {
      const { length } = output.bytes;
      return [`data ${output.stream} ${length > 40 ? `${length} bytes` : textOf(output.bytes)}`];
    }
    case 'closed':
      return [`closed ${output.stream} ${output.why}`];
    case 'pong':
      return [`pong ${output.rttMillis} ms`];
    case 'goAway':
      return [`goAway ${output.code}`];
    case 'failed':
      return [`failed ${output.error.code}`];
    case 'stream':
    case 'acknowledged':
    case 'ended':
    case 'drained':
      return [`${output.type} ${output.stream}`];
  }
};

/** One line an output, and `> ` lines for the frames sent; payload of more than 40 bytes is shown as its length. */
export const spoken = (outputs: readonly SessionOutput[]): string[] => outputs.flatMap(lines);
