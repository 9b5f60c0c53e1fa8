/** Defects of an agent's control socket, made of the lines that it hears. */

import type { Spoiler } from '../middle.ts';
import type { AgentDefects } from './defect.ts';

const CRASH = 70;
/** Acts on nothing and is answered by ok. */
const NO_EFFECT = 'control source/nobody/* resume';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Line by line; the last one may have no end. */
const lines = (change: (line: string) => string) => (): Spoiler => (pair) => {
  let held = '';
  return {
    fromNear: (bytes) => {
      const whole = (held + bytes.toString('latin1')).split('\n');
      held = whole.pop() ?? '';
      for (const line of whole) pair.toFar(latin1(`${change(line)}\n`));
    },
    nearEnded: () => {
      if (held !== '') pair.toFar(latin1(change(held)));
      pair.endFar();
    },
  };
};

const unknown = (which: RegExp) => lines((line) => (which.test(line) ? NO_EFFECT : line));

/** Whatever one read brings is a line. */
const oneReadOneLine = (): Spoiler => (pair) => ({
  fromNear: (bytes) => pair.toFar(bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, latin1('\n')])),
});

/** By the name that `relay-agent.ts --defect` takes. */
export const SOCKET_CONTROL_DEFECTS: AgentDefects = {
  'stop-unknown': {
    clause: 'SCTL-CMD-1',
    says: 'of shutdown and stop only the former is known',
    spoiler: unknown(/^stop\b/),
  },
  'disable-unknown': {
    clause: 'SCTL-CMD-2',
    says: 'of pause and disable only the former is known',
    spoiler: unknown(/\bdisable\b/),
  },
  'stop-is-pause': {
    clause: 'SCTL-CMD-3',
    says: 'what was stopped can be resumed',
    spoiler: lines((line) => line.replace(/^(control \S+) stop$/, '$1 pause')),
  },
  'period-kept': {
    clause: 'SCTL-CMD-4',
    says: 'set-period changes nothing',
    spoiler: unknown(/\bset-period\b/),
  },
  'star-is-all': {
    clause: 'SCTL-PATTERN-1',
    says: 'a pattern with a wildcard matches everything of its kind',
    spoiler: lines((line) => line.replace(/^control (\w+)\/\S*\*\S*/, 'control $1')),
  },
  'exact-only': {
    clause: 'SCTL-PATTERN-1',
    says: 'an asterisk within a name is a letter',
    spoiler: unknown(/^control \w+\/(\w+\*|\*\w+|\S+\/(\w+\*|\*\w+))/),
  },
  'one-read-one-line': {
    clause: 'SCTL-LINE-1',
    says: 'one read is taken for one line',
    spoiler: () => oneReadOneLine(),
  },
  'dies-on-empty': {
    clause: 'SCTL-LINE-3',
    says: 'an empty line ends the process',
    spoiler: lines((line) => (line.trim() === '' ? process.exit(CRASH) : line)),
  },
  'case-ignored': {
    clause: 'SCTL-LINE-3',
    says: 'capital letters are small ones',
    spoiler: lines((line) => line.toLowerCase()),
  },
};
