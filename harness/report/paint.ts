import type { Standing } from './checks.ts';

/** How a terminal is to be written to. Read from the environment by the CLI, so that renderers stay pure. */
export type Paint = {
  /** Escape sequences of the 16 ANSI colours are welcome. */
  readonly colour: boolean;
  /** The terminal shows more than ASCII. */
  readonly utf8: boolean;
};

/** Whether to colour: NO_COLOR (set and not empty) and TERM=dumb say no, FORCE_COLOR (not `0`) says yes, else a TTY does. */
export const colourWanted = (env: Readonly<Record<string, string | undefined>>, isTty: boolean): boolean => {
  if ((env.NO_COLOR ?? '') !== '') return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return isTty && env.TERM !== 'dumb';
};

/** Whether the locale is UTF-8: LC_ALL over LC_CTYPE over LANG. Nothing set: only outside a dumb terminal. */
export const utf8Wanted = (env: Readonly<Record<string, string | undefined>>): boolean => {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => (value ?? '') !== '');
  return locale === undefined ? env.TERM !== 'dumb' : /utf-?8/i.test(locale);
};

const CODES = { green: 32, red: 31, yellow: 33, bold: 1, dim: 2, magenta: 35 } as const;

/** Wraps a text in one of the 16 ANSI colours, if they are wanted. */
export const painted = (text: string, colour: keyof typeof CODES, paint: Paint): string =>
  paint.colour && text !== '' ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;

const MARKS: Readonly<
  Record<Standing, { readonly utf8: string; readonly ascii: string; readonly colour: keyof typeof CODES }>
> = {
  pass: { utf8: '✔', ascii: 'ok', colour: 'green' },
  fail: { utf8: '✖', ascii: 'FAIL', colour: 'red' },
  inconclusive: { utf8: '?', ascii: '??', colour: 'yellow' },
  'not-applicable': { utf8: '-', ascii: '--', colour: 'dim' },
  observation: { utf8: '!', ascii: '!', colour: 'yellow' },
};

/** The mark of a standing: it reads without its colour. */
export const markOf = (standing: Standing, paint: Paint): string => {
  const { utf8, ascii, colour } = MARKS[standing];
  return painted(paint.utf8 ? utf8 : ascii, colour, paint);
};

const ASCII: Readonly<Record<string, string>> = {
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '→': '->',
  '←': '<-',
  '±': '+-',
  '×': 'x',
  '…': '...',
  µ: 'u',
  '·': '.',
};

/** Text for a terminal: plain spaces, no control characters, and plain letters where UTF-8 is not understood. */
export const terminalText = (text: string, paint: Paint): string => {
  // A hostile peer's bytes must not steer the terminal: no control character but the line's end gets through.
  const safe = text.replace(/[\u202f\u00a0]/g, ' ').replace(/[^\P{Cc}\n]/gu, '?');
  if (paint.utf8) return safe;
  return safe.replace(/[^\n\u0020-\u007e]/g, (letter) => ASCII[letter] ?? '?');
};

/** Breaks words into lines of at most `columns`; a longer word stays whole. */
export const wrapped = (text: string, columns: number, indent: string): string => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines.map((part) => `${indent}${part}`).join('\n');
};
