import fc from 'fast-check';
import t from 'tap';
import type { Conn, NetOutput } from '../../reference-impl/machine/machine.ts';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { Nat } from './nat.ts';
import { NatMachine } from './nat-machine.ts';
import type { NatCommand, NatReport } from './nat-report.ts';

const SEED = 4_787;

const nats: fc.Arbitrary<Nat> = fc.record({
  mapping: fc.oneof(
    fc.constant({ kind: 'preserving' } as const),
    fc.constant({ kind: 'random' } as const),
    fc.record({ kind: fc.constant('range' as const), ports: fc.integer({ min: 1, max: 4 }) }),
  ),
  filtering: fc.constant('address-and-port-dependent' as const),
  unsolicited: fc.constantFrom('drop' as const, 'reset' as const),
  idle: fc.record({
    establishedMillis: fc.integer({ min: 5, max: 300 }),
    notify: fc.constantFrom('silent' as const, 'rst' as const, 'rebind' as const),
  }),
  exhaustion: fc.constantFrom('silent' as const, 'rst' as const, 'icmp' as const),
  depth: fc.constantFrom(1 as const, 2 as const),
  hairpin: fc.boolean(),
});

type Step =
  | { readonly do: 'accept'; readonly port: number }
  | { readonly do: 'answer' | 'end' | 'flushed'; readonly pick: number }
  | { readonly do: 'bytes'; readonly pick: number; readonly length: number }
  | { readonly do: 'close'; readonly pick: number; readonly why: 'end' | 'reset' | 'refused' | 'exhausted' }
  | { readonly do: 'pass'; readonly millis: number }
  | { readonly do: 'command'; readonly command: NatCommand };

const pick = fc.nat(1_000);
const millis = fc.integer({ min: 0, max: 200 });
const id = fc.constant(1);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('accept' as const), port: fc.integer({ min: 1, max: 65_535 }) }),
    fc.record({ do: fc.constantFrom('answer' as const, 'end' as const, 'flushed' as const), pick }),
    fc.record({ do: fc.constant('answer' as const), pick }),
    fc.record({ do: fc.constant('bytes' as const), pick, length: fc.integer({ min: 1, max: 300_000 }) }),
    fc.record({
      do: fc.constant('close' as const),
      pick,
      why: fc.constantFrom('end', 'reset', 'refused', 'exhausted'),
    }),
    fc.record({ do: fc.constant('pass' as const), millis }),
    fc.record({
      do: fc.constant('command' as const),
      command: fc.oneof(
        fc.record({ do: fc.constant('reboot' as const), id, downMillis: millis }),
        fc.record({ do: fc.constant('flap' as const), id, millis }),
        fc.record({ do: fc.constant('expire' as const), id, idleMillis: millis }),
        fc.record({
          do: fc.constant('readdress' as const),
          id,
          publicHost: fc.constantFrom('pub', 'new', undefined),
        }),
        fc.record({ do: fc.constant('receipt' as const), id }),
      ),
    }),
  ),
  { maxLength: 60 },
) as fc.Arbitrary<readonly Step[]>;

type End = {
  readonly role: 'inner' | 'outer';
  connected: boolean;
  ended: boolean;
  finished: boolean;
  flush: boolean;
};

/** A driver that obeys the contract, and counts. */
class Driver {
  readonly ends = new Map<Conn, End>();
  readonly reports: NatReport[] = [];
  readonly machine: NatMachine;
  #now = 0;
  #named = 0;
  given = 0;
  sent = 0;
  outages = 0;
  receiptsDue = 0;

  constructor(nat: Nat, innerKeepaliveMillis: number) {
    const name = (): Conn => ++this.#named;
    const options = {
      listen: { host: undefined, port: 0 },
      upstream: { host: 'relay', port: 1 },
      publicHost: 'pub',
    };
    const rng = rngFor(SEED, 'nat');
    this.machine = new NatMachine({
      ...options,
      nat,
      rng,
      name,
      innerKeepaliveMillis,
      outerKeepaliveMillis: 0,
    });
  }

  feed(input: Parameters<NatMachine['handle']>[1]): void {
    for (const output of this.machine.handle(this.#now, input)) this.#perform(output);
  }

  #perform(output: NetOutput<NatReport>): void {
    if (output.type === 'report') this.reports.push(output.event);
    if (output.type === 'connect') this.ends.set(output.conn, newEnd('outer', false));
    if (!('conn' in output)) return;
    const end = this.ends.get(output.conn);
    if (end === undefined) throw new Error(`${output.type} about ${output.conn}, which is over`);
    if (output.type === 'send' && (end.finished || !end.connected))
      throw new Error('sent where nobody can receive');
    if (output.type === 'send') this.sent += output.bytes.length;
    if (output.type === 'flush') end.flush = true;
    if (output.type === 'end') end.finished = true;
    if (output.type === 'reset') this.ends.delete(output.conn);
  }

  step(step: Step): void {
    if (step.do === 'accept') {
      const conn = ++this.#named;
      this.ends.set(conn, newEnd('inner', true));
      this.feed({ type: 'accepted', conn, listener: 0, from: { host: 'c', port: step.port } });
    } else if (step.do === 'command') {
      this.receiptsDue++;
      this.feed({ type: 'command', command: step.command });
    } else if (step.do === 'pass') {
      this.pass(this.#now + step.millis);
    } else {
      this.#about(step);
    }
  }

  #about(step: Exclude<Step, { do: 'accept' | 'command' | 'pass' }>): void {
    const all = [...this.ends];
    const [conn, end] = all[step.pick % Math.max(1, all.length)] ?? [];
    if (conn === undefined || end === undefined) return;
    if (step.do === 'close') {
      this.ends.delete(conn);
      this.feed({ type: 'closed', conn, why: step.why, received: 0, sent: 0 });
    } else if (step.do === 'answer') {
      if (end.connected) return;
      end.connected = true;
      this.feed({ type: 'connected', conn });
    } else if (step.do === 'flushed') {
      if (!end.flush) return;
      end.flush = false;
      this.feed({ type: 'flushed', conn });
    } else if (end.connected && !end.ended) {
      if (step.do === 'end') {
        end.ended = true;
        this.feed({ type: 'ended', conn });
      } else if (step.do === 'bytes') {
        this.given += step.length;
        this.feed({ type: 'bytes', conn, bytes: new Uint8Array(step.length) });
      }
    }
  }

  pass(to: number): void {
    for (let due = this.machine.deadline(); due !== undefined && due <= to; due = this.machine.deadline()) {
      this.#now = Math.max(this.#now, due);
      this.feed({ type: 'deadline' });
      const again = this.machine.deadline();
      if (again !== undefined && again <= this.#now) throw new Error('woken for nothing, for ever');
    }
    this.#now = to;
  }
}

const newEnd = (role: 'inner' | 'outer', connected: boolean): End => ({
  role,
  connected,
  ended: false,
  finished: false,
  flush: false,
});

t.test(
  `whatever happens: never a throw, never a word about a closed end, one receipt a command (seed ${SEED})`,
  async (t) => {
    const runs = Number(process.env.RELAYLAB_FUZZ ?? 2_000);
    const check = fc.property(nats, fc.constantFrom(0, 40, 90), steps, (nat, keepalive, list) => {
      const driver = new Driver(nat, keepalive);
      driver.feed({ type: 'start' });
      for (const step of list) driver.step(step);
      driver.pass(1_000_000);
      const receipts = driver.reports.filter((event) => event.type === 'nat.receipt');
      if (receipts.length !== driver.receiptsDue)
        throw new Error(`${receipts.length} of ${driver.receiptsDue} receipts`);
      driver.feed({ type: 'stop' });
      return driver.ends.size === 0;
    });
    fc.assert(check, { seed: SEED, numRuns: runs });
    t.pass(`${runs} runs`);
  },
);

t.test(`bytes are carried or a receipt says how many were not (seed ${SEED})`, async (t) => {
  const quiet = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('bytes' as const), pick, length: fc.integer({ min: 1, max: 100_000 }) }),
      fc.record({ do: fc.constant('flushed' as const), pick }),
      fc.record({ do: fc.constant('pass' as const), millis }),
      fc.record({
        do: fc.constant('command' as const),
        command: fc.record({ do: fc.constant('expire' as const), id, idleMillis: millis }),
      }),
    ),
    { maxLength: 40 },
  );
  const check = fc.property(nats, quiet, (nat, list) => {
    const driver = new Driver({ ...nat, hairpin: true }, 0);
    for (const port of [2_001, 2_002]) driver.step({ do: 'accept', port });
    for (const [conn, end] of driver.ends) {
      if (end.role === 'inner') continue;
      end.connected = true;
      driver.feed({ type: 'connected', conn });
    }
    const mapped = driver.reports.filter((event) => event.type === 'nat.mapped').length;
    if (mapped < 2) return; // a range of one port: the second waits, its bytes are held
    for (const step of list) driver.step(step);
    driver.step({ do: 'command', command: { do: 'receipt', id: 2 } });
    const last = driver.reports.at(-1);
    const discarded =
      last?.type === 'nat.receipt' ? Number(/(\d+) bytes? discarded/.exec(last.text)?.[1]) : -1;
    if (driver.given !== driver.sent + discarded)
      throw new Error(`${driver.given} = ${driver.sent} + ${discarded}?`);
  });
  fc.assert(check, { seed: SEED, numRuns: 1_000 });
  t.pass('1000 runs');
});
