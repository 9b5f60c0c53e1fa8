import fc from 'fast-check';
import t from 'tap';
import { ControlPhase, type ControlStep } from './control-phase.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const shown = (step: ControlStep): string => {
  if (step.type === 'more') return 'more';
  if (step.type === 'refused') return step.why;
  const rest = 'rest' in step && step.rest !== undefined ? String.fromCharCode(...step.rest) : '';
  return [step.type, 'mode' in step ? step.mode : step.id, ...(rest === '' ? [] : [rest])].join(' ');
};
/** Feeds pieces until the phase is over; later pieces count as rest. */
const feed = (pieces: readonly string[]): string => {
  const phase = new ControlPhase(256);
  for (let i = 0; i < pieces.length; i++) {
    const step = shown(phase.push(bytesOf(pieces[i] as string)));
    if (step === 'more') continue;
    const later = pieces.slice(i + 1).join('');
    const refusal = !/^(register|join|claim) /.test(step);
    if (refusal || later === '') return step;
    return / .* /.test(step) ? step + later : `${step} ${later}`;
  }
  return 'more';
};

const LONG = 'A'.repeat(256);
const CASES: readonly { readonly text: string; readonly step: string }[] = [
  { text: '', step: 'more' },
  { text: 'multiplex\n', step: 'register multiplex' },
  { text: 'multiplex\r\n', step: 'register multiplex' },
  { text: 'multiplex\n\u0000\u0001\n', step: 'register multiplex \u0000\u0001\n' },
  { text: 'pool\nnew\n', step: 'register pool' },
  { text: 'pool\r\nnew\r\n', step: 'register pool' },
  { text: '  pool\n new\n', step: 'register pool' },
  { text: 'pool \nnew \r\n', step: 'register pool' },
  { text: 'pool\nnew\nearly', step: 'register pool early' },
  { text: 'pool\n4F356C83F4\n', step: 'join 4F356C83F4' },
  { text: 'pool\n4F356C83F4\npool\n', step: 'join 4F356C83F4 pool\n' },
  { text: 'event\nnew\n', step: 'register event' },
  { text: 'event\n23878B6227\n\u0016\u0003', step: 'claim 23878B6227 \u0016\u0003' },
  { text: 'event\nNEW\n', step: 'claim NEW' },
  { text: 'pool\n', step: 'more' },
  { text: 'mul', step: 'more' },
  { text: '    ', step: 'more' },
  { text: 'POOL\n', step: 'unknown mode' },
  { text: 'telnet', step: 'unknown mode' },
  { text: 'pools', step: 'unknown mode' },
  { text: 'poo\n', step: 'unknown mode' },
  { text: 'multiple\n', step: 'unknown mode' },
  { text: 'GET / HTTP/1.1\r\nHost: relay\r\n\r\n', step: 'unknown mode' },
  { text: 'x'.repeat(1_048_576), step: 'unknown mode' },
  { text: '\n', step: 'malformed line' },
  { text: '\r\n', step: 'malformed line' },
  { text: '   \n', step: 'malformed line' },
  { text: 'pool new\n', step: 'malformed line' },
  { text: 'pool\n\n', step: 'malformed line' },
  { text: 'pool\nnew id\n', step: 'malformed line' },
  { text: 'event\n\n', step: 'malformed line' },
  { text: 'pool\rnew\n', step: 'malformed line' },
  { text: '\tpool\n', step: 'malformed line' },
  { text: '\u0000\u0000\u0000', step: 'malformed line' },
  { text: '\u0016\u0003\u0001\u0002\u0000\u0001', step: 'malformed line' },
  { text: 'pool\n\u00ff', step: 'malformed line' },
  { text: `pool\n${LONG}\n`, step: `join ${LONG}` },
  { text: `pool\n${LONG}\r\n`, step: `join ${LONG}` },
  { text: `pool\n${LONG}A`, step: 'line too long' },
  { text: ' '.repeat(257), step: 'line too long' },
];

for (const { text, step } of CASES) {
  t.test(`${JSON.stringify(text).slice(0, 40)} is ${step.slice(0, 40)}`, (t) => {
    t.equal(feed([text]), step, 'in one segment');
    t.equal(feed(text.slice(0, 2_000).split('')), step, 'one byte a segment');
    t.end();
  });
}

t.test('any cut of any bytes gives the same answer', (t) => {
  const word = fc.constantFrom('multiplex', 'pool', 'event', 'new', 'ID', ' ', '\n', '\r\n', '\u0000', 'x');
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), fc.array(fc.nat(40), { maxLength: 5 }), (words, cuts) => {
      const text = words.join('');
      const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
      const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
      return feed(pieces) === feed([text]);
    }),
    { seed: 20_261_121, numRuns: 2_000 },
  );
  t.pass('2,000 texts, seed 20261121');
  t.end();
});
