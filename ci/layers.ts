/**
 * Who may import whom. One row a layer: its folder (or file), and what it may import besides itself. The longest prefix wins,
 * what is absent is forbidden. ARCHITECTURE.md prints this table; ci/layers.test.ts holds the code to it.
 */

/** `node:` stands for every built-in, `node:net` for one; a path for a folder and all below it; else a package's name. */
export type Layers = Readonly<Record<string, readonly string[]>>;

const MACHINE = 'reference-impl/machine';
const BACKOFF = 'reference-impl/backoff';
const METRICS = 'reference-impl/metrics';
const YAMUX = 'reference-impl/yamux';
const DRIVERS = 'reference-impl/drivers';
const RELAY = 'reference-impl/port-relay/relay';
const CLIENT = 'reference-impl/port-relay/client';
const POSTCARD = 'postcard-ts';
const MEASUREMENT = 'reference-impl/measurement-relay';
const AGENT = 'reference-impl/agent';
const IDENTITY = 'reference-impl/identity-relay';
const LINK = 'harness/chaos-proxy/src';
/** The same by its package's name, as everybody else imports it. */
const PROXY = 'chaos-proxy';
const TRACE = 'harness/trace';
const VERDICT = 'harness/verdict';

export const LAYERS: Layers = {
  [MACHINE]: [],
  'reference-impl/postcard-ts': [],
  'reference-impl/postcard-ts/src/node.ts': ['reference-impl/postcard-ts', 'node:'],
  [BACKOFF]: [MACHINE],
  [METRICS]: [MACHINE, 'node:http', 'prom-client'],
  [YAMUX]: [MACHINE],
  [`${YAMUX}/duplex.ts`]: [MACHINE, YAMUX, 'node:events', 'node:perf_hooks', 'node:stream'],
  [DRIVERS]: [MACHINE, BACKOFF, YAMUX, 'node:'],
  [RELAY]: [MACHINE],
  [CLIENT]: [MACHINE, BACKOFF, `${RELAY}/relay-report.ts`],
  'reference-impl/port-relay': [MACHINE, BACKOFF, DRIVERS, RELAY, CLIENT, 'node:'],
  'reference-impl/port-relay/bin': [
    ...[MACHINE, BACKOFF, METRICS, DRIVERS, 'reference-impl/port-relay', 'node:'],
    ...['commander', 'pino', 'pino-pretty', 'prom-client'],
  ],

  [MEASUREMENT]: [MACHINE, BACKOFF, POSTCARD],
  // both roles over real sockets, for whoever embeds them
  [`${MEASUREMENT}/node`]: [MACHINE, DRIVERS, MEASUREMENT, 'node:'],
  // what keeps batches on disk
  [`${MEASUREMENT}/disk`]: [MACHINE, POSTCARD, MEASUREMENT, 'node:'],
  [AGENT]: [
    ...[MACHINE, METRICS, BACKOFF, POSTCARD, MEASUREMENT, DRIVERS, `${AGENT}/pipeline`, 'node:'],
    ...['commander', 'fastest-levenshtein', 'pg', 'pino', 'pino-pretty', 'prom-client', 'smol-toml'],
  ],
  // under a clock that is handed in, and nothing else
  [`${AGENT}/pipeline`]: [MACHINE, MEASUREMENT],

  // all cryptography of the identity relay is in one file over node:crypto; its machines own no socket, clock or chance
  [IDENTITY]: [MACHINE, BACKOFF, `${IDENTITY}/crypto.ts`],
  [`${IDENTITY}/crypto.ts`]: ['node:crypto'],
  [`${IDENTITY}/files`]: [MACHINE, IDENTITY, 'node:'],
  [`${IDENTITY}/node`]: [MACHINE, BACKOFF, YAMUX, DRIVERS, IDENTITY, 'node:'],
  [`${IDENTITY}/bin`]: [
    ...[MACHINE, BACKOFF, METRICS, YAMUX, DRIVERS, IDENTITY, 'node:'],
    ...['commander', 'pino', 'pino-pretty', 'prom-client'],
  ],

  // the link machine and its faults run under any clock; only these files touch sockets, files and the command line
  [LINK]: ['fastest-levenshtein'],
  [`${LINK}/seed.ts`]: [LINK, 'node:crypto'],
  [`${LINK}/splice.ts`]: [LINK, 'node:net'],
  [`${LINK}/node.ts`]: [LINK, 'node:net'],
  [`${LINK}/proxy.ts`]: [LINK, 'node:events'],
  [`${LINK}/index.ts`]: [LINK],
  [`${LINK}/help.ts`]: [LINK],
  [`${LINK}/cli.ts`]: [LINK, 'node:'],
  [`${LINK}/rest`]: [LINK, 'node:'],
  [TRACE]: [],
  [VERDICT]: [],
  'harness/measure': [MACHINE, BACKOFF, TRACE, VERDICT, 'node:'],
  'harness/nat': [MACHINE, TRACE, 'fastest-levenshtein'],
  'harness/conformance': [
    ...[MACHINE, DRIVERS, PROXY, TRACE, VERDICT, 'harness/measure', 'harness/nat'],
    ...[
      'harness/agents/free-port.ts',
      'harness/agents/program.ts',
      'harness/conformance/clauses',
      'harness/conformance/suites',
    ],
    ...['fastest-levenshtein', 'node:'],
  ],
  // cases talk with literal bytes and codecs, never through a machine of ours: a mistake that both share would cancel out
  'harness/conformance/suites': [
    ...[MACHINE, POSTCARD, `${YAMUX}/frame.ts`, 'harness/conformance', 'node:'],
    'harness/measure/csv-records.ts',
  ],
  // its secure channel is its own: cryptography from the platform, the recorded sessions pin it
  'harness/conformance/suites/identity': ['harness/conformance', 'node:crypto', 'node:fs', 'node:path'],
  // programs that put what is ours before the gate
  'harness/conformance/subjects': ['reference-impl', POSTCARD, 'harness/conformance', 'node:'],
  'harness/conformance/clauses': [VERDICT],
  // every mutant before the gate
  'harness/conformance/selfproof.ts': [
    ...['harness/conformance', 'harness/conformance/clauses', 'harness/conformance/mutants'],
    ...['harness/conformance/subjects', 'harness/conformance/suites', 'node:'],
  ],
  'harness/conformance/mutants': [MACHINE, RELAY, `${YAMUX}/frame.ts`],
  // a man in the middle of real connections, and one that leaks descriptors
  'harness/conformance/mutants/middle.ts': [MACHINE, 'harness/conformance/mutants', 'node:net'],
  'harness/conformance/mutants/relay-middle-defects.ts': ['harness/conformance/mutants', 'node:fs'],
  // what an agent says and hears, changed on its way: frames by the codec of the cases
  'harness/conformance/mutants/agent': [
    ...['harness/conformance/mutants', 'harness/conformance/suites', 'node:timers', 'node:process'],
  ],
  'harness/conformance/mutants/agent/relay-agent.ts': [
    ...[
      DRIVERS,
      'reference-impl/agent',
      'harness/conformance/mutants',
      'node:net',
      'node:os',
      'node:process',
    ],
  ],
  // codecs with a defect, as adapters
  'harness/conformance/mutants/postcard': ['harness/conformance/subjects', 'node:process'],
  // relays and nodes whose classes and cryptography are spoiled in their process
  'harness/conformance/mutants/identity': [MACHINE, IDENTITY, 'node:crypto', 'node:fs', 'node:module'],
  'harness/conformance/mutants/identity/strelay.ts': [
    ...[DRIVERS, IDENTITY, 'harness/conformance/mutants/identity', 'node:process'],
  ],
  // the mutants as a program
  'harness/conformance/mutants/relay.ts': [
    DRIVERS,
    'harness/conformance/mutants',
    'reference-impl/port-relay',
    'node:process',
  ],
  'harness/agents': [
    ...[MACHINE, BACKOFF, DRIVERS, RELAY, CLIENT, MEASUREMENT, IDENTITY, PROXY],
    ...['reference-impl/agent/outputs/sqlite', 'pg'],
    ...[TRACE, 'harness/measure', 'harness/nat', 'harness/conformance/mutants', 'node:'],
  ],
  'harness/labs': [
    ...[MACHINE, DRIVERS, RELAY, PROXY, TRACE, 'harness/nat', 'harness/agents', 'node:'],
    ...['dockerode', 'testcontainers'],
  ],
  'harness/links': [MACHINE, PROXY, 'node:'],
  'harness/scenario': [
    ...[MACHINE, BACKOFF, PROXY, TRACE, VERDICT, 'harness/measure', 'harness/nat', 'harness/agents'],
    ...['harness/labs', 'harness/links', 'harness/conformance/clauses', 'node:', 'fastest-levenshtein'],
  ],
  'harness/report': [MACHINE, BACKOFF, TRACE, VERDICT, 'harness/measure', 'node:crypto'],
  'harness/report/gate': ['harness/report', 'harness/conformance', VERDICT, 'node:path'],
  'harness/bench': [MACHINE, YAMUX, DRIVERS, 'harness/measure', 'harness/report', 'node:'],
  'harness/bench/measurement': [
    ...[MACHINE, MEASUREMENT, 'reference-impl/agent/outputs/throwaway-postgres.ts', 'harness/bench'],
    ...['node:', 'pg'],
  ],
  'harness/bench/identity': [MACHINE, IDENTITY, 'harness/bench', 'node:'],
  'harness/bench/postcard': [
    ...[MACHINE, POSTCARD, 'harness/bench', 'harness/report', 'harness/labs/compile-cache.ts', 'node:'],
    ...[
      '@bufbuild/protobuf',
      '@msgpack/msgpack',
      '@variegated-coffee/serde-postcard-ts',
      'avsc',
      'benny',
      'bson',
    ],
    ...['cbor-x', 'msgpackr'],
  ],
  'harness/cli': ['harness', PROXY, 'commander', 'fastest-levenshtein', 'node:'],

  scenarios: [BACKOFF, PROXY, 'harness'],
  ci: ['harness', 'reference-impl', 'scenarios', 'tap-parser', 'node:'],
};

/** What tests and what only they import may import: packages are Biome's matter, and the arrows between the three houses stay. */
export const TESTS_MAY_IMPORT: Layers = {
  'reference-impl': ['reference-impl'],
  'reference-impl/postcard-ts': ['reference-impl/postcard-ts'],
  'harness/chaos-proxy': ['harness/chaos-proxy'],
  harness: ['harness', 'reference-impl', 'scenarios'],
  scenarios: ['scenarios', 'harness', 'reference-impl'],
  ci: ['ci', 'harness', 'reference-impl', 'scenarios'],
};

/** What only tests import or start, and no program may: whatever lies in a folder called `testing`, and these files. */
export const TEST_SUPPORT: readonly string[] = [
  'harness/labs/docker/open-and-wait.ts',
  'harness/labs/docker/packet-agent.ts',
  'harness/labs/docker/severable-engine.ts',
  'harness/nat/machine-bench.ts',
  'harness/nat/parity-end.ts',
  'harness/nat/parity-namespaces.ts',
  'harness/nat/parity-process.ts',
  'harness/nat/parity-rig.ts',
  'reference-impl/drivers/node-few-descriptors.ts',
  'reference-impl/drivers/node-script.ts',
  'reference-impl/drivers/sim-script.ts',
  'reference-impl/drivers/sim-world.ts',
  'reference-impl/port-relay/bin/program.ts',
  'reference-impl/port-relay/client/client-cases.ts',
  'reference-impl/port-relay/recorded.ts',
  'reference-impl/port-relay/relay/relay-cases.ts',
  'reference-impl/port-relay/transcript.ts',
  'reference-impl/yamux/virtual-link.ts',
];

/** Whether a path or name is the entry, or lies below it. */
export const isWithin = (path: string, entry: string): boolean =>
  path === entry || path.startsWith(entry.endsWith(':') ? entry : `${entry}/`);

/** The row that holds for a file: that of the longest prefix. */
export const rowOf = (path: string, layers: Layers): string | undefined =>
  Object.keys(layers)
    .filter((row) => isWithin(path, row))
    .sort((a, b) => b.length - a.length)[0];

export const isTestSupport = (path: string): boolean =>
  path.includes('/testing/') || TEST_SUPPORT.includes(path);

/** The table as ARCHITECTURE.md shows it. */
export const layersTable = (layers: Layers = LAYERS): string =>
  ['| layer | may import, besides itself |', '|---|---|']
    .concat(
      Object.entries(layers).map(
        ([row, allowed]) =>
          `| ${row} | ${allowed.length === 0 ? 'nothing' : allowed.map((entry) => entry.replace(/:$/, ':*')).join(', ')} |`,
      ),
    )
    .join('\n');
