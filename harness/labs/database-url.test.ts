import t from 'tap';
import { databasePlace, mistakeIn, placeText, throughFolder, withoutPassword } from './database-url.ts';

const ENV = { PGUSER: 'me', PGPASSWORD: 'p w' };

t.test('an address says where the database listens, as libpq reads it', async (t) => {
  for (const [db, env, place] of [
    ['postgres://u:p@db.example/points', {}, 'db.example:5432'],
    ['postgresql://db:6000', {}, 'db:6000'],
    ['postgres://[::1]:6000/d', {}, '::1:6000'],
    ['postgres:///d', {}, 'localhost:5432'],
    ['postgres:///d', { PGHOST: 'there', PGPORT: '7000' }, 'there:7000'],
    ['postgres:///d?host=/var/run/postgresql', {}, '/var/run/postgresql/.s.PGSQL.5432'],
    ['postgres://u@%2Fvar%2Frun:5433/d', {}, '/var/run/.s.PGSQL.5433'],
  ] as const)
    t.equal(placeText(databasePlace(db, env)), place, db);
});

t.test('what is no address is told without its password', async (t) => {
  for (const db of [
    'postgres://u:secret@h:99999/d',
    'postgres://u:secret@/d',
    'postgres://u:secret%@h/d',
    'postgres:u:secret@h/d',
    'postgres://u:secret@h/d?port=0',
    'postgres://u:secret@one,two/d',
    'mysql://u:secret@h/d',
    '',
  ]) {
    t.match(mistakeIn(db), /^expected /, db);
    t.notMatch(mistakeIn(db), /secret/);
  }
  t.equal(mistakeIn('postgres://u:secret@h/d'), undefined);
  t.equal(mistakeIn('./points.sqlite'), undefined, 'the path of a file');
});

t.test('a password is in nothing that is shown, whatever stands in it', async (t) => {
  t.equal(
    withoutPassword('postgres://u:se:cr@et@h:1/d?sslmode=disable'),
    'postgres://u:***@h:1/d?sslmode=disable',
  );
  t.equal(withoutPassword('postgres://h/d?password=secret'), 'postgres://h/d?password=***');
  t.equal(withoutPassword('postgres://u@h/d'), 'postgres://u@h/d');
});

t.test('through a folder it is the same database, for whoever has another environment', async (t) => {
  const folder = '/tmp/a folder';
  const through = (db: string): string => throughFolder(db, folder, ENV);
  for (const [db, expected] of [
    ['postgres://u:s%40c@h:1/d', 'postgres://u:s%40c@%2Ftmp%2Fa%20folder:5432/d'],
    ['postgres://h', 'postgres://me:p%20w@%2Ftmp%2Fa%20folder:5432/me'],
    [
      'postgres://u:p@x/d?host=h&port=5&sslmode=prefer&application_name=a',
      'postgres://u:p@%2Ftmp%2Fa%20folder:5432/d?application_name=a',
    ],
  ] as const) {
    t.equal(through(db), expected);
    t.equal(placeText(databasePlace(through(db), {})), `${folder}/.s.PGSQL.5432`);
  }
  t.throws(() => through('postgres://u:secret@h/d?sslmode=verify-full'), /TLS/);
});
