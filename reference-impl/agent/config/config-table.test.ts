import t from 'tap';
import { AgentError } from '../agent-error.ts';
import { ConfigTable } from './config-table.ts';

const VALUES = {
  text: 'x',
  on: true,
  count: 7,
  share: 0.5,
  wait: '1m 30s',
  names: ['a', 'b'],
  inner: { key: 1 },
  groups: [{ exe: 'a' }, { exe: 'b' }],
};

t.test('readers give what is there, and the fallback where nothing is', async (t) => {
  const table = new ConfigTable('plugins.x', VALUES);
  t.equal(table.string('text'), 'x');
  t.equal(table.string('absent', 'y'), 'y');
  t.equal(table.optionalString('absent'), undefined);
  t.equal(table.boolean('on'), true);
  t.equal(table.integer('count', { least: 1, most: 9 }), 7);
  t.equal(table.number('share', { least: 0, most: 1 }), 0.5);
  t.equal(table.duration('wait'), 90_000);
  t.equal(table.duration('absent', '1s'), 1_000);
  t.equal(table.choice('text', ['x', 'y']), 'x');
  t.same(table.strings('names'), ['a', 'b']);
  t.equal(table.table('inner').integer('key', { least: 0, most: 2 }), 1);
  t.equal(table.table('nothing').string('key', 'z'), 'z');
  t.same(
    table.tables('groups').map((group) => group.string('exe')),
    ['a', 'b'],
  );
  table.done();
  t.pass('nothing was left unread');
});

type Refusal = readonly [what: string, read: (table: ConfigTable) => unknown, code: string, message: RegExp];
const REFUSED: readonly Refusal[] = [
  [
    'missing',
    (table) => table.string('absent'),
    'CONFIG_MISSING_KEY',
    /^plugins\.x\.absent: expected a string, got nothing/,
  ],
  [
    'another type',
    (table) => table.string('count'),
    'CONFIG_VALUE',
    /plugins\.x\.count: expected a string, got number 7/,
  ],
  [
    'out of range',
    (table) => table.integer('count', { least: 8, most: 9 }),
    'CONFIG_VALUE',
    /from 8 to 9, got number 7/,
  ],
  ['not whole', (table) => table.integer('share', { least: 0, most: 9 }), 'CONFIG_VALUE', /whole number/],
  ['no list', (table) => table.strings('text'), 'CONFIG_VALUE', /a list of strings/],
  ['no table', (table) => table.table('text'), 'CONFIG_VALUE', /a table/],
  ['no duration', (table) => table.duration('text'), 'CONFIG_DURATION', /got "x"; expected number at 0/],
  [
    'zero',
    (table) => table.duration('absent', '0s', { moreThanZero: true }),
    'CONFIG_DURATION',
    /more than zero/,
  ],
  [
    'no such word',
    (table) => table.choice('text', ['xx', 'yy']),
    'CONFIG_CHOICE',
    /"xx" or "yy", got "x"; did you mean 'xx'/,
  ],
];

t.test(
  'a value that cannot be is refused with its path, what was expected and what stands there',
  async (t) => {
    for (const [what, read, code, message] of REFUSED) {
      try {
        read(new ConfigTable('plugins.x', VALUES));
        t.fail(what);
      } catch (error) {
        if (!(error instanceof AgentError)) throw error;
        t.equal(error.code, code, what);
        t.match(error.message, message, what);
      }
    }
  },
);

t.test('a key nobody reads is refused with the nearest that somebody does', async (t) => {
  const table = new ConfigTable('plugins.csv', { output_pat: 'x' });
  table.string('output_path', 'y');
  t.throws(() => table.done(), {
    code: 'CONFIG_UNKNOWN_KEY',
    message:
      "plugins.csv.output_pat: expected a key that is known here, got 'output_pat'; did you mean 'output_path'? (CONFIG_UNKNOWN_KEY)",
  });
});

t.test('a key that must be there and is misspelt is told with what stands in its place', async (t) => {
  const table = new ConfigTable('plugins.socket-control', { socket_pth: 'x' });
  t.throws(() => table.string('socket_path'), {
    code: 'CONFIG_MISSING_KEY',
    message:
      "plugins.socket-control.socket_path: expected a string, got nothing; add it, or rename 'socket_pth' if that is meant (CONFIG_MISSING_KEY)",
  });
});

t.test('so is one in a table within', async (t) => {
  const table = new ConfigTable('plugins.relay-client', { retry: { max_tims: 5 } });
  table.table('retry').integer('max_times', { least: 0, most: 9 }, 8);
  t.throws(() => table.done(), {
    code: 'CONFIG_UNKNOWN_KEY',
    message:
      "plugins.relay-client.retry.max_tims: expected a key that is known here, got 'max_tims'; did you mean 'max_times'? (CONFIG_UNKNOWN_KEY)",
  });
});

t.test('a secret is never shown', async (t) => {
  for (const key of ['password', 'token', 'url', 'connection_string']) {
    const table = new ConfigTable('plugins.db', { [key]: 'hunter2' });
    t.throws(() => table.integer(key, { least: 0, most: 1 }), {
      message: `plugins.db.${key}: expected a whole number from 0 to 1, got a string (not shown); change it (CONFIG_VALUE)`,
    });
  }
});
