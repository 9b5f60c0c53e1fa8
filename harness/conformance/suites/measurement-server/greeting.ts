/** How a connection begins. */
import { type ServerContext, serverCases } from '../../case.ts';
import { Client, frameFrom, newName, storedBy } from './client.ts';
import { frameOf, greet, metric, point, register, send, VERSION } from './messages.ts';

const accepted = async (it: ServerContext, client: Pick<Client, 'end'>): Promise<void> => {
  const { sender, content } = await frameFrom(it, client.end, 'the answer to a Greet');
  if (content.tag !== 'GreetResponse') return it.broken('GreetResponse', JSON.stringify(content));
  const { accept, protocol_version } = content.value;
  if (!accept || protocol_version !== VERSION)
    it.broken(`accept = true and version ${VERSION}`, JSON.stringify(content.value));
  if (sender !== '') it.observe(`the server calls itself "${sender}"`);
};

export const GREETING = serverCases(
  {
    name: 'greet/answered',
    title: 'a Greet is answered by GreetResponse',
    clause: 'MREL-GREET-1',
    needs: [],
    run: async (it) => {
      const end = await it.dial('client');
      await end.send(frameOf('client', greet()));
      await accepted(it, { end });
      await end.expectSilence(300, 'after the answer');
    },
  },
  {
    name: 'greet/byte-by-byte',
    title: 'a Greet in single bytes is a Greet',
    clause: 'MREL-GREET-1',
    needs: [],
    run: async (it) => {
      const end = await it.dial('client');
      await end.sendSliced(frameOf('client', greet()), 1);
      await accepted(it, { end });
    },
  },
  ...[
    { name: 'no-name', title: 'an empty client name', sender: '' },
    { name: 'long-name', title: 'a client name of 255 bytes', sender: 'n'.repeat(255) },
    { name: 'unicode-name', title: 'a client name beyond ASCII', sender: 'nœud-7 ✓' },
  ].map(({ name, title, sender }) => ({
    name: `greet/${name}`,
    title: `${title} is greeted`,
    clause: 'MREL-GREET-1',
    needs: [],
    run: async (it: ServerContext) => {
      const end = await it.dial('client');
      await end.send(frameOf(sender, greet()));
      await accepted(it, { end });
    },
  })),
  ...[0, 1, 3, 2 ** 32 - 1].map((version) => ({
    name: `greet/version-${version}`,
    title: `protocol version ${version} is refused or closed`,
    clause: 'MREL-GREET-2',
    needs: [],
    run: async (it: ServerContext) => {
      const end = await it.dial('stranger');
      await end.send(frameOf('stranger', greet(version)));
      const began = performance.now();
      while (end.held === 0 && end.ended === 'open' && performance.now() - began < it.patienceMillis)
        await it.wait(20);
      if (end.held > 0) {
        const { content } = await frameFrom(it, end, 'the refusal');
        if (content.tag !== 'GreetResponse' || content.value.accept)
          it.broken('GreetResponse{accept: false}', JSON.stringify(content));
        it.observe('it is refused in words');
        await it.wait(300);
      }
      if (end.ended === 'open' && end.received === 0) {
        it.blameMachine(it.patienceMillis, 'a refusal');
        it.broken('a refusal or the end of the connection', `neither within ${it.patienceMillis} ms`);
      }
      it.closed(end.ended === 'open' ? 'left open' : end.ended === 'fin' ? 'in order' : 'reset');
    },
  })),
  {
    name: 'greet/again',
    title: 'a second Greet is answered too, and what was registered holds',
    clause: 'MREL-GREET-3',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const client = await Client.greeted(it);
      await client.say(register(metric(1, name)));
      await client.say(greet());
      await accepted(it, client);
      await client.say(send(point(1, 1)));
      await storedBy(it).exactly(1, name);
    },
  },
  {
    name: 'greet/hasty',
    title: 'what a client sends behind its Greet without waiting is not lost',
    clause: 'MREL-GREET-3',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const end = await it.dial('hasty');
      const contents = [greet(), register(metric(1, name)), send(point(1, 1))];
      await end.send(Buffer.concat(contents.map((content) => frameOf('hasty', content))));
      await accepted(it, { end });
      await storedBy(it).exactly(1, name);
    },
  },
  {
    name: 'greet/none',
    title: 'a client that never greets costs no other',
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const end = await it.dial('rude');
      await end.send(
        Buffer.concat([frameOf('rude', register(metric(1, name))), frameOf('rude', send(point(1, 1)))]),
      );
      await it.wait(300);
      it.observe(end.ended === 'open' ? 'it is kept' : `it is closed (${end.ended})`);
      const client = await Client.greeted(it);
      const other = newName(it, 'polite');
      await client.say(register(metric(1, other)), send(point(1, 1)));
      const stored = storedBy(it);
      await stored.exactly(1, other);
      it.observe(`${stored.of(name).length} of its points are stored`);
    },
  },
);
