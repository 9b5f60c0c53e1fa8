import type { ReceiptReport } from 'chaos-proxy';
import t from 'tap';
import { receiptWords } from './receipt-words.ts';

for (const [numbers, effects, expected] of [
  [{ reset: 1, connections: 1 }, 1, '1 connection reset'],
  [{ reset: 6, connections: 6 }, 6, '6 connections reset'],
  [
    { stalled: 22_846, delayMillisMax: 1_500, connections: 4 },
    60,
    '23 kB held, up to 1.5 s, on 4 connections',
  ],
  [{ refused: 2 }, 2, '2 dials refused'],
  [{ flipped: 3, connections: 1 }, 3, 'flipped 3, on 1 connection'],
  [{}, 0, 'nothing came by'],
] as const)
  t.test(`says “${expected}”`, (t) => {
    const report = { type: 'link.receipt', id: 'f', effects, numbers, text: 'nothing came by' } as unknown;
    t.equal(receiptWords(report as ReceiptReport), expected);
    t.end();
  });
