import t from 'tap';
import type { Batch } from '../../measurement-relay/messages.ts';
import { readCommand } from '../control/command.ts';
import { CountingSource, numbered, RememberingOutput, valuesOf } from '../testing/elements.ts';
import { ManualClock, settled } from '../testing/manual-clock.ts';
import type { Emit, PipelineElement, Transform } from './element.ts';
import { Pipeline, type PipelineEvent } from './pipeline.ts';

const ORDER = ['a', 'b', 'c', 'd'];

type Rig = { readonly clock: ManualClock; readonly pipeline: Pipeline; readonly events: PipelineEvent[] };

const rig = ({ queueBuffers = 4, manualTrigger = false } = {}): Rig => {
  const clock = new ManualClock();
  const events: PipelineEvent[] = [];
  const pipeline = new Pipeline({ clock, queueBuffers, manualTrigger, heard: (event) => events.push(event) });
  return { clock, pipeline, events };
};
const source = (of: CountingSource): PipelineElement => ({ type: 'source', source: of });
const output = (of: RememberingOutput): PipelineElement => ({ type: 'output', output: of });
const transform = (of: Transform): PipelineElement => ({ type: 'transform', transform: of });

/** Says a line of socket control. */
const say = (pipeline: Pipeline, line: string): void => {
  const command = readCommand(line);
  if (command.type !== 'control') throw new Error(`${line}: ${JSON.stringify(command)}`);
  pipeline.control(command.pattern, command.action);
};

const simple = async (options: Parameters<typeof rig>[0] = {}, periodMillis = 100) => {
  const { clock, pipeline, events } = rig(options);
  const counting = new CountingSource('a/count', periodMillis);
  const out = new RememberingOutput('b/out');
  await pipeline.add([{ plugin: 'a', elements: [source(counting), output(out)] }], ORDER);
  return { clock, pipeline, events, counting, out };
};

t.test('a source is polled at once and then each period, and its points are written', async (t) => {
  const { clock, out } = await simple();
  await clock.turn(0);
  t.same(valuesOf(out.written), [1]);
  await clock.turn(350);
  t.same(valuesOf(out.written), [1, 2, 3, 4]);
});

t.test('a paused source is not polled and resumes on its period', async (t) => {
  const { clock, pipeline, counting } = await simple();
  await clock.turn(150);
  say(pipeline, 'control source/plugin-a/count pause');
  await clock.turn(1_000);
  t.equal(counting.polls, 2);
  say(pipeline, 'control source resume');
  await clock.turn(49);
  t.equal(counting.polls, 2, 'not before the next time that fits');
  await clock.turn(1);
  t.equal(counting.polls, 3);
});

t.test('a new period holds from now on', async (t) => {
  const { clock, pipeline, counting } = await simple();
  await clock.turn(50);
  say(pipeline, 'control source set-period 1s500ms');
  await clock.turn(1_499);
  t.equal(counting.polls, 1);
  await clock.turn(1);
  t.equal(counting.polls, 2);
  say(pipeline, 'control source set-period 1ns');
  await clock.turn(10);
  t.equal(counting.polls, 12, 'no faster than once a millisecond');
  say(pipeline, 'control source set-period 18446744073709551615s');
  await clock.turn(1_000_000_000);
  t.equal(counting.polls, 12);
});

t.test('a stopped source is closed and never comes back', async (t) => {
  const { clock, pipeline, counting } = await simple();
  await clock.turn(50);
  say(pipeline, 'control source stop');
  say(pipeline, 'control source resume');
  await clock.turn(1_000);
  t.equal(counting.polls, 1);
  t.same(counting.calls, ['open', 'close']);
});

t.test('trigger-now polls where that is allowed, and is told as ignored elsewhere', async (t) => {
  const allowed = await simple({ manualTrigger: true }, 1_000_000);
  await allowed.clock.turn(10);
  say(allowed.pipeline, 'control source trigger-now');
  await settled();
  t.same(valuesOf(allowed.out.written), [1, 2]);
  const forbidden = await simple({}, 1_000_000);
  await forbidden.clock.turn(10);
  say(forbidden.pipeline, 'control source trigger-now');
  await settled();
  t.same(valuesOf(forbidden.out.written), [1]);
  t.match(forbidden.events, [{ type: 'ignored', name: 'a/count', action: 'trigger-now' }]);
});

t.test('a paused output keeps what it accepted and writes it on resume', async (t) => {
  const { clock, pipeline, out } = await simple();
  await clock.turn(0);
  say(pipeline, 'control output pause');
  await clock.turn(300);
  t.same(valuesOf(out.written), [1]);
  say(pipeline, 'control output resume');
  await settled();
  t.same(valuesOf(out.written), [1, 2, 3, 4]);
});

t.test('an output whose queue is full holds the source back, and nothing is lost', async (t) => {
  const { clock, pipeline, counting, out } = await simple({ queueBuffers: 3 });
  say(pipeline, 'control output pause');
  await clock.turn(10_000);
  t.equal(counting.polls, 4, 'three queued, one held');
  t.match(pipeline.stats().sources, [{ missed: 97 }]);
  say(pipeline, 'control output resume');
  await clock.turn(200);
  t.same(valuesOf(out.written), [1, 2, 3, 4, 5, 6]);
});

t.test(
  'stop of an output first writes what is queued, also when it was paused, and then closes it',
  async (t) => {
    const { clock, pipeline, counting, out } = await simple();
    await clock.turn(0);
    say(pipeline, 'control output pause');
    await clock.turn(200);
    say(pipeline, 'control output stop');
    await settled();
    t.same(valuesOf(out.written), [1, 2, 3]);
    t.same(out.calls, ['open', 'flush', 'close']);
    say(pipeline, 'control output resume');
    await clock.turn(1_000);
    t.same(valuesOf(out.written), [1, 2, 3]);
    t.equal(counting.polls, 13, 'the agent runs on without it');
  },
);

t.test('a paused transform lets points through untouched', async (t) => {
  const { clock, pipeline } = rig();
  const out = new RememberingOutput('c/out');
  const none: Transform = { name: 'b/transform', apply: () => [] };
  await pipeline.add(
    [{ plugin: 'a', elements: [source(new CountingSource('a/count', 100)), transform(none), output(out)] }],
    ORDER,
  );
  await clock.turn(100);
  t.same(out.written, [], 'what a transform empties is not written');
  say(pipeline, 'control transform/b/* pause');
  await clock.turn(100);
  t.same(valuesOf(out.written), [3]);
  say(pipeline, 'control tra resume');
  await clock.turn(100);
  t.same(valuesOf(out.written), [3]);
});

t.test('transforms work in the order of the configuration', async (t) => {
  const { clock, pipeline } = rig();
  const seen: string[] = [];
  const named = (name: string): Transform => ({
    name,
    apply: (points) => {
      seen.push(name);
      return points;
    },
  });
  await pipeline.add([{ plugin: 'c', elements: [transform(named('c/t'))] }], ORDER);
  await pipeline.add([{ plugin: 'b', elements: [transform(named('b/t'))] }], ORDER);
  await pipeline.add([{ plugin: 'a', elements: [source(new CountingSource('a/s', 100))] }], ORDER);
  await clock.turn(0);
  t.same(seen, ['b/t', 'c/t']);
});

t.test('a poll that fails is told once, and when it works again', async (t) => {
  const { clock, events, counting } = await simple();
  counting.fail = true;
  await clock.turn(300);
  counting.fail = false;
  await clock.turn(300);
  t.same(
    events.map(({ type }) => type),
    ['source.failed', 'source.recovered'],
  );
  t.equal(counting.polls, 7);
});

t.test('a poll that takes longer than its period costs polls and moves none', async (t) => {
  const { clock, pipeline } = rig();
  const times: number[] = [];
  const gate = Promise.withResolvers<readonly never[]>();
  const slow = {
    name: 'a/slow',
    kind: 'managed',
    periodMillis: 100,
    open: async () => undefined,
    close: async () => undefined,
    poll: () => {
      times.push(clock.now());
      return times.length === 1 ? gate.promise : [];
    },
  } as const;
  await pipeline.add([{ plugin: 'a', elements: [{ type: 'source', source: slow }] }], ORDER);
  await clock.turn(250);
  gate.resolve([]);
  await clock.turn(150);
  t.same(times, [0, 300, 400]);
  t.match(pipeline.stats().sources, [{ polls: 3, missed: 2 }]);
});

t.test('points are handed on together once the flush interval is over, and at a pause', async (t) => {
  const { clock, pipeline } = rig();
  const out = new RememberingOutput('a/out');
  await pipeline.add(
    [{ plugin: 'a', elements: [source(new CountingSource('a/count', 100, 300)), output(out)] }],
    ORDER,
  );
  await clock.turn(450);
  t.same(
    out.written.map(({ points }) => points.length),
    [4],
  );
  say(pipeline, 'control source pause');
  await settled();
  t.same(valuesOf(out.written), [1, 2, 3, 4, 5]);
});

const AUTONOMOUS = async (options: Parameters<typeof rig>[0] = {}) => {
  const { clock, pipeline, events } = rig(options);
  const calls: string[] = [];
  let emit: Emit = async () => false;
  const server = {
    name: 'relay-server/tcp_server',
    kind: 'autonomous',
    open: async (given: Emit) => {
      emit = given;
    },
    close: async () => {
      calls.push('close');
    },
  } as const;
  const outs = [new RememberingOutput('b/one'), new RememberingOutput('c/two')] as const;
  await pipeline.add(
    [{ plugin: 'a', elements: [{ type: 'source', source: server }, output(outs[0]), output(outs[1])] }],
    ORDER,
  );
  return { clock, pipeline, events, calls, outs, emit: (batch: Batch) => emit(batch) };
};
const ORIGIN = { client: 'c', spool: 's', batch: 1 };

t.test('an emitted batch is taken once every output has written it', async (t) => {
  const { outs, emit } = await AUTONOMOUS();
  outs[1].hold();
  let taken: boolean | undefined;
  const done = emit({ points: [numbered(1)], origin: ORIGIN }).then((result) => {
    taken = result;
  });
  await settled();
  t.same(valuesOf(outs[0].written), [1]);
  t.equal(taken, undefined, 'one output is not ready');
  outs[1].release();
  await done;
  t.equal(taken, true);
  t.same(outs[1].written[0]?.origin, ORIGIN);
});

t.test('an emitted batch is not taken when an output fails, and the failure is told', async (t) => {
  const { outs, emit, events } = await AUTONOMOUS();
  outs[0].failure = new Error('disk full');
  t.equal(await emit({ points: [numbered(1)], origin: ORIGIN }), false);
  t.match(events, [{ type: 'output.failed', name: 'b/one' }]);
  t.equal(await emit({ points: [numbered(2)], origin: ORIGIN }), true, 'the other output is left');
});

t.test('without an output nothing that has an origin is taken', async (t) => {
  const { pipeline, emit } = await AUTONOMOUS();
  say(pipeline, 'control output stop');
  await settled();
  t.equal(await emit({ points: [numbered(1)], origin: ORIGIN }), false);
});

t.test('a batch that transforms emptied is still written when it has an origin', async (t) => {
  const { pipeline, outs, emit } = await AUTONOMOUS();
  await pipeline.add([{ plugin: 'd', elements: [transform({ name: 'd/t', apply: () => [] })] }], ORDER);
  t.equal(await emit({ points: [numbered(1)], origin: ORIGIN }), true);
  t.match(outs[0].written, [{ points: [], origin: ORIGIN }]);
});

t.test('an autonomous source can be stopped, and ignores all else with a word', async (t) => {
  const { pipeline, events, calls } = await AUTONOMOUS();
  for (const args of ['pause', 'set-period 1s', 'trigger-now', 'resume'])
    say(pipeline, `control source/relay-server/* ${args}`);
  t.same(
    events.map((event) => event.type === 'ignored' && event.action),
    ['pause', 'set-period', 'trigger-now', 'resume'],
  );
  say(pipeline, 'control source/relay-server/* stop');
  say(pipeline, 'control source/relay-server/* stop');
  t.same(calls, ['close']);
});

t.test(
  'a stop ends sources, then transforms, then outputs, and writes all, also what a pause kept',
  async (t) => {
    const { clock, pipeline } = rig();
    const out = new RememberingOutput('a/out');
    const held: number[] = [];
    const holding: Transform = {
      name: 'b/hold',
      apply: (points) => {
        held.push(...points.map(({ value }) => Number(value.value)));
        return [];
      },
      flush: () => held.map((value) => numbered(value)),
    };
    const counting = new CountingSource('a/count', 100, 1_000);
    await pipeline.add(
      [{ plugin: 'a', elements: [source(counting), transform(holding), output(out)] }],
      ORDER,
    );
    await clock.turn(250);
    say(pipeline, 'control output pause');
    await pipeline.stop();
    t.same(valuesOf(out.written), [1, 2, 3]);
    t.same(out.calls, ['open', 'flush', 'close']);
    t.same(counting.calls, ['open', 'close']);
    t.equal(clock.pending, 0, 'no timer is left');
  },
);

t.test('when an element cannot open, what was open is closed and nothing runs', async (t) => {
  const { clock, pipeline } = rig();
  const fine = new RememberingOutput('a/fine');
  const broken = new RememberingOutput('b/broken');
  broken.openFailure = new Error('no such database');
  const counting = new CountingSource('a/count', 100);
  await t.rejects(
    pipeline.add([{ plugin: 'a', elements: [output(fine), output(broken), source(counting)] }], ORDER),
    { message: 'no such database' },
  );
  await clock.turn(1_000);
  t.same(fine.calls, ['open', 'close']);
  t.equal(counting.polls, 0);
});

t.test('plugins are replaced without a loss while others go on', async (t) => {
  const { clock, pipeline } = rig();
  const before = new RememberingOutput('b/out');
  const after = new RememberingOutput('b/out');
  await pipeline.add(
    [
      { plugin: 'a', elements: [source(new CountingSource('a/count', 100))] },
      { plugin: 'b', elements: [output(before)] },
    ],
    ORDER,
  );
  await clock.turn(100);
  before.hold();
  await clock.turn(100);
  const replaced = pipeline.replace(['b'], () =>
    pipeline.add([{ plugin: 'b', elements: [output(after)] }], ORDER),
  );
  await clock.turn(100);
  before.release();
  await replaced;
  await clock.turn(100);
  t.same(valuesOf(before.written), [1, 2, 3]);
  t.same(valuesOf(after.written), [4, 5]);
});
