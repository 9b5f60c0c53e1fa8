// The Docker lab against a real engine. Without one every test is skipped, with the reason.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import t from 'tap';
import type { NatEvent } from '../../agents/actor-spec.ts';
import { PRESETS, type PresetName } from '../../nat/presets.ts';
import { type LabContext, LabError } from '../lab.ts';
import { startTimeOf, thisOwner } from '../owner.ts';
import type { Site, Topology } from '../topology.ts';
import { DockerGround } from './docker-ground.ts';
import { probeEngine } from './engine.ts';
import { Heard } from './event-wait.ts';
import { ensureImage } from './image.ts';
import { LABEL, runLabels } from './labels.ts';
import { Networks } from './networks.ts';
import { probeDocker } from './probe.ts';
import { removeRun } from './removal.ts';
import { severable } from './severable-engine.ts';
import { sweepDeadRuns } from './sweep.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const AGENT = fileURLToPath(new URL('probe-agent.ts', import.meta.url));
const RUNNER = fileURLToPath(new URL('open-and-wait.ts', import.meta.url));
const DEADLINE_MILLIS = 10_000;

const engine = await probeEngine(10_000);
const options = { skip: engine.ok ? false : engine.reason, timeout: 120_000 };
t.setTimeout(600_000); // tests have limits of their own
const docker = new Docker();
let runs = 0;
const freshRun = (): string => `test-${process.pid}-${++runs}`;

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
const makeGround = (runId: string): DockerGround =>
  new DockerGround({ root: ROOT, runId, agent: AGENT, workFolder: ROOT });

/** How many containers and networks carry a run's marks. */
const countOf = async (runId: string): Promise<number> => {
  const filters = { label: [`${LABEL.run}=${runId}`] };
  const containers = await docker.listContainers({ all: true, filters });
  return containers.length + (await docker.listNetworks({ filters })).length;
};
/** Polls until it is so. @returns whether that happened in time */
const comesTrue = async (test: () => Promise<boolean>): Promise<boolean> => {
  const deadline = performance.now() + DEADLINE_MILLIS;
  while (performance.now() < deadline) {
    if (await test()) return true;
    await pause(100);
  }
  return false;
};
/** Waits until nothing of a run is left. */
const vanishes = (runId: string): Promise<boolean> => comesTrue(async () => (await countOf(runId)) === 0);
/** Waits until no process of this machine has the run's name in its command: its janitor has gone home. */
const janitorEnds = (runId: string): Promise<boolean> =>
  comesTrue(async () => {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const commands = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    return !commands.some((command) => command.split('\0').includes(runId));
  });

/** A lab with something to connect to, and what its hosts say. */
class Opened {
  readonly ground: DockerGround;
  readonly #heard = new Map<string, Heard>();
  #port = 0;
  #sources = 0;

  private constructor(ground: DockerGround) {
    this.ground = ground;
  }

  static async of(runId: string, sites: readonly Site[], over: Partial<LabContext> = {}): Promise<Opened> {
    const opened = new Opened(makeGround(runId));
    const { ground } = opened;
    await ground.open(topology(...sites), context(over));
    const port = opened.heard('relay').port();
    ground
      .channel('relay')
      .send({ do: 'start', who: 'relay', actor: { kind: 'sink' }, bind: ground.bind('relay'), watch: false });
    opened.#port = await port;
    return opened;
  }

  heard(host: string): Heard {
    const known = this.#heard.get(host) ?? new Heard(this.ground.channel(host));
    this.#heard.set(host, known);
    return known;
  }

  /** Dials the relay from a site. @returns the dialling actor and what it was told */
  async dial(host: string): Promise<{ readonly who: string; readonly text: string }> {
    const who = `${host}/source-${++this.#sources}`;
    const said = this.heard(host).output(who);
    const to = { host: this.ground.address('relay'), port: this.#port };
    this.ground
      .channel(host)
      .send({ do: 'start', who, actor: { kind: 'source', to }, bind: this.ground.bind(host), watch: false });
    return { who, text: await said };
  }

  push(host: string, who: string): void {
    this.ground.channel(host).send({ do: 'tell', who, command: { do: 'push', round: 0, bytes: 0 } });
  }

  /** Speaks on an old connection. @returns what comes of it */
  async ask(host: string, who: string): Promise<string> {
    const said = this.heard(host).output(who);
    this.push(host, who);
    return said;
  }

  fault(of: Site, event: NatEvent) {
    return this.ground.kernelNat.fault(of, {
      do: 'fault',
      fault: 1,
      site: of.name,
      what: { kind: 'nat', event },
    });
  }
}

t.test('connections from a site reach the relay under its gateway’s public address', options, async (t) => {
  const [home, office, mobile] = [site('home', 'home'), site('office', 'strict'), site('mobile', 'cgnat')];
  const run = freshRun();
  const lab = await Opened.of(run, [home, office, mobile]);
  t.teardown(() => lab.ground.close());
  const publicOf = (name: string): string => lab.ground.publicAddress(name);

  await t.test('each site has an address of its own, also behind two NATs', async (t) => {
    const seen = await Promise.all(['home', 'office', 'mobile'].map((name) => lab.dial(name)));
    const addresses = seen.map(({ text }) => text.split(' ')[2]);
    t.same(addresses, ['home', 'office', 'mobile'].map(publicOf));
    t.equal(new Set(addresses).size, 3);
    const [, , , port] = (seen[2] as { text: string }).text.split(' ');
    t.ok(Number(port) >= 20_000 && Number(port) < 20_512, `a port of the carrier's block, got ${port}`);
  });

  await t.test('expired mappings are counted, and the client learns of them as the NAT says', async (t) => {
    const { who } = await lab.dial('office');
    const receipt = await lab.fault(office, { kind: 'expire' });
    t.ok(receipt.effects > 0, receipt.text);
    t.match(receipt.text, /mappings dropped/);
    t.equal(await lab.ask('office', who), 'lost ECONNRESET');
  });

  await t.test('a reboot shuts the path and forgets', async (t) => {
    const { who } = await lab.dial('office');
    const receipt = await lab.fault(office, { kind: 'reboot', downMillis: 200 });
    t.ok(receipt.effects > 0, receipt.text);
    t.match(receipt.text, /path shut for 200 ms/);
    t.equal(await lab.ask('office', who), 'lost ECONNRESET');
    t.match((await lab.dial('office')).text, `seen as ${publicOf('office')} `);
  });

  await t.test('after an address change new connections come from the new address', async (t) => {
    const before = publicOf('home');
    await lab.dial('home');
    const receipt = await lab.fault(home, { kind: 'readdress' });
    t.not(publicOf('home'), before);
    t.ok(receipt.effects > 0, receipt.text);
    t.match(receipt.text, `public address ${before} -> ${publicOf('home')}`);
    t.match((await lab.dial('home')).text, `seen as ${publicOf('home')} `);
  });

  await t.test('a flap stalls packets, which arrive once it is over', async (t) => {
    const { who } = await lab.dial('home');
    const over = lab.fault(home, { kind: 'flap', millis: 600 });
    let flapping = true;
    over.finally(() => {
      flapping = false;
    });
    while (flapping) {
      lab.push('home', who);
      await pause(25);
    }
    const receipt = await over;
    t.ok(receipt.effects > 0, receipt.text);
    t.match(await lab.ask('home', who), `seen as ${publicOf('home')} `);
    const second = await lab.fault(home, { kind: 'flap', millis: 1 });
    t.ok(second.effects < receipt.effects, `the second flap counts its own packets only: ${second.text}`);
  });

  await t.test('a carrier’s NAT forgets too', async (t) => {
    await lab.dial('mobile');
    const receipt = await lab.fault(mobile, { kind: 'expire' });
    t.ok(receipt.effects > 0, receipt.text);
    t.match((await lab.dial('mobile')).text, `seen as ${publicOf('mobile')} `);
  });

  t.same(await lab.ground.close(), []);
  t.equal(await countOf(run), 0, 'nothing is left');
});

t.test('two runs side by side do not meet', options, async (t) => {
  const names = [freshRun(), freshRun()] as const;
  const labs = await Promise.all(names.map((run) => Opened.of(run, [site('home', 'home')])));
  t.teardown(() => Promise.all(labs.map(({ ground }) => ground.close())));
  const [first, second] = labs as [Opened, Opened];
  t.match((await first.dial('home')).text, `seen as ${first.ground.publicAddress('home')} `);
  t.same(await first.ground.close(), []);
  t.match((await second.dial('home')).text, `seen as ${second.ground.publicAddress('home')} `);
  t.same(await second.ground.close(), []);
});

t.test('a lost agent is reported once, and a lost gateway is the lab’s fault', options, async (t) => {
  const run = freshRun();
  const home = site('home', 'home');
  const lab = await Opened.of(run, [home]);
  t.teardown(() => lab.ground.close());
  const gone = t.rejects(
    lab.heard('users').next(() => false),
    /agent of users is lost/,
  );
  for (const role of ['users-host', 'home-gateway'])
    await docker.getContainer(`relaylab-${run}-${role}`).kill();
  await gone;
  await t.rejects(lab.fault(home, { kind: 'expire' }), LabError);
  t.same(await lab.ground.close(), []);
});

t.test('an agent that cannot run says why', options, async (t) => {
  const ground = new DockerGround({
    root: ROOT,
    runId: freshRun(),
    agent: '/nowhere/agent.ts',
    workFolder: ROOT,
  });
  t.teardown(() => ground.close());
  await ground.open(topology(), context());
  await t.rejects(
    new Heard(ground.channel('relay')).next(() => false),
    /97.*\/nowhere\/agent.ts cannot be seen/,
  );
});

t.test('an interrupted start leaves nothing', options, async (t) => {
  const run = freshRun();
  const interrupt = new AbortController();
  const ground = makeGround(run);
  const progress = (text: string): void => {
    if (text.startsWith('starting')) setTimeout(() => interrupt.abort(), 300);
  };
  const opening = ground.open(
    topology(site('a', 'home'), site('b', 'home'), site('c', 'cgnat')),
    context({ progress, signal: interrupt.signal }),
  );
  await t.rejects(opening);
  t.same(await ground.close(), []);
  t.equal(await countOf(run), 0);
});

t.test('a run that is kept goes on without its runner, until it is removed', options, async (t) => {
  const run = freshRun();
  const said: string[] = [];
  const lab = await Opened.of(run, [site('home', 'home')], {
    keep: true,
    progress: (text) => said.push(text),
  });
  t.teardown(() => removeRun(docker, run));
  await lab.dial('home');
  t.same(await lab.ground.close(), []);
  t.match(said.join('\n'), `docker exec -it relaylab-${run}-home-gateway sh`);
  t.equal(await countOf(run), 6, 'four containers and two networks');
  const processes = await docker.getContainer(`relaylab-${run}-home-host`).top();
  t.match(JSON.stringify(processes), /probe-agent\.ts/, 'its agent still runs');
  t.same(await sweepDeadRuns(docker), [], 'no sweep takes it');
  t.same(await removeRun(docker, run), []);
});

t.test('kill -9 of the runner leaves nothing', options, async (t) => {
  const run = freshRun();
  const runner = spawn(process.execPath, [RUNNER, ROOT, run], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => runner.kill('SIGKILL'));
  await once(runner.stdout, 'data');
  t.equal(await countOf(run), 6);
  runner.kill('SIGKILL');
  t.ok(await vanishes(run), 'the janitor removed it within ten seconds');
  t.ok(await janitorEnds(run), 'and went home');
});

t.test(
  'an engine that goes away breaks the lab, and what is left is removed when it is back',
  options,
  async (t) => {
    const run = freshRun();
    const { path, sever, restore, remove } = await severable();
    const { env } = process;
    const runner = spawn(process.execPath, [RUNNER, ROOT, run], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...env, DOCKER_HOST: `unix://${path}` },
    });
    t.teardown(async () => {
      runner.kill('SIGKILL');
      sever();
      await remove();
      await removeRun(docker, run);
    });
    const said = createInterface({ input: runner.stdout })[Symbol.asyncIterator]();
    t.equal((await said.next()).value, 'open');
    sever();
    t.match((await said.next()).value, /agent of users is lost: its container or the engine is gone/);
    t.match((await said.next()).value, 'left behind: 1');
    await once(runner, 'exit');
    t.equal(await countOf(run), 6);
    await restore();
    t.ok(await vanishes(run), 'the janitor came back to it');
    t.ok(await janitorEnds(run), 'and went home');
  },
);

t.test(
  'what a dead owner left is removed by the next run, what a living one has is not',
  options,
  async (t) => {
    const ended = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const startedAt = startTimeOf(ended.pid as number) as string;
    const owner = { host: thisOwner().host, pid: ended.pid as number, startedAt };
    ended.kill('SIGKILL');
    await once(ended, 'exit');
    const [dead, alive] = [freshRun(), freshRun()];
    t.teardown(() => Promise.all([removeRun(docker, dead), removeRun(docker, alive)]));
    for (const [run, of] of [
      [dead, owner],
      [alive, thisOwner()],
    ] as const) {
      const networks = await Networks.survey(docker, runLabels(run, of, false), run);
      await networks.make(`relaylab-${run}-lan`, 'lab', 29);
      const Image = await ensureImage(docker, () => undefined);
      await docker.createContainer({ Image, Labels: runLabels(run, of, false), Cmd: ['true'] });
    }
    t.match(await sweepDeadRuns(docker), [`removing what run ${dead} left behind`]);
    t.equal(await countOf(dead), 0);
    t.equal(await countOf(alive), 2);
  },
);

t.test('the self-test says that the lab works here', options, async (t) => {
  const said: string[] = [];
  const probe = await probeDocker((text) => said.push(text));
  t.match(probe, { ok: true }, said.join('; '));
});

t.test('an interrupted self-test says so, and does not throw', options, async (t) => {
  const probe = await probeDocker(undefined, AbortSignal.abort());
  t.match(probe, { ok: false, reason: /does not work here/ });
});
