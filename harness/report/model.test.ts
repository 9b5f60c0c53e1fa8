import t from 'tap';
import { levelAt } from '../measure/series.ts';
import { EXIT } from '../verdict/verdict.ts';
import { reportModel } from './model.ts';
import { SAMPLE_EXIT, sampleJudgements } from './testing/sample-judgements.ts';
import { SAMPLE, type SampleOptions, sampleTrace } from './testing/sample-trace.ts';
import {
  began,
  client,
  dialing,
  ended,
  judgement,
  lost,
  registered,
  site,
  trace,
} from './testing/small-trace.ts';

const PASS = { exitCode: EXIT.pass, complete: true } as const;
const fault = (n: number, where: string, kind = 'nat reboot') =>
  ({ type: 'fault.begun', fault: n, kind, site: where, text: 'it happens' }) as const;
const receipt = (n: number, where: string, effects: number, kind = 'nat reboot') =>
  ({ type: 'fault.receipt', fault: n, kind, site: where, effects, text: 'seen' }) as const;

t.test('lanes count who is connected, who is unaware and who tries in vain', async (t) => {
  const model = reportModel(
    trace([
      [0, 'run', began],
      [0, 'run', site('home', 2)],
      [0, 'run', client('home/a')],
      [0, 'run', client('home/b')],
      [1, 'home/a', registered],
      [1.5, 'home/b', registered],
      [4, 'run', fault(1, 'home')],
      [4, 'home/nat', { type: 'nat.dropped', mappings: 2, cause: 'reboot' }],
      [4, 'run', receipt(1, 'home', 2)],
      [6, 'home/a', lost(0)],
      [6.3, 'home/a', lost(1)],
      [7, 'home/a', registered],
      [8, 'home/b', lost(0)],
      [9, 'home/b', registered],
      [10, 'run', ended],
    ]),
    [judgement()],
    PASS,
  );
  const [lane] = model.lanes;
  if (lane === undefined) throw new Error('no lane');
  const at = (seconds: number) => [
    levelAt(lane.connected, seconds * 10),
    levelAt(lane.unaware, seconds * 10),
  ];
  t.strictSame([0.5, 1.2, 2, 5, 6.5, 7.5, 8.5, 9.5].map(at), [
    [0, 0],
    [1, 0],
    [2, 0],
    [2, 2],
    [1, 1],
    [2, 1],
    [1, 0],
    [2, 0],
  ]);
  t.strictSame(lane.refused, { at: [31], count: [1] }, '6.3 s is the 31st fifth of a second');
  t.equal(lane.losses, 2);
  t.equal(lane.longestAwayMicros, 5_000_000, 'counted from the death of the path, not from its notice');
  t.match(model.clients, { declared: 2, everConnected: 2, connectedAtEnd: 2, losses: 2, refused: 1 });
  t.match(model.faults, [
    {
      fault: 1,
      proved: true,
      clientsLost: 2,
      clientsBack: 2,
      allBackMicros: 9_000_000,
      backAfterMicros: 5_000_000,
    },
  ]);
  t.equal(
    model.headline,
    '2 clients behind 1 NAT lost their paths 2 times. All came back within 5.0\u202fs.',
  );
});

t.test('an outage counts from the moment the relay is ready, and shows the herd', async (t) => {
  const lines: Parameters<typeof trace>[0][number][] = [
    [0, 'run', began],
    [0, 'run', site('home', 4)],
    [
      0,
      'run',
      {
        type: 'schedule.declared',
        fleet: 'clients',
        size: 4,
        baseMillis: 1_000,
        factor: 2,
        capMillis: 4_000,
        jitter: 0.5,
        healthyMillis: 3_000,
      },
    ],
    [0, 'run', { type: 'goal.declared', goal: 'herd-share', value: 0.6 }],
  ];
  const names = ['home/a', 'home/b', 'home/c', 'home/d'];
  for (const name of names) lines.push([0, 'run', client(name)]);
  for (const name of names) lines.push([1, name, registered]);
  lines.push([10, 'run', fault(1, '', 'outage')], [10, 'relay', { type: 'host.crashed', reason: 'SIGKILL' }]);
  for (const name of names) lines.push([10, name, lost(0)]);
  lines.push([12, 'relay', { type: 'host.ready', port: 1 }], [12, 'run', receipt(1, '', 5, 'outage')]);
  lines.push([12, 'run', { type: 'fault.ended', fault: 1, kind: 'outage', site: '' }]);
  for (const [index, name] of names.entries()) {
    // Three within one tenth of a second, one later; the last one waits longer than its envelope allows.
    const at = [12.5, 12.55, 12.58, 13.5][index] ?? 0;
    lines.push([at, name, dialing(1)], [at + 0.01, name, registered]);
  }
  lines.push([20, 'run', ended]);
  const ordered = [...lines].sort((a, b) => a[0] - b[0]);
  const model = reportModel(trace(ordered), [], PASS);
  t.match(model.outages, [{ fault: 1, fromMicros: 10_000_000, toMicros: 12_000_000 }]);
  t.match(model.faults, [{ countedFrom: 'relay ready', backAfterMicros: 1_510_000, clientsBack: 4 }]);
  const [fleet] = model.fleets;
  t.equal(fleet?.attempts, 4);
  t.equal(fleet?.outside, 4, 'the envelope of the first wait is 0.5 s to 1 s');
  t.equal(fleet?.herdLimit, 0.6);
  t.equal(fleet?.herds[0]?.busiestShare, 0.75);
  t.equal(fleet?.herds[0]?.attempts[25], 3);
  t.equal(fleet?.herds[0]?.attempts[35], 1);
});

const opened = (tunnel: number, side: 'user' | 'service', close: 'half' | 'full' | 'abort') =>
  ({
    type: 'tunnel.opened',
    tunnel,
    side,
    mode: 'pool',
    client: side === 'user' ? 'home/a' : '',
    up: 100,
    down: 1_000,
    close,
  }) as const;
type End = 'fin' | 'rst' | 'timeout' | 'refused' | 'none';
const done = (
  tunnel: number,
  side: 'user' | 'service',
  sent: number,
  received: number,
  gotEnd: End,
  sentEnd: 'fin' | 'rst' | 'none' = 'fin',
) => ({ type: 'tunnel.done', tunnel, side, sent, received, sentEnd, gotEnd }) as const;

t.test('the ledger tells lost bytes from bytes that an abort or a proved fault cut off', async (t) => {
  const model = reportModel(
    trace([
      [0, 'run', began],
      [0, 'run', site('home', 1)],
      [0, 'run', client('home/a')],
      [1, 'home/a', registered],
      // 1: whole. 2: the answer's last 400 bytes never come. 3: aborted by the user. 4: cut by fault 1. 5: a hole. 6: refused.
      ...[1, 2, 3].flatMap((n) => [
        [2, 'users', opened(n, 'user', n === 3 ? 'abort' : 'half')] as const,
        [2.1, 'home/service', opened(n, 'service', n === 3 ? 'abort' : 'half')] as const,
      ]),
      [3, 'users', done(1, 'user', 100, 1_000, 'fin')],
      [3, 'home/service', done(1, 'service', 1_000, 100, 'fin')],
      [3, 'users', done(2, 'user', 100, 600, 'fin')],
      [3, 'home/service', done(2, 'service', 1_000, 100, 'fin')],
      [3, 'users', done(3, 'user', 100, 500, 'none', 'rst')],
      [3, 'home/service', done(3, 'service', 900, 100, 'rst', 'none')],
      [4, 'users', opened(4, 'user', 'half')],
      [4.1, 'home/service', opened(4, 'service', 'half')],
      [5, 'run', fault(1, 'home')],
      [5, 'run', receipt(1, 'home', 1)],
      [5.5, 'users', done(4, 'user', 100, 250, 'timeout')],
      [5.5, 'home/service', done(4, 'service', 1_000, 100, 'rst')],
      [7, 'users', opened(5, 'user', 'full')],
      [7.1, 'home/service', opened(5, 'service', 'full')],
      [
        7.5,
        'users',
        {
          type: 'ledger.span',
          tunnel: 5,
          direction: 'down',
          offset: 300,
          length: 50,
          state: 'lost',
          from: '',
          hex: '',
        },
      ],
      [8, 'users', done(5, 'user', 100, 950, 'fin')],
      [8, 'home/service', done(5, 'service', 1_000, 100, 'fin')],
      [9, 'users', opened(6, 'user', 'half')],
      [9.1, 'users', done(6, 'user', 0, 0, 'refused', 'none')],
      [10, 'run', ended],
    ]),
    [],
    PASS,
  );
  const { ledger } = model;
  t.match(ledger, {
    tunnels: 6,
    ended: 5,
    refused: 1,
    openAtEnd: 0,
    lost: 450,
    cutsUnexplained: 2,
    cutsExplained: 1,
  });
  t.match(ledger.rows, [
    {
      mode: 'pool',
      direction: 'up',
      tunnels: 5,
      sent: 500,
      received: 500,
      lost: 0,
      endsKept: 1,
      endsOf: 2,
      abortsSeen: 1,
      abortsOf: 1,
    },
    {
      mode: 'pool',
      direction: 'down',
      sent: 4_900,
      received: 3_300,
      lost: 450,
      cutBytes: 1_150,
      endsKept: 0,
      endsOf: 1,
      firstWrong: { tunnel: 5, offset: 300, state: 'lost' },
    },
  ]);
  for (const row of ledger.rows)
    t.equal(row.sent, row.received + row.lost + row.cutBytes, 'sent = arrived + lost + cut off');
  t.equal(levelAt(ledger.open, 25), 3, 'three tunnels are open at 2.5 s');
});

t.test('a fault without a receipt explains nothing', async (t) => {
  const events = [
    [0, 'run', site('home', 1)],
    [0, 'run', client('home/a')],
    [4, 'users', opened(4, 'user', 'half')],
    [4.1, 'home/service', opened(4, 'service', 'half')],
    [5, 'run', fault(1, 'home')],
    [5, 'run', receipt(1, 'home', 0)],
    [5.5, 'users', done(4, 'user', 100, 250, 'timeout')],
    [5.5, 'home/service', done(4, 'service', 1_000, 100, 'rst')],
    [9, 'run', ended],
  ] as const;
  const model = reportModel(trace(events), [], PASS);
  t.match(model.ledger, { lost: 750, cutsUnexplained: 1, cutsExplained: 0 });
  t.match(model.faults, [{ proved: false }]);
});

t.test('what an interrupted trace does not show is neither lost nor missing', async (t) => {
  const events = trace([
    [0, 'run', began],
    [0, 'run', site('home', 1)],
    [0, 'run', client('home/a')],
    [1, 'home/a', registered],
    [2, 'users', opened(1, 'user', 'half')],
    [2.1, 'home/service', opened(1, 'service', 'half')],
    [3, 'users', done(1, 'user', 100, 0, 'fin')],
    [4, 'home/nat', { type: 'nat.dropped', mappings: 1, cause: 'reboot' }],
    [5, 'run', { type: 'run.phase', name: 'here it stops' }],
  ]);
  const model = reportModel(events, [], { exitCode: EXIT.interrupted, complete: true });
  t.equal(model.partial, true);
  t.equal(model.partialWhy, 'the trace stops in the middle');
  t.equal(model.ledger.lost, 0);
  const [lane] = model.lanes;
  t.equal(
    lane === undefined ? -1 : levelAt(lane.unaware, 45),
    1,
    'its path is dead and nothing says it knows',
  );
  t.equal(model.headline, 'Interrupted at 5.0\u202fs: this is what was seen so far.');
});

t.test('forwarders have no lane, probes that must be refused are no tunnels of users', async (t) => {
  const model = reportModel(
    trace([
      [0, 'run', site('home', 1)],
      [0, 'run', client('home/a')],
      [0, 'run', client('home/forwarder', 'forwarder')],
      [1, 'home/a', registered],
      [1, 'home/forwarder', registered],
      [2, 'users', opened(1, 'user', 'half')],
      [2, 'run', { type: 'probe.declared', tunnel: 1, clause: 'PORT-POOL-1', expects: 'refused' }],
      [2, 'users', done(1, 'user', 100, 0, 'timeout')],
      [3, 'run', ended],
    ]),
    [],
    PASS,
  );
  t.equal(model.lanes[0] === undefined ? -1 : levelAt(model.lanes[0].connected, 20), 1);
  t.equal(model.sites[0]?.modes.forwarder, 1);
  t.match(model.ledger, { tunnels: 0, ended: 0, lost: 0, cutsUnexplained: 0 });
});

t.test('failures are numbered worst first and a SHOULD is only observed', async (t) => {
  const model = reportModel(
    [],
    [
      judgement({ clause: 'A-1', verdict: 'pass' }),
      judgement({ clause: 'A-2', verdict: 'fail', exercised: 100, broken: 1, summary: 'rare' }),
      judgement({ clause: 'A-3', verdict: 'inconclusive' }),
      judgement({
        clause: 'A-4',
        verdict: 'fail',
        exercised: 4,
        broken: 4,
        summary: 'A-4 always breaks',
        title: 'it holds',
      }),
      judgement({ clause: 'A-5', verdict: 'fail', level: 'SHOULD' }),
      judgement({ clause: 'A-6', verdict: 'not-applicable' }),
    ],
    { exitCode: EXIT.fail, complete: true },
  );
  t.strictSame(
    model.checks.map(({ pin, judgement: { clause } }) => [pin, clause]),
    [
      ['F1', 'A-4'],
      ['F2', 'A-2'],
      ['U1', 'A-3'],
      ['O1', 'A-5'],
      ['', 'A-1'],
      ['', 'A-6'],
    ],
  );
  t.strictSame(model.counts, { pass: 1, fail: 2, inconclusive: 1, 'not-applicable': 1, observation: 1 });
  t.equal(model.headline, 'It holds.', 'a clause id is never in the sentence: the title steps in');
});

t.test('a scenario may bring its own sentence', async (t) => {
  const headline = (model: { readonly clients: { readonly declared: number } }) =>
    `${model.clients.declared} and no more.`;
  t.equal(reportModel([], [], { ...PASS, headline }).headline, '0 and no more.');
});

t.test('every shape of run has a model that survives JSON', async (t) => {
  const shapes: readonly Partial<SampleOptions>[] = [
    {},
    { variant: 'failed' },
    { variant: 'inconclusive' },
    { variant: 'partial' },
    { sites: 1, perSite: 1 },
    { sites: 200, perSite: 2 },
    { users: false },
    { lab: 'sim' },
  ];
  for (const shape of shapes) {
    const options = { ...SAMPLE, ...shape };
    const { variant } = options;
    const model = reportModel(sampleTrace(options), sampleJudgements(variant), {
      exitCode: SAMPLE_EXIT[variant],
      complete: variant !== 'partial',
    });
    const text = JSON.stringify(model);
    t.notMatch(text, /null|NaN|Infinity/, `${JSON.stringify(shape)}: no number got lost`);
    t.equal(JSON.stringify(JSON.parse(text)), text);
    t.ok(model.headline.endsWith('.'));
    t.equal(
      model.lanes.reduce((sum, lane) => sum + lane.sites.length, 0),
      options.sites,
    );
    t.equal(
      model.lanes.reduce((sum, lane) => sum + lane.clients, 0),
      options.sites * options.perSite,
    );
    t.equal(model.grouped, options.sites > 12);
    t.equal(model.speed.ratios.length, options.lab === 'sim' || variant === 'partial' ? 0 : 3);
  }
});

t.test('a trace cut anywhere still gives a model', async (t) => {
  const whole = sampleTrace(SAMPLE);
  for (let length = 0; length < whole.length; length += 307) {
    const model = reportModel(whole.slice(0, length), [], { exitCode: EXIT.interrupted, complete: false });
    t.equal(model.partial, true);
    for (const lane of model.lanes)
      t.ok(
        [...lane.connected.count, ...lane.unaware.count].every((n) => n >= 0 && n <= lane.clients),
        `${length} lines`,
      );
  }
});

t.test('lines out of order between hosts change nothing', async (t) => {
  const whole = sampleTrace(SAMPLE);
  const late = [...whole.filter(({ who }) => who !== 'users'), ...whole.filter(({ who }) => who === 'users')];
  t.strictSame(reportModel(late, [], PASS), reportModel(whole, [], PASS));
});
