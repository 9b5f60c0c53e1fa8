import t from 'tap';
import { ProgramOutput } from './program-output.ts';

const output = (): { out: ProgramOutput; lines: string[]; at: { now: number } } => {
  const lines: string[] = [];
  const at = { now: 0 };
  return {
    out: new ProgramOutput(
      (text) => lines.push(text),
      () => at.now,
    ),
    lines,
    at,
  };
};

t.test('lines are whole, whatever pieces they come in, and streams do not mix', (t) => {
  const { out, lines } = output();
  out.push('stdout', 'estab');
  out.push('stderr', 'warn');
  out.push('stdout', 'lished: 4001\r\n\n  \nne');
  out.push('stderr', 'ing\n');
  t.same(lines, ['established: 4001', 'warning']);
  out.end();
  t.same(lines.slice(2), ['ne'], 'what had been begun is said at the end');
  out.end();
  t.equal(lines.length, 3, 'once');
  t.end();
});

t.test('a line without an end is cut, and holds no memory', (t) => {
  const { out, lines } = output();
  for (let i = 0; i < 1_000; i++) out.push('stdout', 'x'.repeat(1_000));
  out.push('stdout', '\nnext\n');
  t.same([lines[0]?.length, lines[1]], [300, 'next']);
  t.end();
});

t.test('a flood is fifty lines a second and a count, and its last words are kept', (t) => {
  const { out, lines, at } = output();
  for (let i = 0; i < 200; i++) out.push('stderr', `line ${i}\n`);
  t.equal(lines.length, 50);
  t.equal(out.lastWords, 'line 195 | line 196 | line 197 | line 198 | line 199');
  at.now = 1_000;
  out.push('stderr', 'calm again\n');
  t.same(lines.slice(50), ['(150 more lines within a second)', 'calm again']);
  t.end();
});

t.test('a second life does not begin with the last words of the first', (t) => {
  const { out } = output();
  out.push('stderr', 'died\n');
  out.begin();
  t.equal(out.lastWords, '');
  t.end();
});
