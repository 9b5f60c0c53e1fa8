import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { FRAME_HEADER_BYTES, framed } from '../../../../reference-impl/identity-relay/frames.ts';
import { FrameCount } from './frame-count.ts';

t.test('whole frames are counted however their bytes are cut, empty ones as well', async (t) => {
  const lengths = fc.array(fc.nat(400), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(lengths, cuts, fc.nat(), (lengths, cuts, missing) => {
      const frames = lengths.map((length) => framed(new Uint8Array(FRAME_HEADER_BYTES + length)));
      const stream = Buffer.concat(frames);
      const end = Math.max(0, stream.length - (missing % 50));
      const count = new FrameCount();
      let counted = 0;
      for (let at = 0, i = 0; at < end; i++) {
        const cut = Math.min(end - at, cuts[i % cuts.length] as number);
        counted = count.push(stream.subarray(at, at + cut));
        at += cut;
      }
      let whole = 0;
      for (let at = 0; at < end; at += frames[whole++]?.length ?? 0)
        if (at + (frames[whole]?.length ?? 0) > end) break;
      assert.equal(counted, whole);
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
  t.pass('500 streams, seed 20261121');
});
