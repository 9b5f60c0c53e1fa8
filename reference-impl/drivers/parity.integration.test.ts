/** One conversation under both drivers: what every component hears about every connection must be the same. */
import { createHash } from 'node:crypto';
import t from 'tap';
import type { Address, Conn, NameConn, NetInput, NetMachine, NetOutput } from '../machine/machine.ts';
import { connNames, NodeDriver } from './node.ts';
import { deadPort, within } from './node-script.ts';
import { Sim } from './sim.ts';

type Outputs = readonly NetOutput<string>[];
type Play = (input: NetInput) => Outputs;
/** Where everybody lives: names in the simulator, loopback ports in reality. */
type Places = {
  readonly relay: Address;
  readonly service: Address;
  readonly mux: Address;
  readonly nobody: Address;
};

const text = (words: string) => new TextEncoder().encode(words);
const words = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Writes down what a component hears, by connection, however it was cut into pieces. */
class Journal implements NetMachine<string> {
  readonly #play: Play;
  readonly #lines = new Map<Conn, string[]>();
  readonly #hashes = new Map<Conn, ReturnType<typeof createHash>>();
  readonly #bytes = new Map<Conn, number>();
  readonly #sessions = new Set<Conn>();

  constructor(play: Play) {
    this.#play = play;
  }

  handle(_now: number, input: Parameters<NetMachine<string>['handle']>[1]): Outputs {
    if (input.type === 'command') return [];
    if ('conn' in input) this.#write(input);
    const outputs = this.#play(input);
    for (const output of outputs) if (output.type === 'mux') this.#sessions.add(output.conn);
    return outputs;
  }

  deadline(): undefined {
    return undefined;
  }

  /** Sorted: which of two connections ends first is nobody's promise. */
  get story(): readonly string[] {
    return [...this.#lines.values()].map((lines) => lines.join(', ')).sort();
  }

  #write(input: Extract<NetInput, { readonly conn: Conn }>): void {
    const { conn } = input;
    const lines = this.#lines.getOrInsertComputed(conn, () => []);
    if (input.type === 'bytes') {
      this.#hashes.getOrInsertComputed(conn, () => createHash('sha256')).update(input.bytes);
      this.#bytes.set(conn, (this.#bytes.get(conn) ?? 0) + input.bytes.length);
      return;
    }
    // a session's own counts hold window updates, and those go by how payload was cut; when a flush is answered is a matter of time
    if (input.type === 'flushed' || this.#sessions.has(conn)) {
      lines.push(input.type);
      return;
    }
    const heard = this.#bytes.get(conn) ?? 0;
    const digest = this.#hashes.get(conn)?.copy().digest('hex').slice(0, 8) ?? '';
    const end = input.type === 'closed' ? ` ${input.why} in ${input.received} out ${input.sent}` : '';
    lines.push(`${input.type}${end}${heard > 0 ? ` after ${heard} ${digest}` : ''}`);
  }
}

/** Gathers the first line a user sends, then splices it to the service; `refuse` and `gone` go elsewhere. */
const relay = (name: NameConn, places: Places): Play => {
  const early = new Map<Conn, string>();
  const users = new Map<Conn, Conn>();
  return (input) => {
    switch (input.type) {
      case 'start':
        return [{ type: 'listen', listener: 1, port: places.relay.port, host: undefined }];
      case 'bytes': {
        const line = (early.get(input.conn) ?? '') + words(input.bytes);
        early.set(input.conn, line);
        if (!line.includes('\n') || line.startsWith('held')) return [];
        if (line.startsWith('gone')) return [{ type: 'splice', a: input.conn, b: 999_999 }];
        const conn = name();
        users.set(conn, input.conn);
        const to = line.startsWith('refuse') ? places.nobody : places.service;
        const dials: NetOutput<string> = { type: 'connect', conn, to, from: undefined };
        if (line.startsWith('refuse')) return [dials];
        return [dials, { type: 'send', conn, bytes: text(line) }, { type: 'splice', a: input.conn, b: conn }];
      }
      case 'ended': {
        // an end of before the splice
        const line = early.get(input.conn) ?? '';
        if (!line.startsWith('held')) return [];
        const conn = name();
        return [
          { type: 'connect', conn, to: places.service, from: undefined },
          { type: 'send', conn, bytes: text(line) },
          { type: 'splice', a: conn, b: input.conn },
        ];
      }
      case 'closed': {
        const user = users.get(input.conn);
        if (input.why !== 'refused' || user === undefined) return [];
        return [
          { type: 'send', conn: user, bytes: text('error: nobody there\n') },
          { type: 'close', conn: user },
        ];
      }
      default:
        return [];
    }
  };
};

/** Echoes; resets who says so; answers a bulk transfer with its size. */
const service = (_name: NameConn, places: Places): Play => {
  const bulk = new Map<Conn, number>();
  return (input) => {
    switch (input.type) {
      case 'start':
        return [{ type: 'listen', listener: 1, port: places.service.port, host: undefined }];
      case 'bytes': {
        const { conn, bytes } = input;
        const counted = bulk.get(conn);
        if (counted !== undefined || words(bytes.subarray(0, 4)) === 'bulk') {
          bulk.set(conn, (counted ?? 0) + bytes.length);
          return counted === undefined ? [{ type: 'send', conn, bytes: text('go') }] : [];
        }
        if (words(bytes).includes('reset me')) return [{ type: 'reset', conn }];
        return [{ type: 'send', conn, bytes }];
      }
      case 'ended': {
        const { conn } = input;
        const counted = bulk.get(conn);
        const answer: Outputs =
          counted === undefined ? [] : [{ type: 'send', conn, bytes: text(`${counted}`) }];
        return [...answer, { type: 'end', conn }];
      }
      default:
        return [];
    }
  };
};

/** A yamux server: echoes streams, resets those that say so. */
const muxServer = (_name: NameConn, places: Places): Play => {
  return (input) => {
    switch (input.type) {
      case 'start':
        return [{ type: 'listen', listener: 1, port: places.mux.port, host: undefined }];
      case 'accepted':
        return [{ type: 'mux', conn: input.conn, role: 'server', early: undefined }];
      case 'bytes':
        if (words(input.bytes.subarray(0, 5)) === 'reset') return [{ type: 'reset', conn: input.conn }];
        return [{ type: 'send', conn: input.conn, bytes: input.bytes }];
      case 'ended':
        return [{ type: 'end', conn: input.conn }];
      default:
        return [];
    }
  };
};

type Act = { readonly first: string; readonly go: (input: NetInput, conn: Conn) => Outputs };

const BLOCK = new Uint8Array(65_536).fill(7);
const BLOCKS = 48;

/** One act a connection, one after the other. */
const acts = (): readonly Act[] => {
  let blocks = 0;
  const ends = (input: NetInput, conn: Conn): Outputs =>
    input.type === 'ended' ? [{ type: 'end', conn }] : [];
  return [
    { first: 'hello\n', go: (input, conn) => (input.type === 'bytes' ? [{ type: 'end', conn }] : []) },
    { first: 'held\n', go: (input, conn) => (input.type === 'connected' ? [{ type: 'end', conn }] : []) },
    {
      first: 'abort\n',
      go: (input, conn) => (input.type === 'bytes' ? [{ type: 'reset', conn }] : []),
    },
    { first: 'reset me\n', go: ends },
    { first: 'refuse\n', go: ends },
    { first: 'gone\n', go: ends },
    {
      first: 'bulk\n',
      go: (input, conn) => {
        // the service says that the splice stands
        if (input.type !== 'bytes' && input.type !== 'flushed') return [];
        if (input.type === 'bytes' && words(input.bytes) !== 'go') return [];
        if (blocks++ === BLOCKS) return [{ type: 'end', conn }];
        return [
          { type: 'send', conn, bytes: BLOCK },
          { type: 'flush', conn },
        ];
      },
    },
  ];
};

/** Plays the acts, then a dial that is refused, then a yamux session. @param done called after the last */
const user = (name: NameConn, places: Places, done: () => void): Play => {
  const play = acts();
  let at = -1;
  let conn: Conn;
  let session: Conn | undefined;
  const streams = new Set<Conn>();
  const next = (): Outputs => {
    at++;
    conn = name();
    const act = play[at];
    if (act !== undefined)
      return [
        { type: 'connect', conn, to: places.relay, from: undefined },
        { type: 'send', conn, bytes: text(act.first) },
      ];
    if (at === play.length) return [{ type: 'connect', conn, to: places.nobody, from: undefined }];
    session = conn;
    return [{ type: 'connect', conn, to: places.mux, from: undefined }];
  };
  const opens = (carrier: Conn): Outputs => {
    const outputs: NetOutput<string>[] = [{ type: 'mux', conn: carrier, role: 'client', early: undefined }];
    for (const first of ['stream', 'reset', 'larger'] as const) {
      const stream = name();
      streams.add(stream);
      outputs.push(
        { type: 'open', conn: stream, session: carrier },
        { type: 'send', conn: stream, bytes: first === 'larger' ? new Uint8Array(700_000) : text(first) },
        { type: 'flush', conn: stream },
      );
      if (first !== 'reset') outputs.push({ type: 'end', conn: stream });
    }
    return outputs;
  };
  return (input) => {
    if (input.type === 'start') return next();
    if (!('conn' in input)) return [];
    if (input.conn === session) {
      if (input.type === 'closed') done();
      return input.type === 'connected' ? opens(input.conn) : [];
    }
    if (streams.has(input.conn)) {
      if (input.type === 'closed') streams.delete(input.conn);
      return streams.size === 0 && session !== undefined ? [{ type: 'end', conn: session }] : [];
    }
    const outputs = play[at]?.go(input, conn) ?? [];
    const over = input.type === 'closed' || outputs.some(({ type }) => type === 'reset');
    return over ? [...outputs, ...next()] : outputs;
  };
};

type Cast = Record<'relay' | 'service' | 'mux' | 'user', Journal>;

const cast = (names: (component: string) => NameConn, places: Places, done: () => void): Cast => ({
  relay: new Journal(relay(names('relay'), places)),
  service: new Journal(service(names('service'), places)),
  mux: new Journal(muxServer(names('mux'), places)),
  user: new Journal(user(names('user'), places, done)),
});

const stories = (players: Cast) =>
  Object.fromEntries(Object.entries(players).map(([component, { story }]) => [component, story]));

const simulated = () => {
  const sim = new Sim({ seed: 1 });
  const at = (host: string): Address => ({ host, port: 80 });
  const places = {
    relay: at('relay'),
    service: at('service'),
    mux: at('mux'),
    nobody: { host: 'service', port: 81 },
  };
  let over = false;
  const players = cast(
    () => sim.name,
    places,
    () => {
      over = true;
    },
  );
  for (const [component, journal] of Object.entries(players)) sim.add(component, journal);
  sim.run(60_000);
  if (!over) throw new Error('the simulated conversation did not come to its end');
  return stories(players);
};

const real = async (fastSplice: boolean) => {
  const at = async (): Promise<Address> => ({ host: '127.0.0.1', port: await deadPort() });
  const places = { relay: await at(), service: await at(), mux: await at(), nobody: await at() };
  const over = Promise.withResolvers<void>();
  const wells = new Map<string, NameConn>();
  const players = cast((component) => wells.getOrInsertComputed(component, connNames), places, over.resolve);
  const drivers = Object.entries(players).map(([component, journal]) => {
    const name = wells.get(component) ?? connNames();
    return new NodeDriver<string>(journal, { name, report: () => {}, fastSplice });
  });
  // the user starts last, when the others listen (listening takes no longer than a turn on a numeric address)
  for (const driver of drivers) driver.start();
  await within('the end of the conversation', over.promise, 20_000);
  const settled = () => drivers.every(({ connections }) => connections === 0);
  const wait = async () => {
    while (!settled()) await new Promise((resolve) => setImmediate(resolve));
  };
  await within('the last connection to close', wait());
  for (const driver of drivers) driver.destroy();
  return stories(players);
};

t.test('both drivers tell the same story to every component', async (t) => {
  const expected = simulated();
  t.ok(
    expected.user?.some((story) => /^connected, ended after 6 \w+, closed end in 6 out 6/.test(story)),
    'the story is told at all',
  );
  t.equal(expected.user?.length, 8 + 1 + 3);
  for (const fastSplice of [false, true])
    t.same(await real(fastSplice), expected, `fastSplice ${fastSplice}`);
});
