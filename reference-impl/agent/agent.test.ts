import t from 'tap';
import { Agent, type Ended } from './agent.ts';
import type { AgentConfig, ConfiguredPlugin } from './config/agent-config.ts';
import type { Service } from './pipeline/element.ts';
import { ANY_NAME } from './pipeline/pattern.ts';
import type { AgentContext } from './plugin.ts';
import { capturingLog } from './testing/capturing-log.ts';
import { CountingSource, RememberingOutput, valuesOf } from './testing/elements.ts';
import { ManualClock, settled } from './testing/manual-clock.ts';

const config = (plugins: readonly ConfiguredPlugin[], graceMillis = 1_000): AgentConfig => ({
  graceMillis,
  queueBuffers: 4,
  manualTrigger: false,
  plugins,
});
const plugin = (
  name: string,
  create: ConfiguredPlugin['create'],
  fingerprint = 'as it was',
): ConfiguredPlugin => ({ name, fingerprint, create });
const sourcePlugin = (source: CountingSource): ConfiguredPlugin =>
  plugin('a', () => [{ type: 'source', source }]);
const outputPlugin = (output: RememberingOutput, fingerprint?: string): ConfiguredPlugin =>
  plugin('b', () => [{ type: 'output', output }], fingerprint);

const agentOf = (of: AgentConfig) => {
  const clock = new ManualClock();
  const log = capturingLog();
  const agent = new Agent(of, { clock, log, self: 'here', manualTrigger: false, say: () => undefined });
  let asked = false;
  void agent.asked.then(() => {
    asked = true;
  });
  return { agent, clock, log, asked: () => asked };
};
const serviceOf = (calls: string[], failure?: Error): Service => ({
  name: 'c/service',
  open: async () => {
    calls.push('open');
    if (failure !== undefined) throw failure;
  },
  close: async () => {
    calls.push('close');
  },
});

t.test('a shutdown by socket control asks the agent to stop, and a stop writes everything', async (t) => {
  const out = new RememberingOutput('b/out');
  const { agent, clock, asked } = agentOf(
    config([sourcePlugin(new CountingSource('a/count', 100)), outputPlugin(out)]),
  );
  await agent.start();
  await clock.turn(150);
  t.notOk(asked());
  agent.obey({ type: 'shutdown' });
  await settled();
  t.ok(asked());
  t.same(await agent.stop(), { clean: true, problems: [] });
  t.same(valuesOf(out.written), [1, 2]);
  t.equal(clock.pending, 0);
});

t.test('a service opens behind the pipeline, and when it cannot, everything is closed again', async (t) => {
  const calls: string[] = [];
  const out = new RememberingOutput('b/out', calls);
  const { agent } = agentOf(
    config([
      plugin('c', () => [{ type: 'service', service: serviceOf(calls, new Error('in use')) }]),
      outputPlugin(out),
    ]),
  );
  await t.rejects(agent.start(), { message: 'in use' });
  t.same(calls, ['b/out open', 'open', 'b/out flush', 'b/out close']);
});

t.test('an output that fails for good stops the agent, and its end says so', async (t) => {
  const out = new RememberingOutput('b/out');
  out.failure = new Error('disk gone');
  const { agent, clock, asked } = agentOf(
    config([sourcePlugin(new CountingSource('a/count', 100)), outputPlugin(out)]),
  );
  await agent.start();
  await clock.turn(0);
  t.ok(asked());
  t.same(await agent.stop(), { clean: false, problems: ['b/out: disk gone'] });
});

t.test('so does an element that fails without being called', async (t) => {
  let context: AgentContext | undefined;
  const { agent, asked } = agentOf(
    config([
      plugin('a', (given) => {
        context = given;
        return [];
      }),
    ]),
  );
  await agent.start();
  context?.failed('a/server', new Error('gave up'));
  await settled();
  t.ok(asked());
  t.match(await agent.stop(), { clean: false, problems: ['a/server: gave up'] });
});

t.test('a stop ends after the grace time whatever hangs, and tells what was left', async (t) => {
  const out = new RememberingOutput('b/out');
  const { agent, clock } = agentOf(
    config([sourcePlugin(new CountingSource('a/count', 100)), outputPlugin(out)], 500),
  );
  await agent.start();
  out.hold();
  await clock.turn(100);
  let ended: Ended | undefined;
  void agent.stop().then((result) => {
    ended = result;
  });
  await clock.turn(499);
  t.equal(ended, undefined);
  await clock.turn(1);
  t.match(ended, {
    clean: false,
    problems: [/within shutdown_grace \(500 ms\): b\/out has 2 batches waiting/],
  });
  out.release();
});

t.test('a reload starts anew what changed and leaves the rest', async (t) => {
  const counting = new CountingSource('a/count', 100);
  const [before, after] = [new RememberingOutput('b/out'), new RememberingOutput('b/out')];
  const { agent, clock, log } = agentOf(config([sourcePlugin(counting), outputPlugin(before)]));
  await agent.start();
  await clock.turn(100);
  await agent.reload(config([sourcePlugin(counting), outputPlugin(after, 'changed')]));
  await clock.turn(100);
  t.same(before.calls, ['open', 'flush', 'close']);
  t.same(counting.calls, ['open'], 'the source went on');
  t.same([valuesOf(before.written), valuesOf(after.written)], [[1, 2], [3]]);
  t.match(log.lines.at(-1), { fields: { started: ['b'], stopped: ['b'] }, text: 'reloaded' });
  await agent.reload(config([sourcePlugin(counting), outputPlugin(after, 'changed')]));
  t.match(log.lines.at(-1), { text: 'reload: nothing changed' });
  t.same(after.calls, ['open']);
  await agent.stop();
});

t.test(
  'an output that cannot bring out everything when it is reloaded or stopped ends no agent',
  async (t) => {
    for (const how of ['reload', 'stop'] as const) {
      const [before, after] = [new RememberingOutput('b/out'), new RememberingOutput('b/out')];
      const source = sourcePlugin(new CountingSource('a/count', 100));
      const { agent, clock, asked } = agentOf(config([source, outputPlugin(before)]));
      await agent.start();
      before.hold();
      await clock.turn(100);
      before.failure = new Error('server away');
      if (how === 'stop')
        agent.obey({
          type: 'control',
          pattern: { kind: 'output', plugin: ANY_NAME, element: ANY_NAME },
          action: { type: 'stop' },
        });
      const reloaded =
        how === 'reload' ? agent.reload(config([source, outputPlugin(after, 'changed')])) : undefined;
      await settled();
      t.equal(before.finishes, 1, 'it hears that its end has begun');
      before.release();
      await reloaded;
      await clock.turn(200);
      t.notOk(asked(), how);
      if (how === 'reload') t.ok(after.written.length > 0);
      t.match(await agent.stop(), { clean: false, problems: ['b/out: server away'] }, 'but it is told');
    }
  },
);

t.test('a reload that cannot start its plugins goes back, and says why', async (t) => {
  const made: RememberingOutput[] = [];
  const working = plugin('b', () => {
    made.push(new RememberingOutput('b/out'));
    return made.slice(-1).map((output) => ({ type: 'output', output }));
  });
  const broken = new RememberingOutput('b/out');
  broken.openFailure = new Error('no such database');
  const { agent, clock, asked } = agentOf(
    config([sourcePlugin(new CountingSource('a/count', 100)), working]),
  );
  await agent.start();
  await clock.turn(0);
  await t.rejects(
    agent.reload(config([sourcePlugin(new CountingSource('a/count', 100)), outputPlugin(broken, 'changed')])),
    { message: 'no such database' },
  );
  await clock.turn(100);
  t.same(
    made.map(({ written }) => valuesOf(written)),
    [[1], [2]],
  );
  t.notOk(asked());
  t.match(await agent.stop(), { clean: true });
});

t.test('one that cannot go back either stops the agent', async (t) => {
  const out = new RememberingOutput('b/out');
  const broken = new RememberingOutput('b/out');
  broken.openFailure = new Error('no such database');
  const { agent, asked } = agentOf(config([outputPlugin(out)]));
  await agent.start();
  out.openFailure = new Error('file gone');
  await t.rejects(agent.reload(config([outputPlugin(broken, 'changed')])), { message: 'no such database' });
  t.ok(asked());
  t.match(await agent.stop(), {
    clean: false,
    problems: [/no such database; nor could it go back: file gone/],
  });
});
