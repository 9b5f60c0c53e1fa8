import { Readable } from 'node:stream';
import t from 'tap';
import { takeUnheard } from './node-handle.ts';

const paused = (...pieces: readonly string[]): Readable => {
  const stream = new Readable({ read: () => {} });
  stream.pause();
  for (const piece of pieces) stream.push(piece);
  return stream;
};

for (const pieces of [[], ['one'], ['one', 'two'], ['a', 'b', 'c', 'd'.repeat(70_000), 'e']])
  t.test(`${pieces.length} pieces that nobody heard are taken in order, all of them`, async (t) => {
    const stream = paused(...pieces);
    t.equal(takeUnheard(stream as never)?.toString() ?? '', pieces.join(''));
    t.equal(stream.readableLength, 0);
    t.equal(takeUnheard(stream as never), null);
  });
