/** Frames: where they begin and end, how long they may be, and bodies that are none. */
import { type Case, type ServerContext, serverCases } from '../../case.ts';
import { Bystander, Client, newName, serves, storedBy } from './client.ts';
import {
  BODY_MAX,
  bodyOf,
  framed,
  frameOf,
  metric,
  type Point,
  point,
  points,
  register,
  send,
} from './messages.ts';
import type { Stored } from './stored.ts';

/** A client with one metric, 1, of a new name. */
const registered = async (
  it: ServerContext,
): Promise<{ readonly client: Client; readonly name: string; readonly stored: Stored }> => {
  const name = newName(it);
  const client = await Client.greeted(it);
  await client.say(register(metric(1, name)));
  return { client, name, stored: storedBy(it) };
};

/** Attributes that make the bodies of a few thousand points as long as one likes. */
const padded = (n: number, bytes: number): Point =>
  point(1, n, { attributes: [['pad', { tag: 'Str', value: 'x'.repeat(bytes) }]] });

/** Points whose SendMeasurements has exactly so many bytes. */
const bodyOfLength = (sender: string, length: number): { readonly body: Buffer; readonly count: number } => {
  // long enough that no length changes its size on the wire when the last one is made to fit
  const pad = 20_000;
  const count = Math.floor(length / (pad + 60)) - 1;
  const all = Array.from({ length: count }, (_, n) => padded(n, pad));
  const short = bodyOf(sender, send(...all, padded(count, pad))).length;
  const body = bodyOf(sender, send(...all, padded(count, pad + length - short)));
  return { body, count: count + 1 };
};

const over = async (it: ServerContext, header: Buffer, what: string): Promise<void> => {
  const client = await Client.greeted(it);
  const before = await it.holdings();
  await client.end.send(header);
  const how = await client.end.expectEnd(`a frame of ${what}`);
  it.closed(how === 'fin' ? 'in order' : 'reset');
  const after = await it.holdings();
  if (before === undefined || after === undefined) return;
  const grown = (after.rssBytes - before.rssBytes) / 1_048_576;
  it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
  if (grown > 24) it.broken('at most 24 MiB more memory', `${grown.toFixed(1)} MiB`);
};

const BAD_BODIES: Readonly<Record<string, { readonly title: string; readonly body: Buffer }>> = {
  empty: { title: 'an empty body', body: Buffer.alloc(0) },
  'unknown-variant': { title: 'an unknown message', body: Buffer.from([0, 77, 0, 0]) },
  'bad-utf8': { title: 'a sender that is no UTF-8', body: Buffer.from([2, 0xff, 0xfe, 3, 0]) },
  'long-varint': {
    title: 'a count of eleven bytes',
    body: Buffer.concat([Buffer.from([0, 3]), Buffer.alloc(11, 0xff)]),
  },
  'short-body': { title: 'a point that ends too early', body: Buffer.from([0, 3, 1, 1, 0x80]) },
  'bad-bool': {
    title: 'an attribute that is neither true nor false',
    body: (() => {
      const body = bodyOf('', send(point(1, 1, { attributes: [['b', { tag: 'Bool', value: true }]] })));
      body[body.length - 1] = 2;
      return body;
    })(),
  },
  claimed: { title: 'a count of 2^63 points', body: Buffer.from([0, 3, ...Array(9).fill(0x80), 1]) },
};

const UNDECODABLE: readonly Case<ServerContext>[] = Object.entries(BAD_BODIES).map(
  ([name, { title, body }]) => ({
    name: `body/${name}`,
    title: `${title} costs no other client anything`,
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    run: async (it: ServerContext) => {
      const bystander = await Bystander.beside(it);
      const { client } = await registered(it);
      await client.end.send(framed(body));
      await it.wait(200);
      const { ended } = client.end;
      it.closed(ended === 'open' ? 'left open' : ended === 'fin' ? 'in order' : 'reset');
      await bystander.goesOn();
      await serves(it);
    },
  }),
);

export const FRAMES = serverCases(
  {
    name: 'frame/coalesced',
    title: 'two hundred batches in one write are stored, and wait for nothing that follows',
    clause: 'MREL-FRAME-1',
    needs: ['csv'],
    run: async (it) => {
      const { client, name, stored } = await registered(it);
      await client.sayAtOnce(
        ...Array.from({ length: 200 }, (_, i) => send(...points(1, i * 10, i * 10 + 10))),
      );
      await stored.exactly(2_000, name);
    },
  },
  {
    name: 'frame/coalesced-last-then-fin',
    title: 'registration and batches in one write, then FIN: all is stored',
    clause: 'MREL-FRAME-2',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const client = await Client.greeted(it);
      const batches = Array.from({ length: 200 }, (_, i) => send(...points(1, i * 100, i * 100 + 100)));
      void client.sayAtOnce(register(metric(1, name)), ...batches);
      client.end.end();
      await storedBy(it).exactly(20_000, name);
    },
  },
  {
    name: 'frame/byte-by-byte',
    title: 'frames in single bytes are frames',
    clause: 'MREL-FRAME-1',
    needs: ['csv'],
    run: async (it) => {
      const name = newName(it);
      const client = await Client.greeted(it);
      await client.end.sendSliced(client.frames(register(metric(1, name)), send(...points(1, 0, 20))), 1);
      await storedBy(it).exactly(20, name);
    },
  },
  {
    name: 'frame/cut-anywhere',
    title: 'a frame cut in two at any byte, with a pause, is one frame',
    clause: 'MREL-FRAME-1',
    needs: ['csv'],
    run: async (it) => {
      const { client, name, stored } = await registered(it);
      const frame = client.frames(send(point(1, 0)));
      for (let cut = 1; cut < frame.length; cut++) {
        await client.end.send(frame.subarray(0, cut));
        await it.wait(5);
        await client.end.send(frame.subarray(cut));
      }
      await stored.exactly(frame.length - 1, name);
    },
  },
  {
    name: 'frame/straddling',
    title: 'segments that end within a length or a body lose nothing',
    clause: 'MREL-FRAME-1',
    needs: ['csv'],
    run: async (it) => {
      const { client, name, stored } = await registered(it);
      const all = client.frames(
        ...Array.from({ length: 100 }, (_, i) => send(...points(1, i * 7, i * 7 + 7))),
      );
      for (let at = 0; at < all.length; ) {
        const size = it.rng.between(1, 1_500);
        await client.end.send(all.subarray(at, at + size));
        await it.wait(2);
        at += size;
      }
      await stored.exactly(700, name);
    },
  },
  {
    name: 'frame/at-limit',
    title: 'a body of exactly 32,000,000 bytes is stored',
    clause: 'MREL-FRAME-3',
    needs: ['csv'],
    alone: 'target',
    directOnly: true,
    limitMillis: 90_000,
    run: async (it) => {
      const { client, name, stored } = await registered(it);
      const { body, count } = bodyOfLength(client.name, BODY_MAX);
      if (body.length !== BODY_MAX) throw new Error(`a body of ${body.length} bytes was made`);
      await client.end.send(framed(body));
      const enough = (): boolean => {
        const all = stored.of(name).length >= count;
        if (!all && client.end.ended !== 'open')
          it.broken('a connection that goes on', `it is closed (${client.end.ended})`);
        return all;
      };
      await stored.until(`${count} points`, enough, () => `${stored.of(name).length}`, 6 * it.patienceMillis);
      await client.say(send(point(1, count)));
      await stored.exactly(count + 1, name);
    },
  },
  {
    name: 'frame/over-limit',
    title: 'a length of 32,000,001 ends the connection at once',
    clause: 'MREL-FRAME-4',
    needs: [],
    alone: 'machine',
    run: (it) => over(it, Buffer.from([0x01, 0xe8, 0x48, 0x01]), '32,000,001 bytes'),
  },
  {
    name: 'frame/over-limit-4gib',
    title: 'a length of 4 GiB ends the connection at once',
    clause: 'MREL-FRAME-4',
    needs: [],
    alone: 'machine',
    run: (it) => over(it, Buffer.from([0xff, 0xff, 0xff, 0xff]), '4,294,967,295 bytes'),
  },
  {
    name: 'frame/claimed-length',
    title: 'twenty connections that claim 31 MB each and send nothing cost no memory',
    clause: 'MREL-FRAME-7',
    needs: [],
    alone: 'machine',
    run: async (it) => {
      const clients = await Promise.all(Array.from({ length: 20 }, () => Client.greeted(it)));
      const before = await it.holdings();
      await Promise.all(clients.map(({ end }) => end.send(Buffer.from([0x01, 0xd9, 0x05, 0xc0]))));
      await it.wait(1_000);
      const after = await it.holdings();
      if (before === undefined || after === undefined)
        return it.unclear('memory cannot be read from outside');
      const grown = (after.rssBytes - before.rssBytes) / 1_048_576;
      it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
      if (grown > 64) it.broken('at most 64 MiB more memory', `${grown.toFixed(1)} MiB`);
    },
  },
  {
    name: 'frame/claimed-points',
    title: 'a body of a megabyte that claims a million points and has none costs no memory',
    clause: 'MREL-FRAME-7',
    needs: [],
    alone: 'machine',
    run: async (it) => {
      const client = await Client.greeted(it);
      const before = await it.holdings();
      const body = Buffer.alloc(1_000_000, 0xff);
      // sender "", SendMeasurements, 999,000 points, and then nothing that decodes
      body.set([0, 3, 0xd8, 0xfc, 0x3c]);
      await client.end.send(framed(body));
      await it.wait(1_000);
      const after = await it.holdings();
      if (before === undefined || after === undefined)
        return it.unclear('memory cannot be read from outside');
      const grown = (after.rssBytes - before.rssBytes) / 1_048_576;
      it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
      if (grown > 64) it.broken('at most 64 MiB more memory', `${grown.toFixed(1)} MiB`);
      await Client.greeted(it);
    },
  },
  ...(['header', 'body'] as const).map((where) => ({
    name: `frame/cut-${where}-then-fin`,
    title: `FIN within a ${where === 'body' ? 'body' : 'length'} closes, and costs no CPU afterwards`,
    clause: 'MREL-FRAME-5',
    needs: [],
    alone: 'machine' as const,
    limitMillis: 30_000,
    run: async (it: ServerContext) => {
      const client = await Client.greeted(it);
      const frame = client.frames(send(...points(1, 0, 3)));
      await client.end.send(where === 'body' ? frame.subarray(0, -1) : frame.subarray(0, 2));
      client.end.end();
      const how = await client.end.expectEnd(`a connection that ended within a ${where}`);
      it.closed(how === 'fin' ? 'in order' : 'reset');
      await it.wait(500);
      const before = await it.holdings();
      await it.wait(2_000);
      const after = await it.holdings();
      if (before === undefined || after === undefined) return;
      const used = after.cpuMillis - before.cpuMillis;
      it.observe(`${used} ms of CPU in the two seconds after it`);
      if (used > 1_000) it.broken('less than 1000 ms of CPU in two seconds of rest', `${used} ms`);
    },
  })),
  {
    name: 'frame/cut-is-not-stored',
    title: 'of a batch that FIN cut no point is made up, and the batch before it is stored',
    clause: 'MREL-FRAME-2',
    needs: ['csv'],
    run: async (it) => {
      const { client, name, stored } = await registered(it);
      const frame = client.frames(send(...points(1, 10, 13)));
      await client.end.send(Buffer.concat([client.frames(send(...points(1, 0, 5))), frame.subarray(0, -1)]));
      client.end.end();
      const found = await stored.exactly(5, name);
      const values = found.map(({ value }) => value).join();
      if (values !== '0,1,2,3,4') it.broken('0,1,2,3,4', values);
    },
  },
  {
    name: 'frame/padded-varint',
    title: 'a count with padding is that count',
    clause: 'MREL-FRAME-6',
    needs: ['csv'],
    run: async (it) => {
      const { client, name, stored } = await registered(it);
      await client.end.send(framed(Buffer.from([0, 3, 0x80, 0x80, 0x00])));
      await client.say(send(point(1, 1)));
      await stored.exactly(1, name);
    },
  },
  {
    name: 'frame/bytes-left-over',
    title: 'bytes behind the value of a body do not cost the value',
    clause: 'MREL-FRAME-6',
    needs: ['csv'],
    run: async (it) => {
      const { client, name, stored } = await registered(it);
      const body = bodyOf(client.name, send(point(1, 1)));
      await client.end.send(framed(Buffer.concat([body, Buffer.from('left over')])));
      await stored.exactly(1, name);
    },
  },
  {
    name: 'body/wrong-role',
    title: 'a GreetResponse from a client costs no other client anything',
    clause: 'MREL-LIVE-1',
    needs: ['csv'],
    run: async (it) => {
      const bystander = await Bystander.beside(it);
      const { client } = await registered(it);
      await client.end.send(
        frameOf('x', {
          tag: 'GreetResponse',
          value: {
            accept: true,
            server_alumet_core_version: '',
            server_relay_plugin_version: '',
            protocol_version: 2,
          },
        }),
      );
      await it.wait(200);
      await bystander.goesOn();
      await serves(it);
    },
  },
  ...UNDECODABLE,
);
