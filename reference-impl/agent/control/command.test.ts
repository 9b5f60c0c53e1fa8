import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import type { Action } from '../pipeline/pattern.ts';
import { readCommand } from './command.ts';

type Sent = {
  readonly conn?: number | string;
  readonly about?: string;
  readonly send?: string | { readonly hex: string };
  readonly closed_by_agent?: boolean;
  readonly agent_log?: readonly string[];
};
const TRANSCRIPT = readFileSync(new URL('./vectors/transcript.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Sent);

/** What Alumet logs for a bad line, without where it comes from. */
const REASON = /^ERROR \[plugin_socket_control::socket\] Error in unix socket processing: (.*)$/;

t.test(
  'every line a real agent refused is refused with its reason, every line it took is taken',
  async (t) => {
    let refused = 0;
    let taken = 0;
    for (const { conn, send, closed_by_agent: closed, agent_log: log } of TRANSCRIPT) {
      if (typeof send !== 'string' || typeof conn !== 'number' || send.split('\n').length > 2) continue;
      const read = readCommand(send.replace(/\r?\n$/, ''));
      const name = `${conn}: ${JSON.stringify(send)}`;
      const reason = REASON.exec(log?.[0] ?? '')?.[1];
      // a panic of that agent (an empty line, a period of zero) is no reason of ours
      if (reason !== undefined && closed === true) {
        t.ok(read.type === 'invalid' && read.why.startsWith(reason), `${name}: ${JSON.stringify(read)}`);
        refused++;
      } else if (closed === false) {
        t.not(read.type, 'invalid', name);
        taken++;
      } else t.ok(read.type === 'shutdown' || read.type === 'invalid', name);
    }
    t.ok(refused >= 28 && taken >= 45, `${refused} refused, ${taken} taken`);
  },
);

const PAUSE: Action = { type: 'pause' };
const ACTIONS: readonly (readonly [args: string, action: Action])[] = [
  ['pause', PAUSE],
  ['disable', PAUSE],
  ['resume', { type: 'resume' }],
  ['enable', { type: 'resume' }],
  ['stop', { type: 'stop' }],
  ['trigger-now', { type: 'trigger-now' }],
  ['set-period 1s500ms', { type: 'set-period', periodMillis: 1_500 }],
  ['set-poll-interval 1us', { type: 'set-period', periodMillis: 0.001 }],
];

t.test('arguments and both spellings of them mean one action', async (t) => {
  for (const [args, action] of ACTIONS)
    t.match(readCommand(`control source ${args}`), { type: 'control', action }, args);
});

t.test('every spelling of a kind is that kind', async (t) => {
  for (const [kind, spellings] of [
    ['source', 'source sources src'],
    ['transform', 'transform transforms tra'],
    ['output', 'output outputs out'],
    ['any', '* all any'],
  ] as const)
    for (const spelling of spellings.split(' '))
      t.match(readCommand(`control ${spelling} pause`), { pattern: { kind } }, spelling);
});

t.test('the third part of a pattern is all after the second slash', async (t) => {
  t.match(readCommand('control source/a/b/c pause'), {
    pattern: { element: { type: 'exact', text: 'b/c' } },
  });
  t.match(readCommand('control */a*/*c pause'), {
    pattern: { kind: 'any', plugin: { type: 'prefix', text: 'a' }, element: { type: 'suffix', text: 'c' } },
  });
});

const REASONS: readonly (readonly [line: string, why: RegExp])[] = [
  ['', /line is empty; available commands/],
  ['\t ', /line is empty/],
  ['control source set-period 0s', /must be more than zero, for instance 100ms/],
  ['control source set-period 1s 500ms', /in one word, for instance set-period 1s500ms/],
  ['control souce pause', /did you mean 'source'/],
  ['control source puase', /did you mean 'pause'/],
  ['control source/a pause', /for instance source\/a\/\*/],
  ['control constructor pause', /bad kind/],
  ['control source toString', /invalid command/],
];

t.test('a reason says what would be right', async (t) => {
  for (const [line, why] of REASONS) {
    const read = readCommand(line);
    t.match(read.type === 'invalid' ? read.why : read, why, line);
  }
});

t.test('any line is a command or a reason, and never throws', async (t) => {
  const word = fc.constantFrom(
    'control',
    'source',
    '*',
    'a/b',
    'src/*/x',
    'pause',
    'set-period',
    '1s',
    'stop',
    '',
    '\t',
    '__proto__',
  );
  const line = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 6 }).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(line, (text) => {
      const read = readCommand(text);
      return read.type !== 'invalid' || read.why.length > 10;
    }),
    { seed: 5, numRuns: 3_000 },
  );
  t.pass('3,000 lines of seed 5');
});
