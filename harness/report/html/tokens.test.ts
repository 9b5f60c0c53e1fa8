import t from 'tap';
import { CONTRAST_PAIRS, TOKENS } from './tokens.ts';

/** WCAG 2 relative luminance of `#rrggbb`. */
const luminance = (colour: string): number => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (a: string, b: string): number => {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};

t.test('black on white is 21', async (t) => {
  t.equal(contrast('#000000', '#ffffff').toFixed(1), '21.0');
});

t.test('every pair of colours in use has its contrast, light and dark', async (t) => {
  for (const [front, back, least] of CONTRAST_PAIRS)
    for (const index of [0, 1] as const) {
      const ratio = contrast(TOKENS[front][index], TOKENS[back][index]);
      t.ok(
        ratio >= least,
        `${front} on ${back}, ${index === 0 ? 'light' : 'dark'}: ${ratio.toFixed(2)} of ${least}`,
      );
    }
});
