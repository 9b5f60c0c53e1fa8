import t from 'tap';
import type { Order } from '../labs/lab.ts';
import type { Happening, TraceEvent } from '../trace/trace.ts';
import { PlanDirector } from './director.ts';
import type { Plan, TimelineEntry } from './scenario.ts';

const SHAPE = { up: 100, down: 200, close: 'half' } as const;
const plan = (timeline: readonly TimelineEntry[], users = 0): Plan => ({
  topology: {
    relay: { exec: undefined, limits: {}, defect: undefined },
    sites: [],
    outside: [],
    keepaliveMillis: 0,
  },
  fleets: [],
  timeline,
  users: { count: users, thinkMillis: [100, 200], shape: () => SHAPE },
  goals: {},
  limitMillis: 60_000,
});
const phase = (name: string) => ({ do: 'phase', name }) as const;

/** A director under a clock that jumps from deadline to deadline, and everything it ordered: `[millis, order]`. */
class Watched {
  readonly orders: (readonly [number, Order])[] = [];
  readonly #director: PlanDirector;

  constructor(timeline: readonly TimelineEntry[], users = 0, seed = 1) {
    this.#director = new PlanDirector(plan(timeline, users), seed);
    this.#take(0, this.#director.handle(0, { type: 'start' }));
  }

  #take(now: number, outputs: ReturnType<PlanDirector['handle']>): void {
    for (const output of outputs) if (output.type === 'report') this.orders.push([now, output.event]);
  }

  hear(now: number, who: string, happening: Happening): this {
    const command: TraceEvent = { t: now * 1000, who, n: 1, ...happening };
    this.#take(now, this.#director.handle(now, { type: 'command', command }));
    return this;
  }

  until(now: number): this {
    for (
      let due = this.#director.deadline();
      due !== undefined && due <= now;
      due = this.#director.deadline()
    )
      this.#take(due, this.#director.handle(due, { type: 'deadline' }));
    return this;
  }

  /** Names of phases, and when. */
  get phases(): readonly (readonly [number, string])[] {
    return this.orders.flatMap(([at, order]) =>
      order.do === 'say' && order.event.type === 'run.phase' ? [[at, order.event.name] as const] : [],
    );
  }

  get opened() {
    return this.orders.flatMap(([at, order]) =>
      order.do === 'tell' && order.command.do === 'open' ? [{ at, ...order.command }] : [],
    );
  }
}

const registered = (port: number): Happening => ({ type: 'client.registered', port, mode: 'pool' });
const mark = (name: string): Happening => ({ type: 'script.mark', name, port: 0 });
const done = (tunnel: number): Happening => ({
  type: 'tunnel.done',
  tunnel,
  side: 'user',
  sent: 1,
  received: 1,
  sentEnd: 'fin',
  gotEnd: 'fin',
});

t.test('a timeline goes by the clock, whatever order it was written in', async (t) => {
  const watched = new Watched([
    { when: 500, step: phase('second') },
    { when: 100, step: phase('first') },
    { when: 500, step: phase('third') },
  ]).until(1_000);
  t.same(watched.phases, [
    [100, 'first'],
    [500, 'second'],
    [500, 'third'],
  ]);
});

t.test('a step waits for its event: the nth that matches in every field, and a little later', async (t) => {
  const after = { type: 'script.mark', who: 'users/x', name: 'here' } as const;
  const watched = new Watched([
    { when: { after }, step: phase('at once') },
    { when: { after, nth: 2, delayMillis: 50 }, step: phase('after the second') },
  ]);
  watched.hear(10, 'users/y', mark('here')).hear(11, 'users/x', mark('there'));
  t.same(watched.phases, [], 'another host, another name');
  watched
    .hear(20, 'users/x', mark('here'))
    .hear(30, 'users/x', mark('here'))
    .hear(40, 'users/x', mark('here'))
    .until(1_000);
  t.same(watched.phases, [
    [20, 'at once'],
    [80, 'after the second'],
  ]);
});

t.test('a run ends in order by its timeline, and cut off by its limit', async (t) => {
  const inTime = new Watched([{ when: 100, step: { do: 'finish', settleMillis: 50 } }]).until(100_000);
  t.same(inTime.orders.at(-1), [150, { do: 'finish', complete: true, why: 'timeline over' }]);
  const cut = new Watched([{ when: { after: { type: 'client.gaveUp' } }, step: phase('never') }]).until(
    100_000,
  );
  t.same(cut.orders, [[60_000, { do: 'finish', complete: false, why: 'time limit of the plan' }]]);
  t.same(cut.hear(70_000, 'a', mark('x')).until(100_000).orders.length, 1, 'nothing happens afterwards');
});

t.test('faults are numbered as they come, and told before they are done', async (t) => {
  const watched = new Watched([
    { when: 10, step: { do: 'nat', site: 'home', event: { kind: 'expire' }, text: 'gone' } },
    { when: 20, step: { do: 'outage', millis: 5, text: 'away' } },
  ]).until(100);
  t.match(
    watched.orders.map(([, order]) => order),
    [
      { do: 'say', event: { type: 'fault.begun', fault: 1, kind: 'nat expire', site: 'home', text: 'gone' } },
      { do: 'fault', fault: 1, site: 'home', what: { kind: 'nat' } },
      { do: 'say', event: { type: 'fault.begun', fault: 2, kind: 'outage', site: '' } },
      { do: 'fault', fault: 2, site: '', what: { kind: 'outage', millis: 5 } },
    ],
  );
});

t.test('a probe goes to the port a client has, or had', async (t) => {
  const step = {
    do: 'probe',
    client: 'home/a',
    clause: 'PORT-EVENT-4',
    expects: 'refused',
    shape: SHAPE,
  } as const;
  const watched = new Watched([{ when: 100, step }]).hear(10, 'home/a', registered(4007));
  watched.hear(20, 'home/a', { type: 'client.stopped' }).until(200);
  t.match(watched.opened, [{ at: 100, tunnel: 1, client: 'home/a', to: { port: 4007 }, close: 'half' }]);
  t.match(watched.orders.at(-1)?.[1], {
    do: 'say',
    event: { type: 'probe.declared', tunnel: 1, expects: 'refused' },
  });
  const nobody = new Watched([{ when: 100, step }]).until(200);
  t.match(nobody.orders, [
    [100, { do: 'say', event: { type: 'step.unmet', step: 'probe', why: /home\/a never registered/ } }],
  ]);
});

t.test('users open one tunnel after the other to clients that are there, until they rest', async (t) => {
  const go = { when: 100, step: { do: 'users', state: 'go' } } as const;
  const watched = new Watched([go, { when: 5_000, step: { do: 'users', state: 'rest' } }], 2);
  watched.until(1_000);
  t.same(watched.opened, [], 'nobody to go to');
  watched.hear(1_000, 'home/a', registered(4001)).until(2_000);
  t.equal(watched.opened.length, 2, 'each user has one');
  watched.hear(2_000, 'users', done(1)).until(3_000);
  t.equal(watched.opened.length, 3, 'and the next when that is done');
  watched.hear(3_000, 'home/a', { type: 'client.lost', why: 'reset', waitMillis: 1, attempt: 0 });
  watched.hear(3_000, 'users', done(2)).until(4_000);
  t.equal(watched.opened.length, 3, 'nobody is sent to a client that is away');
  watched.hear(4_000, 'home/a', registered(4002)).until(4_900);
  t.match(watched.opened.at(-1), { to: { port: 4002 } }, 'but to where it is now');
  watched.until(5_000).hear(5_100, 'users', done(3)).hear(5_100, 'users', done(4)).until(20_000);
  t.equal(watched.opened.length, 4, 'rest is rest');
});

t.test('after an outage nobody is where it was, even if it does not say so', async (t) => {
  for (const end of ['outage', 'crash'] as const) {
    const watched = new Watched(
      [
        { when: 100, step: { do: 'users', state: 'go' } },
        ...(end === 'outage' ? [{ when: 90, step: { do: 'outage', millis: 10, text: '' } } as const] : []),
      ],
      3,
    ).hear(10, 'home/a', registered(4001));
    if (end === 'crash') watched.hear(90, 'relay', { type: 'host.crashed', reason: 'x' });
    t.same(watched.until(3_000).opened, [], end);
    t.equal(
      watched.hear(3_000, 'home/a', registered(4001)).until(4_000).opened.length,
      3,
      'until it registers anew',
    );
  }
});

t.test('the same seed gives the same orders, another one others', async (t) => {
  const played = (seed: number): string => {
    const watched = new Watched([{ when: 0, step: { do: 'users', state: 'go' } }], 5, seed);
    watched.hear(1, 'home/a', registered(4001)).hear(1, 'home/b', registered(4002));
    return JSON.stringify(watched.until(5_000).orders);
  };
  t.equal(played(7), played(7));
  t.not(played(7), played(8));
});

t.test('throughput is measured in turns, and a path that is not there is left out', async (t) => {
  const step = {
    do: 'throughput',
    rounds: 2,
    bytes: 1_000,
    source: 'home/source',
    clients: ['home/a', 'home/b'],
  } as const;
  const watched = new Watched([{ when: 100, step }]).hear(10, 'home/a', registered(4001)).until(100);
  const sample = (path: 'direct' | 'pool', round: number): Happening => ({
    type: 'rate.sample',
    path,
    round,
    bytes: 1_000,
    micros: 5,
  });
  const pushed = () =>
    watched.orders.filter(([, order]) => order.do === 'tell' && order.command.do === 'push').length;
  t.equal(pushed(), 1, 'direct first');
  t.same(watched.opened, []);
  watched.hear(200, 'users/sink', sample('direct', 0));
  t.match(watched.opened, [{ client: 'home/a', round: 0, close: 'full', down: 1_000 }]);
  watched.hear(300, 'users', sample('pool', 0));
  t.equal(pushed(), 1, 'measured, but not over yet');
  watched.hear(310, 'users', done(1));
  t.equal(pushed(), 2, 'home/b is not registered: the next round begins');
  watched
    .hear(400, 'users/sink', sample('direct', 1))
    .hear(500, 'users', sample('pool', 1))
    .hear(510, 'users', done(2));
  t.same(watched.phases, [[510, 'settle']]);
});

t.test('a transfer that never comes to an end is given up', async (t) => {
  const step = { do: 'throughput', rounds: 2, bytes: 1_000, source: 'home/source', clients: [] } as const;
  const watched = new Watched([{ when: 100, step }]).until(59_000);
  t.match(watched.phases, [[21_100, 'settle']]);
});

t.test(
  'many tunnels at once are that many orders, and to a client that is away none, which is said',
  async (t) => {
    const storm = { do: 'tunnel', client: 'shop/client', shape: SHAPE, times: 3 } as const;
    const watched = new Watched([
      { when: 1_000, step: storm },
      { when: 2_000, step: storm },
    ]);
    watched.hear(500, 'shop/client', { type: 'client.registered', port: 4_001, mode: 'event' }).until(1_500);
    t.equal(watched.orders.filter(([, order]) => order.do === 'tell').length, 3);
    watched
      .hear(1_600, 'shop/client', { type: 'client.lost', why: 'reset', waitMillis: 5_000, attempt: 0 })
      .until(2_500);
    t.equal(
      watched.orders.filter(([, order]) => order.do === 'tell').length,
      3,
      'none to a port that is gone',
    );
    t.match(watched.orders.at(-1), [2_000, { event: { type: 'step.unmet', step: 'tunnel' } }]);
  },
);
