import type { ReceiptReport } from 'chaos-proxy';

const size = (bytes: number): string =>
  bytes >= 10_000 ? `${Math.round(bytes / 1000)} kB` : `${Math.round(bytes)} B`;

/** Effects that people have better words for than the fault's own name and number. */
const WORDS: Readonly<Record<string, (amount: number) => string>> = {
  reset: (n) => `${n} connection${n === 1 ? '' : 's'} reset`,
  stalled: (bytes) => `${size(bytes)} held`,
  delayed: (bytes) => `${size(bytes)} delayed`,
  refused: (n) => `${n} dial${n === 1 ? '' : 's'} refused`,
};
const DELAYS = ['delayMillisMean', 'delayMillisMax', 'lateMillisMax', 'connections'];

/** What a fault of a link really did, in words for a page. */
export const receiptWords = ({ effects, numbers, text }: ReceiptReport): string => {
  if (effects === 0) return text;
  const done = Object.entries(numbers)
    .filter(([name]) => !DELAYS.includes(name))
    .map(([name, amount]) => WORDS[name]?.(amount) ?? `${name} ${amount}`);
  const { delayMillisMax: longest, connections } = numbers;
  if (longest !== undefined) done.push(`up to ${(longest / 1000).toFixed(1)} s`);
  if (connections !== undefined && numbers.reset !== connections)
    done.push(`on ${connections} connection${connections === 1 ? '' : 's'}`);
  return done.join(', ');
};
