/** Broken relays as programs, in the local lab: what a foreign relay given by `--relay-exec` goes through. */
import { fileURLToPath } from 'node:url';
import { PROFILES } from 'chaos-proxy';
import t from 'tap';
import type { Schedule } from '../../../reference-impl/backoff/schedule.ts';
import { chooseLab } from '../../labs/choose.ts';
import type { HostedActor } from '../../labs/topology.ts';
import { PRESETS } from '../../nat/presets.ts';
import { execute } from '../../scenario/execute.ts';
import { exitOf, Judge } from '../../scenario/judge.ts';
import { defineScenario } from '../../scenario/scenario.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import { EXIT } from '../../verdict/verdict.ts';
import { DEFECTS } from './defects.ts';

// Labs start processes; on a busy machine that takes its time.
t.setTimeout(300_000);

const MUTANT = fileURLToPath(new URL('./relay.ts', import.meta.url));
const SCHEDULE: Schedule = {
  baseMillis: 250,
  factor: 2,
  capMillis: 2_000,
  jitter: 0.5,
  healthyMillis: 1_000,
  triesMax: Number.MAX_SAFE_INTEGER,
};

const client = (mode: 'pool' | 'event' | 'multiplex'): HostedActor => ({
  who: `home/${mode}`,
  actor: {
    kind: 'client',
    mode,
    relay: 'relay',
    service: 'home/service',
    poolSize: 2,
    schedule: SCHEDULE,
    dialMillis: 3_000,
    keepaliveMillis: 2_000,
    startAfterMillis: 0,
  },
  watch: true,
});

/** One site, three clients, a few users and somebody who talks rubbish: ten seconds. */
const glance = defineScenario({
  name: 'glance',
  summary: 'a short look at a relay',
  defaults: { sites: 1, clients: 3, users: 4, durationMillis: 10_000 },
  checks: ['conversation', 'tunnels', 'ledger', 'probes', 'relay-alive'],
  plan: () => ({
    topology: {
      relay: { exec: undefined, limits: {}, defect: undefined },
      keepaliveMillis: 2_000,
      sites: [
        {
          name: 'home',
          nat: { name: 'home', value: PRESETS.home, note: '' },
          link: { name: 'clean', faults: PROFILES.clean.faults, note: '' },
          actors: [
            { who: 'home/service', actor: { kind: 'service' }, watch: false },
            client('pool'),
            client('event'),
            client('multiplex'),
          ],
        },
      ],
      outside: [
        { who: 'users', actor: { kind: 'users' }, watch: false },
        {
          who: 'users/browser',
          watch: true,
          actor: {
            kind: 'script',
            to: 'relay',
            steps: [
              { do: 'wait', millis: 3_000 },
              { do: 'dial', conn: 'c' },
              { do: 'send', conn: 'c', text: 'GET / HTTP/1.1\n\n' },
              { do: 'expectEnd', conn: 'c', name: 'PORT-CTRL-5', millis: 4_000 },
            ],
          },
        },
      ],
    },
    fleets: [{ name: 'clients', schedule: SCHEDULE, members: ['home/pool', 'home/event', 'home/multiplex'] }],
    timeline: [
      { when: 1_000, step: { do: 'users', state: 'go' } },
      { when: 6_000, step: { do: 'users', state: 'rest' } },
      { when: 8_000, step: { do: 'finish', settleMillis: 0 } },
    ],
    users: {
      count: 4,
      thinkMillis: [100, 300],
      shape: (_mode, _site, unit) => ({ up: 2_000, down: 20_000, close: unit() < 0.5 ? 'half' : 'full' }),
    },
    goals: {},
    limitMillis: 20_000,
  }),
});

const run = async (relayExec: string | undefined) => {
  const events: TraceEvent[] = [];
  const chosen = await chooseLab('local');
  await execute({
    scenario: glance,
    chosen,
    options: { lab: 'local', seed: 7, ...glance.defaults },
    relayExec,
    defect: undefined,
    version: '0',
    rerun: 'none',
    sink: (event) => void events.push(event),
    signal: new AbortController().signal,
    progress: () => {},
    keep: false,
  });
  const judge = new Judge(glance.checks);
  for (const event of events.sort((a, b) => a.t - b.t)) judge.event(event);
  const judgements = judge.judgements();
  const failed = judgements.filter(({ level, verdict }) => level === 'MUST' && verdict === 'fail');
  return {
    exit: exitOf(judgements, judge.analysis.complete),
    failed: failed.map(({ clause }) => clause),
    said: failed.map(({ clause, got }) => `${clause}: ${got}`).join('; '),
  };
};

for (const name of ['padded-port', 'half-close-kills', 'dies-on-garbage'])
  t.test(`${name} as a program is named in the local lab`, async (t) => {
    const { exit, failed, said } = await run(`'${process.execPath}' '${MUTANT}' --defect ${name} {port}`);
    t.equal(exit, EXIT.fail);
    t.ok(failed.includes(DEFECTS[name]?.clause ?? ''), said);
  });

t.test('the healthy relay passes the same look', async (t) => {
  const { exit, said } = await run(undefined);
  t.equal(exit, EXIT.pass, said);
});
