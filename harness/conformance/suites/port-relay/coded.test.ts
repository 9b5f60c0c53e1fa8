import t from 'tap';
import { coded, misplaced } from './coded.ts';

const KEY = 5;
const LENGTH = 4_096;
const sent = coded(KEY, 0, LENGTH);
const part = (from: number, to?: number): Buffer => sent.subarray(from, to);
const told = (came: Buffer): string => {
  const at = came.findIndex((byte, i) => byte !== sent[i]);
  return misplaced(KEY, at, came.subarray(at)).got;
};

for (const [what, came, says] of [
  [
    'a byte that is missing',
    Buffer.concat([part(0, 1_000), part(1_001)]),
    /offset 10\d\d: 1 byte is missing/,
  ],
  [
    'a block that is missing',
    Buffer.concat([part(0, 512), part(1_536)]),
    /offset 1536: 1024 bytes are missing/,
  ],
  [
    'a block that came twice',
    Buffer.concat([part(0, 2_048), part(1_024)]),
    /offset 1024: 1024 bytes are there a/,
  ],
  [
    'a byte that was changed',
    Buffer.concat([part(0, 700), Buffer.of(~(sent[700] as number) & 0xff), part(701)]),
    /; 1 byte is changed, what follows is right again/,
  ],
  ['bytes of another tunnel', Buffer.concat([part(0, 512), coded(KEY + 1, 512, 512)]), /another one's/],
  [
    'the last byte alone',
    Buffer.concat([part(0, LENGTH - 1), Buffer.of(~(sent[LENGTH - 1] as number) & 0xff)]),
    /too few/,
  ],
] as const)
  t.test(`${what} is named as such`, async (t) => t.match(told(came), says));

t.test('what was expected stands beside it, with its place', async (t) => {
  const { expected } = misplaced(KEY, 64, Buffer.alloc(16));
  t.match(expected, `at offset 64: "`);
  t.match(expected, part(64, 66).toString('hex').replace(/../, '$& '));
});
