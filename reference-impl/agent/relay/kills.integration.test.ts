// kill -9 of the client, the server and PostgreSQL at random moments under load: what was made, sent and stored is reconciled, and printed.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import t, { type Test } from 'tap';
import { rngFor } from '../../machine/rng.ts';
import { postgresFolder, ThrowawayPostgres } from '../outputs/throwaway-postgres.ts';
import { newFolder, Program } from '../testing/program.ts';

t.setTimeout(580_000);

const SEED = Number(process.env.RELAYLAB_SEED ?? Date.now() % 2 ** 31);
/** `npm run prove` kills more often. */
const ROUNDS = process.env.RELAYLAB_LONG === '1' ? 6 : 2;
const SERIES = 5;
const RATE = 2_000;

type Victim = 'client' | 'server' | 'PostgreSQL';
type Row = { readonly series: number; readonly value: number };
type Store = {
  /** Options of the server. */
  readonly options: readonly string[];
  readonly victims: readonly Victim[];
  /** In the order of each series' times. */
  readonly rows: () => Promise<readonly Row[]>;
  readonly database: ThrowawayPostgres | undefined;
};

const override = (toml: string): readonly string[] => ['--config-override', toml];

const sqlite = (folder: string): Store => ({
  options: ['--plugins', 'sqlite', ...override("plugins.sqlite.path = 'points.sqlite'")],
  victims: ['client', 'server'],
  database: undefined,
  rows: async () => {
    const database = new DatabaseSync(join(folder, 'points.sqlite'), { readOnly: true });
    const rows = database
      .prepare('SELECT consumer_id AS series, value FROM measurements ORDER BY secs, nanos, value')
      .all();
    database.close();
    return rows.map(({ series, value }) => ({ series: Number(series), value: Number(value) }));
  },
});

const postgres = (database: ThrowawayPostgres): Store => ({
  options: ['--plugins', 'postgres', ...override(`plugins.postgres.url = '${database.url}'`)],
  victims: ['client', 'server', 'PostgreSQL'],
  database,
  rows: async () => {
    const client = new Client(database.url);
    await client.connect();
    const { rows } = await client.query<Row>(
      'SELECT consumer_id::integer AS series, value::integer AS value FROM measurements ORDER BY time, value',
    );
    await client.end();
    return rows;
  },
});

/** Lives of the client as they lie in the store: each made points number 0, 1, 2, ..., and its series count from 0. */
const livesIn = (rows: readonly Row[]): readonly { readonly stored: number; readonly whole: boolean }[] => {
  const lives: Map<number, number>[] = [];
  const lifeOf = new Map<number, number>();
  const holes = new Set<number>();
  for (const { series, value } of rows) {
    const life = value === 0 ? (lifeOf.get(series) ?? -1) + 1 : (lifeOf.get(series) ?? 0);
    lifeOf.set(series, life);
    lives[life] ??= new Map();
    const counts = lives[life];
    if (value !== (counts.get(series) ?? 0)) holes.add(life);
    counts.set(series, value + 1);
  }
  return lives.map((counts, life) => {
    const stored = [...counts.values()].reduce((sum, count) => sum + count, 0);
    // points go round the series: of a whole beginning no series is behind by more than its turn
    const whole = [...counts].every(([series, count]) => count === Math.ceil((stored - series) / SERIES));
    return { stored, whole: whole && !holes.has(life) };
  });
};

/** The client, the server and the database of a run; each can be killed, and comes back where it was. */
class Ends {
  readonly #folder: string;
  readonly #store: Store;
  #server: (Program & { readonly port: number }) | undefined;
  #client: Program | undefined;

  constructor(folder: string, store: Store) {
    this.#folder = folder;
    this.#store = store;
  }

  async begin(): Promise<void> {
    this.#server = await Program.server(this.#store.options, { cwd: this.#folder }, this.#server?.port);
    this.#client ??= await this.#newClient();
  }

  #newClient(): Promise<Program> {
    const settings = [
      "plugins.relay-client = { client_name = 'node', buffer_timeout = '50ms', spool_path = 'client.spool' }",
      "plugins.relay-client.retry = { forever = true, initial_delay = '100ms', max_delay = '200ms' }",
      `plugins.synthetic = { rate = ${RATE}, cardinality = ${SERIES}, poll_interval = '20ms' }`,
    ];
    const place = ['--relay-out', `127.0.0.1:${this.#server?.port}`, '--plugins', 'synthetic'];
    return Program.agent([...place, ...settings.flatMap(override)], { cwd: this.#folder });
  }

  async kill(victim: Victim): Promise<void> {
    if (victim === 'PostgreSQL') {
      await this.#store.database?.kill();
      return this.#store.database?.begin();
    }
    const program = victim === 'client' ? this.#client : this.#server;
    program?.kill('SIGKILL');
    await program?.exited();
    if (victim === 'client') this.#client = await this.#newClient();
    else await this.begin();
  }

  /** In order, the client first. @returns what each says that it had */
  async end(t: Test): Promise<Readonly<Record<'received' | 'recovered' | 'acknowledged', number>>> {
    const [client, server] = [this.#client as Program, this.#server as Program];
    client.kill('SIGTERM');
    t.equal(await client.exited(), 0, 'the client has delivered everything');
    server.kill('SIGTERM');
    t.equal(await server.exited(), 0, 'the server has stored everything');
    const { points } = await client.logged('client.stopped');
    return points as Readonly<Record<'received' | 'recovered' | 'acknowledged', number>>;
  }
}

const killed = async (t: Test, folder: string, store: Store): Promise<void> => {
  const rng = rngFor(SEED, `kills ${store.victims.join()}`);
  const ends = new Ends(folder, store);
  await ends.begin();
  const victims = Array.from({ length: ROUNDS }, () => store.victims).flat();
  for (let left = victims.length; left > 0; left--) {
    const [victim] = victims.splice(rng.below(left), 1) as [Victim];
    const millis = 100 + rng.below(900);
    await delay(millis);
    await ends.kill(victim);
    t.comment(`after ${millis} ms: killed the ${victim}`);
  }
  await delay(300);
  const { received, recovered, acknowledged } = await ends.end(t);
  const rows = await store.rows();
  const lives = livesIn(rows);
  const distinct = lives.reduce((sum, { stored }) => sum + stored, 0);
  const last = lives.at(-1)?.stored ?? 0;
  t.comment(
    `stored ${rows.length} = ${lives.map(({ stored }) => stored).join(' + ')} of ${lives.length} lives of the client; ` +
      `its last: made ${received}, stored ${last}, found in the spool ${recovered}, acknowledged ${acknowledged}; ` +
      `twice ${rows.length - distinct}, missing ${received - last}`,
  );
  t.equal(rows.length, distinct, 'nothing is stored twice');
  t.equal(lives.length, ROUNDS + 1, 'something of each life is stored');
  t.ok(
    lives.every(({ whole }) => whole),
    'what is stored of each life is its beginning, without a hole',
  );
  t.equal(last, received, 'all of the life that ended in order');
  t.equal(acknowledged, received + recovered, 'what was made or found is acknowledged');
};

t.comment(`seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);

t.test(
  'client and server killed at random: every point that a spool had is stored once in SQLite',
  async (t) => {
    const folder = newFolder();
    t.teardown(() => folder.remove());
    await killed(t, folder.path, sqlite(folder.path));
  },
);

const skip = postgresFolder() === undefined ? 'no PostgreSQL here' : false;
t.test('client, server and PostgreSQL killed at random: the same', { skip }, async (t) => {
  const folder = newFolder();
  t.teardown(() => folder.remove());
  const database = await ThrowawayPostgres.start();
  t.teardown(() => database.close());
  await killed(t, folder.path, postgres(database));
});
