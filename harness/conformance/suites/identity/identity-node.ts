/** A node, as its relay and other nodes meet it: it proves itself, believes nobody, and comes back. */
import { type ClientContext, type ClientProfile, clientCases } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';
import { written } from './capnp.ts';
import type { Channel } from './channel.ts';
import { Frames, framed, frameHeader, VERSION } from './frames.ts';
import type { Identity } from './keys.ts';
import { Meeting } from './meeting.ts';
import { channelStruct, peerMessage } from './messages.ts';
import {
  acceptedBy,
  dialledBy,
  inside,
  joinedBy,
  listenerOf,
  type Mode,
  NODE,
  saying,
  stage,
  tunnelOf,
} from './relay-side.ts';
import { awaitedKeepAlive, type Line, type Node, newcomer, RELAY, soon, ticks } from './society.ts';

const KIB = 1_024;
const MIB = KIB * KIB;
const SEGMENT_BYTES = 7;
const LIMIT_MILLIS = 40_000;
const HELD_MIB_MAX = 48;

const both = (
  name: string,
  title: string,
  clause: string,
  needs: readonly string[],
  run: (it: ClientContext, mode: Mode) => Promise<void>,
) =>
  (['listen', 'connect'] as const).map((mode) => ({
    ...{ name: `${name}-${mode}`, title: `${title} (${mode})`, clause, limitMillis: LIMIT_MILLIS },
    needs: [mode, ...needs],
    run: (it: ClientContext) => run(it, mode),
  }));

const echoes = async (inner: Channel, ...messages: (string | Buffer)[]): Promise<void> => {
  for (const message of messages) {
    await inner.say(message);
    await inner.expect(message, 'the message, sent back');
  }
};

/** A relay that is not the one of the ticket, each in its own way: the node says nothing to it. */
const impostor = (
  name: string,
  title: string,
  who: (it: ClientContext) => Identity,
  exchange: (it: ClientContext, meeting: Meeting) => Buffer,
) => ({
  ...{ name: `relay/${name}`, title, clause: 'ID-NODE-2', needs: ['listen'], limitMillis: LIMIT_MILLIS },
  run: async (it: ClientContext) => {
    const { wire, frames } = await dialledBy(await stage(it, 'listen'));
    await frames.versions();
    const meeting = new Meeting(it, 'impostor', frames, who(it));
    await frames.send(meeting.hello());
    await meeting.hearHello(NODE.publicKey);
    await frames.send(exchange(it, meeting));
    await wire.expectEnd(title, soon(it));
  },
});

/** A relay that breaks the protocol on the connection that listens: it is left, and the node goes on. */
const broken = (name: string, title: string, breaks: (it: ClientContext, node: Node) => Promise<void>) => ({
  ...{ name: `faults/${name}`, title, clause: 'ID-NODE-8', needs: ['listen'], limitMillis: LIMIT_MILLIS },
  run: async (it: ClientContext) => {
    const all = await stage(it, 'listen');
    const node = await listenerOf(it, all);
    await breaks(it, node);
    await node.wire.expectEnd(title, soon(it));
    await it.wait(200);
    if (!all.client.running)
      it.broken('a node that goes on', `it ended: ${all.client.output().slice(-400) || 'without a word'}`);
  },
});

/** The same before there is a channel. */
const unwelcome = (name: string, title: string, says: (line: Line) => Promise<void>) => ({
  ...{ name: `faults/${name}`, title, clause: 'ID-NODE-8', needs: ['listen'], limitMillis: LIMIT_MILLIS },
  run: async (it: ClientContext) => {
    const all = await stage(it, 'listen');
    const line = await dialledBy(all);
    await says(line);
    await line.wire.expectEnd(title, ticks(it, 12) + it.patienceMillis);
    await it.wait(200);
    if (!all.client.running)
      it.broken('a node that goes on', `it ended: ${all.client.output().slice(-400) || 'without a word'}`);
  },
});

/** How often it dials within five seconds while each connection is ended at once. */
const attempts = async (it: ClientContext, end: (wire: WireEnd) => void): Promise<number> => {
  const all = await stage(it, 'listen');
  end((await dialledBy(all)).wire);
  const until = performance.now() + 5_000;
  for (let count = 0; ; count++) {
    const left = until - performance.now();
    const line = left <= 0 ? undefined : await dialledBy(all, left).catch(() => undefined);
    if (line === undefined) return count;
    end(line.wire);
  }
};

const PATIENT = clientCases(
  {
    name: 'live/keepalive',
    title: 'a node that has nothing to say says keepAlive within 31 ticks',
    ...{ clause: 'ID-NODE-7', needs: ['listen'], limitMillis: 70_000 },
    run: async (it) => {
      const node = await listenerOf(it, await stage(it, 'listen'));
      it.observe(`after ${(await awaitedKeepAlive(it, node)).toFixed(1)} ticks`);
    },
  },
  {
    name: 'back/after-silence',
    title: 'a node whose relay has fallen silent leaves it and comes back',
    ...{ clause: 'ID-NODE-9', needs: ['listen'], limitMillis: 120_000 },
    run: async (it) => {
      const all = await stage(it, 'listen');
      const { wire } = await listenerOf(it, all);
      const began = performance.now();
      await wire.expectEnd('a relay that says nothing', ticks(it, 45));
      it.observe(`left after ${((performance.now() - began) / ticks(it, 1)).toFixed(1)} ticks`);
      await listenerOf(it, all);
    },
  },
);

const RELAYS = clientCases(
  ...both('init', 'it proves its key and says at once what it wants', 'ID-NODE-3', [], async (it, mode) => {
    const all = await stage(it, mode);
    if (mode === 'listen') await listenerOf(it, all);
    else
      await saying(
        it,
        all,
        (init) => init.type === 'connect' && init.publicKey.equals(all.peer.publicKey),
        'a connect to the key it was given',
      );
  }),
  {
    name: 'shake/small-segments',
    title: 'a relay that speaks in segments of seven bytes is understood',
    ...{ clause: 'ID-NODE-1', needs: ['listen'], limitMillis: LIMIT_MILLIS },
    directOnly: true,
    run: async (it) => {
      const { wire } = await dialledBy(await stage(it, 'listen'));
      const frames = new Frames(wire);
      const carrier = {
        send: (message: Buffer) => wire.sendSliced(framed(message), SEGMENT_BYTES),
        receive: frames.receive.bind(frames),
      };
      await carrier.send(VERSION);
      await frames.hearVersion();
      const channel = await new Meeting(it, wire.name, carrier, RELAY).complete();
      if (!channel.peer.equals(NODE.publicKey))
        it.broken('the key of its identity file', channel.peer.toString('base64url'));
      await channel.hear('InitConnection');
    },
  },
  impostor(
    'other-key',
    'a relay with another key is told nothing',
    (it) => newcomer(it),
    (_, meeting) => meeting.exchange(),
  ),
  impostor(
    'other-signer',
    "a relay that shows the ticket's key and cannot sign for it is told nothing",
    () => RELAY,
    (it, meeting) => meeting.exchange({ signature: meeting.signature(newcomer(it)) }),
  ),
  impostor(
    'other-nonce',
    'an answer to another nonce opens no channel',
    () => RELAY,
    (_, meeting) => meeting.exchange({ randNonce: Buffer.alloc(16, 7) }),
  ),
);

const TUNNELS = clientCases(
  {
    name: 'meet/accepts',
    title: 'a node accepts two connectors, each on a connection of its own',
    ...{ clause: 'ID-NODE-4', needs: ['listen'], limitMillis: LIMIT_MILLIS },
    run: async (it) => {
      const all = await stage(it, 'listen');
      const listener = await listenerOf(it, all);
      for (let n = 0; n < 2; n++) await acceptedBy(it, all, listener, newcomer(it));
    },
  },
  ...both('tunnel/echo', 'messages pass a tunnel both ways', 'ID-NODE-6', ['echo'], async (it, mode) => {
    const { inner } = await tunnelOf(it, mode);
    await echoes(inner, 'hello', '', 'x'.repeat(60_000), Buffer.alloc(3_000));
  }),
  {
    name: 'tunnel/two',
    title: 'two tunnels at once do not mix',
    ...{ clause: 'ID-NODE-6', needs: ['listen', 'echo'], limitMillis: LIMIT_MILLIS },
    run: async (it) => {
      const all = await stage(it, 'listen');
      const listener = await listenerOf(it, all);
      const inners = [];
      for (let n = 0; n < 2; n++) {
        const from = newcomer(it);
        inners.push(await inside(it, await acceptedBy(it, all, listener, from), from));
      }
      for (const [i, inner] of inners.entries()) await inner.say(`tunnel ${i}`);
      for (const [i, inner] of inners.entries()) await inner.expect(`tunnel ${i}`, 'the words of its tunnel');
    },
  },
  ...both('tunnel/stranger', 'a stranger in a tunnel hears nothing', 'ID-NODE-5', [], async (it, mode) => {
    const all = await stage(it, mode);
    const outer =
      mode === 'connect'
        ? await saying(it, all, ({ type }) => type === 'connect', 'a connect')
        : await acceptedBy(it, all, await listenerOf(it, all), newcomer(it));
    const inner = await inside(it, outer, newcomer(it)).catch(() => undefined);
    if (inner === undefined) it.observe('the handshake in the tunnel is not completed');
    else await inner.say('let me in').catch(() => undefined);
    await outer.wire.expectEnd('a tunnel to somebody else than was meant', soon(it));
  }),
  ...both(
    'tunnel/rekey',
    'new keys outside and inside change nothing',
    'ID-NODE-6',
    ['echo'],
    async (it, mode) => {
      const { outer, inner } = await tunnelOf(it, mode);
      await echoes(inner, 'before');
      await outer.channel.rekey();
      await outer.channel.answered();
      await echoes(inner, 'new keys outside');
      await inner.rekey();
      await inner.answered();
      await echoes(inner, 'new keys inside');
    },
  ),
  {
    name: 'tunnel/padding',
    title: 'messages behind 65535 bytes of padding, and in several segments, are read',
    ...{ clause: 'ID-NODE-6', needs: ['listen', 'echo'], limitMillis: LIMIT_MILLIS },
    run: async (it) => {
      const { outer, inner } = await tunnelOf(it, 'listen');
      outer.channel.paddingBytes = 65_535;
      inner.paddingBytes = 20_000;
      await echoes(inner, 'padded', '');
      for (const layout of ['far', 'double-far'] as const) {
        await inner.say(layout, layout);
        await inner.expect(layout, 'the message, sent back');
      }
    },
  },
);

const FAULTS = clientCases(
  broken('replayed', 'a frame that comes twice ends the connection', async (_, { channel, frames }) => {
    const frame = channel.sealed(channel.message(peerMessage(RELAY.publicKey)));
    await frames.send(frame);
    await frames.send(frame);
  }),
  broken('short', 'a frame too short to be sealed ends the connection', async (_, { frames }) =>
    frames.send(Buffer.alloc(5, 7)),
  ),
  broken('undecodable', 'a message that cannot be decoded ends the connection', async (_, { channel }) =>
    channel.plain(written(channelStruct(Buffer.alloc(0), Buffer.from('ff0102', 'hex')))),
  ),
  unwelcome('version', 'a relay of version 1 is left', ({ frames }) =>
    frames.send(Buffer.from('00000001', 'hex')),
  ),
  unwelcome('http', 'a port that answers HTTP is left', ({ wire }) =>
    wire.send('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
  ),
  {
    name: 'faults/announced',
    title: 'a length that was announced, and what is sent after it, costs no memory',
    ...{ clause: 'ID-NODE-8', needs: ['listen'], limitMillis: LIMIT_MILLIS },
    directOnly: true,
    run: async (it) => {
      const all = await stage(it, 'listen');
      const { wire } = await dialledBy(all);
      const before = await all.client.holdings();
      void wire.send(frameHeader(2 ** 40));
      const piece = Buffer.alloc(MIB, 7);
      for (let sent = 0; sent < 96 && wire.ended === 'open'; sent++)
        await Promise.race([wire.send(piece), it.wait(200)]);
      await it.wait(200);
      const after = await all.client.holdings();
      if (!all.client.running) it.broken('a node that goes on', 'it ended');
      it.observe(`a frame of 2^40 bytes: ${wire.ended === 'open' ? 'left open' : 'closed'}`);
      if (before === undefined || after === undefined) return;
      const grown = (after.rssBytes - before.rssBytes) / MIB;
      it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
      if (grown > HELD_MIB_MAX)
        it.broken(`at most ${HELD_MIB_MAX} MiB more memory`, `${grown.toFixed(1)} MiB`);
    },
  },
);

const BACK = clientCases(
  ...(['fin', 'reset'] as const).map((how) => ({
    name: `back/after-${how}`,
    title: `a listening node whose relay has ended by ${how === 'fin' ? 'FIN' : 'RST'} listens again and is reached`,
    ...{ clause: 'ID-NODE-9', needs: ['listen'], limitMillis: 60_000 },
    run: async (it: ClientContext) => {
      const all = await stage(it, 'listen');
      const { wire } = await listenerOf(it, all);
      if (how === 'fin') wire.end();
      else wire.reset();
      const node = await joinedBy(it, all, 30_000);
      await node.channel.hear('InitConnection');
      await acceptedBy(it, all, node, newcomer(it));
    },
  })),
  {
    name: 'back/no-hammer',
    title: 'a relay that ends every connection at once is dialled a few times, not all the time',
    ...{ clause: 'ID-NODE-10', needs: ['listen'], limitMillis: LIMIT_MILLIS },
    run: async (it) => {
      const count = await attempts(it, (wire) => wire.end());
      it.observe(`${count} attempts in five seconds`);
      if (count > 12) it.broken('at most twelve attempts in five seconds', `${count}`);
    },
  },
);

/** A node of an identity relay. Source: Offset's relay page and the protocol notes. */
export const IDENTITY_NODE: ClientProfile = {
  name: 'identity-node',
  role: 'client',
  summary: 'a node of an identity relay: it listens, or connects to a key, and sends every message back',
  placeholders: {
    mode: 'listen, or connect (to {peer})',
    idfile: 'its identity file',
    ticket: "the relay's ticket file, with its key and address",
    peer: 'the public key to connect to, as base64url',
    relay: "the relay's address, as the ticket has it: HOST:PORT",
    port: 'the port in it',
    relaykey: "the relay's public key, as the ticket has it",
  },
  capabilities: {
    listen: 'listens and accepts whoever comes, when {mode} is listen',
    connect: 'connects to {peer}, when {mode} is connect',
    echo: 'sends every message of a tunnel back',
  },
  cases: [...PATIENT, ...RELAYS, ...TUNNELS, ...FAULTS, ...BACK],
};
