import t from 'tap';
import type { Happening } from '../trace/trace.ts';
import { Screen, type Stream } from './screen.ts';

const screen = (isTTY: boolean, columns: number, env: NodeJS.ProcessEnv = {}): [Screen, string[]] => {
  const written: string[] = [];
  const out = { isTTY, columns, write: (text: string) => written.push(text) > 0 } as unknown as Stream;
  return [new Screen(out, { LANG: 'C.UTF-8', TERM: 'xterm', ...env }), written];
};
const say = (on: Screen, event: Happening): void => on.event({ t: 1_000, who: 'runner', n: 1, ...event });

for (const [what, isTTY, columns, env, tty] of [
  ['a terminal', true, 100, {}, true],
  ['a narrow terminal', true, 60, {}, false],
  ['a pipe', false, 0, {}, false],
  ['CI', true, 100, { CI: 'true' }, false],
  ['a dumb terminal', true, 100, { TERM: 'dumb' }, false],
] as const)
  t.test(`${what} gets ${tty ? 'a table' : 'lines'}`, (t) => {
    const [on, written] = screen(isTTY, columns, env);
    t.equal(on.isTty, tty);
    say(on, { type: 'run.phase', name: 'steady' });
    say(on, { type: 'step.unmet', step: 'look', why: 'nobody there' });
    on.close();
    const text = written.join('');
    t.match(text, 'look');
    if (!tty) t.notMatch(text, '\u001b', 'not one control character');
    if (!tty) t.equal(text.match(/phase "steady"/g)?.length, 1);
    t.end();
  });

t.test('colour is as the user wants it', (t) => {
  t.equal(screen(true, 100)[0].paint.colour, true);
  t.equal(screen(true, 100, { NO_COLOR: '1' })[0].paint.colour, false);
  t.equal(screen(false, 0)[0].paint.colour, false);
  t.equal(screen(false, 0, { FORCE_COLOR: '1' })[0].paint.colour, true);
  t.equal(screen(true, 100, { LANG: 'C' })[0].paint.utf8, false);
  t.end();
});
