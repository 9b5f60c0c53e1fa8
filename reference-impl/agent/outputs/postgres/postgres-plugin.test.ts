import { parse } from 'smol-toml';
import t from 'tap';
import { ConfigTable, type TomlTable } from '../../config/config-table.ts';
import { postgresPlugin } from './postgres-plugin.ts';

const read = (toml: string) => {
  const table = new ConfigTable('plugins.postgres', parse(toml) as TomlTable);
  const config = postgresPlugin.read(table);
  table.done();
  return config;
};

t.test('a place is given by its parts or by a url, and is never printed with its password', async (t) => {
  const parts = read('host = "db"\nport = 6000\nuser = "u"\npassword = "secret"\ndatabase = "d"');
  t.equal(parts.place, 'postgres://u:***@db:6000/d');
  t.match(parts.connection, { host: 'db', port: 6000, user: 'u', password: 'secret', database: 'd' });
  const url = read('url = "postgres://u:secret@db:6000/d?sslmode=verify-full"');
  t.equal(url.place, 'postgres://u:***@db:6000/d');
  t.equal(url.connection.connectionString, 'postgres://u:secret@db:6000/d?sslmode=verify-full');
  t.equal(
    read(`${postgresPlugin.defaults}url = "postgres://u@db/d"`).place,
    'postgres://u@db/d',
    'over defaults',
  );
  t.equal(read('').place, 'postgres://relay@127.0.0.1:5432/relay');
});

const WRONG: readonly (readonly [toml: string, where: string])[] = [
  ['url = "postgres://u:secret@db/d"\nport = 5', 'plugins.postgres.port'],
  ['url = "postgres://u:secret@db/d"\npassword = "secret"', 'plugins.postgres.password'],
  ['url = "mysql://u:secret@db/d"', 'plugins.postgres.url'],
  ['url = "u:secret"', 'plugins.postgres.url'],
  ['password = 5', 'plugins.postgres.password'],
  ['table = ""', 'plugins.postgres.table'],
  [`table = "${'x'.repeat(56)}"`, 'plugins.postgres.table'],
  ['batch_timeout = "soon"', 'plugins.postgres.batch_timeout'],
  ['pasword = "secret"', 'plugins.postgres.pasword'],
];

t.test('what is wrong is told by its key, without the secret', async (t) => {
  for (const [toml, where] of WRONG) {
    try {
      read(toml);
      t.fail(`${toml} was read`);
    } catch (error) {
      t.match(error, { where }, toml);
      t.notMatch(String((error as Error).stack), /secret/);
    }
  }
});

t.test('the printed defaults are the defaults', async (t) => {
  t.strictSame(read(postgresPlugin.defaults), read(''));
});
