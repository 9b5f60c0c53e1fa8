/** What cases of yamux are made of: streams whose application has heard a command, echoes, refusals. */
import { FLAG, INITIAL_WINDOW_BYTES, TYPE } from '../../../../reference-impl/yamux/frame.ts';
import type { Case, CaseContext } from '../../case.ts';
import { type Frame, isReset, type LiteralSession } from './literal-session.ts';

export const WINDOW = INITIAL_WINDOW_BYTES;
export const line = (text: string): Buffer => Buffer.from(`${text}\n`);

type Play = (it: CaseContext, session: LiteralSession) => Promise<void>;
export type YamuxCase = Omit<Case<CaseContext>, 'run'> & { readonly play: Play };

/** A stream whose application has heard its command. */
export const commanded = async (session: LiteralSession, command: string): Promise<number> => {
  const id = await session.open();
  await session.send(TYPE.data, 0, id, line(command));
  return id;
};

/** The same, and our half is over: FIN in a frame of its own, so that this proves nothing about payload on FIN. */
export const asked = async (
  session: LiteralSession,
  command: string,
  body: Buffer = Buffer.alloc(0),
): Promise<number> => {
  const id = await commanded(session, command);
  if (body.length > 0) await session.send(TYPE.data, 0, id, body);
  await session.send(TYPE.windowUpdate, FLAG.fin, id, 0);
  return id;
};

export const echoes = async (
  it: CaseContext,
  session: LiteralSession,
  id: number,
  text: string,
): Promise<void> => {
  await session.send(TYPE.data, 0, id, Buffer.from(text));
  const got = await session.data(id, Buffer.byteLength(text));
  if (got.toString('latin1') !== text)
    it.broken(`"${text}" back on stream ${id}`, JSON.stringify(got.toString('latin1')));
};

/** The refusal that the specification leaves open: the carrier ends, GoAway comes, or the stream is reset. */
export const refused = async (
  it: CaseContext,
  session: LiteralSession,
  id: number,
  what: string,
): Promise<void> => {
  for (;;) {
    let frame: Frame;
    try {
      frame = await session.next(what);
    } catch (error) {
      if (session.carrier.ended === 'open') throw error;
      it.observe(`refused by ${session.carrier.ended === 'fin' ? 'FIN' : 'RST'} of the connection`);
      return;
    }
    if (frame.type === TYPE.goAway) return it.observe(`refused by GoAway with code ${frame.length}`);
    if (isReset(id)(frame)) return it.observe('refused by RST of the stream');
    if (frame.type === TYPE.ping && frame.flags === FLAG.syn)
      await session.send(TYPE.ping, FLAG.ack, 0, frame.length);
  }
};
