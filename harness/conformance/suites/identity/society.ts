/** Nodes of a case and their relay: connections that shook hands, listeners, connectors and tunnels, made with literal messages. */
import type { CaseContext, ServerContext } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';
import type { Layout } from './capnp.ts';
import { type Channel, randomBytes } from './channel.ts';
import { Frames } from './frames.ts';
import { type Identity, identityFile, identityOf } from './keys.ts';
import { Meeting } from './meeting.ts';
import { INIT, KEY_BYTES, readPeer } from './messages.ts';

/** Whom the relay is to be: what `{idfile}` holds. A throw-away key, so that every run knows it. */
export const RELAY: Identity = identityOf(Buffer.from('relaylab: a throw-away identity.'));
export const RELAY_FILES = { idfile: identityFile(RELAY) } as const;

const LOOK_MILLIS = 10;
const AGAIN_MILLIS = 100;

/** A node of this case alone. */
export const newcomer = (it: CaseContext): Identity => identityOf(randomBytes(it, KEY_BYTES));

/** So many ticks of the target's clock. */
export const ticks = (it: CaseContext, count: number): number => 1_000 * count * it.capabilities.timeScale;

export type Line = { readonly wire: WireEnd; readonly frames: Frames };
/** A connection with its secure channel. */
export type Node = Line & { readonly identity: Identity; readonly channel: Channel };

export const dialled = async (it: ServerContext, name: string): Promise<Line> => {
  const wire = await it.dial(name);
  return { wire, frames: new Frames(wire) };
};

/** Versions exchanged, and both hellos; what comes next is up to the case. */
export const met = async (
  it: ServerContext,
  name: string,
  identity = newcomer(it),
): Promise<Line & { readonly meeting: Meeting }> => {
  const line = await dialled(it, name);
  await line.frames.versions();
  const meeting = new Meeting(it, name, line.frames, identity);
  await line.frames.send(meeting.hello());
  await meeting.hearHello();
  return { ...line, meeting };
};

/** A secure channel with the relay. */
export const joined = async (it: ServerContext, name: string, identity = newcomer(it)): Promise<Node> => {
  const line = await dialled(it, name);
  await line.frames.versions();
  const channel = await new Meeting(it, name, line.frames, identity).complete();
  return { ...line, identity, channel };
};

/** It has said that it listens. There is no answer: whether it is heard shows when somebody connects. */
export const listening = async (
  it: ServerContext,
  identity = newcomer(it),
  name = 'listener',
): Promise<Node> => {
  const node = await joined(it, name, identity);
  await node.channel.say(INIT.listen());
  return node;
};

export const connecting = async (
  it: ServerContext,
  to: Identity,
  identity = newcomer(it),
  name = 'connector',
  layout: Layout = 'near',
): Promise<Node> => {
  const node = await joined(it, name, identity);
  await node.channel.say(INIT.connect(to.publicKey, layout), layout);
  return node;
};

export const accepting = async (
  it: ServerContext,
  listener: Identity,
  from: Identity,
  name = 'acceptor',
): Promise<Node> => {
  const node = await joined(it, name, listener);
  await node.channel.say(INIT.accept(from.publicKey));
  return node;
};

/** The listener hears who connects. */
export const announced = async (it: CaseContext, { wire, channel }: Node, from: Identity): Promise<void> => {
  const key = readPeer(await channel.hear('IncomingConnection'));
  if (!key.equals(from.publicKey))
    it.broken(
      `on ${wire.name}: IncomingConnection of ${from.publicKey.toString('base64url')}`,
      key.toString('base64url'),
    );
};

/**
 * A half tunnel: connected, and the listener has heard of it. A connector that is closed at once may have been faster than the
 * listener's word: it tries again while the patience lasts.
 */
export const half = async (
  it: ServerContext,
  listener: Node,
  identity = newcomer(it),
  name = 'connector',
  layout: Layout = 'near',
): Promise<Node> => {
  const began = performance.now();
  for (;;) {
    const node = await connecting(it, listener.identity, identity, name, layout);
    const held = listener.wire.received;
    while (listener.wire.received === held && listener.wire.held === 0 && node.wire.ended === 'open') {
      if (performance.now() - began > it.patienceMillis) break;
      await it.wait(LOOK_MILLIS);
    }
    if (node.wire.ended === 'open' || performance.now() - began > it.patienceMillis) {
      await announced(it, listener, identity);
      return node;
    }
    await it.wait(AGAIN_MILLIS);
  }
};

export type Tunnel = { readonly listener: Node; readonly connector: Node; readonly acceptor: Node };

/** Two nodes that are joined. @param name in front of the names of its three connections */
export const tunnel = async (it: ServerContext, name = '', known?: Node): Promise<Tunnel> => {
  const listener = known ?? (await listening(it, newcomer(it), `${name}listener`));
  const connector = await half(it, listener, newcomer(it), `${name}connector`);
  const acceptor = await accepting(it, listener.identity, connector.identity, `${name}acceptor`);
  return { listener, connector, acceptor };
};

/** A new tunnel carries a message each way: the relay serves others. */
export const works = async (it: ServerContext, name = 'after-'): Promise<Tunnel> => {
  const all = await tunnel(it, name);
  await all.connector.channel.say('ping');
  await all.acceptor.channel.expect('ping', "the connector's message");
  await all.acceptor.channel.say('pong');
  await all.connector.channel.expect('pong', "the acceptor's message");
  return all;
};

/** Ticks within which an end comes that has a reason: far below the 32 after which a silent node is closed in any case. */
const SOON_TICKS = 20;
export const soon = (it: CaseContext): number => Math.min(it.patienceMillis, ticks(it, SOON_TICKS));

/** The relay closes it, because of what was said. */
export const refusedAs = async (
  it: CaseContext,
  { wire }: Line,
  what: string,
  millis = soon(it),
): Promise<void> => {
  it.closed((await wire.expectEnd(what, millis)) === 'fin' ? 'in order' : 'reset');
};

/**
 * A handshake that must fail: were it taken, this is a listener, who is not closed for saying nothing more.
 * @param channel of a relay that takes it
 */
export const notTaken = async (
  it: CaseContext,
  line: Line,
  what: string,
  channel: () => Promise<Channel>,
): Promise<void> => {
  // its own ExchangeDh may be on the way before it has read ours
  const taken = await channel().catch(() => undefined);
  await taken?.say(INIT.listen());
  await refusedAs(it, line, what);
};

/** The next keepAlive; rekeys may come before it, messages not. @returns ticks until then @throws Broken after 31 */
export const awaitedKeepAlive = async (it: CaseContext, { channel }: Node): Promise<number> => {
  const began = performance.now();
  for (;;) {
    const left = Math.max(1, began + ticks(it, 31) - performance.now());
    const { type } = await channel.next('a keepAlive', left);
    if (type === 'message') it.broken('a keepAlive', 'a message of nobody');
    if (type === 'keepAlive') return (performance.now() - began) / ticks(it, 1);
  }
};

/** Says keepAlive on these until the case is over, as nodes do that are only there. */
export const keptAwake = (it: CaseContext, nodes: readonly Node[]): void => {
  const timer = setInterval(
    () => {
      for (const { channel, wire } of nodes) if (wire.ended === 'open') void channel.keepAlive();
    },
    ticks(it, 8),
  );
  it.cleanup(() => clearInterval(timer));
};
