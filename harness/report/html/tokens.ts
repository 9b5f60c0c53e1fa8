/** Colours of the page by name: [light, dark]. Verdict colours never mean a series, series colours never a verdict. */
export const TOKENS = {
  page: ['#fafaf7', '#0f1318'],
  surface: ['#ffffff', '#171c24'],
  sunken: ['#f1f2ef', '#0a0d11'],
  ink: ['#151a21', '#eaeef4'],
  ink2: ['#454f5c', '#b3bdca'],
  ink3: ['#626c79', '#929daa'],
  line: ['#d5d9dd', '#2e3742'],
  grid: ['#e9ebec', '#232b35'],
  pass: ['#00705a', '#45cba4'],
  'pass-fill': ['#cdece3', '#0f3d33'],
  fail: ['#b3320f', '#ff8a66'],
  'fail-fill': ['#fcdcd0', '#572213'],
  unsure: ['#735600', '#e6bd45'],
  'unsure-fill': ['#f7e7b4', '#443505'],
  blue: ['#1c5cc0', '#7fb2ff'],
  'blue-fill': ['#b7d0f6', '#27508f'],
  violet: ['#7541ad', '#c6a2ff'],
} as const satisfies Readonly<Record<string, readonly [light: string, dark: string]>>;

export type Token = keyof typeof TOKENS;

/** Foreground on background pairs that are used, with the least contrast each needs: 4.5 for text, 3 for shapes. */
export const CONTRAST_PAIRS: readonly (readonly [Token, Token, number])[] = [
  ...(['ink', 'ink2', 'ink3', 'pass', 'fail', 'unsure', 'blue', 'violet'] as const).flatMap((token) => [
    [token, 'page', 4.5] as const,
    [token, 'surface', 4.5] as const,
  ]),
  ['ink2', 'sunken', 4.5],
  ['ink3', 'sunken', 4.5],
  ['blue', 'sunken', 4.5],
  ['pass', 'pass-fill', 4.5],
  ['fail', 'fail-fill', 4.5],
  ['unsure', 'unsure-fill', 4.5],
  ['ink', 'fail-fill', 4.5],
  ['ink', 'unsure-fill', 4.5],
  ['blue', 'blue-fill', 3],
];

const variables = (index: 0 | 1): string =>
  Object.entries(TOKENS)
    .map(([name, pair]) => `--${name}:${pair[index]}`)
    .join(';');

/** The same names as CSS custom properties. */
export const LIGHT = variables(0);
/** See `LIGHT`. */
export const DARK = variables(1);
