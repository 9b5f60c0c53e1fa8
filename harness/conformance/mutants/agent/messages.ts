/** A man in the middle who understands the relay of measurements: the messages of a client, changed on their way. */
import {
  BODY_MAX,
  type Content,
  framed,
  frameOf,
  type Message,
  type Point,
  readBody,
} from '../../suites/measurement-server/messages.ts';
import type { Pair, Spoiler } from '../middle.ts';

const LENGTH_BYTES = 4;

/**
 * Calls `body` for each body that becomes whole. What follows a length that no body has goes to `rest` with that length, and so
 * does everything behind it.
 */
export const bodyByBody = (
  body: (body: Buffer) => void,
  rest: (bytes: Buffer) => void,
): ((bytes: Buffer) => void) => {
  let pieces: Buffer[] = [];
  let held = 0;
  let over = false;
  const joined = (): Buffer => {
    if (pieces.length !== 1) pieces = [Buffer.concat(pieces)];
    return pieces[0] as Buffer;
  };
  return (bytes) => {
    if (over) return rest(bytes);
    pieces.push(bytes);
    held += bytes.length;
    while (held >= LENGTH_BYTES) {
      // joined for each segment, a body of 32 MB would be copied five hundred times
      const first = pieces[0] as Buffer;
      const length = (first.length < LENGTH_BYTES ? joined() : first).readUInt32BE();
      if (length > BODY_MAX) {
        over = true;
        return rest(joined());
      }
      if (held < LENGTH_BYTES + length) return;
      const all = joined();
      held -= LENGTH_BYTES + length;
      pieces = held === 0 ? [] : [all.subarray(LENGTH_BYTES + length)];
      body(all.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    }
  };
};

/** @returns undefined for a body that is no message */
export const messageOf = (body: Buffer): Message | undefined => {
  try {
    return readBody(body).message;
  } catch {
    return undefined;
  }
};

/** What becomes of a message of the client: the messages its server hears instead. */
export type Change = (message: Message) => readonly Message[];

/** Bodies that are no messages pass. @param change asked once a connection */
export const changing =
  (change: (pair: Pair) => Change): Spoiler =>
  (pair) => {
    const changed = change(pair);
    return {
      fromNear: bodyByBody(
        (body) => {
          const message = messageOf(body);
          if (message === undefined) pair.toFar(framed(body));
          else for (const { sender, content } of changed(message)) pair.toFar(frameOf(sender, content));
        },
        (bytes) => pair.toFar(bytes),
      ),
    };
  };

/** The same for what each message has in it. */
export const contents = (change: (content: Content) => readonly Content[]): Spoiler =>
  changing(
    () =>
      ({ sender, content }) =>
        change(content).map((one) => ({ sender, content: one })),
  );

/** The same for each point of a batch. */
export const points = (change: (point: Point) => Point): Spoiler =>
  contents((content) => [
    content.tag === 'SendMeasurements'
      ? { ...content, value: { buf: content.value.buf.map(change) } }
      : content,
  ]);
