/** What is ours passes its own gate, without a baseline: every profile, on the direct path. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Profile } from './case.ts';
import { Canary } from './engine/canary.ts';
import { DIRECT } from './engine/path.ts';
import { runAdapterCases } from './engine/run-adapter-cases.ts';
import { runClientCases } from './engine/run-client-cases.ts';
import { runServerCases } from './engine/run-server-cases.ts';
import type { CaseResult } from './outcome.ts';
import { PROFILES } from './suites/registry.ts';
import { EVERYTHING } from './targets/capabilities.ts';
import { execServer } from './targets/exec-server.ts';

t.setTimeout(600_000);

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const AGENT = `${process.execPath} ${path('reference-impl/agent/bin/relay-agent.ts')}`;

/** The command that starts what is ours, by profile. */
const OURS: Readonly<Record<string, string>> = {
  'port-relay': `${process.execPath} ${path('reference-impl/port-relay/bin/relay.ts')} {port} --bind 127.0.0.1 --log-level warn`,
  'port-client': `${process.execPath} ${path('harness/conformance/subjects/port-client.ts')} {mode} {port} {service}`,
  yamux: `${process.execPath} ${path('harness/conformance/subjects/yamux-app.ts')} listen {port}`,
  'identity-relay': `${process.execPath} ${path('reference-impl/identity-relay/bin/strelay.ts')} --idfile {idfile} --laddr 127.0.0.1:{port} --log-level warn`,
  'identity-node': `${process.execPath} ${path('harness/conformance/subjects/identity-node.ts')} {mode} {idfile} {ticket} {peer}`,
  postcard: `${process.execPath} ${path('harness/conformance/subjects/postcard-adapter.ts')}`,
  'measurement-server': `${AGENT} --plugins csv --relay-in 127.0.0.1:{port} --output-file {output}`,
  'measurement-client': `${AGENT} --config {config}`,
  'socket-control': `${AGENT} --config {config}`,
  'yamux-client': `${process.execPath} ${path('harness/conformance/subjects/yamux-app.ts')} dial {port}`,
};

const run = (profile: Profile, command: string, canary: Canary) => {
  const common = {
    surroundings: { capabilities: EVERYTHING, canary, seed: 7 },
    ...{ path: DIRECT, jobs: 4, rerunOf: (id: string) => id, done: () => undefined },
    signal: new AbortController().signal,
  };
  if (profile.role === 'adapter')
    return runAdapterCases({ ...common, profile, cases: profile.cases, command });
  return profile.role === 'server'
    ? runServerCases({ ...common, profile, cases: profile.cases, target: execServer(command, profile.files) })
    : runClientCases({ ...common, profile, cases: profile.cases, command });
};

const canary = new Canary();
t.teardown(() => canary.stop());

/** Profiles at a time: nearly all of their time is waiting. */
const AT_A_TIME = 4;

/** Every profile's results, begun in order, some at a time; asked for by name. */
const runs = new Map<string, PromiseWithResolvers<readonly CaseResult[]>>(
  PROFILES.map(({ name }) => [name, Promise.withResolvers<readonly CaseResult[]>()]),
);
const waiting = [...PROFILES];
const lane = async (): Promise<void> => {
  for (let profile = waiting.shift(); profile !== undefined; profile = waiting.shift()) {
    const command = OURS[profile.name];
    const told = runs.get(profile.name);
    if (command === undefined) told?.reject(new Error(`no program of ours is named for ${profile.name}`));
    else await run(profile, command, canary).then(told?.resolve, told?.reject);
  }
};
const lanes = Promise.all(Array.from({ length: AT_A_TIME }, lane));
t.teardown(() => lanes);

for (const profile of PROFILES)
  t.test(`ours holds every case of ${profile.name}`, async (t) => {
    const results = (await runs.get(profile.name)?.promise) ?? [];
    t.equal(results.length, profile.cases.length, 'every case was judged');
    for (const { id, level, verdict, got } of results)
      if (level === 'MUST') t.not(verdict, 'fail', `${id}: ${got}`);
    t.ok(
      results.filter(({ verdict }) => verdict === 'pass').length > results.length * 0.8,
      'and nearly all hold',
    );
  });
