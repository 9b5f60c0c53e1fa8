/** Sealed frames: in turn, whole, and padded; what is none of it ends one connection. */
import { type ServerContext, serverCases } from '../../case.ts';
import { frameHeader } from './frames.ts';
import { joined, listening, type Node, refusedAs, tunnel, works } from './society.ts';

/** A connector that breaks the seal: the acceptor hears what was before, and nothing of it. */
const seal = (name: string, title: string, frames: (node: Node) => readonly Buffer[]) => ({
  ...{ name: `seal/${name}`, title, clause: 'ID-SEAL-2', needs: [] },
  run: async (it: ServerContext) => {
    // joined, before it is broken
    const { connector, acceptor } = await works(it, '');
    for (const frame of frames(connector)) await connector.frames.send(frame);
    await refusedAs(it, connector, title);
    await acceptor.channel.expect('before', 'what was said before');
    const more = await acceptor.channel.hear('the end of the tunnel', 1_000).catch(() => undefined);
    if (more !== undefined)
      it.broken('nothing of what was out of turn', `a message: ${more.toString('latin1')}`);
  },
});

const before = ({ channel }: Node): Buffer => channel.sealed(channel.message('before'));
const SHORT_BYTES = [0, 1, 5, 11, 12, 16, 27];

export const SEALED = serverCases(
  {
    name: 'seal/counters',
    title: 'thirty frames each way are numbered from 0',
    clause: 'ID-SEAL-1',
    needs: [],
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      for (let n = 0; n < 30; n++) {
        await connector.channel.say(`up ${n}`);
        await acceptor.channel.expect(`up ${n}`, 'the next message');
        await acceptor.channel.say(`down ${n}`);
        await connector.channel.expect(`down ${n}`, 'the next message');
      }
    },
  },
  seal('replayed', 'a frame that comes twice closes the connection', (node) => {
    const frame = before(node);
    return [frame, frame];
  }),
  seal('skipped', 'a frame with the counter after next closes the connection', (node) => [
    before(node),
    node.channel.sealed(node.channel.message('skipped'), 1),
  ]),
  seal('changed', 'a frame with one bit turned closes the connection', (node) => {
    const first = before(node);
    const second = node.channel.sealed(node.channel.message('changed'));
    second[20] = (second[20] as number) ^ 0x10;
    return [first, second];
  }),
  seal('unsealed', 'a message that is not sealed closes the connection', (node) => [
    before(node),
    node.channel.message('in the clear, for everybody to read'),
  ]),
  {
    name: 'seal/short',
    title: 'frames too short to be sealed end their own connections only',
    clause: 'ID-SEAL-3',
    needs: [],
    alone: 'target',
    limitMillis: 40_000,
    run: async (it) => {
      const listener = await listening(it, undefined, 'bystander');
      for (const bytes of SHORT_BYTES) {
        // as many as a machine has cores, or more: each may take a thread with it
        const nodes = await Promise.all([1, 2, 3, 4].map((n) => joined(it, `short-${bytes}-${n}`)));
        await Promise.all(
          nodes.map(async (node) => {
            await node.wire.send(Buffer.concat([frameHeader(bytes), Buffer.alloc(bytes, 7)]));
            await refusedAs(it, node, `a frame of ${bytes} bytes`);
          }),
        );
      }
      await tunnel(it, 'after-', listener);
      await works(it);
    },
  },
  {
    name: 'seal/padding',
    title: 'padding differs from message to message and stays below 256 bytes',
    clause: 'ID-SEAL-4',
    needs: [],
    run: async (it) => {
      const { connector, acceptor } = await tunnel(it);
      for (let n = 0; n < 24; n++) {
        await connector.channel.say('the same every time');
        await acceptor.channel.hear('the message');
      }
      const { paddings } = acceptor.channel;
      const [least, most] = [Math.min(...paddings), Math.max(...paddings)];
      it.observe(`padding of ${least} to ${most} bytes`);
      if (least === most) it.broken('padding of different lengths', `${least} bytes each time`);
      if (most > 255) it.broken('padding below 256 bytes', `up to ${most} bytes`);
    },
  },
  ...[255, 4_096, 65_535].map((bytes) => ({
    ...{ name: `seal/padded-${bytes}`, clause: 'ID-SEAL-5', needs: [] },
    title: `messages behind ${bytes} bytes of padding arrive`,
    run: async (it: ServerContext) => {
      const { connector, acceptor } = await tunnel(it);
      connector.channel.paddingBytes = bytes;
      for (const text of ['', 'ping', 'x'.repeat(5_000)]) {
        await connector.channel.say(text);
        await acceptor.channel.expect(text, 'a padded message');
      }
    },
  })),
);
