// The netns lab on this machine. Without root, iproute2 or nft every test is skipped, with the reason.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { until, withMark } from '../../agents/testing/processes.ts';
import quick from '../../cli/testing/quick.ts';
import { PRESETS, type PresetName } from '../../nat/presets.ts';
import { PlanDirector } from '../../scenario/director.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import { chooseLab } from '../choose.ts';
import { type LabContext, LabError } from '../lab.ts';
import { startTimeOf } from '../owner.ts';
import { RealLab } from '../real-lab.ts';
import type { Site, Topology } from '../topology.ts';
import { whyNoKernel } from './kernel-here.ts';
import { namespaceName, namespacesHere, namespacesOf } from './names.ts';
import { NetnsGround } from './netns-ground.ts';
import { sweepDeadRuns } from './removal.ts';

const why = whyNoKernel('relaylab-try');
const options = { skip: why ?? false, timeout: 120_000 };
t.setTimeout(600_000); // tests have limits of their own
const MILLIS = 30_000;
const RUNNER = fileURLToPath(new URL('testing/open-and-wait.ts', import.meta.url));
/** Every process of these tests has this in its environment. */
const MARK = `RELAYLAB_TEST_${process.pid}_${performance.timeOrigin}`;
process.env[MARK] = '1';
let runs = 0;
const freshRun = (): string => `test-${process.pid}-${++runs}`;

/** Neither a namespace of the run nor a process of these tests. What is in a namespace goes with it: devices, rules, connections. */
const nothingIsLeft = async (t: Test, run: string): Promise<void> => {
  await until('no namespace is left', () => namespacesOf(run).length === 0, MILLIS);
  await until('no process is left', () => withMark(MARK).every((pid) => pid === process.pid), MILLIS);
  t.pass('neither a namespace nor a process is left');
};

const site = (name: string, preset: PresetName): Site => ({
  name,
  nat: { name: preset, value: PRESETS[preset], note: '' },
  link: { name: 'clean', faults: [], note: '' },
  actors: [],
});
const topology = (...sites: readonly Site[]): Topology => ({
  relay: { exec: undefined, limits: {}, defect: undefined },
  sites,
  outside: [],
  keepaliveMillis: 0,
});
const context = (over: Partial<LabContext> = {}): LabContext => ({
  seed: 1,
  sink: () => undefined,
  signal: new AbortController().signal,
  progress: () => undefined,
  keep: false,
  ...over,
});

/** Tells everybody under which address it sees them. */
const MIRROR = `require('node:net').createServer((s) => s.end(s.remoteAddress)).listen(process.argv[1], process.argv[2])`;
/** Asks it, from an address. */
const ASK = `
const [host, port, localAddress] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port, ...(localAddress && { localAddress }) });
socket.on('data', (text) => console.log('seen as ' + text)).on('error', ({ code }) => console.log('lost: ' + code));`;

/** A lab with a mirror outside, and what its agents say. */
class Opened {
  readonly ground: NetnsGround;
  readonly #events: TraceEvent[] = [];
  #port = 0;
  #asked = 0;

  private constructor(run: string) {
    this.ground = new NetnsGround(run);
  }

  static async of(run: string, ...sites: readonly Site[]): Promise<Opened> {
    const opened = new Opened(run);
    const { ground } = opened;
    await ground.open(topology(...sites), context());
    for (const host of ['relay', ...sites.map(({ name }) => name)])
      ground.channel(host).onEvent = (event) => opened.#events.push(event);
    const host = ground.address('relay');
    opened.#program('relay', ['-e', MIRROR, '{port}', host], host, true);
    await until('the mirror listens', () => opened.#find('relay', 'host.ready') !== undefined, MILLIS);
    const ready = opened.#find('relay', 'host.ready');
    opened.#port = ready?.type === 'host.ready' ? ready.port : 0;
    return opened;
  }

  #find(who: string, type: TraceEvent['type']): TraceEvent | undefined {
    return this.#events.find((event) => event.who === who && event.type === type);
  }

  #program(who: string, args: readonly string[], host: string, listens: boolean): void {
    const [channel = who] = who.split('/');
    const argv = [process.execPath, ...args];
    const actor = { kind: 'program', argv, env: {}, host, listens } as const;
    this.ground.channel(channel).send({ do: 'start', who, actor, bind: host, watch: false });
  }

  /** What the mirror tells somebody in a site who speaks from this address. */
  async seen(name: string, from: string): Promise<string> {
    const who = `${name}/ask-${++this.#asked}`;
    this.#program(
      who,
      ['-e', ASK, this.ground.address('relay'), String(this.#port), from],
      '127.0.0.1',
      false,
    );
    await until(`${who} says something`, () => this.#find(who, 'host.output') !== undefined, MILLIS);
    const said = this.#find(who, 'host.output');
    return said?.type === 'host.output' ? said.text : '';
  }
}

t.test(
  'sites that share a house are seen under addresses of their own, and nowhere else',
  options,
  async (t) => {
    const run = freshRun();
    const sites = [
      ...(['home', 'strict', 'cgnat', 'hostile', 'rfc5382', 'home'] as const).map((preset, n) =>
        site(`site-${n}`, preset),
      ),
      site('neighbour', 'home'),
    ];
    const lab = await Opened.of(run, ...sites);
    t.teardown(() => lab.ground.close());
    const first = sites[0] as Site;
    for (const one of [sites[0], sites[2], sites[6]] as Site[])
      t.equal(
        await lab.seen(one.name, lab.ground.publicHost(one)),
        `seen as ${lab.ground.publicAddress(one.name)}`,
        one.name,
      );
    t.equal(await lab.seen(first.name, ''), 'lost: ENETUNREACH', 'there is no way round the gateways');
    const before = lab.ground.publicAddress(first.name);
    const moved = await lab.ground.kernelNat.fault(first, {
      ...{ do: 'fault', fault: 1, site: first.name },
      what: { kind: 'nat', event: { kind: 'readdress' } },
    });
    t.match(moved.text, `public address ${before} -> ${lab.ground.publicAddress(first.name)}`);
    t.equal(
      await lab.seen(first.name, lab.ground.publicHost(first)),
      `seen as ${lab.ground.publicAddress(first.name)}`,
    );
    t.same(await lab.ground.close(), []);
    await nothingIsLeft(t, run);
  },
);

const plan = quick.plan({ ...quick.defaults, lab: 'netns', seed: 1, durationMillis: 1_500 });

/** A whole run, which `heard` may abort. */
const wholeRun = (run: string, heard: (event: TraceEvent | string, abort: () => void) => void = () => {}) => {
  const events: TraceEvent[] = [];
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Error('enough'));
  const lab = new RealLab('netns', { nat: 'kernel', link: 'userspace' }, new NetnsGround(run));
  const { signal } = controller;
  let tornDown = -1;
  const over = lab
    .run(
      plan.topology,
      new PlanDirector(plan, 1),
      context({
        signal,
        sink: (event) => {
          events.push(event);
          heard(event, abort);
        },
        progress: (text) => heard(text, abort),
        tornDown: (millis) => {
          tornDown = millis;
        },
      }),
    )
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return { events, over, tornDown: () => tornDown };
};

t.test(
  'a run comes to its end with receipts, says how long it took to start, and leaves nothing',
  options,
  async (t) => {
    const run = freshRun();
    const { events, over, tornDown } = wholeRun(run);
    t.equal(await over, undefined);
    t.match(events.at(-1), { type: 'run.ended', complete: true });
    const receipts = events.flatMap((event) => (event.type === 'fault.receipt' ? [event] : []));
    t.match(receipts, [{ kind: 'nat reboot', text: /path shut for 200 ms/ }, { kind: 'outage' }]);
    t.ok((receipts[0]?.effects ?? 0) > 0, 'the reboot forgot mappings');
    t.match(
      events.find(({ type }) => type === 'lab.started'),
      { sites: 2 },
    );
    t.ok(tornDown() >= 0);
    await nothingIsLeft(t, run);
  },
);

for (const [when, is] of [
  ['before it opens', (event: TraceEvent | string) => typeof event === 'string'],
  [
    'while sites start',
    (event: TraceEvent | string) => typeof event !== 'string' && event.type === 'host.started',
  ],
  [
    'while it runs',
    (event: TraceEvent | string) => typeof event !== 'string' && event.type === 'tunnel.connected',
  ],
] as const)
  t.test(`an abort ${when} leaves nothing`, options, async (t) => {
    const run = freshRun();
    const { events, over } = wholeRun(run, (event, abort) => {
      if (is(event)) abort();
    });
    t.match(await over, { message: 'enough' });
    t.match(events.at(-1), { type: 'run.ended', complete: false, why: 'interrupted' });
    await nothingIsLeft(t, run);
  });

t.test('a runner that is killed leaves nothing', options, async (t) => {
  const run = freshRun();
  const runner = spawn(process.execPath, [RUNNER, run], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => runner.kill('SIGKILL'));
  await once(runner.stdout, 'data');
  t.ok(namespacesOf(run).length > 5);
  runner.kill('SIGKILL');
  await nothingIsLeft(t, run);
});

t.test(
  'what nobody owns any more is removed by the next run, with whoever lives in it',
  options,
  async (t) => {
    // this process has the id, but was started at another time
    const owner = { pid: process.pid, startedAt: '1' };
    t.not(startTimeOf(process.pid), owner.startedAt);
    const dead = namespaceName({ run: freshRun(), owner, kept: false }, 'house-1');
    const kept = namespaceName({ run: freshRun(), owner, kept: true }, 'house-1');
    const living: ReturnType<typeof spawn>[] = [];
    for (const name of [dead, kept]) {
      t.equal(spawnSync('ip', ['netns', 'add', name]).status, 0);
      living.push(spawn('ip', ['netns', 'exec', name, 'sleep', '600'], { stdio: 'ignore' }));
    }
    t.teardown(() => {
      for (const child of living) child.kill('SIGKILL');
      for (const name of [dead, kept]) spawnSync('ip', ['netns', 'del', name]);
    });
    await until(
      'somebody lives there',
      () => living.every(({ pid }) => spawnSync('ip', ['netns', 'identify', String(pid)]).stdout.length > 1),
      MILLIS,
    );
    t.match(await sweepDeadRuns(), [/^removing what run test-\d+-\d+ left behind$/]);
    t.notOk(namespacesHere().includes(dead));
    t.ok(namespacesHere().includes(kept), 'one that was left on purpose stays while somebody lives in it');
    await until('the one in the dead run is gone', () => living[0]?.signalCode === 'SIGKILL', MILLIS);
    t.equal(living[1]?.signalCode, null);
    living[1]?.kill('SIGKILL');
    await until('the other one is gone', () => living[1]?.signalCode !== null, MILLIS);
    await sweepDeadRuns();
    t.notOk(namespacesHere().includes(kept), 'and is removed when it is deserted');
  },
);

t.test('who is not root is told so', async (t) => {
  const { getuid } = process;
  t.teardown(() => Object.assign(process, { getuid }));
  Object.assign(process, { getuid: () => 1000 });
  const refusal = { message: /^no netns lab: network namespaces (need root|are Linux)/, hint: /--lab local/ };
  await t.rejects(chooseLab('netns'), refusal);
  await t.rejects(chooseLab('netns', 'packet'), { message: 'the netns lab has no packets' });
  t.ok(await chooseLab('netns').catch((error: unknown) => error instanceof LabError));
});
