/** Why a session refuses or ends: one place for what each error says. */
import type { WireErrorDetails } from '../machine/wire-error.ts';
import { YamuxError } from './errors.ts';
import { U32_MAX } from './frame.ts';
import type { GoAwayCode, StreamId } from './vocabulary.ts';

type Words = Omit<WireErrorDetails, 'fault' | 'at'>;
const theirs = (at: number | undefined, words: Words): YamuxError =>
  new YamuxError({ fault: 'remote', at, ...words });
const ours = (words: Words): YamuxError => new YamuxError({ fault: 'local', at: undefined, ...words });

export const streamZero = (at: number): YamuxError =>
  theirs(at, {
    code: 'YAMUX_STREAM_ZERO',
    expected: 'a stream id above 0 on Data and WindowUpdate',
    got: 'stream 0',
    hint: '0 is the session itself: Ping and GoAway only',
  });

export const streamReopened = (stream: StreamId, at: number): YamuxError =>
  theirs(at, {
    code: 'YAMUX_STREAM_REOPENED',
    expected: 'SYN with an id that is not in use',
    got: `SYN for live stream ${stream}`,
    hint: 'both ends may be in the same role: client ids are odd, server ids even',
  });

export const controlBacklog = (frames: number): YamuxError =>
  theirs(undefined, {
    code: 'YAMUX_CONTROL_BACKLOG',
    expected: 'a peer that reads the answers it asks for',
    got: `${frames} control frames that the carrier does not take`,
    hint: 'the peer floods pings or streams, or stopped reading',
  });

export const keepaliveTimeout = (silentMillis: number): YamuxError =>
  theirs(undefined, {
    code: 'YAMUX_KEEPALIVE_TIMEOUT',
    expected: 'an answer to our ping',
    got: `${silentMillis} ms of silence`,
    hint: 'the path is dead or stalled: dial again, or allow more with pongMillis',
  });

export const peerWentAway = (code: GoAwayCode | 'unknown', value: number): YamuxError =>
  theirs(undefined, {
    code: 'YAMUX_GO_AWAY',
    expected: 'a session that goes on, or GoAway code 0',
    got: `GoAway code ${value} (${code})`,
    hint: 'the peer refused what we sent or broke down: look at its log',
  });

export const wentAway = (code: GoAwayCode): YamuxError =>
  ours({
    code: 'YAMUX_WENT_AWAY',
    expected: 'GoAway code 0, which lets streams finish',
    got: `our own GoAway (${code})`,
    hint: 'the session was ended on this side',
  });

export const carrierCut = (at: number | undefined, streams: number, midFrame: boolean): YamuxError =>
  theirs(at, {
    code: 'YAMUX_CARRIER_ENDED',
    expected: 'every stream ended before the carrier',
    got: `end of the carrier with ${streams} live streams${midFrame ? ', in the middle of a frame' : ''}`,
    hint: 'the connection was cut: dial again',
  });

export const streamReset = (stream: StreamId): YamuxError =>
  theirs(undefined, {
    code: 'YAMUX_STREAM_RESET',
    expected: `an orderly end of stream ${stream}`,
    got: 'a reset',
    hint: 'the other side gave this stream up, or refused it; other streams go on',
  });

export const noMoreStreams = (why: string): YamuxError =>
  ours({
    code: 'YAMUX_STREAMS_EXHAUSTED',
    expected: 'room for one more stream',
    got: why,
    hint: 'let streams end, raise streamsMax, or open a new session',
  });

export const openAfterGoAway = (whose: string): YamuxError =>
  ours({
    code: 'YAMUX_OPEN_AFTER_GO_AWAY',
    expected: 'no new stream after GoAway',
    got: `a new stream after ${whose}`,
    hint: 'open it on another session',
  });

export const strangeId = (stream: StreamId): YamuxError =>
  ours({
    code: 'YAMUX_STRANGE_ID',
    expected: 'an id that nextStream() gave, opened once',
    got: `open of stream ${stream}`,
    hint: 'call nextStream() for every open',
  });

export const sendAfterEnd = (stream: StreamId): YamuxError =>
  ours({
    code: 'YAMUX_SEND_AFTER_END',
    expected: `nothing more to send on stream ${stream} after end`,
    got: 'send',
    hint: 'end comes last',
  });

export const badOption = (name: string, expected: string, got: number): YamuxError =>
  ours({
    code: 'YAMUX_OPTION',
    expected: `${name} ${expected}`,
    got: String(got),
    hint: `leave it out for the default, or give whole numbers up to ${U32_MAX}`,
  });
