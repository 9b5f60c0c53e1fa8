import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import {
  CobsSplitter,
  compile,
  decodeStream,
  encodeCobs,
  encodeStream,
  frameStream,
  LengthPrefixed,
  p,
} from './index.ts';
import { nodeDecodeStream, nodeEncodeStream, nodeFrameStream } from './node.ts';

const codec = compile(p.option(p.struct({ n: p.u32, text: p.str })));
const VALUES = [{ n: 1, text: 'one' }, null, { n: 300, text: 'x'.repeat(5000) }];
const FRAMES = VALUES.map((value) => codec.encodeFrame(value));
/** The frames in chunks of seven bytes. */
const CHUNKS = ((all: Buffer): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(all.length / 7) }, (_, i) => all.subarray(7 * i, 7 * i + 7)))(
  Buffer.concat(FRAMES),
);
const CUT = CHUNKS.slice(0, -1);

t.test('Web streams turn values into frames and back', async (t) => {
  const back = ReadableStream.from(VALUES).pipeThrough(encodeStream(codec));
  t.same(await Array.fromAsync(back.pipeThrough(decodeStream(codec, new LengthPrefixed()))), VALUES);
  const pieces = ReadableStream.from(CHUNKS).pipeThrough(frameStream(new LengthPrefixed()));
  t.same(
    (await Array.fromAsync(pieces)).map((body) => codec.decode(body)),
    VALUES,
  );
  const cobs = ReadableStream.from(VALUES)
    .pipeThrough(encodeStream(codec, (of, value) => encodeCobs(of.encode(value))))
    .pipeThrough(decodeStream(codec, new CobsSplitter()));
  t.same(await Array.fromAsync(cobs), VALUES);
});

t.test('a Web stream ends in the PostcardError of its splitter or codec', async (t) => {
  const cut = ReadableStream.from(CUT).pipeThrough(decodeStream(codec, new LengthPrefixed()));
  await t.rejects(Array.fromAsync(cut), { name: 'PostcardError', message: /^FrameTruncated/ });
  const bad = ReadableStream.from([Uint8Array.of(0, 0, 0, 1, 9)]).pipeThrough(
    decodeStream(codec, new LengthPrefixed()),
  );
  await t.rejects(Array.fromAsync(bad), { name: 'PostcardError', message: /^DeserializeBadOption/ });
});

t.test('Node streams turn values into frames and back', async (t) => {
  const decoded: unknown[] = [];
  await pipeline(
    Readable.from(VALUES.map((value) => ({ value }))),
    nodeEncodeStream(codec),
    nodeDecodeStream(codec, new LengthPrefixed()),
    async (items: AsyncIterable<{ value: unknown }>) => {
      for await (const { value } of items) decoded.push(value);
    },
  );
  t.same(decoded, VALUES);
  const bodies = await Readable.from(CHUNKS).pipe(nodeFrameStream(new LengthPrefixed())).toArray();
  t.same(
    bodies.map((body) => codec.decode(body)),
    VALUES,
  );
});

t.test('a Node stream is destroyed with the PostcardError of its splitter or codec', async (t) => {
  const cut = Readable.from(CUT).pipe(nodeFrameStream(new LengthPrefixed()));
  await t.rejects(cut.toArray(), { name: 'PostcardError', message: /^FrameTruncated/ });
  const bad = Readable.from([{ value: 5 }]).pipe(nodeEncodeStream(codec as never));
  await t.rejects(bad.toArray(), { name: 'PostcardError', message: /^SerializeBadValue/ });
});
