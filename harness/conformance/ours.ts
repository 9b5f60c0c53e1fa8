/** Our own programs before the gate: what must hold every case, on every machine, without a baseline. */
import { fileURLToPath } from 'node:url';
import type { Profile } from './case.ts';
import type { Canary } from './engine/canary.ts';
import { DIRECT } from './engine/path.ts';
import { runAdapterCases } from './engine/run-adapter-cases.ts';
import { runClientCases } from './engine/run-client-cases.ts';
import { runServerCases } from './engine/run-server-cases.ts';
import type { CaseResult } from './outcome.ts';
import { PROFILES } from './suites/registry.ts';
import { EVERYTHING } from './targets/capabilities.ts';
import { execServer } from './targets/exec-server.ts';

const program = (name: string): string =>
  `${process.execPath} ${fileURLToPath(new URL(`../../${name}`, import.meta.url))}`;

const AGENT = program('reference-impl/agent/bin/relay-agent.ts');

/** The command that starts what is ours, by profile. */
const OURS: Readonly<Record<string, string>> = {
  'port-relay': `${program('reference-impl/port-relay/bin/relay.ts')} {port} --bind 127.0.0.1 --log-level warn`,
  'port-client': `${program('harness/conformance/subjects/port-client.ts')} {mode} {port} {service}`,
  yamux: `${program('harness/conformance/subjects/yamux-app.ts')} listen {port}`,
  'identity-relay': `${program('reference-impl/identity-relay/bin/strelay.ts')} --idfile {idfile} --laddr 127.0.0.1:{port} --log-level warn`,
  'identity-node': `${program('harness/conformance/subjects/identity-node.ts')} {mode} {idfile} {ticket} {peer}`,
  postcard: program('harness/conformance/subjects/postcard-adapter.ts'),
  'measurement-server': `${AGENT} --plugins csv --relay-in 127.0.0.1:{port} --output-file {output}`,
  'measurement-client': `${AGENT} --config {config}`,
  'socket-control': `${AGENT} --config {config}`,
  'yamux-client': `${program('harness/conformance/subjects/yamux-app.ts')} dial {port}`,
};

/** Cases of one profile that run side by side: as many as the command line takes by itself. */
const JOBS = 8;

/** Every case of the profile, on the direct path. @throws Error for a profile that nothing of ours plays */
const judgeOurs = async (
  profile: Profile,
  canary: Canary,
  seed: number,
  signal: AbortSignal,
): Promise<readonly CaseResult[]> => {
  const command = OURS[profile.name];
  if (command === undefined) throw new Error(`no program of ours is named for the profile ${profile.name}`);
  const common = {
    surroundings: { capabilities: EVERYTHING, canary, seed },
    ...{ path: DIRECT, jobs: JOBS, rerunOf: (id: string) => id, done: () => undefined },
    signal,
  };
  if (profile.role === 'adapter')
    return runAdapterCases({ ...common, profile, cases: profile.cases, command });
  return profile.role === 'server'
    ? runServerCases({ ...common, profile, cases: profile.cases, target: execServer(command, profile.files) })
    : runClientCases({ ...common, profile, cases: profile.cases, command });
};

/** Profiles at a time: nearly all of their time is waiting. */
const AT_A_TIME = 4;

/** Every profile, begun in the registry's order, some at a time, until the signal. @returns what comes of each, by its name; none waits to be asked for */
export const judgeAllOurs = (
  canary: Canary,
  seed: number,
  signal = new AbortController().signal,
): ReadonlyMap<string, Promise<readonly CaseResult[]>> => {
  const runs = new Map(
    PROFILES.map(({ name }) => [name, Promise.withResolvers<readonly CaseResult[]>()] as const),
  );
  const waiting = [...PROFILES];
  const lane = async (): Promise<void> => {
    for (let profile = waiting.shift(); profile !== undefined; profile = waiting.shift()) {
      const told = runs.get(profile.name);
      await judgeOurs(profile, canary, seed, signal).then(told?.resolve, told?.reject);
    }
  };
  for (let n = 0; n < AT_A_TIME; n++) void lane();
  const promises = [...runs].map(([name, { promise }]) => [name, promise] as const);
  // whoever asks for it later hears of it then: until then it is nobody's unhandled rejection
  for (const [, promise] of promises) promise.catch(() => undefined);
  return new Map(promises);
};
