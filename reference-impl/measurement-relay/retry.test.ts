import t from 'tap';
import { Sim } from '../drivers/sim.ts';
import type { Conn, Millis, NetInput, NetMachine, NetOutput } from '../machine/machine.ts';
import { NOTHING } from '../machine/machine.ts';
import { MeasurementClient } from './client.ts';
import { BUFFER, CLIENT_BOUNDS, type ClientReport, RETRY } from './client-report.ts';
import { MetricRegistry } from './metrics.ts';
import { memorySpool } from './testing/client-rig.ts';
import { frame, greetAnswer } from './testing/wire.ts';

type Manner = 'resets' | 'ends' | 'is silent' | 'greets, then resets' | 'greets, then ends';

/** A server that treats every client badly, each in the same manner. */
class Brute implements NetMachine<never> {
  readonly #manner: Manner;

  constructor(manner: Manner) {
    this.#manner = manner;
  }

  handle(_now: Millis, input: NetInput | { readonly type: 'command' }): readonly NetOutput<never>[] {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 50_051, host: undefined }];
    if (input.type === 'accepted') return this.#treat(input.conn, ['resets', 'ends']);
    return input.type === 'bytes'
      ? this.#treat(input.conn, ['greets, then resets', 'greets, then ends'])
      : NOTHING;
  }

  deadline(): undefined {
    return undefined;
  }

  #treat(conn: Conn, manners: readonly Manner[]): readonly NetOutput<never>[] {
    if (!manners.includes(this.#manner)) return NOTHING;
    const end: NetOutput<never> = { type: this.#manner.endsWith('resets') ? 'reset' : 'end', conn };
    if (!this.#manner.startsWith('greets')) return [end];
    const bytes = frame(greetAnswer(), '');
    return [{ type: 'send', conn, bytes }, end];
  }
}

/** When a client dials, in virtual time. */
const dials = (
  manner: Manner | 'is not there',
  forMillis: Millis,
): { readonly at: Millis[]; readonly reports: ClientReport[] } => {
  const sim = new Sim({ seed: 1 });
  if (manner !== 'is not there') sim.add('server', new Brute(manner));
  else sim.add('server', new Brute('is silent')).unlistenAll();
  const at: Millis[] = [];
  const reports: ClientReport[] = [];
  const client = new MeasurementClient({
    server: { host: 'server', port: manner === 'is not there' ? 9 : 50_051 },
    clientName: 'leaf',
    registry: new MetricRegistry(),
    spool: memorySpool(),
    ...BUFFER,
    retry: RETRY,
    acknowledge: true,
    bounds: CLIENT_BOUNDS,
    name: sim.name,
  });
  sim.add('client', client, {
    report: (event, now) => {
      reports.push(event);
      if (event.type === 'client.dialing') at.push(now);
    },
  });
  sim.run(forMillis);
  return { at, reports };
};

const gaps = (at: readonly Millis[]): Millis[] => at.slice(1).map((time, i) => time - (at[i] ?? 0));

/** What a failed attempt takes by itself, before the wait. */
const WORLDS: readonly { readonly manner: Manner | 'is not there'; readonly attemptMillis: Millis }[] = [
  { manner: 'is not there', attemptMillis: 2 },
  { manner: 'resets', attemptMillis: 2 },
  { manner: 'ends', attemptMillis: 2 },
  { manner: 'is silent', attemptMillis: 10_002 },
];
for (const { manner, attemptMillis } of WORLDS)
  t.test(`a server that ${manner} is dialled nine times, by the schedule, then given up`, async (t) => {
    const { at, reports } = dials(manner, 600_000);
    t.same(
      gaps(at).map((gap) => gap - attemptMillis),
      [500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000],
    );
    t.match(reports.at(-1), { type: 'client.gaveUp', why: 'retries used up' });
  });

for (const manner of ['greets, then resets', 'greets, then ends'] as const)
  t.test(
    `a server that ${manner} is met again after the initial delay: its greeting was a success`,
    async (t) => {
      const { at } = dials(manner, 20_000);
      t.ok(at.length > 30, `${at.length} dials`);
      t.ok(gaps(at).every((gap) => gap >= 500 && gap < 520));
    },
  );
