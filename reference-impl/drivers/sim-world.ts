import { createHash } from 'node:crypto';
import { Backoff, DEFAULT_SCHEDULE } from '../backoff/schedule.ts';
import { line } from '../machine/lines.ts';
import {
  type Address,
  type Conn,
  type Millis,
  type NameConn,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../machine/machine.ts';
import { type Rng, rngFor } from '../machine/rng.ts';
import { Sim } from './sim.ts';

/** For tests of the simulator: what a small fleet says. */
export type WorldReport = { readonly type: string; readonly conn: Conn };
type Outputs = readonly NetOutput<WorldReport>[];
type WorldInput = NetInput | { readonly type: 'command' };

const PORT = 4_000;

/** Answers each message and keeps connections. */
class Hub implements NetMachine<WorldReport> {
  handle(_now: Millis, input: WorldInput): Outputs {
    switch (input.type) {
      case 'start':
        return [{ type: 'listen', listener: 1, port: PORT, host: undefined }];
      case 'accepted':
        return [
          { type: 'keepalive', conn: input.conn, idleMillis: 30_000 },
          { type: 'report', event: { type: 'hub.accepted', conn: input.conn } },
        ];
      case 'bytes':
        return [{ type: 'send', conn: input.conn, bytes: line('ok') }];
      case 'ended':
        return [{ type: 'end', conn: input.conn }];
      default:
        return NOTHING;
    }
  }

  deadline(): undefined {
    return undefined;
  }
}

/** Stands in the way as a link or a NAT does: dials on for each connection and splices. */
class PassThrough implements NetMachine<WorldReport> {
  readonly #to: Address;
  readonly #name: NameConn;
  /** What a dial belongs to, until it is spliced. */
  readonly #dials = new Map<Conn, Conn>();
  readonly #inner = new Map<Conn, Conn>();

  constructor(to: Address, name: NameConn) {
    this.#to = to;
    this.#name = name;
  }

  handle(_now: Millis, input: WorldInput): Outputs {
    switch (input.type) {
      case 'start':
        return [{ type: 'listen', listener: 1, port: PORT, host: undefined }];
      case 'accepted': {
        const dial = this.#name();
        this.#dials.set(dial, input.conn);
        this.#inner.set(input.conn, dial);
        return [
          { type: 'pause', conn: input.conn },
          { type: 'connect', conn: dial, to: this.#to, from: undefined },
          // without it a tunnel through a long cut stays half-open for ever
          { type: 'keepalive', conn: dial, idleMillis: 30_000 },
        ];
      }
      case 'connected': {
        const inner = this.#dials.get(input.conn);
        if (inner === undefined) return NOTHING;
        this.#forget(input.conn, inner);
        return [{ type: 'splice', a: inner, b: input.conn }];
      }
      case 'closed': {
        const inner = this.#dials.get(input.conn) ?? input.conn;
        const dial = this.#inner.get(inner);
        if (dial === undefined) return NOTHING;
        this.#forget(dial, inner);
        return [{ type: 'reset', conn: input.conn === inner ? dial : inner }];
      }
      default:
        return NOTHING;
    }
  }

  deadline(): undefined {
    return undefined;
  }

  #forget(dial: Conn, inner: Conn): void {
    this.#dials.delete(dial);
    this.#inner.delete(inner);
  }
}

/** Comes at a random time of the first half minute, says hello, and comes back by the default schedule whenever it is lost. */
class Comer implements NetMachine<WorldReport> {
  readonly #to: Address;
  readonly #name: NameConn;
  readonly #backoff: Backoff;
  readonly #rng: Rng;
  #due: Millis | undefined;

  constructor(to: Address, name: NameConn, rng: Rng) {
    this.#to = to;
    this.#name = name;
    this.#rng = rng;
    this.#backoff = new Backoff(DEFAULT_SCHEDULE, rng);
  }

  handle(now: Millis, input: WorldInput): Outputs {
    switch (input.type) {
      case 'start':
        this.#due = now + this.#rng.below(30_000);
        return NOTHING;
      case 'deadline': {
        if (this.#due === undefined || this.#due > now) return NOTHING;
        this.#due = undefined;
        const conn = this.#name();
        return [
          { type: 'connect', conn, to: this.#to, from: undefined },
          { type: 'keepalive', conn, idleMillis: 30_000 },
          { type: 'send', conn, bytes: line('hello') },
        ];
      }
      case 'bytes':
        this.#backoff.succeeded(now);
        return [{ type: 'report', event: { type: 'back', conn: input.conn } }];
      case 'closed':
        this.#due = now + (this.#backoff.failed(now) ?? 0);
        return [{ type: 'report', event: { type: `lost ${input.why}`, conn: input.conn } }];
      default:
        return NOTHING;
    }
  }

  deadline(): Millis | undefined {
    return this.#due;
  }
}

/** What became of a world. */
export type WorldResult = {
  /** sha-256 over all reports in order, first 16 hex digits. */
  readonly digest: string;
  readonly events: number;
  readonly reports: number;
  readonly connected: number;
};

/**
 * A hub, and sites of ten clients behind a link and a NAT each: client - link - NAT - hub. At 60 s the hub crashes for 10 s,
 * at 100 s the first site is cut for 5 s and the second one for 60 s. Ends at 240 s.
 */
export const runWorld = (options: { readonly seed: number; readonly clients: number }): WorldResult => {
  const { seed, clients } = options;
  const sim = new Sim({ seed });
  const hash = createHash('sha256');
  let reports = 0;
  const reporter =
    (who: string) =>
    (event: WorldReport, now: Millis): void => {
      reports++;
      hash.update(`${now} ${who} ${event.type} ${event.conn}\n`);
    };
  sim.add('hub', new Hub(), { report: reporter('hub') });
  for (let i = 0; i < clients; i++) {
    const place = `site-${Math.floor(i / 10)}`;
    const add = (name: string, machine: NetMachine<WorldReport>): void => {
      const rng = rngFor(seed, `${place}/line`);
      const link = { latencyMillis: 5 + rng.below(80), bytesPerMillis: 1_000 };
      sim.add(name, machine, { place, report: reporter(name), link });
    };
    if (i % 10 === 0) {
      add(`${place}/nat`, new PassThrough({ host: 'hub', port: PORT }, sim.name));
      add(`${place}/link`, new PassThrough({ host: `${place}/nat`, port: PORT }, sim.name));
    }
    const name = `${place}/client-${i % 10}`;
    add(name, new Comer({ host: `${place}/link`, port: PORT }, sim.name, rngFor(seed, name)));
  }
  sim.at(60_000, () => sim.crash('hub', 'reset'));
  sim.at(70_000, () => sim.restart('hub', new Hub()));
  for (const [site, millis] of [
    ['site-0', 5_000],
    ['site-1', 60_000],
  ] as const) {
    sim.at(100_000, () => sim.cut(site));
    sim.at(100_000 + millis, () => sim.restore(site));
  }
  sim.run(240_000);
  return {
    digest: hash.digest('hex').slice(0, 16),
    events: sim.events,
    reports,
    connected: sim.audit('hub').conns,
  };
};
