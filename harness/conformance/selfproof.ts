#!/usr/bin/env node
/**
 * `npm run conformance:selfproof`: does each check bite? Every mutant is judged by the cases of the clause that it breaks, and one
 * of them must fail; the correct target is judged by all, and none may. A MUST without a mutant is told as well. Names of profiles
 * and of mutants as arguments: those only. Exit code 1 when a mutant survives, a MUST has none, or what is correct is refused.
 */
import { fileURLToPath } from 'node:url';
import type { Profile } from './case.ts';
import { clauseOf } from './clauses/registry.ts';
import { Canary } from './engine/canary.ts';
import { isWorthAnotherLook } from './engine/judge-case.ts';
import { DIRECT } from './engine/path.ts';
import { runClientCases } from './engine/run-client-cases.ts';
import { runServerCases } from './engine/run-server-cases.ts';
import { MEASUREMENT_CLIENT_DEFECTS } from './mutants/agent/client-defects.ts';
import { SOCKET_CONTROL_DEFECTS } from './mutants/agent/control-defects.ts';
import { MEASUREMENT_SERVER_DEFECTS } from './mutants/agent/server-defects.ts';
import { DEFECTS } from './mutants/defects.ts';
import { NODE_DEFECTS } from './mutants/identity/node-defects.ts';
import { RELAY_DEFECTS } from './mutants/identity/relay-defects.ts';
import { RELAY_MIDDLE_DEFECTS } from './mutants/relay-middle-defects.ts';
import { YAMUX_DEFECTS } from './mutants/yamux-defects.ts';
import type { CaseResult } from './outcome.ts';
import { CLIENT_DEFECTS } from './subjects/client-defects.ts';
import { IDENTITY_NODE } from './suites/identity/identity-node.ts';
import { IDENTITY_RELAY } from './suites/identity/identity-relay.ts';
import { MEASUREMENT_CLIENT } from './suites/measurement-client/measurement-client.ts';
import { MEASUREMENT_SERVER } from './suites/measurement-server/measurement-server.ts';
import { PORT_CLIENT } from './suites/port-client/port-client.ts';
import { PORT_RELAY } from './suites/port-relay/port-relay.ts';
import { SOCKET_CONTROL } from './suites/socket-control/socket-control.ts';
import { YAMUX_CLIENT, YAMUX_SERVER } from './suites/yamux/yamux.ts';
import { type Capabilities, EVERYTHING } from './targets/capabilities.ts';
import { execServer } from './targets/exec-server.ts';

type Mutant = { readonly name: string; readonly clause: string; readonly command: string };
export type Proof = {
  readonly profile: Profile;
  readonly correct: string;
  readonly mutants: readonly Mutant[];
  /** What all of them declare of themselves. Default: everything, in the time that the clauses say. */
  readonly capabilities?: Capabilities;
  /** Mutants at a time: nearly all of their time is waiting. Default 1. */
  readonly lanes?: number;
};

const program = (name: string): string =>
  `"${process.execPath}" "${fileURLToPath(new URL(name, import.meta.url))}"`;

/** What a scenario's ledger of bytes finds, the gate finds by its own clause. */
const HERE: Readonly<Record<string, string>> = { 'LEDGER-1': 'PORT-DATA-1', 'LEDGER-2': 'PORT-DATA-1' };

const mutantsOf = (
  defects: Readonly<Record<string, { readonly clause: string }>>,
  command: (name: string) => string,
): readonly Mutant[] =>
  Object.entries(defects).map(([name, { clause }]) => ({
    ...{ name, clause: HERE[clause] ?? clause },
    command: command(name),
  }));

/** Cases at a time, and mutants of those profiles whose cases wait for clocks. */
const JOBS = 6;
const LANES = 6;
/** An agent takes half a second of CPU to start, and each case of a client starts one. */
const AGENT_LANES = 3;
const RELAY = program('./mutants/relay.ts');
const CLIENT = program('./subjects/port-client.ts');
const YAMUX = program('./subjects/yamux-app.ts');
const AGENT = program('../../reference-impl/agent/bin/relay-agent.ts');
const SPOILED_AGENT = program('./mutants/agent/relay-agent.ts');
const NODE = program('./subjects/identity-node.ts');
const IDENTITY = program('./mutants/identity/strelay.ts');
/** Soon enough that its own rekeys are waited for, and late enough that most cases see none. */
const REKEY_MILLIS = 6_000;
const IDENTITY_OPTIONS = `--idfile {idfile} --laddr 127.0.0.1:{port} --log-level warn --drain-millis 1000 --rekey-millis ${REKEY_MILLIS}`;

/** Every profile that has mutants, with what must pass. */
export const PROOFS: readonly Proof[] = [
  {
    profile: PORT_RELAY,
    correct: `${program('../../reference-impl/port-relay/bin/relay.ts')} {port} --bind 127.0.0.1 --log-level warn`,
    mutants: mutantsOf(
      { ...DEFECTS, ...RELAY_MIDDLE_DEFECTS },
      (name) => `${RELAY} --defect ${name} {port} --bind 127.0.0.1`,
    ),
  },
  {
    profile: PORT_CLIENT,
    correct: `${CLIENT} {mode} {port} {service}`,
    mutants: mutantsOf(CLIENT_DEFECTS, (name) => `${CLIENT} --defect ${name} {mode} {port} {service}`),
  },
  {
    profile: YAMUX_SERVER,
    correct: `${YAMUX} listen {port}`,
    mutants: mutantsOf(YAMUX_DEFECTS, (name) => `${YAMUX} --defect ${name} listen {port}`),
  },
  {
    profile: YAMUX_CLIENT,
    correct: `${YAMUX} dial {port}`,
    mutants: mutantsOf(YAMUX_DEFECTS, (name) => `${YAMUX} --defect ${name} dial {port}`),
  },
  {
    profile: IDENTITY_RELAY,
    correct: `${program('../../reference-impl/identity-relay/bin/strelay.ts')} ${IDENTITY_OPTIONS}`,
    mutants: mutantsOf(RELAY_DEFECTS, (name) => `${IDENTITY} --defect ${name} ${IDENTITY_OPTIONS}`),
    capabilities: { ...EVERYTHING, limit: (name) => (name === 'rekeyMillis' ? REKEY_MILLIS : undefined) },
    lanes: LANES,
  },
  {
    profile: IDENTITY_NODE,
    correct: `${NODE} {mode} {idfile} {ticket} {peer}`,
    mutants: mutantsOf(NODE_DEFECTS, (name) => `${NODE} --defect ${name} {mode} {idfile} {ticket} {peer}`),
    lanes: LANES,
  },
  {
    profile: MEASUREMENT_SERVER,
    correct: `${AGENT} --plugins csv --relay-in 127.0.0.1:{port} --output-file {output} --log-level warn`,
    mutants: mutantsOf(
      MEASUREMENT_SERVER_DEFECTS,
      (name) => `${SPOILED_AGENT} --defect ${name} measurement-server {port} {output}`,
    ),
    lanes: AGENT_LANES,
  },
  {
    profile: MEASUREMENT_CLIENT,
    correct: `${AGENT} --config {config} --log-level warn`,
    mutants: mutantsOf(
      MEASUREMENT_CLIENT_DEFECTS,
      (name) => `${SPOILED_AGENT} --defect ${name} measurement-client {address} {config}`,
    ),
    lanes: AGENT_LANES,
  },
  {
    profile: SOCKET_CONTROL,
    correct: `${AGENT} --config {config} --log-level warn`,
    mutants: mutantsOf(
      SOCKET_CONTROL_DEFECTS,
      (name) => `${SPOILED_AGENT} --defect ${name} socket-control {socket} {config}`,
    ),
    lanes: AGENT_LANES,
  },
];

/** MUSTs that a profile judges and no mutant breaks. */
export const unproved = ({ profile, mutants }: Proof): readonly string[] =>
  [...new Set(profile.cases.map(({ clause }) => clause))].filter(
    (clause) => clauseOf(clause).level === 'MUST' && !mutants.some((mutant) => mutant.clause === clause),
  );

const SEED = 7;

/** @param over whether nothing more has to be known after this result */
const judged = async (
  { profile, capabilities = EVERYTHING }: Proof,
  command: string,
  canary: Canary,
  wanted: (clause: string) => boolean,
  over: (result: CaseResult) => boolean,
): Promise<readonly CaseResult[]> => {
  const results: CaseResult[] = [];
  const enough = new AbortController();
  const done = (result: CaseResult): void => {
    results.push(result);
    if (over(result)) enough.abort();
  };
  const common = {
    surroundings: { capabilities, canary, seed: SEED },
    ...{ path: DIRECT, jobs: JOBS, rerunOf: (id: string) => id, done, signal: enough.signal },
  };
  if (profile.role === 'server')
    await runServerCases({
      ...{ ...common, profile, target: execServer(command, profile.files) },
      cases: profile.cases.filter(({ clause }) => wanted(clause)),
    });
  else if (profile.role === 'client')
    await runClientCases({
      ...{ ...common, profile, command },
      cases: profile.cases.filter(({ clause }) => wanted(clause)),
    });
  return results;
};

const TOLD_CHARS = 100;

/** Whoever reads the table sees whether a mutant fell for what is wrong with it. */
const told = ({ got }: CaseResult): string => (got.split('\n')[0] as string).slice(0, TOLD_CHARS);

export type Bite = { readonly killed: boolean; readonly says: string };

/** The mutant before the cases of its clause, until one fails; once more where a busy machine left one undecided. */
export const bite = async (proof: Proof, mutant: Mutant, canary: Canary): Promise<Bite> => {
  const isKill = ({ verdict, blame }: CaseResult): boolean => verdict === 'fail' && blame === 'target';
  const look = () => judged(proof, mutant.command, canary, (clause) => clause === mutant.clause, isKill);
  let results = await look();
  if (!results.some(isKill) && results.some(isWorthAnotherLook)) results = await look();
  const kill = results.find(isKill);
  if (kill !== undefined) return { killed: true, says: `${kill.id}: ${told(kill)}` };
  const found = results.map((result) => `${result.id} ${result.verdict} (${told(result)})`);
  return { killed: false, says: found.join('; ') || `no case judges ${mutant.clause}` };
};

/** What is correct before every case. @returns what was held against it */
export const refused = async (proof: Proof, canary: Canary): Promise<readonly string[]> => {
  const { profile, correct } = proof;
  const results = await judged(
    proof,
    correct,
    canary,
    () => true,
    () => false,
  );
  const against = results.filter(
    ({ level, verdict, blame }) =>
      level === 'MUST' && (verdict === 'fail' || (verdict === 'inconclusive' && blame === 'harness')),
  );
  return [
    ...against.map((result) => `${result.id}: ${told(result)}`),
    ...(results.length < profile.cases.length ? ['not every case was judged'] : []),
  ];
};

const line = (clause: string, mutant: string, how: string, seconds: number, says: string): void =>
  console.log(
    `${clause.padEnd(15)} ${mutant.padEnd(24)} ${how.padEnd(9)} ${seconds.toFixed(1).padStart(5)} s  ${says}`,
  );

type Bitten = Bite & { readonly mutant: Mutant; readonly seconds: number };

/** Some at a time, told in their order. */
async function* bites(proof: Proof, mutants: readonly Mutant[], canary: Canary): AsyncGenerator<Bitten> {
  const told = mutants.map(() => Promise.withResolvers<Bitten>());
  const waiting = [...mutants.entries()];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, mutant] = next;
      const began = performance.now();
      await bite(proof, mutant, canary).then(
        (bitten) => told[i]?.resolve({ ...bitten, mutant, seconds: (performance.now() - began) / 1_000 }),
        (error) => told[i]?.reject(error),
      );
    }
  };
  const lanes = Array.from({ length: proof.lanes ?? 1 }, lane);
  for (const { promise } of told) yield await promise;
  await Promise.all(lanes);
}

const proved = async (proof: Proof, wanted: ReadonlySet<string>, canary: Canary): Promise<number> => {
  const { profile } = proof;
  const whole = wanted.size === 0 || wanted.has(profile.name);
  const mutants = proof.mutants.filter(({ name }) => whole || wanted.has(name));
  if (mutants.length === 0) return 0;
  let failed = 0;
  console.log(`\n${profile.name}: clause, mutant, what became of it`);
  const inOrder = [...mutants].sort((a, b) => a.clause.localeCompare(b.clause, 'en', { numeric: true }));
  for await (const { mutant, killed, says, seconds } of bites(proof, inOrder, canary)) {
    if (!killed) failed++;
    line(mutant.clause, mutant.name, killed ? 'killed' : 'SURVIVES', seconds, says);
  }
  if (!whole) return failed;
  for (const clause of unproved(proof)) {
    failed++;
    line(clause, '', 'NO MUTANT', 0, clauseOf(clause).title);
  }
  const began = performance.now();
  const against = await refused(proof, canary);
  const how = against.length === 0 ? 'accepted' : 'REFUSED';
  line('all', 'the correct one', how, (performance.now() - began) / 1_000, against.join('; '));
  return failed + against.length;
};

if (import.meta.filename === process.argv[1]) {
  const wanted = new Set(process.argv.slice(2));
  const names = PROOFS.flatMap(({ profile, mutants }) => [profile.name, ...mutants.map(({ name }) => name)]);
  const strange = [...wanted].filter((name) => !names.includes(name));
  if (strange.length > 0) {
    console.error(`selfproof: nothing is called ${strange.join(', ')}; there are ${names.join(', ')}`);
    process.exit(2);
  }
  const canary = new Canary();
  let failed = 0;
  for (const proof of PROOFS) failed += await proved(proof, wanted, canary);
  canary.stop();
  console.log(
    failed === 0 ? '\nevery check bites, and nothing correct is refused' : `\n${failed} do not hold`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}
