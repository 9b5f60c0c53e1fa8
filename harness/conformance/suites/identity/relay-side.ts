/** The other side of a node: we are the relay it was given a ticket of, and the nodes at the other end of its tunnels. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientContext, RunningClient } from '../../case.ts';
import { Broken } from '../../outcome.ts';
import type { WireListener } from '../../wire/wire-listener.ts';
import { type Channel, insideOf } from './channel.ts';
import { Frames } from './frames.ts';
import { type Identity, identityFile, identityOf, ticketFile } from './keys.ts';
import { Meeting } from './meeting.ts';
import { type Init, peerMessage, readInit } from './messages.ts';
import { type Line, type Node, newcomer, RELAY } from './society.ts';

export type Mode = 'listen' | 'connect';

/** Who the target is, by its identity file. */
export const NODE: Identity = identityOf(Buffer.from('relaylab: the node that is judge'));

/** A program needs a moment to start, on a busy machine more than one. */
const START_MILLIS = 15_000;

export type Stage = {
  readonly relay: WireListener;
  readonly client: RunningClient;
  /** Whom it is told to connect to. */
  readonly peer: Identity;
};

export const stage = async (it: ClientContext, mode: Mode): Promise<Stage> => {
  const relay = await it.listen('relay');
  const port = await it.door(relay);
  const peer = newcomer(it);
  const folder = it.folder();
  const [idfile, ticket] = [join(folder, 'node.ident'), join(folder, 'our.relay')];
  writeFileSync(idfile, identityFile(NODE), { mode: 0o600 });
  writeFileSync(ticket, ticketFile(RELAY.publicKey, `127.0.0.1:${port}`));
  const client = await it.start({
    ...{ mode, port: String(port), relay: `127.0.0.1:${port}`, idfile, ticket },
    ...{ relaykey: RELAY.publicKey.toString('base64url'), peer: peer.publicKey.toString('base64url') },
  });
  return { relay, client, peer };
};

/** The next connection of the node. @throws Broken when none comes */
export const dialledBy = async ({ relay, client }: Stage, millis = START_MILLIS): Promise<Line> => {
  try {
    const wire = await relay.accept('the node dials its relay', millis);
    return { wire, frames: new Frames(wire) };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    throw new Broken(error.expected, `${error.got}; it said: ${client.output().slice(-400) || 'nothing'}`);
  }
};

/** The next connection, with its secure channel: it must be the node. */
export const joinedBy = async (it: ClientContext, all: Stage, millis?: number): Promise<Node> => {
  const line = await dialledBy(all, millis);
  await line.frames.versions();
  const meeting = new Meeting(it, line.wire.name, line.frames, RELAY);
  await line.frames.send(meeting.hello());
  await meeting.hearHello(NODE.publicKey);
  await line.frames.send(meeting.exchange());
  await meeting.hearExchange();
  return { ...line, identity: RELAY, channel: meeting.channel() };
};

/** The next connection that says what is wanted; a node may have others. */
export const saying = async (
  it: ClientContext,
  all: Stage,
  wanted: (init: Init) => boolean,
  what: string,
): Promise<Node> => {
  for (let tries = 0; tries < 4; tries++) {
    const node = await joinedBy(it, all);
    if (wanted(readInit(await node.channel.hear('InitConnection, within 4 ticks')))) return node;
  }
  return it.broken(what, 'four connections that say something else');
};

export const listenerOf = (it: ClientContext, all: Stage): Promise<Node> =>
  saying(it, all, ({ type }) => type === 'listen', 'a connection that listens');

/** The node's end of a tunnel: on its side of the relay, and inside. */
export type End = { readonly outer: Node; readonly inner: Channel };

/** Somebody connects: the node accepts. */
export const acceptedBy = async (
  it: ClientContext,
  all: Stage,
  listener: Node,
  from: Identity,
): Promise<Node> => {
  await listener.channel.say(peerMessage(from.publicKey));
  return saying(
    it,
    all,
    (init) => init.type === 'accept' && init.publicKey.equals(from.publicKey),
    `an accept of ${from.publicKey.toString('base64url')}`,
  );
};

/** The second channel, through a tunnel that we are the relay of. */
export const inside = async (it: ClientContext, outer: Node, as: Identity): Promise<Channel> =>
  new Meeting(it, `inside ${outer.wire.name}`, insideOf(outer.channel), as).complete(NODE.publicKey);

/** A tunnel of a listening node to us, or of a connecting one to its peer. */
export const tunnelOf = async (it: ClientContext, mode: Mode): Promise<End & { readonly all: Stage }> => {
  const all = await stage(it, mode);
  if (mode === 'listen') {
    const from = newcomer(it);
    const outer = await acceptedBy(it, all, await listenerOf(it, all), from);
    return { all, outer, inner: await inside(it, outer, from) };
  }
  const outer = await saying(
    it,
    all,
    (init) => init.type === 'connect' && init.publicKey.equals(all.peer.publicKey),
    `a connect to ${all.peer.publicKey.toString('base64url')}`,
  );
  return { all, outer, inner: await inside(it, outer, all.peer) };
};
