import t from 'tap';
import { lineSplitter } from './attach.ts';
import { Demux } from './demux.ts';

const frame = (kind: number, text: string): Buffer => {
  const payload = Buffer.from(text);
  const header = Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
};
const BYTES = Buffer.concat([
  frame(1, 'eins\nzw'),
  frame(2, 'warn\n'),
  frame(1, ''),
  frame(1, 'ei é\n\nrest'),
]);

t.test('frames are told apart however the bytes are cut', async (t) => {
  for (const size of [1, 2, 3, 7, 8, 9, 64]) {
    const [out, err]: [string[], string[]] = [[], []];
    const demux = new Demux(
      lineSplitter((line) => out.push(line)),
      lineSplitter((line) => err.push(line)),
    );
    for (let at = 0; at < BYTES.length; at += size) demux.push(BYTES.subarray(at, at + size));
    t.same(out, ['eins', 'zwei é', ''], `pieces of ${size}`);
    t.same(err, ['warn'], `pieces of ${size}`);
  }
});
