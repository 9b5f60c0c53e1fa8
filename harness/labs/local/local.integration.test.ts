import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { until, withMark } from '../../agents/testing/processes.ts';
import quick from '../../cli/testing/quick.ts';
import { PlanDirector } from '../../scenario/director.ts';
import type { Options } from '../../scenario/scenario.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import type { LabContext } from '../lab.ts';
import { LabError } from '../lab.ts';
import { RealLab } from '../real-lab.ts';
import type { Topology } from '../topology.ts';
import { LocalGround } from './local-ground.ts';

/** Deadline of everything waited for here; nothing should come near it. */
const MILLIS = 30_000;
t.setTimeout(600_000); // what is waited for has limits of its own
/** Every process of these tests has this in its environment. */
const MARK = `RELAYLAB_TEST_${process.pid}_${performance.timeOrigin}`;
process.env[MARK] = '1';
const others = (): readonly number[] => withMark(MARK).filter((pid) => pid !== process.pid);
const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'latin1');
const skip = process.platform === 'linux' ? false : 'looks for processes in /proc';

const OPTIONS: Options = { ...quick.defaults, lab: 'local', seed: 1, durationMillis: 1_500 };
const plan = quick.plan(OPTIONS);

type Run = {
  readonly events: TraceEvent[];
  readonly progress: string[];
  readonly controller: AbortController;
  readonly over: Promise<unknown>;
};

/** Starts a run; `over` resolves with what it threw, or undefined. `heard` may abort it. */
const start = (
  given: Partial<Topology> = {},
  heard: (event: TraceEvent | string, run: AbortController) => void = () => {},
  context: Partial<LabContext> = {},
): Run => {
  const events: TraceEvent[] = [];
  const progress: string[] = [];
  const controller = new AbortController();
  const lab = new RealLab('local', { nat: 'userspace', link: 'userspace' }, new LocalGround());
  const over = lab
    .run(
      { ...plan.topology, ...given },
      new PlanDirector({ ...plan, topology: { ...plan.topology, ...given } }, 1),
      {
        seed: 1,
        sink: (event) => {
          events.push(event);
          heard(event, controller);
        },
        signal: controller.signal,
        progress: (text) => {
          progress.push(text);
          heard(text, controller);
        },
        keep: false,
        ...context,
      },
    )
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return { events, progress, controller, over };
};

const nobodyLeft = async (t: Test): Promise<void> => {
  await until('no process is left', () => others().length === 0, 5_000);
  t.pass('no process is left');
};

const ended = (events: readonly TraceEvent[]): TraceEvent | undefined => {
  const last = events.at(-1);
  return last?.type === 'run.ended' ? last : undefined;
};

t.test('a run comes to its end and leaves nothing', { skip }, async (t) => {
  const { events, over } = start();
  t.equal(await over, undefined);
  t.match(ended(events), { complete: true }, 'its end is the last line of the trace');
  t.equal(events.filter((event) => event.type === 'fault.receipt').length, 2, 'both faults left receipts');
  const ready = events.flatMap((event) =>
    event.type === 'host.ready' && event.who === 'relay' ? [event.port] : [],
  );
  t.equal(ready.length, 2);
  t.equal(ready[0], ready[1], 'after its outage the relay is where it was');
  t.ok(
    events.some((event) => event.type === 'client.registered' && event.mode === 'forwarder'),
    'the forwarder told its port',
  );
  await nobodyLeft(t);
});

t.test('two runs side by side do not meet', { skip }, async (t) => {
  const runs = [start(), start()];
  for (const { over, events } of runs) {
    t.equal(await over, undefined);
    t.match(ended(events), { complete: true });
    t.equal(events.filter((event) => event.type === 'host.crashed').length, 0);
  }
  await nobodyLeft(t);
});

t.test('an actor that does not come up breaks the lab, and everything is torn down', { skip }, async (t) => {
  const relay = { limits: {}, defect: undefined, exec: ['/nowhere/relay', '{port}'] };
  const lost = start({ relay });
  const error = await lost.over;
  t.ok(error instanceof LabError);
  t.match(error, { message: /relay did not start: .*ENOENT/ });
  t.match(ended(lost.events), { complete: false, why: /^the lab broke: relay did not start/ });
  await nobodyLeft(t);
  const steps = [{ do: 'end', conn: 'never dialled' }] as const;
  const mistaken = {
    who: 'users/mistaken',
    actor: { kind: 'script', to: 'relay', steps },
    watch: false,
  } as const;
  const broken = start({ outside: [...plan.topology.outside, mistaken] });
  t.match(await broken.over, { name: 'LabError', message: /users\/mistaken broke: .*never dialled/ });
  await nobodyLeft(t);
});

t.test('an agent that is killed breaks the lab, and its programs go as well', { skip }, async (t) => {
  for (const host of ['relay', 'users'] as const) {
    let killed = false;
    const run = start({}, (event) => {
      if (killed || typeof event === 'string' || event.type !== 'run.phase') return;
      killed = true;
      // Agents are started in this order: relay, users, sites.
      const agents = others()
        .filter((pid) => commandOf(pid).includes('agents/agent'))
        .sort((a, b) => a - b);
      process.kill(agents[host === 'relay' ? 0 : 1] ?? 0, 'SIGKILL');
    });
    const error = await run.over;
    t.ok(error instanceof LabError);
    t.match(error, { message: new RegExp(`the agent of ${host} is gone: SIGKILL`), hint: /not the relay/ });
    await nobodyLeft(t);
  }
});

for (const [when, is] of [
  ['while it opens', (event: TraceEvent | string) => typeof event === 'string'],
  [
    'while the relay starts',
    (event: TraceEvent | string) =>
      typeof event !== 'string' && event.type === 'host.started' && event.who === 'relay',
  ],
  [
    'while sites start',
    (event: TraceEvent | string) =>
      typeof event !== 'string' && event.type === 'host.ready' && event.who === 'there/nat',
  ],
  [
    'while it runs',
    (event: TraceEvent | string) => typeof event !== 'string' && event.type === 'tunnel.connected',
  ],
  [
    'while the relay is away',
    (event: TraceEvent | string) => typeof event !== 'string' && event.type === 'host.stopped',
  ],
] as const)
  t.test(`an abort ${when} ends it in seconds and leaves nothing`, { skip }, async (t) => {
    const reason = new Error('enough');
    let at = 0;
    const run = start({}, (event, controller) => {
      if (at > 0 || !is(event)) return;
      at = performance.now();
      controller.abort(reason);
    });
    t.equal(await run.over, reason);
    t.ok(at > 0 && performance.now() - at < MILLIS);
    t.match(ended(run.events), { complete: false, why: 'interrupted' });
    await nobodyLeft(t);
  });

t.test('a run that was aborted before it began starts nothing', { skip }, async (t) => {
  const signal = AbortSignal.abort(new Error('never mind'));
  const { over } = start({}, () => {}, { signal });
  t.match(await over, { message: 'never mind' });
  await nobodyLeft(t);
});

t.test('a lab that is kept says where it is and how to end it', { skip }, async (t) => {
  const run = start({}, () => {}, { keep: true });
  t.equal(await run.over, undefined);
  const text = run.progress.join('\n');
  const command = /^end them: +kill ((?:\d+ ?)+)$/m.exec(text);
  t.ok(command, text);
  t.match(text, /pid \d+ {2}agent of relay\n {2}pid \d+ {2}relay\n/);
  t.match(text, /^ports: .*ss -ltnp/m);
  const pids = (command?.[1] ?? '').split(' ').map(Number);
  t.ok(others().length > pids.length, 'agents and their programs are there');
  for (const pid of pids) process.kill(pid, 'SIGTERM');
  await nobodyLeft(t);
});
