import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import natPool from '../../../scenarios/nat-pool.ts';
import { PlanDirector } from '../../scenario/director.ts';
import { execute } from '../../scenario/execute.ts';
import type { Options } from '../../scenario/scenario.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import { SimLab } from './sim-lab.ts';

t.setTimeout(300_000);
const OPTIONS: Options = { ...natPool.defaults, lab: 'sim', seed: 7, sites: 6, clients: 6, users: 10 };
const RELAYLAB = fileURLToPath(new URL('../../cli/relaylab.ts', import.meta.url));

const traceOf = async (options: Options, signal = new AbortController().signal): Promise<TraceEvent[]> => {
  const events: TraceEvent[] = [];
  const chosen = { lab: new SimLab(), reason: 'asked for' };
  const context = {
    sink: (event: TraceEvent) => void events.push(event),
    signal,
    progress: () => {},
    keep: false,
  };
  const request = { scenario: natPool, chosen, options, relayExec: undefined, defect: undefined };
  await execute({ ...request, version: '0', rerun: '', ...context });
  return events;
};
const hash = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.join('\n')).digest('hex');
const digest = async (options: Options): Promise<string> =>
  hash((await traceOf(options)).map((event) => JSON.stringify(event)));

t.test('the same seed is the same trace, to the bit; another seed is another', async (t) => {
  const first = await digest(OPTIONS);
  t.equal(await digest(OPTIONS), first);
  t.not(await digest({ ...OPTIONS, seed: 8 }), first);
});

t.test('the same in other processes, time zones and languages', (t) => {
  const digests = [
    { TZ: 'UTC', LANG: 'C' },
    { TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
  ].map((env) => {
    const reports = t.testdir();
    const flags = ['--lab', 'sim', '--seed', '7', '--clients', '6', '--users', '10', '--reports', reports];
    const { status, stderr } = spawnSync(process.execPath, [RELAYLAB, 'scenario', 'nat-pool', ...flags], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    t.equal(status, 0, stderr);
    const [run = ''] = readdirSync(join(reports, 'nat-pool'));
    const lines = readFileSync(join(reports, 'nat-pool', run, 'trace.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    t.ok(lines.length > 1_000);
    // The first line tells the command that runs it again: the same here, as the flags are.
    return hash(lines);
  });
  t.equal(digests[0], digests[1]);
  t.end();
});

t.test(
  'times are whole milliseconds that never go back, and every host numbers its own events',
  async (t) => {
    const events = await traceOf(OPTIONS);
    t.ok(events.every(({ t: at }, i) => at % 1_000 === 0 && at >= (events[i - 1]?.t ?? 0)));
    const counts = new Map<string, number>();
    const numbered = events.every(({ who, n, type }) => {
      if (who === 'plan' || type === 'run.began') return true;
      const next = (counts.get(who) ?? 0) + 1;
      counts.set(who, next);
      return n === next;
    });
    t.ok(numbered);
    t.match(events.at(-1), { type: 'run.ended', complete: true });
  },
);

t.test('an abort ends it between two slices, marked as interrupted', async (t) => {
  const controller = new AbortController();
  const events: TraceEvent[] = [];
  const plan = natPool.plan(OPTIONS);
  const run = new SimLab().run(plan.topology, new PlanDirector(plan, 7), {
    seed: 7,
    sink: (event) => {
      events.push(event);
      if (event.type === 'relay.tunnel') controller.abort(new Error('enough'));
    },
    signal: controller.signal,
    progress: () => {},
    keep: false,
  });
  await t.rejects(run, { message: 'enough' });
  t.match(events.at(-1), { type: 'run.ended', complete: false, why: 'interrupted' });
});

t.test('a director that never finishes is stopped after an hour of virtual time', async (t) => {
  const events: TraceEvent[] = [];
  const idle = { handle: () => [], deadline: () => undefined };
  const topology = { ...natPool.plan({ ...OPTIONS, sites: 1, clients: 1 }).topology, sites: [], outside: [] };
  await new SimLab().run(topology, idle, {
    seed: 1,
    sink: (event) => events.push(event),
    signal: new AbortController().signal,
    progress: () => {},
    keep: false,
  });
  t.match(events.at(-1), { type: 'run.ended', complete: false, why: 'an hour of virtual time is over' });
});
